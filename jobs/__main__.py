"""Run the command line as `python -m jobs`; the installed `settle` starts here too."""


def main() -> None:
    """Start the command line.

    The import stands inside: worker processes that write documents import this module again and need
    nothing of the command line.
    """
    from jobs import cli

    cli.main()


if __name__ == "__main__":
    main()
