"""When it runs: the order of a month, the command line, the clock."""
