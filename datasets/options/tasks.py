"""The options of each task in a suite."""

from collections.abc import Mapping
from dataclasses import dataclass, field
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

    path: str = ""  # the .npz or .ts (of the UEA archive), relative to the data folder
    # Another such file, all of which is tested. By default the first file says what is tested, in
    # x_test, split or fold, or else folds are made of it.
    test_path: str = ""
    kind: Kind | None = None  # by default from x: 3 axes are EEG, 4 are images
    class_names: tuple[str, ...] = ()  # in the order of the sorted labels; by default the labels
    # EEG only: bring each channel of each window to mean 0 and deviation 1 (a flat one to 0).
    # Trunks and transforms expect that scale; in volts (1e-5) a trunk learns nothing.
    standardise: bool = True
    # EEG only: the names of the channels to keep, in this order, or of those to drop, each with a -
    # before it ("-EOG"). By default all.
    channels: tuple[str, ...] = ()
    sampling_rate: float = 0.0  # hertz, EEG only; for files that do not say it
    metric: Metric = "balanced_accuracy"
    # By group where the file has groups, else stratified; for data without a split of their own.
    n_folds: int = 5
    # Of the rows that are not tested; unused where the data say which rows are for validation.
    valid_share: float = 0.25


@dataclass(frozen=True)
class ImagesOptions:
    """Which folders, which classes, and how images are resized."""

    # The folder of the images, relative to the data folder: of a folder for each class, or of the
    # folders train and test (and valid), each with one for each class.
    path: str = ""
    test_path: str = ""  # another folder, all of which is tested
    # A table (.csv or .tsv) of file names and classes, relative to the data folder, for images that
    # lie in no folders by class. By default the only such table beside them.
    labels: str = ""
    test_labels: str = ""  # the same for the images that are tested
    # Pixels of a side, or height and width, to which all are resized. By default all images must
    # have one size.
    size: int | tuple[int, int] | None = None
    grey: bool | None = None  # one channel or three. By default one where all images are grey
    # A regular expression for the part of a path below the folder that says which images belong
    # together and must be in one part of a fold, such as frames of one film; where it has a group,
    # that group. By default each is alone.
    group: str = ""
    class_names: tuple[str, ...] = ()  # in the order of the folders; by default their names
    metric: Metric = "balanced_accuracy"
    n_folds: int = 5  # for folders without a split of their own
    valid_share: float = 0.25  # of the images that are not tested; unused where valid is there


@dataclass(frozen=True)
class RecordingsOptions:
    """Which files, which events, and how both become windows."""

    path: str = ""  # the folder of the recordings, relative to the data folder; searched as a whole
    # What the names of the recordings are like, with * and ?: "*_eeg.edf". By default all .edf,
    # .bdf, .gdf, .fif, .vhdr and .set files.
    files: str = ""
    # The class of each event, by the text that it has in the files; several texts may mean one
    # class: { wake = "Sleep stage W", deep = ["Sleep stage 3", "Sleep stage 4"] }. Capitals make no
    # difference; classes are in the order of their names, whatever their order here.
    events: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    # Where the events stand in EDF files of their own: what their names are like. By default they
    # are read from a .tsv or .csv beside a recording (of the same name, or BIDS' ..._events.tsv),
    # and from its own annotations where there is none.
    events_files: str = ""
    # A regular expression for the part of both names by which a recording and its file of events
    # belong together. By default the name without its ending.
    night: str = ""
    # A regular expression for the part of a name that names the subject; where it has a group, that
    # group. By default BIDS' sub-NAME. "^.*" makes each file a subject of its own.
    subject: str = ""
    subjects: tuple[str, ...] = ()  # use only these
    nights: int = 0  # use at most so many recordings, in the order of their names; 0 is all
    window_seconds: float = 30.0
    # Where a window begins, in seconds after the onset of its event. By default, windows lie side
    # by side from the onset of an event to its end.
    offset_seconds: float | None = None
    # Names of the files, or electrodes, in this order; or with a - before each, those to leave out.
    # By default all channels of EEG.
    channels: tuple[str, ...] = ()
    reference: str = ""  # a channel that is subtracted from all; or "average", of those in use
    low: float = 0.0  # hertz, lower edge of the filter; 0 for none
    high: float = 0.0  # hertz, upper edge; 0 for none
    sampling_rate: float = 0.0  # hertz, after resampling; 0 is as recorded
    # Bring each channel of each window to mean 0 and deviation 1 (a flat one to 0). Without it, EEG
    # is in microvolts.
    standardise: bool = True
    allow_truncated: bool = False  # use what there is of recordings that are cut off
    metric: Metric = "balanced_accuracy"
    n_folds: int = 5  # by subject
    valid_share: float = 0.25  # of the subjects that are not tested


@dataclass(frozen=True)
class SleepEdfOptions:
    """Which nights of Sleep-EDF, how preprocessed, how split."""

    path: str = "sleep_edf"  # the folder of the files, relative to the data folder
    subjects: tuple[int, ...] = ()  # of 0 to 82; by default all
    nights: int = 0  # use at most so many, in the order of the files; 0 is all that are there
    channels: tuple[str, ...] = ("EEG Fpz-Cz", "EEG Pz-Oz")
    low: float = 0.0  # hertz, lower edge of the filter; 0 for none
    high: float = 30.0  # hertz, upper edge; 0 for none
    sampling_rate: float = 100.0  # hertz; 100 as recorded, 0 for that of the files
    wake_minutes: float = 30.0  # of wake that are kept before sleep and after it
    allow_truncated: bool = False  # use what there is of recordings that are cut off
    n_folds: int = 5  # by subject
    valid_share: float = 0.5  # of the subjects that are not tested; 0.5 as the paper has for MASS


@dataclass(frozen=True)
class MassOptions:
    """Which nights of MASS, how preprocessed, how split."""

    path: str = "mass"  # the folder of the files, relative to the data folder
    subjects: tuple[int, ...] = ()  # of 1 to 64, as in 01-03-0001; by default all
    # Use at most so many, in the order of the files; 60 of 62 as the paper; 0 is all.
    nights: int = 60
    channels: tuple[str, ...] = ("C3", "C4", "F3", "F4", "O1", "O2")
    low: float = 0.0  # hertz, lower edge of the filter; 0 for none
    high: float = 30.0  # hertz, upper edge; 0 for none
    # Hertz; 256 as recorded, 0 for that of the files. The paper does not say; table 3's kernels of
    # 64 samples are half a second at 128 Hz, as in the network's own paper.
    sampling_rate: float = 128.0
    allow_truncated: bool = False  # use what there is of recordings that are cut off
    n_folds: int = 5  # by subject: 24 nights to train, 24 to validate, 12 to test
    valid_share: float = 0.5  # of the subjects that are not tested


@dataclass(frozen=True)
class SimulatedOptions(MassOptions):
    """Which simulated nights, how preprocessed, how split."""

    path: str = "simulated"  # the folder that augbench simulate-nights wrote, in the data folder
    subjects: tuple[int, ...] = ()  # from 1 on, one a night; by default all
    nights: int = 60  # use at most so many, in the order of the files; 0 is all
