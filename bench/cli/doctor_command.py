"""The command that looks at a machine before anything runs on it."""

from pathlib import Path
from typing import Annotated

import typer

MARKS = {"good": "ok     ", "note": "note   ", "problem": "PROBLEM"}


def doctor(
    data: Annotated[
        Path | None, typer.Option("--data", help="The data folder; by default as for `run`.")
    ] = None,
    runs: Annotated[Path, typer.Option(help="Where run directories are made.")] = Path("runs"),
) -> None:
    """Look at this machine: what is installed, what can be written, which plug-ins are broken.

    Each line with PROBLEM says what to do. The exit code is 1 if there is one.

    \b
    augbench doctor
    augbench doctor --data /shared/data
    """
    from rich.console import Console

    from augbench.bench.cli.doctor import findings
    from augbench.bench.cli.plan_command import usual_data
    from augbench.bench.terminal import print_line

    console = Console()
    found = []
    for finding in findings(data or usual_data(), runs):
        print_line(console, f"{MARKS[finding.state]} {finding.about}: {finding.text}")
        found.append(finding.state)
    raise typer.Exit(1 if "problem" in found else 0)
