"""The arrays of a file beside x: labels, groups, channels, sampling rate."""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from augbench.datasets.array_file import ArrayFile
from augbench.datasets.electrodes import pick_channels
from augbench.datasets.errors import MOST_NAMED, UserError, counted, listed
from augbench.datasets.options.tasks import Kind

# Of examples in parts of their own, beside those of training in x, y and groups.
PARTED = tuple(f"{name}_{part}" for part in ("valid", "test") for name in ("x", "y", "groups"))
KEYS = ("x", "y", "groups", *PARTED, "channels", "sampling_rate", "split", "fold", "classes")
LABELS = "iubUS"  # kinds of numpy's types that y may have
# What others call these arrays, in lower case and without "_" and "-".
ALIASES = {
    "x": "data eeg signal signals window windows epochs image images samples features xtrain",
    "y": "label labels target targets class stage stages hypnogram ytrain labelstrain",
    "x_valid": "xval xvalidation xdev",
    "y_valid": "yval yvalidation ydev labelsval labelsvalid",
    "y_test": "labelstest",
    "split": "splits part parts subset set istest istrain traintest",
    "fold": "folds foldid cvfold",
    "classes": "classnames classname labelnames targetnames",
    "groups": "group subject subjects subjectid subjectids sub subj participant participants "
    "participantid patient patients patientid session sessions record records recording "
    "recordings groupid groupids night nights",
    "channels": "channel chnames chname channelnames channelname chs ch electrodes electrode "
    "sensors chlabels channellabels",
    "sampling_rate": "sfreq fs sf srate rate samplerate samplingrate samplingfrequency samplefreq "
    "samplefrequency freq frequency hz hertz fsample",
}
MISSING = frozenset({"", "nan", "none", "nat", "<na>"})  # what pandas and numpy write as text


def check_keys(file: ArrayFile) -> None:
    """Raise a UserError if x or y is missing, or if there is an unknown array."""
    where = file.name
    others = [name for name in file.members if name not in KEYS]
    missing = [key for key in KEYS if key not in file.members]
    meant = {name: key for name, key in _renamings(others) if key in missing}
    advice = [f"rename {name!r} to {key!r}" for name, key in meant.items()]
    for key in ("x", "y"):
        if key in missing:
            raise UserError(
                f"{where} lacks {key!r}; it holds {listed(list(file.members)) or 'nothing'}"
                + (f": {'; '.join(advice)}" if advice else "")
            )
    if others:
        question = "did you mean another name? " if advice else ""
        rest = [name for name in others if name not in meant]
        if rest:
            advice.append(f"leave out {listed(rest)}")
        raise UserError(
            f"{where} holds {listed(others)}, beside the arrays that a task can use "
            f"({', '.join(KEYS)}): {question}{'; '.join(advice)}"
        )


def read_labels(
    file: ArrayFile, n: int, given: tuple[str, ...]
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Labels renumbered from 0, and a name for each class."""
    where, member = file.name, file.members["y"]
    if member.shape != (n,):
        raise UserError(
            f"y in {where} has shape {member.shape} where x has {counted(n, 'example')}: give "
            f"{counted(n, 'label')}"
        )
    if member.dtype.kind not in LABELS:
        raise UserError(f"y in {where} is of type {member.dtype}; labels must be integers or text")
    y = decoded(file.read("y"), "y", where)
    found, number = np.unique(y, return_inverse=True)
    missing = [name for name in map(str, found) if name.strip().lower() in {"", "nan"}]
    if missing:
        raise UserError(f"y in {where} has missing labels ({missing[0]!r}): leave those rows out")
    if len(found) < 2:
        raise UserError(f"y in {where} has one class only, {found[0]}: there is nothing to learn")
    if given and len(given) != len(found):
        raise UserError(
            f"class_names has {counted(len(given), 'name')} where y in {where} has {len(found)} "
            f"classes: {listed(list(map(str, found)))}"
        )
    names = given or _read_class_names(file, len(found)) or tuple(map(str, found))
    return number.astype(np.int64), names


def _read_class_names(file: ArrayFile, n: int) -> tuple[str, ...]:
    """The names of the classes in the order of the labels; empty where the file has none."""
    if "classes" not in file.members:
        return ()
    where, member = file.name, file.members["classes"]
    if member.shape != (n,) or member.dtype.kind not in "US":
        raise UserError(
            f"classes in {where} has shape {member.shape} and type {member.dtype}; it must be the "
            f"names of the {n} classes of y, as text in the order of the labels"
        )
    names = tuple(map(str, decoded(file.read("classes"), "classes", where)))
    if len(set(names)) < n:
        raise UserError(f"classes in {where} names one twice: {listed(names)}")
    return names


class Groups(NamedTuple):
    """What belongs together, such as the windows of a subject."""

    names: tuple[str, ...]  # (G,)
    number: NDArray[np.int64]  # (N,), from 0: a place in names

    def of_rows(self) -> NDArray[np.str_]:
        """The name of the group of each row: (N,)."""
        return np.array(self.names)[self.number]


def read_groups(file: ArrayFile, n: int) -> Groups | None:
    """The groups of n rows, if there are any."""
    if "groups" not in file.members:
        return None
    where, member = file.name, file.members["groups"]
    if member.shape != (n,):
        raise UserError(
            f"groups in {where} has shape {member.shape} where x has {counted(n, 'example')}: "
            f"give {counted(n, 'group')}"
        )
    if member.dtype.kind not in "iubfUS":
        raise UserError(
            f"groups in {where} is of type {member.dtype}; groups must be numbers or text"
        )
    groups = decoded(file.read("groups"), "groups", where)
    names, number = np.unique(groups, return_inverse=True)
    lost = (
        ~np.isfinite(names)
        if names.dtype.kind == "f"
        else np.array([str(name).strip().lower() in MISSING for name in names])
    )
    if lost.any():
        raise UserError(
            f"groups in {where} is missing ({str(names[lost][0])!r}) for {int(lost[number].sum())} "
            f"of {counted(n, 'example')}, which would become one group: name their "
            "groups or leave them out"
        )
    return Groups(tuple(str(name) for name in names), number.astype(np.int64))


def read_channels(file: ArrayFile, kind: Kind, n: int) -> tuple[str, ...]:
    """The channel names as the file has them; empty if it has none."""
    if "channels" not in file.members:
        return ()
    where, member = file.name, file.members["channels"]
    _check_eeg(file, kind, "channels")
    n_names = int(np.prod(member.shape, dtype=object))
    if n_names != n:
        turned = file.members["x"].shape[-1] == n_names
        hint = ": x has to be (N, C, T); is it transposed?" if turned else ""
        raise UserError(f"channels in {where} has {counted(n_names, 'name')} where x has {n}{hint}")
    if member.dtype.kind not in "USiu":
        raise UserError(f"channels in {where} is of type {member.dtype}; names must be text")
    found = decoded(file.read("channels"), "channels", where).reshape(-1)
    names = tuple(str(name) for name in found)
    if len(set(names)) < len(names):
        raise UserError(f"channels in {where} names one twice: {listed(names)}")
    return names


def channel_indices(
    asked: Sequence[str], names: tuple[str, ...], kind: Kind, where: str
) -> tuple[int, ...] | None:
    """Which channels the option ``channels`` keeps; None where it is not given."""
    if not asked:
        return None
    if kind == "image":
        raise UserError(f"the option channels is {list(asked)}; it is for EEG: leave it out")
    if not names:
        raise UserError(
            f"the option channels is {list(asked)}, but {where} does not name its channels: add "
            "the array channels to the file, or leave the option out"
        )
    return pick_channels(names, asked)


def sampling_rate_of(file: ArrayFile, kind: Kind, given: float) -> float:
    """Hertz, by the file or by the option ``sampling_rate``; 0 where neither says it."""
    stored = read_sampling_rate(file, kind)
    if not given:
        return stored
    if not 0 < given < np.inf:
        raise UserError(f"the option sampling_rate is {given:g} hertz; it must be above 0")
    if kind == "image":
        raise UserError(f"the option sampling_rate is {given:g}; it is for EEG: leave it out")
    if stored and stored != given:
        raise UserError(
            f"the option sampling_rate is {given:g}, but {file.name} says {stored:g} hertz: leave "
            "the option out"
        )
    return given


def read_sampling_rate(file: ArrayFile, kind: Kind) -> float:
    """Hertz; 0 where the file does not say."""
    if "sampling_rate" not in file.members:
        return 0.0
    where, member = file.name, file.members["sampling_rate"]
    _check_eeg(file, kind, "sampling_rate")
    if np.prod(member.shape, dtype=object) != 1:
        raise UserError(
            f"sampling_rate in {where} has shape {member.shape}; it must be one number, in hertz"
        )
    rate = file.read("sampling_rate").reshape(())
    if rate.dtype.kind not in "fiu" or not np.isfinite(rate):
        raise UserError(f"sampling_rate in {where} is {rate}; it must be one number, in hertz")
    hertz = float(rate)
    if not 0 < hertz < np.inf:
        raise UserError(f"sampling_rate in {where} is {hertz:g} hertz; it must be above 0")
    return hertz


def _renamings(others: Sequence[str]) -> list[tuple[str, str]]:
    """Pairs of an unknown name and the known name that it probably means."""
    found = []
    for name in others[:MOST_NAMED]:
        plain = _plain(name)
        meant = [key for key in KEYS if plain in (_plain(key), *ALIASES.get(key, "").split())]
        meant = meant or get_close_matches(name.lower(), KEYS, n=1)
        found += [(name, key) for key in meant[:1]]
    return found


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "").replace(" ", "")


def _check_eeg(file: ArrayFile, kind: Kind, name: str) -> None:
    if kind == "image":
        raise UserError(
            f"x in {file.name} has 4 axes, so it holds images, which have no {name}: EEG is "
            f"(N, C, T); reshape x, or leave out {name}"
        )


def decoded(array: NDArray[Any], name: str, where: str) -> NDArray[Any]:
    """Bytes as text."""
    try:
        return np.char.decode(array, "utf-8") if array.dtype.kind == "S" else array
    except UnicodeDecodeError as error:
        raise UserError(f"{name} in {where} holds bytes that are no UTF-8 text") from error
