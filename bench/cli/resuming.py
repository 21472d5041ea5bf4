"""How a command that is stopped says that it can go on."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from augbench.datasets.errors import UserError, system_error


@contextmanager
def say_how_to_resume(effect: str = "resumes the run") -> Iterator[None]:
    """Say how to go on after an interruption or a full disk: finished work is kept.

    ``effect`` is what the same command does then.
    """
    try:
        yield
    except KeyboardInterrupt:
        print(f"augbench: interrupted; the same command {effect}", file=sys.stderr)
        raise typer.Exit(130) from None
    except OSError as error:  # a disk that is full, a share that is gone
        raise UserError(
            f"{system_error(error)}; finished work is kept: mend that and run the same command "
            f"again, it {effect}"
        ) from error
