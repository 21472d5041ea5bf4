"""Makes the objects of another library from what a suite says of them."""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any, Literal

import torch
from torch import Tensor

from augbench.datasets.errors import UserError, unknown
from augbench.datasets.task import Signal
from augbench.methods.options.imported import Bound, ImportedOptions, Library, library_of

# How a number becomes the argument: as it is, as a whole number, or, where the library wants the
# ends of what it draws from, together with the value at magnitude 0.
Form = Literal["number", "whole", "pair"]
FORMS: tuple[Form, ...] = ("number", "pair", "whole")


@dataclass(frozen=True)
class Recipe:
    """A class of a library, the arguments that stay, and the one that the magnitude drives."""

    name: str
    described: ImportedOptions
    signal: Signal
    form: Form = "number"
    scale: float = 1.0  # of the range: what magnitude 1 means in shares of it

    @property
    def library(self) -> Library:
        library = library_of(self.name)
        assert library is not None
        return library

    def make(self, magnitude: float) -> Any:
        """The library's object at a magnitude; raises whatever the library raises."""
        cls, given = find_class(self.name), self.arguments(magnitude)
        always = {"kornia": {"p": 1.0}, "braindecode": {"probability": 1.0}}
        known = signature(cls)
        ours = {
            key: value
            for key, value in (self._own() | always[self.name.partition(".")[0]]).items()
            if key in known and key not in given
        }
        return cls(**given, **ours)

    def arguments(self, magnitude: float) -> dict[str, Any]:
        """What the description says of the class's arguments, as the library takes it."""
        cls = find_class(self.name)
        given = {key: _argument(cls, key, each) for key, each in self.described.options.items()}
        if self.described.parameter is not None:
            given[self.described.parameter] = self.value(magnitude)
        return given

    def from_signal(self) -> list[str]:
        """The arguments that the signal gives."""
        known = signature(find_class(self.name))
        return [key for key in self._own() if key in known and key not in self.described.options]

    def value(self, magnitude: float) -> Any:
        """The argument that the magnitude drives, as the library takes it."""
        assert self.described.parameter is not None
        value = self._in_form(self._between(magnitude * self.scale))
        return _argument(find_class(self.name), self.described.parameter, value)

    def check(self) -> None:
        """Raise a UserError for arguments that the class does not have, or lacks."""
        cls, library = find_class(self.name), self.library
        known = [key for key in signature(cls) if key not in library.own]
        named = [*self.described.options, *filter(None, [self.described.parameter])]
        for key in named:
            if key in library.own:
                raise UserError(
                    f"transform {self.name!r} is given {key}, which augbench sets itself: leave it "
                    "out; policies and layers say how often it is applied"
                )
            if key not in known:
                raise unknown(f"argument of transform {self.name!r},", key, known)
        missing = [
            key
            for key, each in signature(cls).items()
            if each.default is inspect.Parameter.empty
            and each.kind is not inspect.Parameter.VAR_KEYWORD
            and key not in (*named, *library.own, *self._own())
        ]
        if missing:
            raise UserError(
                f"transform {self.name!r} needs {' and '.join(missing)}: give it in the task's "
                f'[tasks.NAME.imported."{self.name}"], as parameter with its range or in options'
            )

    def _own(self) -> dict[str, Any]:
        """What the signal says; used where the class asks for it."""
        if self.signal.kind == "image":
            return {"size": self.signal.shape[1:]}
        own: dict[str, Any] = {}
        if self.signal.sampling_rate > 0:
            own["sfreq"] = self.signal.sampling_rate
        if self.signal.channels:
            own["ordered_ch_names"] = list(self.signal.channels)
        return own

    def _between(self, share: float) -> Bound:
        assert self.described.range is not None
        low, high = self.described.range
        if isinstance(low, tuple) and isinstance(high, tuple):
            return tuple(a + share * (b - a) for a, b in zip(low, high, strict=True))
        assert not isinstance(low, tuple)
        assert not isinstance(high, tuple)
        return low + share * (high - low)

    def _in_form(self, value: Bound) -> Any:
        if isinstance(value, tuple):
            return tuple(round(each) for each in value) if self.form == "whole" else value
        assert self.described.range is not None
        if self.form == "pair":
            return tuple(sorted((self.described.range[0], value)))
        return round(value) if self.form == "whole" else value


def signature(cls: type) -> Mapping[str, inspect.Parameter]:
    """The arguments of a class by name, without ``self`` and ``*args``."""
    every = inspect.signature(cls).parameters
    return {key: each for key, each in every.items() if each.kind is not each.VAR_POSITIONAL}


@cache
def find_class(name: str) -> type:
    """The class of a name such as ``kornia.RandomRotation``.

    Raises a UserError for one that the library does not have or that cannot be a transform here.
    """
    library = library_of(name)
    assert library is not None
    prefix, _, rest = name.partition(".")
    known = augmentations(prefix)
    if rest not in known:
        module = import_module(library.module)
        if inspect.isclass(getattr(module, rest, None)):
            raise UserError(
                f"transform {name!r} cannot be used: it changes labels, sizes or volumes, or holds "
                f"other augmentations; {prefix} has {len(known)} that change {library.what} "
                "one by one, such as " + ", ".join(list(known)[-3:])
            )
        raise unknown("transform", name, [f"{prefix}.{each}" for each in known])
    return known[rest]


@cache
def augmentations(prefix: str) -> dict[str, type]:
    """The classes of a library that take one example and return one of the same kind."""
    library = library_of(f"{prefix}.")
    assert library is not None
    try:
        module = import_module(library.module)
    except (ImportError, RuntimeError) as error:  # the latter if built for another torch
        raise UserError(
            f"the transforms {prefix}.NAME need the package {prefix}, which cannot be imported "
            f"({brief(error)}): `pip install {prefix}`"
        ) from None
    above = module.AugmentationBase2D if prefix == "kornia" else module.Transform
    left_out = {"Mixup", "Compose", "IdentityTransform", "Transform", "SensorsRotation"}
    return {
        name: cls
        for name, cls in sorted(vars(module).items())
        if inspect.isclass(cls)
        and issubclass(cls, above)
        and not (inspect.isabstract(cls) or name.split("2D")[0].endswith("Base"))
        and name not in left_out
    }


def _argument(cls: type, key: str, value: Any) -> Any:
    """A value of a suite as the library takes it: tuples for lists, tensors where it says so."""
    if isinstance(value, list):
        value = tuple(_argument(cls, "", each) for each in value)
    known = signature(cls)
    if key in known and known[key].annotation is Tensor:
        return torch.as_tensor(value)
    return value


def brief(error: Exception) -> str:
    """What a library says, in one line."""
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__)[:200].rstrip(".")
