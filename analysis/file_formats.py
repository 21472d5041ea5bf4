"""The formats of the files beside a report's page, by the names that `--format` takes."""

import io
from collections.abc import Callable, Iterable, Mapping

import pandas as pd
from matplotlib.figure import Figure

from augbench.analysis.figures.image_files import pdf, png, svg
from augbench.analysis.text import csv
from augbench.datasets.errors import unknown

LATEX_ROWS = 200  # tables of more rows are data, and no table of a paper


def parquet(table: pd.DataFrame) -> bytes:
    """A table as Parquet, types included."""
    buffer = io.BytesIO()
    table.to_parquet(buffer, index=False)
    return buffer.getvalue()


def latex(table: pd.DataFrame) -> bytes:
    """A table for LaTeX's booktabs; texts are escaped, numbers have four digits."""
    text = table.to_latex(index=False, escape=True, na_rep="-", float_format="%.4g")
    return text.encode()


TABLE_FORMATS: Mapping[str, tuple[str, Callable[[pd.DataFrame], bytes]]] = {
    "csv": ("csv", csv),
    "parquet": ("parquet", parquet),
    "latex": ("tex", latex),
}
FIGURE_FORMATS: Mapping[str, Callable[[Figure], bytes]] = {"png": png, "svg": svg, "pdf": pdf}
DEFAULT_FORMATS = ("csv", "png", "svg")


def check_formats(names: Iterable[str]) -> None:
    """Raise a UserError for a format that we do not write."""
    known = (*TABLE_FORMATS, *FIGURE_FORMATS)
    for name in names:
        if name not in known:
            raise unknown("format", name, known)


def table_files(name: str, table: pd.DataFrame, formats: Iterable[str]) -> dict[str, bytes]:
    """A table in each of the formats that are for tables, by file name; LaTeX of short ones."""
    files = {}
    for kind in (each for each in TABLE_FORMATS if each in set(formats)):
        suffix, write = TABLE_FORMATS[kind]
        if kind != "latex" or 0 < len(table) <= LATEX_ROWS:
            files[f"{name}.{suffix}"] = write(table)
    return files


def figure_files(
    name: str, figure: Figure, formats: Iterable[str], known_svg: bytes
) -> dict[str, bytes]:
    """A figure in each of the formats that are for figures, by file name."""
    return {
        f"{name}.{kind}": known_svg if kind == "svg" else FIGURE_FORMATS[kind](figure)
        for kind in FIGURE_FORMATS
        if kind in set(formats)
    }
