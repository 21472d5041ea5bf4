"""What a figure of the paper is made of: suites, the table that is drawn, what the paper says."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from matplotlib.figure import Figure

from augbench.analysis.paper import Scale
from augbench.analysis.paper.claims import Claim

Suites = Mapping[Scale, tuple[str, ...]]  # names of shipped suites


class Run(NamedTuple):
    """The run directory of a suite, and the folder of the data sets that it used."""

    path: Path
    data: Path


@dataclass(frozen=True)
class PaperFigure:
    """A figure of the paper.

    ``suites`` names the shipped suites that it is drawn from, for two CPU cores ("small") and with
    the settings of the paper's appendix A ("paper"). ``table`` reads their run directories, in that
    order and finished or not, into exactly what ``draw`` draws and ``claims`` judges. ``of_tasks``
    names suites of the figure's own for tasks that can be asked for in the place of the suites'.
    """

    shows: str
    suites: Suites
    table: Callable[[Sequence[Run]], pd.DataFrame]
    draw: Callable[[pd.DataFrame], Figure]
    claims: Callable[[pd.DataFrame], list[Claim]]
    of_tasks: Mapping[str, Suites] = field(default_factory=dict)
