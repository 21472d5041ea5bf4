"""The command that writes simulated nights."""

from pathlib import Path
from typing import Annotated

import typer

from augbench.bench.cli.arguments import Data
from augbench.bench.cli.resuming import say_how_to_resume


def simulate_nights(
    folder: Annotated[Path, typer.Argument(help="A new folder, or one of such nights.")],
    layout: Annotated[str, typer.Option(help="The layout of the files: mass or sleep-edf.")],
    nights: Annotated[int, typer.Option(help="How many.")],
    subjects: Annotated[
        int | None,
        typer.Option(help="How many people.  [default: as few as the layout allows]"),
    ] = None,
    seed: Annotated[int, typer.Option(help="The seed of all random numbers.")] = 0,
    hours: Annotated[float, typer.Option(help="The length of each night.")] = 8.0,
    data: Data = Path("data"),
) -> None:
    """Write simulated nights of sleep as EDF+ files, like those of MASS or Sleep-EDF.

    For rehearsals without the real data. Stages come from the real hypnograms under --data, where
    they are, else from a Markov chain. The same command goes on after an interruption.

    \b
    augbench simulate-nights data/simulated --layout mass --nights 20
    """
    from rich.console import Console
    from rich.progress import track

    from augbench.bench.terminal import print_line
    from augbench.datasets.simulated_nights.folder import (
        NightsOptions,
        source_of_stages,
        write_nights,
    )
    from augbench.datasets.simulated_nights.hypnograms import read_hypnograms

    options = NightsOptions(layout, nights, subjects, seed, hours)
    console = Console()
    hypnograms = read_hypnograms(data)
    print_line(console, f"stages from {source_of_stages(hypnograms)}")
    written = write_nights(folder, options, hypnograms)
    with say_how_to_resume("goes on from there"):
        for _ in track(written, description="nights", total=nights, console=console):
            pass
    print_line(console, f"{nights} simulated nights are in {folder}")
