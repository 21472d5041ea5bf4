"""The command ``augbench``, or ``python -m augbench.bench``."""

import sys

from augbench.bench.startup import importing, keep_writing

# Commands whose work goes on when nobody reads what they print.
_LONG_COMMANDS = ("run", "search", "reproduce")
_OUTPUT_LOST = "augbench: nobody reads the output any more; the work goes on (see augbench status)"


def main() -> None:
    """Import the command and run it."""
    keep_writing(notice=_OUTPUT_LOST if sys.argv[1:2] and sys.argv[1] in _LONG_COMMANDS else "")
    with importing():
        from augbench.bench.cli.command import main as command
    command()


if __name__ == "__main__":
    main()
