"""Figures as PNG, SVG and PDF: the same figure gives the same bytes."""

import io

from matplotlib.figure import Figure

from augbench.analysis.figures.settings import plot_settings

DOTS_PER_INCH = 200


def png(figure: Figure) -> bytes:
    """A figure as PNG; the same figure gives the same bytes."""
    return _saved(figure, "png", {"Software": "augbench"})


def svg(figure: Figure) -> bytes:
    """A figure as SVG, without a date; the same figure gives the same bytes."""
    return _saved(figure, "svg", {"Date": None, "Creator": "augbench"})


def pdf(figure: Figure) -> bytes:
    """A figure as PDF, without a date; the same figure gives the same bytes."""
    return _saved(figure, "pdf", {"CreationDate": None, "Creator": "augbench", "Producer": None})


def _saved(figure: Figure, kind: str, metadata: dict[str, str | None]) -> bytes:
    buffer = io.BytesIO()
    with plot_settings():  # ticks are made only now
        figure.savefig(buffer, format=kind, dpi=DOTS_PER_INCH, metadata=metadata)
    return buffer.getvalue()
