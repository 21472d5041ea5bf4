"""What a task reads arrays from: an .npz, several files as one, or a folder of images."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from augbench.datasets.blocks import Blocks, whole


class Described(Protocol):
    """What is known of an array before it is read."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def dtype(self) -> np.dtype[Any]: ...


class ArrayFile(Protocol):
    """Named arrays; their shapes and types are known before any of them is read."""

    @property
    def name(self) -> str:
        """What messages call it."""
        ...

    @property
    def members(self) -> Mapping[str, Described]: ...

    @property
    def key(self) -> str:
        """Text that changes with the content, or with the size or the time of a file."""
        ...

    def read(self, name: str) -> NDArray[Any]:
        """A whole array, of which the caller has checked the shape."""
        ...

    def blocks(self, name: str) -> Blocks:
        """An array block by block."""
        ...


class Shaped(NamedTuple):
    """The shape and the type of an array."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]


@dataclass(frozen=True)
class InMemory:
    """Arrays that have been read; those of ``made`` are made when they are asked for."""

    name: str
    key: str
    arrays: Mapping[str, NDArray[Any]]
    made: Mapping[str, Callable[[], Blocks]] = field(default_factory=dict)
    shapes: Mapping[str, Shaped] = field(default_factory=dict)  # of those that are made

    @property
    def members(self) -> Mapping[str, Described]:
        return {**self.arrays, **self.shapes}

    def read(self, name: str) -> NDArray[Any]:
        return self.arrays[name]

    def blocks(self, name: str) -> Blocks:
        return self.made[name]() if name in self.made else whole(self.arrays[name])
