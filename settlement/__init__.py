"""What is computed: the stages of one month's settlement, and the facts they rest on."""

__version__ = "0.4.2"
