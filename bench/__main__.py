"""The command ``augbench``, or ``python -m bench``."""

from bench.startup import importing


def main() -> None:
    """Import the command and run it."""
    with importing():
        from bench.cli import main as command
    command()


if __name__ == "__main__":
    main()
