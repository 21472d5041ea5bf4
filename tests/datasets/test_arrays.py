import pickle
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from augbench.datasets import examples, npz
from augbench.datasets.arrays import arrays
from augbench.datasets.banks import EEG, IMAGE
from augbench.datasets.errors import UserError, UserNotice
from augbench.datasets.options.tasks import ArraysOptions
from augbench.datasets.task import Signal, Task
from augbench.datasets.trunks import TRUNKS
from augbench.methods.transforms.bank import make_bank

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(60, 3, 64))
X1 = torch.from_numpy(X[:2]).float()
Y = np.arange(60) % 3
IMAGES = RANDOM.random((60, 1, 8, 8))
OPTIONS = ArraysOptions(path="mine.npz")
AS_IT_IS = replace(OPTIONS, standardise=False)

Make = Callable[..., Task]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Writes the arrays to mine.npz and makes the task with the options that are left."""

    def write_and_build(options: ArraysOptions = OPTIONS, **stored: Any) -> Task:
        np.savez(tmp_path / "mine.npz", **stored)
        return arrays(options, tmp_path, 0)

    return write_and_build


def test_a_file_with_x_and_y_alone_is_a_task(make: Make) -> None:
    task = make(AS_IT_IS, x=X, y=Y)
    assert task.signal.kind == "eeg"
    assert task.signal.shape == (3, 64)
    assert task.class_names == ("0", "1", "2")
    fold = task.fold(0)
    assert len(fold.test.y) == 12
    row = np.flatnonzero((X.astype(np.float32) == fold.test.x[0].numpy()).all((1, 2)))
    assert Y[row].tolist() == [int(fold.test.y[0])]


def test_four_axes_are_images(make: Make) -> None:
    task = make(x=IMAGES, y=Y)
    assert task.signal.kind == "image"
    assert task.transforms == IMAGE
    assert task.trunk == "small_conv_net"


@pytest.mark.parametrize(
    ("x", "rate", "trunk"),
    [
        (np.zeros((60, 3, 32, 40)), None, "conv_net"),
        (np.zeros((60, 1, 8, 31)), None, "small_conv_net"),
        (np.zeros((60, 1, 3, 9)), None, "mlp"),
        (X, None, "eegnet"),
        (X[:, :, :20], None, "mlp"),
        (np.zeros((60, 2, 480)), 16.0, "sleep_stager"),
    ],
)
def test_the_default_trunk_can_take_the_signal(
    make: Make, x: np.ndarray, rate: float | None, trunk: str
) -> None:
    task = make(x=x, y=Y, **({} if rate is None else {"sampling_rate": rate}))
    assert task.trunk == trunk
    out = TRUNKS[task.trunk](task.signal, task.n_classes)(task.fold(0).test.x)
    assert out.shape == (12, 3)


def test_the_bank_is_what_channels_and_rate_allow(make: Make) -> None:
    names = {"channels": ["C3", "Cz", "C4"]}
    assert make(x=X, y=Y, sampling_rate=64, **names).transforms == EEG
    assert not {"frequency_shift", "band_stop"} & set(make(x=X, y=Y, **names).transforms)
    nameless = make(x=X, y=Y, sampling_rate=64).transforms
    assert not {"channel_symmetry", "rotation_x"} & set(nameless)
    assert {"frequency_shift", "channel_shuffle"} <= set(nameless)
    assert not [name for name in make(x=X[:, :1], y=Y).transforms if name.startswith("channel")]


@pytest.mark.parametrize("rate", [0.5, 4, 8, 8.5, 64])
def test_all_of_the_bank_can_be_built_at_any_rate(make: Make, rate: float) -> None:
    task = make(x=X, y=Y, sampling_rate=rate, channels=["C3", "Cz", "C4"])
    bank = make_bank(task.transforms, task.signal)
    assert ("band_stop" in bank) == (rate > 8)
    assert "frequency_shift" in bank
    assert all(
        row.apply(X1, torch.ones(2), row.draw(X1, None)).isfinite().all() for row in bank.values()
    )


def test_channels_and_rate_reach_the_signal(make: Make) -> None:
    signal = make(x=X, y=Y, channels=["C3", "Cz", "C4"], sampling_rate=np.array([64.5])).signal
    assert signal.channels == ("C3", "Cz", "C4")
    assert signal.sampling_rate == 64.5


def test_groups_are_not_torn_apart(make: Make) -> None:
    groups = np.array([f"subject {i // 10}" for i in range(60)])
    x = np.broadcast_to(np.arange(60.0)[:, None, None], (60, 3, 64))
    task = make(replace(AS_IT_IS, n_folds=3), x=x, y=Y, groups=groups)
    for k in range(3):
        fold = task.fold(k)
        seen = [
            set(groups[split.x[:, 0, 0].long().numpy()])
            for split in (fold.views.train, fold.views.model_valid, fold.test)
        ]
        assert sum(map(len, seen)) == len(set.union(*seen)) == 6
        assert task.test_groups is not None
        owners = groups[fold.test.x[:, 0, 0].long().numpy()]
        assert task.test_groups(k).tolist() == owners.tolist()


def test_without_groups_no_example_has_one(make: Make) -> None:
    assert make(x=X, y=Y).test_groups is None


def test_groups_that_are_numbers_are_named_after_them(make: Make) -> None:
    groups = np.repeat([10, 9, 200, 7, 31, 5], 10)
    task = make(replace(AS_IT_IS, n_folds=3), x=X, y=Y, groups=groups)
    assert task.test_groups is not None
    tested = set.union(*(set(task.test_groups(k).tolist()) for k in range(3)))
    assert tested == {"10", "9", "200", "7", "31", "5"}


def test_labels_with_gaps_are_renumbered_and_keep_their_names(make: Make) -> None:
    task = make(x=X, y=np.array([7, -2, 30])[Y])
    assert task.class_names == ("-2", "7", "30")
    assert task.fold(0).test.y.unique().tolist() == [0, 1, 2]
    assert make(x=X, y=np.array(["wake", "rem", "n1"])[Y]).class_names == ("n1", "rem", "wake")


def test_class_names_can_be_given(make: Make) -> None:
    options = replace(OPTIONS, class_names=("a", "b", "c"))
    assert make(options, x=X, y=Y).class_names == ("a", "b", "c")


def test_the_unit_and_the_offset_of_eeg_do_not_matter(make: Make) -> None:
    for k, scaled in enumerate((1e-5 * X, 1e4 * X + 1e5)):
        for a, b in zip(make(x=X, y=Y).fold(k).test, make(x=scaled, y=Y).fold(k).test, strict=True):
            torch.testing.assert_close(a, b, rtol=0, atol=1e-4)
    x = make(x=1e-5 * X, y=Y).fold(0).test.x.double()
    assert x.mean(2).abs().max() < 1e-6
    assert (x.std(2, correction=0) - 1).abs().max() < 1e-6
    raw = make(AS_IT_IS, x=1e-5 * X, y=Y).fold(0).test.x
    assert raw.abs().max() < 1e-4


def test_a_flat_channel_becomes_0_and_no_noise_of_rounding(make: Make) -> None:
    x = X.copy()
    x[:, 1] = 0.1
    x[:, 2] = 0
    task = make(x=x, y=Y)
    assert (task.fold(0).test.x[:, 1:] == 0).all()
    assert (task.fold(0).test.x[:, 0] != 0).all()


def test_images_are_not_standardised(make: Make) -> None:
    fold = make(x=IMAGES, y=Y).fold(0)
    plain = make(AS_IT_IS, x=IMAGES, y=Y).fold(0)
    assert torch.equal(fold.test.x, plain.test.x)


def test_whole_numbers_in_x_are_taken(make: Make) -> None:
    x = (X * 100).astype(np.int16)
    assert torch.equal(make(x=x, y=Y).fold(0).test.x, make(x=x * 1.0, y=Y).fold(0).test.x)


def test_other_data_have_another_fingerprint(make: Make) -> None:
    other = X.copy()
    other[5, 0, 0] += 1e-3
    stored: list[dict[str, Any]] = [
        {},
        {"x": other},
        {"y": Y[::-1]},
        {"groups": np.arange(60) // 6},
        {"groups": np.arange(60) // 5},
        {"channels": ["C3", "Cz", "C4"]},
        {"channels": ["C4", "Cz", "C3"]},
        {"sampling_rate": 64},
        {"sampling_rate": 65},
    ]
    prints = [make(**{"x": X, "y": Y, **changed}).fingerprint for changed in stored]
    assert len(set(prints)) == len(prints)


@pytest.mark.parametrize(
    ("stored", "message"),
    [
        (
            {"subject": Y},
            r"holds subject, beside .*: did you mean another name\? rename 'subject' to",
        ),
        ({"subjects": Y}, "rename 'subjects' to 'groups'"),
        ({"Subject_ID": Y}, "rename 'Subject_ID' to 'groups'"),
        ({"group": Y}, "rename 'group' to 'groups'"),
        ({"sfreq": 100.0}, "rename 'sfreq' to 'sampling_rate'"),
        ({"fs": 100.0}, "rename 'fs' to 'sampling_rate'"),
        ({"sampling_rte": 100.0}, "rename 'sampling_rte' to 'sampling_rate'"),
        ({"ch_names": ["a", "b", "c"]}, "rename 'ch_names' to 'channels'"),
        ({"subject": Y, "sfreq": 1}, "'subject' to 'groups'; rename 'sfreq' to 'sampling_rate'"),
        ({"zzz": 1}, r"holds zzz, beside .* \(x, y, groups, .*, classes\): leave out"),
        ({"subject": Y, "zzz": 1}, "rename 'subject' to 'groups'; leave out zzz$"),
        ({"subject": Y, "groups": Y}, r"classes\): leave out subject$"),
        ({f"zzz{i}": 1 for i in range(40)}, "zzz11 and 28 more, beside"),
    ],
)
def test_an_unknown_array_is_an_error_that_says_what_it_seems_to_be(
    make: Make, stored: dict[str, Any], message: str
) -> None:
    with pytest.raises(UserError, match=message) as caught:
        make(x=X, y=Y, **stored)
    assert "\n" not in str(caught.value)


def test_data_and_labels_under_other_names_are_named(make: Make) -> None:
    with pytest.raises(UserError, match="lacks 'x'; it holds X, labels: rename 'X' to 'x'; rename"):
        make(X=X, labels=Y)


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        (np.where(Y == 0, np.nan, Y), r"groups in mine.npz is missing \('nan'\) for 20 of 60"),
        (np.where(Y == 0, np.inf, Y), r"is missing \('inf'\) for 20 of 60 examples"),
        (np.where(Y == 0, "nan", "s1"), r"is missing \('nan'\) for 20 of 60 examples"),
        (np.where(Y == 0, "None", "s1"), r"is missing \('None'\) for 20 of 60 examples"),
        (np.where(Y == 0, " ", "s1"), r"is missing \(' '\) for 20 of 60 examples"),
        (np.where(Y == 0, b"", b"s1"), r"is missing \(''\) for 20 of 60 examples"),
        (np.where(Y == 0, None, "s1"), "groups in mine.npz holds pickled objects"),
        (np.full(60, "NaT", "M8[s]"), r"groups in mine.npz is of type datetime64\[s\]"),
        (Y + 0j, "groups in mine.npz is of type complex128"),
    ],
)
def test_missing_groups_are_an_error(make: Make, groups: np.ndarray, message: str) -> None:
    with pytest.raises(UserError, match=message):
        make(x=X, y=Y, groups=groups)


@pytest.mark.parametrize("kind", [np.int8, float, str, bytes])
def test_groups_of_any_type_are_the_same_groups(make: Make, kind: Any) -> None:
    groups = np.arange(60) // 6
    one, other = (make(x=X, y=Y, groups=each) for each in (groups, groups.astype(kind)))
    assert other.fingerprint == one.fingerprint


def test_missing_labels_are_an_error(make: Make) -> None:
    with pytest.raises(UserError, match=r"y in mine.npz has missing labels \('nan'\)"):
        make(x=X, y=np.array(["a", "b", "nan"])[Y])


def test_labels_may_be_bytes(make: Make) -> None:
    assert make(x=X, y=np.array([b"wake", b"rem", b"n1"])[Y]).class_names == ("n1", "rem", "wake")


PLACED = {"channel_symmetry", "rotation_x", "rotation_y", "rotation_z"}


@pytest.mark.parametrize(
    "names",
    [
        ["EEG Fpz-Cz", "EEG C4-A1", "EEG C3-A2"],
        ["Fc5.", "Fc6.", "Oz.."],
        ["EEG FP1-REF", "EEG T3-REF", "EEG FP2-REF"],
        ["fp1", "CZ", "Fp2"],
        [b"C3", b"Cz", b"C4"],
    ],
)
@pytest.mark.filterwarnings("error")
def test_channels_as_files_spell_them_get_the_whole_bank(make: Make, names: list[Any]) -> None:
    task = make(x=X, y=Y, channels=names, sampling_rate=64)
    assert task.transforms == EEG
    bank = make_bank(task.transforms, task.signal)
    assert all(
        row.apply(X1, torch.ones(2), row.draw(X1, None)).isfinite().all() for row in bank.values()
    )


@pytest.mark.parametrize(
    ("names", "lost"),
    [
        (["EEG Fpz-Cz", "A2-A1", "EOG"], "A2-A1, EOG"),
        (["E1", "E2", "E3"], "E1, E2, E3"),
        (["C3-M2", "C3-A2", "Cz"], "C3-M2, C3-A2"),
    ],
)
def test_transforms_that_lack_a_place_are_left_out_with_one_notice(
    make: Make, names: list[str], lost: str
) -> None:
    with pytest.warns(UserNotice, match=f"these have none: {lost} \\(") as told:
        task = make(x=X, y=Y, channels=names, sampling_rate=64)
    assert len(told) == 1
    assert all(name in str(told[0].message) for name in PLACED)
    assert set(EEG) - set(task.transforms) == PLACED
    assert len(make_bank(task.transforms, task.signal)) == len(EEG) - 4


@pytest.mark.parametrize(
    ("names", "why"),
    [
        (["Oz", "O1", "Cz"], "O1 has no O2"),
        (
            ["EEG FP1-REF", "EEG T3-REF", "EEG O2-REF"],
            "EEG FP1-REF has no FP2, EEG T3",
        ),
    ],
)
def test_a_symmetry_without_a_pair_is_left_out_with_one_notice(
    make: Make, names: list[str], why: str
) -> None:
    sentence = f"are without channel_symmetry, which does nothing here: no channel .* \\({why}"
    with pytest.warns(UserNotice, match=sentence) as told:
        task = make(x=X, y=Y, channels=names, sampling_rate=64)
    assert len(told) == 1
    assert set(EEG) - set(task.transforms) == {"channel_symmetry"}
    assert len(make_bank(task.transforms, task.signal)) == len(EEG) - 1


def test_channels_are_picked_or_dropped(make: Make) -> None:
    stored = {"x": X, "y": Y, "channels": ["EEG C3-REF", "EOG", "EEG C4-REF"]}
    picked = make(replace(AS_IT_IS, channels=("C4", "EEG C3-REF")), **stored)
    assert picked.signal == Signal("eeg", (2, 64), ("EEG C4-REF", "EEG C3-REF"))
    plain = make(
        AS_IT_IS, **{**stored, "x": X[:, [2, 0]], "channels": ["EEG C4-REF", "EEG C3-REF"]}
    )
    assert picked.fingerprint == plain.fingerprint
    assert torch.equal(picked.fold(0).test.x, plain.fold(0).test.x)
    dropped = make(replace(AS_IT_IS, channels=("-EOG",)), **stored)
    assert dropped.signal.channels == ("EEG C3-REF", "EEG C4-REF")
    with pytest.raises(UserError, match="unknown channel in the option channels: 'C9'"):
        make(replace(OPTIONS, channels=("C9",)), **stored)
    with pytest.raises(UserError, match=r"is \['C3'\], but mine.npz does not name its channels"):
        make(replace(OPTIONS, channels=("C3",)), x=X, y=Y)


def test_a_sampling_rate_of_images_is_an_error(make: Make) -> None:
    with pytest.raises(UserError, match="holds images, which have no sampling_rate: EEG is"):
        make(x=IMAGES, y=Y, sampling_rate=100)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("grouped_rows", [True, False])
def test_what_is_mapped_equals_what_is_in_memory(
    make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, order: str, grouped_rows: bool
) -> None:
    monkeypatch.setenv("AUGBENCH_CACHE", str(tmp_path / "cache"))
    groups = {"groups": np.arange(60) // 4} if grouped_rows else {}
    stored = {"x": np.asarray(X, order=order), "y": Y, **groups}
    small = make(**stored)
    assert not (tmp_path / "cache").exists()
    monkeypatch.setattr(examples, "MAPPED_FROM", 0)
    for _ in range(2):  # prepared, then mapped
        large = make(**stored)
        assert large.fingerprint == small.fingerprint
        for k in range(5):
            pairs = zip(
                (*small.fold(k).views, small.fold(k).test),
                (*large.fold(k).views, large.fold(k).test),
                strict=True,
            )
            assert all(torch.equal(a.x, b.x) and torch.equal(a.y, b.y) for a, b in pairs)


def test_a_second_build_reads_no_x(
    make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AUGBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(examples, "MAPPED_FROM", 0)
    task = make(x=X, y=Y)
    monkeypatch.setattr(npz, "read_blocks", lambda file, name: 1 / 0)
    monkeypatch.setattr(examples, "_prepared", lambda *args: iter(()))
    assert arrays(OPTIONS, tmp_path, 0).fingerprint == task.fingerprint


def test_writing_into_a_fold_changes_no_other(
    make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AUGBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(examples, "MAPPED_FROM", 0)
    task = make(x=X, y=Y)
    before = task.fold(0).views.train.x.clone()
    task.fold(0).views.train.x.zero_()
    assert torch.equal(task.fold(0).views.train.x, before)
    assert torch.equal(make(x=X, y=Y).fold(0).views.train.x, before)


def test_a_fold_for_which_the_disk_has_no_room_is_held_in_memory(
    make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AUGBENCH_CACHE", str(tmp_path / "cache"))
    expected = make(x=X, y=Y).fold(0)
    monkeypatch.setattr(examples, "MAPPED_FROM", 0)
    task = make(x=X, y=Y)
    usage = type(shutil.disk_usage(tmp_path))(1, 1, 0)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    found = task.fold(0)
    assert torch.equal(found.test.x, expected.test.x)
    assert torch.equal(found.views.train.x, expected.views.train.x)


def with_value(x: np.ndarray, value: float) -> np.ndarray:
    x = x.copy()
    x[3].flat[0] = value
    return x


@pytest.mark.parametrize(
    ("stored", "message"),
    [
        ({"x": X[:, 0], "y": Y}, r"for one channel give x\[:, None, :\]$"),
        (
            {"x": X.transpose(0, 2, 1), "y": Y, "channels": ["Fz", "Cz", "Pz"]},
            r"has 3 names where x has \d+: x has to be \(N, C, T\); is it transposed\?$",
        ),
        ({"x": X, "y": Y[:50]}, r"y in mine.npz has shape \(50,\) where x has 60 examples"),
        ({"x": X, "y": Y[:, None]}, r"y in mine.npz has shape \(60, 1\)"),
        ({"x": X}, "mine.npz lacks 'y'; it holds x"),
        ({"y": Y, "data": X}, "mine.npz lacks 'x'; it holds y, data"),
        ({"x": with_value(X, np.nan), "y": Y}, "NaN or infinite values in 1 of 60 examples"),
        ({"x": with_value(X, np.inf), "y": Y}, "NaN or infinite values in 1 of 60 examples"),
        ({"x": with_value(X, 1e300), "y": Y}, "NaN or infinite values in 1 of 60 examples"),
        ({"x": X, "y": Y * 0}, "y in mine.npz has one class only, 0"),
        ({"x": X, "y": Y + 0.5}, "y in mine.npz is of type float64; labels must be integers"),
        ({"x": X, "y": Y, "groups": Y[:9]}, r"groups in mine.npz has shape \(9,\) where x has 60"),
        ({"x": X, "y": Y, "groups": Y % 2}, "n_folds = 5 is too many for 2 groups:"),
        ({"x": X[:, 0], "y": Y}, r"x in mine.npz has shape \(60, 64\); EEG is \(N, C, T\)"),
        ({"x": X[:0], "y": Y[:0]}, "there is nothing in it"),
        ({"x": X + 0j, "y": Y}, "x in mine.npz is of type complex128"),
        ({"x": IMAGES * 255, "y": Y}, r"images in mine.npz range from .* scale them to \[0, 1\]"),
        ({"x": IMAGES - 0.5, "y": Y}, r"images in mine.npz range from -0"),
        ({"x": np.zeros((60, 8, 8, 3)), "y": Y}, "8 colour channels; .* on the last axis?"),
        ({"x": X, "y": Y, "channels": ["Cz"]}, "channels in mine.npz has 1 name where x has 3"),
        ({"x": X, "y": Y, "channels": ["C3", "Cz", "Cz"]}, "names one twice"),
        ({"x": X, "y": Y, "sampling_rate": 0}, "sampling_rate in mine.npz is 0 hertz"),
        ({"x": X, "y": Y, "sampling_rate": "fast"}, "sampling_rate in mine.npz is fast"),
        ({"x": X[:8], "y": np.arange(8) // 4}, "class 0 has 4 samples, too few for n_folds = 5"),
    ],
)
def test_bad_arrays_are_one_clear_sentence(
    make: Make, stored: dict[str, Any], message: str
) -> None:
    with pytest.raises(UserError, match=message) as caught:
        make(**stored)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (replace(OPTIONS, path=""), "needs the option path"),
        (replace(OPTIONS, path="other.npz"), r"there is no file .*other.npz: the option path is"),
        (replace(OPTIONS, kind="image"), r"EEG is .* and kind = 'image' was asked for"),
        (
            replace(OPTIONS, class_names=("a",)),
            "class_names has 1 name where y .* 3 classes: 0, 1",
        ),
        (replace(OPTIONS, n_folds=1), "n_folds is 1; it must be 2 or more"),
        (replace(OPTIONS, valid_share=1.5), "valid_share is 1.5"),
    ],
)
def test_bad_options_are_one_clear_sentence(
    make: Make, options: ArraysOptions, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        make(options, x=X, y=Y)


class Bomb:
    """Runs code when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (Path("exploded"),))


def test_pickled_objects_are_never_loaded(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    bombs = np.array([Bomb()] * 60, dtype=object)
    for stored in ({"x": X, "y": bombs}, {"x": bombs, "y": Y}):
        with pytest.raises(UserError, match=r"mine.npz holds pickled objects"):
            make(**stored)
    (tmp_path / "mine.npz").write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(UserError, match=r"mine.npz is no .npz file"):
        arrays(OPTIONS, tmp_path, 0)
    assert not (tmp_path / "exploded").exists()


@pytest.mark.parametrize("kept", [0, 3, 100, 20_000, -30])
def test_a_truncated_file_is_named(make: Make, tmp_path: Path, kept: int) -> None:
    make(x=X, y=Y)
    file = tmp_path / "mine.npz"
    file.write_bytes(file.read_bytes()[:kept])
    with pytest.raises(UserError, match=r"mine.npz is no .npz file or is cut off"):
        arrays(OPTIONS, tmp_path, 0)


def test_a_flipped_byte_is_noticed(make: Make, tmp_path: Path) -> None:
    make(x=X, y=Y)
    file = tmp_path / "mine.npz"
    content = bytearray(file.read_bytes())
    content[5000] ^= 1
    file.write_bytes(content)
    with pytest.raises(UserError, match=r"mine.npz is no .npz file or is cut off"):
        arrays(OPTIONS, tmp_path, 0)


def test_files_that_are_no_npz_are_named(tmp_path: Path) -> None:
    (tmp_path / "mine.npz").write_text("x, y\n1, 2\n")
    with pytest.raises(UserError, match=r"mine.npz is no .npz file"):
        arrays(OPTIONS, tmp_path, 0)
    np.save(tmp_path / "mine.npy", X)
    with pytest.raises(UserError, match=r"mine.npy is no .npz file"):
        arrays(replace(OPTIONS, path="mine.npy"), tmp_path, 0)
    with pytest.raises(UserError, match="there is no file"):
        arrays(replace(OPTIONS, path="."), tmp_path, 0)
