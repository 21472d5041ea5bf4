"""The words on the figures of accuracy: titles, axes, legend."""

from typing import Any

import pandas as pd

from augbench.analysis.tables.bands import NEEDS, band_of
from augbench.analysis.tables.panels import (
    EPOCH_AXES,
    WALL_AXES,
    same_readings,
)
from augbench.analysis.text import shorten
from augbench.datasets.errors import counted

TITLE_WIDTH = 40  # characters of a task's name that fit over the panels
DEVICE_WIDTH = 20  # of the devices' names that fit behind the unit
LABEL_WIDTH = 36  # characters of a method's label that fit beside them
READINGS = {
    "paper": "paper reading: search + one retraining",
    "full": "full reading: search + all retrainings",
    "step": "epochs of the method, retrainings left out",
    "wall": "all work of a trial, one thing after another",
}
SAME = "both readings are the same"


def panel_titles(table: pd.DataFrame) -> dict[str, str]:
    """The axes that have a panel, and its title."""
    titles = {}
    for axis in map(str, table["axis"].unique()):
        kind, _, reading = axis.rpartition("_")
        if reading in ("paper", "full") and same_readings(table, kind):
            if reading == "paper":
                titles[axis] = SAME
        else:
            titles[axis] = READINGS[reading]
    return titles


def x_label(axis: str, table: pd.DataFrame) -> str:
    """What x is on one axis of a ``panel_table``, with its unit."""
    unit, device = table["unit"].iloc[0], table["device"].iloc[0]
    if axis.startswith("hours"):
        clock = "wall-clock" if axis in WALL_AXES else "device"
        if not device or pd.isna(device):
            return f"{clock} {unit}"
        between = "\n" if len(device) > DEVICE_WIDTH else " "
        return f"{clock} {unit}{between}({shorten(device, LABEL_WIDTH)})"
    return str(unit) if axis in EPOCH_AXES else f"{unit} {axis.split('_')[0]}"


def value_label(table: pd.DataFrame) -> str:
    """What y is in a ``panel_table``."""
    metric = str(table["metric"].iloc[0]) or "metric"
    return f"test {metric.replace('_', ' ')}\nat best validation so far"


def figure_title(table: pd.DataFrame) -> str:
    """The task, and what a reader has to know of its trials."""
    counts = table[table["axis"] == table["axis"].iloc[0]].drop_duplicates("method")
    done, planned = counts["done"].sum(), counts["planned"].sum()
    left_out, contended = counts["left_out"].sum(), counts["contended"].sum()
    parts = [shorten(str(table["task"].iloc[0]), TITLE_WIDTH)]
    if done < planned:
        parts.append(f"{done} of {planned} trials done")
    if left_out:
        parts.append(f"{left_out} of {planned} left out (shared GPU)")
    if contended:
        parts.append(f"{contended} of {planned} on a busy processor")
    if set(table["axis"]) == set(WALL_AXES) and (lost := counts["lost_seconds"].sum()) >= 1:
        parts.append(f"without {lost:.0f} s that were wasted")
    return ", ".join(parts)


def empty_reason(table: pd.DataFrame) -> str:
    """Why a panel has no curve."""
    if not table["on_axis"].any():
        return "none of the methods has epochs"
    left_out, metric = table["left_out"].sum(), table["metric"].iloc[0]
    if left_out:
        return f"no timings: {counted(int(left_out), 'trial')} shared their GPU"
    if set(table["axis"]) == set(WALL_AXES) and pd.notna(metric) and metric:
        return "the wall time of these points is not known"
    return "no point scored yet"


def legend_title(table: pd.DataFrame) -> str:
    """What line and band are, and of how many trials."""
    planned = sorted(table["planned"].unique())
    if planned == [1]:
        return "1 trial each"
    trials = f"{'-'.join(str(count) for count in planned)} trials"
    falls = table.groupby(["axis", "method"])["n"].nunique().gt(1).any()
    band, drawn = band_of(table), table.dropna(subset="x")
    has_band = drawn.empty or band.is_known(drawn)
    gap = ",\n" if len(band.range) > len("quartiles") else ", "
    words = f"{band.line}{gap}{band.range}" if has_band else band.line
    lines = [words, f"of {trials} each"]
    if falls:
        lines.append("(dotted: of fewer)")
    if not has_band:
        lines += ["(no interval:", NEEDS.replace(", ", ",\n") + ")"]
    return "\n".join(lines)


def legend_label(row: "pd.Series[Any]") -> str:
    """A method, with how many of its trials are done and, where they differ, its device."""
    label = shorten(str(row["method"]), LABEL_WIDTH)
    if not row["on_axis"]:
        return f"{label} (no epochs)"
    if row["done"] < row["planned"]:
        label = f"{label} ({row['done']} of {row['planned']} done)"
    device = row["own_device"]  # an empty cell where the table was read from its file
    if pd.notna(device) and device and str(row["axis"]).startswith("hours"):
        label += f"\non {shorten(device, LABEL_WIDTH)}"  # hours of several do not compare
    return label
