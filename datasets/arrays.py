"""Bring your own: one .npz file becomes a task from the suite file alone."""

import pickle
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from augbench.datasets import banks
from augbench.datasets.errors import UserError
from augbench.datasets.folds import grouped, make_fold, stratified
from augbench.datasets.options.tasks import ArraysOptions, Kind
from augbench.datasets.options.training import TrainingSettings
from augbench.datasets.seeds import Seeds
from augbench.datasets.standardise import standardise
from augbench.datasets.task import Fold, Signal, Task, fingerprint

UNREADABLE = (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error, pickle.UnpicklingError)
KEYS = ("x", "y", "groups", "channels", "sampling_rate")

Stored = dict[str, NDArray[Any]]


def arrays(options: ArraysOptions, data: Path, seed: int) -> Task:
    """The task in an .npz with x and y, and optionally groups, channels and sampling_rate.

    x is (N, C, T) EEG, in any unit unless ``standardise`` is off, or (N, C, H, W) in [0, 1]; y (N,)
    integers or text; groups (N,), for example subjects, of which none stands in two parts of a
    fold; channels (C,) 10-20 names; sampling_rate in hertz. Raises UserError, one sentence, for
    whatever is wrong with them.
    """
    if not options.path:
        raise UserError("task 'arrays' needs the option path: an .npz file with x and y")
    path = data / options.path
    stored = _read(path)
    where = path.name
    kind = _kind(stored["x"], options.kind, where)
    x = torch.from_numpy(_examples(stored["x"], kind, options.standardise, where))
    y, class_names = _labels(stored["y"], len(x), options.class_names, where)
    signal = _signal(stored, kind, x.shape[1:], where)
    groups = _groups(stored.get("groups"), len(x), where)
    rows = (
        stratified(y, options.n_folds, options.valid_share, Seeds((seed, "arrays")))
        if groups is None
        else grouped(y, groups, options.n_folds, options.valid_share)
    )

    content = [x, y] if groups is None else [x, y, torch.from_numpy(groups)]

    def fold(k: int) -> Fold:
        return make_fold(x, y, rows[k])

    return Task(
        name="arrays",
        signal=signal,
        class_names=class_names,
        n_folds=options.n_folds,
        fold=fold,
        trunk=_trunk(signal),
        transforms=_bank(signal),
        training=TrainingSettings(epochs=50, batch_size=32, beta1=0.9, patience=15),
        metric=options.metric,
        fingerprint=fingerprint(*content, about=f"{signal.channels} {signal.sampling_rate}"),
    )


def _read(path: Path) -> Stored:
    """What the file holds under the keys that we know."""
    if not path.is_file():
        raise UserError(
            f"there is no file {path}: the option path is relative to the data folder (--data)"
        )
    try:
        with zipfile.ZipFile(
            path
        ) as archive:  # an .npz is one; numpy takes other files for pickles
            names = [name.removesuffix(".npy") for name in archive.namelist()]
        with np.load(path, allow_pickle=False) as file:
            stored = {key: file[key] for key in KEYS if key in file}
    except UNREADABLE as error:
        if "allow_pickle" in str(error):
            raise UserError(
                f"{path.name} holds pickled objects, which are not loaded because they can run any "
                "code: save plain numbers and text with numpy.savez"
            ) from error
        raise UserError(
            f"{path.name} is no .npz file or is cut off ({type(error).__name__}): write it again "
            "with numpy.savez"
        ) from error
    for key in ("x", "y"):
        if key not in stored:
            raise UserError(f"{path.name} lacks {key!r}; it holds {', '.join(names) or 'nothing'}")
    return stored


def _kind(x: NDArray[Any], given: Kind | None, where: str) -> Kind:
    by_axes: dict[int, Kind] = {3: "eeg", 4: "image"}
    kind = by_axes.get(x.ndim)
    if kind is None or (given is not None and given != kind):
        raise UserError(
            f"x in {where} has shape {x.shape}; EEG is (N, C, T) and images are (N, C, H, W)"
            + (f", and kind = {given!r} was asked for" if given else "")
        )
    return kind


def _examples(x: NDArray[Any], kind: Kind, standardised: bool, where: str) -> NDArray[np.float32]:
    """Checked x as float32, EEG standardised if asked for."""
    if x.dtype.kind not in "fiu":
        raise UserError(f"x in {where} is of type {x.dtype}; it must hold real numbers")
    if 0 in x.shape:
        raise UserError(f"x in {where} has shape {x.shape}: there is nothing in it")
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite
        x = x.astype(np.float32)
    if not np.isfinite(x).all():
        bad = int((~np.isfinite(x)).reshape(len(x), -1).any(1).sum())
        raise UserError(f"x in {where} has NaN or infinite values in {bad} of {len(x)} examples")
    if kind == "image":
        if x.shape[1] not in (1, 3):
            raise UserError(
                f"x in {where} has shape {x.shape}, so {x.shape[1]} colour channels; images are "
                "(N, C, H, W) with C of 1 or 3: are the channels on the last axis?"
            )
        if x.min() < 0 or x.max() > 1:
            raise UserError(
                f"images in {where} range from {x.min():g} to {x.max():g}; scale them to [0, 1]"
            )
    return standardise(x) if kind == "eeg" and standardised else x


def _labels(
    y: NDArray[Any], n: int, given: tuple[str, ...], where: str
) -> tuple[torch.Tensor, tuple[str, ...]]:
    """Labels renumbered from 0, and a name for each class."""
    if y.shape != (n,):
        raise UserError(
            f"y in {where} has shape {y.shape} where x has {n} examples: give {n} labels"
        )
    if y.dtype.kind not in "iubU":
        raise UserError(f"y in {where} is of type {y.dtype}; labels must be integers or text")
    found, number = np.unique(y, return_inverse=True)
    if len(found) < 2:
        raise UserError(f"y in {where} has one class only, {found[0]}: there is nothing to learn")
    if given and len(given) != len(found):
        raise UserError(
            f"class_names has {len(given)} names where y in {where} has {len(found)} classes: "
            f"{', '.join(map(str, found))}"
        )
    return torch.from_numpy(number.astype(np.int64)), given or tuple(map(str, found))


def _groups(groups: NDArray[Any] | None, n: int, where: str) -> NDArray[np.int64] | None:
    """Groups numbered from 0, if there are any."""
    if groups is None:
        return None
    if groups.shape != (n,):
        raise UserError(
            f"groups in {where} has shape {groups.shape} where x has {n} examples: give {n} groups"
        )
    return np.unique(groups, return_inverse=True)[1].astype(np.int64)


def _signal(stored: Stored, kind: Kind, shape: tuple[int, ...], where: str) -> Signal:
    if kind == "image":
        return Signal("image", tuple(shape))
    rate = stored.get("sampling_rate", np.zeros(()))
    if rate.size != 1 or rate.dtype.kind not in "fiu" or not np.isfinite(rate).all():
        raise UserError(f"sampling_rate in {where} is {rate}; it must be one number, in hertz")
    hertz = float(rate.reshape(()))
    if hertz < 0 or ("sampling_rate" in stored and hertz == 0):
        raise UserError(f"sampling_rate in {where} is {hertz:g} hertz; it must be above 0")
    channels = tuple(str(name) for name in stored.get("channels", np.zeros(0)).reshape(-1))
    if channels and len(channels) != shape[0]:
        raise UserError(f"channels in {where} has {len(channels)} names where x has {shape[0]}")
    if len(set(channels)) < len(channels):
        raise UserError(f"channels in {where} names one twice: {', '.join(channels)}")
    return Signal("eeg", tuple(shape), channels, hertz)


def _bank(signal: Signal) -> tuple[str, ...]:
    if signal.kind == "image":
        return banks.IMAGE
    return banks.eeg_bank(
        positions=bool(signal.channels),
        sampling_rate=signal.sampling_rate,
        n_channels=signal.n_channels,
    )


def _trunk(signal: Signal) -> str:
    """A row of TRUNKS that can take the signal."""
    if signal.kind == "image":
        side = min(signal.shape[1:])
        return "conv_net" if side >= 32 else "small_conv_net" if side >= 4 else "mlp"
    # Chambon's network is made for windows of some 30 s, EEGNet for trials of a few.
    if signal.sampling_rate and signal.n_times / signal.sampling_rate >= 20:
        return "sleep_stager"
    return "eegnet" if signal.n_times >= 27 else "mlp"
