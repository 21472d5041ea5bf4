"""The options of each task in a suite."""

from dataclasses import dataclass
from math import pi
from typing import Literal

Kind = Literal["eeg", "image"]
Metric = Literal["balanced_accuracy", "accuracy"]


@dataclass(frozen=True)
class SinusoidsOptions:
    """How many waves, how noisy."""

    n_train: int = 400  # training and validation together
    n_test: int = 200
    n_folds: int = 5  # independent draws
    valid_share: float = 0.2  # of n_train; the paper has no validation set and shows the test set
    noise: float = 0.5  # standard deviation, beside an amplitude of 1
    # Hertz to either side of a class's frequency. A layer learns the margin between the classes,
    # 1 - half_band; the paper's 0.5 is the one value where both are equal.
    half_band: float = 0.5
    # The official code draws phases below 4 pi / f. Faster waves then use less of the circle, so
    # the phase gives the class away. The paper's phases are uniform on the circle.
    phase: Literal["uniform", "official"] = "uniform"


@dataclass(frozen=True)
class MarioIggyOptions:
    """Which pictures, how far they are turned, how many images there are."""

    # Two square image files under the data folder, which are resized to 32 x 32; best on black, as
    # corners become black when turned. By default our own walker and robot, because Mario and
    # Iggy are under copyright.
    pictures: tuple[str, str] | None = None
    # Radians to either side of upright or upside down. A layer learns the margin between the
    # classes, pi / 2 - half_range; the paper's pi / 4 is the one value where both are equal.
    half_range: float = pi / 4
    n_train: int = 10_000  # training and validation together
    n_test: int = 5000
    n_folds: int = 5  # independent draws; the paper has one
    valid_share: float = 0.2  # of n_train; the paper has no validation set


@dataclass(frozen=True)
class DigitsOptions:
    """How the 1,797 images are split."""

    n_folds: int = 5
    valid_share: float = 0.2  # of the rows that are not tested


@dataclass(frozen=True)
class Cifar10Options:
    """How the official training set is split, and whether the trunk normalises."""

    n_folds: int = 5  # independent draws; the paper has 10 seeds
    valid_share: float = 0.2  # of the official training set
    # The paper normalises only with fixed augmentations, the official code also inside the trunks
    # of AugNet and Augerino. We do it inside every trunk, so that all methods have the same.
    normalise: bool = True


@dataclass(frozen=True)
class SsvepOptions:
    """Which recordings, how preprocessed, how split."""

    subjects: tuple[int, ...] = tuple(range(1, 13))
    include_excluded: bool = False  # with the five sessions that the authors excluded
    low: float = 5.0  # hertz, lower edge of the band-pass
    high: float = 45.0  # hertz, upper edge
    sampling_rate: float = 128.0  # hertz, after resampling; 256 as recorded
    seconds: float = 5.0  # of a trial, from its start; it lasts 5
    n_folds: int = 3  # by subject
    valid_share: float = 0.25  # of the subjects that are not tested


@dataclass(frozen=True)
class ArraysOptions:
    """Which file, and how to read it."""

    path: str = ""  # the .npz, relative to the data folder
    kind: Kind | None = None  # by default from x: 3 axes are EEG, 4 are images
    class_names: tuple[str, ...] = ()  # in the order of the sorted labels; by default the labels
    # EEG only: bring each channel of each window to mean 0 and deviation 1 (a flat one to 0).
    # Trunks and transforms expect that scale; in volts (1e-5) a trunk learns nothing.
    standardise: bool = True
    # EEG only: the names of the channels to keep, in this order, or of those to drop, each with a -
    # before it ("-EOG"). By default all.
    channels: tuple[str, ...] = ()
    metric: Metric = "balanced_accuracy"
    n_folds: int = 5  # by group where the file has groups, else stratified
    valid_share: float = 0.25  # of the rows that are not tested
