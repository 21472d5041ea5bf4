"""What a folder of images holds, for whoever is about to make a task of it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from augbench.datasets.errors import UserError, counted, listed
from augbench.datasets.image_folder.layout import Labelled
from augbench.datasets.image_folder.prepare import files_digest, fitting_side, read_headers
from augbench.datasets.inspect_arrays import odd_labels


class InspectedImages(NamedTuple):
    """What stands in a folder; oddities do not keep a task from being built of it."""

    facts: tuple[str, ...]
    oddities: tuple[str, ...]
    size: int | None  # pixels of a side to resize to; None where all have one size


def inspect_images(found: Sequence[Labelled], data: Path) -> InspectedImages:
    """Read the head of each image; what cannot be read is left to whoever builds the task."""
    counts = Counter(each.label for each in found)
    balance = [f"{name} {counts[name]:,}" for name in sorted(counts)]
    kinds = Counter(each.file.suffix.lower() for each in found).most_common()
    facts = [
        f"{counted(len(found), 'image')} ({', '.join(f'{n:,} {kind}' for kind, n in kinds)})",
        f"{counted(len(counts), 'class')}: {listed(balance)}",
    ]
    parts = Counter(each.part for each in found if each.part)
    if parts:
        facts.append(f"a split of its own: {', '.join(f'{p} {n:,}' for p, n in parts.items())}")
    oddities = list(odd_labels(tuple(counts), np.array(list(counts.values()))))
    size = None
    files = [each.file for each in found]
    try:
        headers = read_headers(files, data, files_digest(files))
    except UserError:  # the task says the same when it is built
        return InspectedImages(tuple(facts), tuple(oddities), size)
    facts += _describe(headers)
    if len(np.unique(headers[:, :2], axis=0)) > 1:
        size = fitting_side(headers)
        oddities.append(
            f"sizes differ: all images are resized, here to {size} x {size}; choose with the "
            "option size (a side, or height and width)"
        )
    return InspectedImages(tuple(facts), tuple(oddities), size)


def _describe(headers: NDArray[np.int32]) -> Iterator[str]:
    low, middle, high = (f(headers[:, :2], axis=0) for f in (np.min, np.median, np.max))
    if (low == high).all():
        yield f"each has {low[0]} x {low[1]} pixels (height x width)"
    else:
        yield (
            f"from {low[0]} x {low[1]} to {high[0]} x {high[1]} pixels (height x width), the "
            f"median is {middle[0]:g} x {middle[1]:g}"
        )
    n_grey = int(headers[:, 2].sum())
    if n_grey in (0, len(headers)):
        yield "all are grey" if n_grey else "all are in colour"
    else:
        yield f"{n_grey:,} are grey and {len(headers) - n_grey:,} in colour: all become colour"
