"""The command ``augbench``, or ``python -m augbench.bench``."""

from augbench.bench.startup import importing


def main() -> None:
    """Import the command and run it."""
    with importing():
        from augbench.bench.cli.command import main as command
    command()


if __name__ == "__main__":
    main()
