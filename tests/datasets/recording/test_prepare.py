"""From files to windows, right to the sample; and what odd files end in."""

import errno
import os
from collections import Counter
from dataclasses import replace
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

import mne
import numpy as np
import pytest

from augbench.datasets import cache
from augbench.datasets.errors import UserError
from augbench.datasets.recording import prepare as module
from augbench.datasets.recording.preparation import Preparation, Source
from augbench.datasets.recording.prepare import Prepared, find_prepared, prepare
from edf_files import START, Note, write_bdf, write_edf

STAGES = {"Sleep stage W": 0, "Sleep stage 1": 1, "Sleep stage 2": 2}
PLAIN = Preparation(events=STAGES, window_seconds=30.0, standardise=False)
RATE = 20.0
SIGNALS = {name: 50 * np.random.default_rng(k).normal(size=6000) for k, name in enumerate("ab")}
W, N1, N2 = STAGES


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AUGBENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def pair(folder: Path, notes: list[Note], *, later: float = 0.0) -> Source:
    """Five minutes of signals, and scores in a file that starts ``later``."""
    signals = write_edf(folder / "n PSG.edf", SIGNALS, RATE)
    start = START + timedelta(seconds=later)
    return Source("n", "1", signals, write_edf(folder / "n Base.edf", {}, notes=notes, start=start))


def windows(found: Prepared) -> np.ndarray:
    c, t = found.shape
    return found.x[:, : c * t].reshape(-1, c, t)


def expected(first: list[int], n_times: int = 600) -> np.ndarray:
    signals = np.stack(list(SIGNALS.values()))
    return np.stack([signals[:, start : start + n_times] for start in first])


def assert_cut(found: Prepared, first: list[int], labels: list[int]) -> None:
    assert found.y.tolist() == labels
    assert np.abs(windows(found) - expected(first)).max() < 0.01


def test_windows_are_those_of_the_annotations(tmp_path: Path) -> None:
    source = pair(tmp_path, [(0, 60, W), (60, 30, N1), (90, 90, N2)])
    found = prepare(source, PLAIN)
    assert_cut(found, [0, 600, 1200, 1800, 2400, 3000], [0, 0, 1, 2, 2, 2])
    assert (found.shape, found.sampling_rate, found.channels) == ((2, 600), RATE, ("a", "b"))
    assert found.notes == ()


@pytest.mark.parametrize(
    ("later", "shift"), [(10.0, 200), (-30.0, -600), (0.5, 10), (12.34, 247), (-0.12, -2)]
)
def test_both_files_are_aligned_by_their_starts(tmp_path: Path, later: float, shift: int) -> None:
    source = pair(tmp_path, [(0, 60, W), (60, 30, N1), (90, 30, N2)], later=later)
    first = [start + shift for start in (0, 600, 1200, 1800)]
    kept = [k for k, start in enumerate(first) if start >= 0]
    assert_cut(prepare(source, PLAIN), [first[k] for k in kept], [[0, 0, 1, 2][k] for k in kept])


def test_annotations_of_any_order_and_kind_are_sorted_out(tmp_path: Path) -> None:
    notes = [(90, 30, N2), (0, 60, W), (5, 0, "仰卧"), (65, 0.5, "Spindle"), (60, 30, N1)]
    assert_cut(prepare(pair(tmp_path, notes), PLAIN), [0, 600, 1200, 1800], [0, 0, 1, 2])


def test_annotations_that_start_between_samples_begin_at_the_nearest(tmp_path: Path) -> None:
    found = prepare(pair(tmp_path, [(0.02, 30, W), (30.03, 30, N1), (60.13, 30, N2)]), PLAIN)
    assert_cut(found, [0, 601, 1203], [0, 1, 2])


def test_pages_that_contradict_each_other_are_left_out(tmp_path: Path) -> None:
    found = prepare(pair(tmp_path, [(0, 60, W), (45, 30, N1), (90, 30, N2)]), PLAIN)
    assert_cut(found, [0, 1800], [0, 2])
    assert found.notes == ("windows of different classes overlap; they are left out",)


def test_annotations_beyond_the_end_are_cut_there(tmp_path: Path) -> None:
    found = prepare(pair(tmp_path, [(0, 240, W), (240, 6900, N1)]), PLAIN)
    assert found.y.tolist() == [0] * 8 + [1] * 2
    assert found.notes == ("events go on where the signals do not; those windows are left out",)


def test_a_window_that_is_a_sample_short_is_left_out(tmp_path: Path) -> None:
    """Such a window of one MASS night kept others from loading the whole set."""
    source = pair(tmp_path, [(0.04, 300, W)])  # the last page ends a sample behind the signals
    found = prepare(source, PLAIN)
    assert len(found.y) == 9
    assert len(found.notes) == 1


def test_after_resampling_every_window_is_as_long_as_the_others(tmp_path: Path) -> None:
    notes = [(0.33, 270, W), (270.33, 29.67, N1)]
    found = prepare(pair(tmp_path, notes), replace(PLAIN, sampling_rate=12.8, high=5.0))
    assert found.shape == (2, 384)
    assert len(found.y) == 9


def test_windows_are_standardised_channel_by_channel(tmp_path: Path) -> None:
    found = prepare(pair(tmp_path, [(0, 300, W)]), replace(PLAIN, standardise=True))
    x = windows(found).astype(np.float64)
    assert np.abs(x.mean(2)).max() < 1e-6
    assert np.abs(x.std(2) - 1).max() < 1e-6


def test_a_flat_channel_becomes_zero_and_is_told(tmp_path: Path) -> None:
    flat = {**SIGNALS, "b": np.where(np.arange(6000) < 900, 0.0, SIGNALS["b"])}
    signals = write_edf(tmp_path / "n.edf", flat, RATE, [(0, 300, W)])
    found = prepare(Source("n", "1", signals), replace(PLAIN, standardise=True))
    assert found.notes == ("channels are flat in some windows",)
    assert np.isfinite(windows(found)).all()


def test_events_with_an_offset(tmp_path: Path) -> None:
    notes = [(10.0, 0, "left"), (12.0, 5, "right"), (299.0, 0, "left")]
    signals = write_edf(tmp_path / "n.edf", SIGNALS, RATE, notes)
    how = replace(PLAIN, events={"left": 0, "right": 1}, window_seconds=2.0, offset_seconds=-0.5)
    found = prepare(Source("n", "1", signals), how)
    assert found.y.tolist() == [0, 1]
    assert np.abs(windows(found) - expected([190, 230], 40)).max() < 0.01


@pytest.mark.parametrize("dated", [False, True])
@pytest.mark.parametrize("first_samp", [0, 777])
def test_a_fif_file_may_begin_after_its_clock(tmp_path: Path, dated: bool, first_samp: int) -> None:
    data = np.stack(list(SIGNALS.values())) * 1e-6
    info = mne.create_info(["C3", "C4"], RATE, "eeg")
    raw = mne.io.RawArray(data, info, first_samp=first_samp, verbose="ERROR")
    if dated:
        raw.set_meas_date(START.replace(tzinfo=UTC))
    # Onsets count from the first sample here; MNE stores them from its clock if there is a date.
    raw.set_annotations(mne.Annotations([15.0, 60.0], [30.0, 30.0], [W, N1]))
    raw.save(tmp_path / "n_raw.fif", verbose="ERROR")
    assert_cut(prepare(Source("n", "1", tmp_path / "n_raw.fif"), PLAIN), [300, 1200], [0, 1])
    scores = write_edf(
        tmp_path / "n.edf", {}, notes=[(15, 30, W)], start=START + timedelta(seconds=60)
    )
    if dated:  # the clock of the file shows its first sample first_samp samples after its date
        source = Source("n", "1", tmp_path / "n_raw.fif", scores)
        found = prepare(source, PLAIN)
        assert found.y.tolist() == [0]
        shift = round(60 * RATE) - first_samp
        assert np.abs(windows(found) - expected([300 + shift])).max() < 0.01


@pytest.mark.parametrize("name", ["n_raw.fif", "n.vhdr", "n.set", "n.edf", "n.bdf", "n.gdf"])
def test_mne_decides_about_formats(tmp_path: Path, name: str) -> None:
    """BrainVision and EEGLAB are written by hand: MNE's writers need packages of their own."""
    data = np.stack(list(SIGNALS.values())) * 1e-6
    raw = mne.io.RawArray(data, mne.create_info(["C3", "C4"], RATE, "eeg"), verbose="ERROR")
    raw.set_annotations(mne.Annotations([15.0, 60.0], [30.0, 30.0], [W, N1]))
    file = tmp_path / name
    if name.endswith("fif"):
        raw.save(file, verbose="ERROR")
    elif name.endswith("edf"):
        write_edf(file, SIGNALS, RATE, [(15, 30, W), (60, 30, N1)])
    elif name.endswith("vhdr"):
        write_brainvision(file, data)
    elif name.endswith("set"):
        write_eeglab(file, data)
    elif name.endswith("gdf"):
        write_gdf(file, data)
    else:
        write_bdf(file, write_edf(tmp_path / "other.edf", SIGNALS, RATE, [(15, 30, W)]))
    labels = [0] if name.endswith("bdf") else [0, 1]
    # What MNE calls the events of BrainVision and of GDF.
    theirs = {f"Comment/{W}": 0, f"Comment/{N1}": 1, "769": 0, "770": 1}
    channels = ("C3", "C4") if name.endswith("gdf") else ()
    how = replace(PLAIN, events={**STAGES, **theirs}, channels=channels)
    found = prepare(Source("n", "1", file), how)
    assert found.y.tolist() == labels
    assert np.abs(windows(found) - expected([300, 1200][: len(labels)])).max() < 0.05
    last = prepare(Source("n", "1", file), replace(how, channels=(found.channels[1],)))
    assert np.array_equal(windows(last), windows(found)[:, 1:])


def write_brainvision(file: Path, data: np.ndarray) -> None:
    (data.T / 1e-7).round().astype("<i2").tofile(file.with_suffix(".eeg"))
    file.write_text(
        "Brain Vision Data Exchange Header File Version 1.0\n[Common Infos]\nCodepage=UTF-8\n"
        f"DataFile={file.stem}.eeg\nMarkerFile={file.stem}.vmrk\nDataFormat=BINARY\n"
        f"DataOrientation=MULTIPLEXED\nNumberOfChannels=2\nSamplingInterval={1e6 / RATE:g}\n"
        "[Binary Infos]\nBinaryFormat=INT_16\n[Channel Infos]\n"
        "Ch1=C3,,0.1,µV\nCh2=C4,,0.1,µV\n",
        encoding="utf-8",
    )
    markers = "".join(
        f"Mk{k}=Comment,{text},{round(onset * RATE) + 1},600,0\n"
        for k, (onset, text) in enumerate([(15, W), (60, N1)], 1)
    )
    file.with_suffix(".vmrk").write_text(
        "Brain Vision Data Exchange Marker File, Version 1.0\n[Common Infos]\nCodepage=UTF-8\n"
        f"DataFile={file.stem}.eeg\n[Marker Infos]\n{markers}",
        encoding="utf-8",
    )


def write_gdf(file: Path, data: np.ndarray) -> None:
    """Version 1.25, with a third channel that is not asked for, and events with durations."""
    x = np.concatenate([np.zeros((1, data.shape[1])), data * 1e6])
    n, n_samples = x.shape
    n_records = n_samples // round(RATE)
    top = 1000.0
    head = b"GDF 1.25" + b" " * 160 + b"2020013122150000"
    head += np.int64(256 * (n + 1)).tobytes() + bytes(44) + np.int64(n_records).tobytes()
    head += np.array([1, 1, n], "<u4").tobytes()
    head += b"".join(name.ljust(16) for name in (b"EOG", b"C3", b"C4")) + b" " * 80 * n
    head += b"uV      " * n
    head += np.array([-top] * n + [top] * n, "<f8").tobytes()
    head += np.array([-32767] * n + [32767] * n, "<i8").tobytes() + b" " * 80 * n
    head += np.array([round(RATE)] * n + [3] * n, "<i4").tobytes() + bytes(32 * n)
    digital = np.round(x / top * 32767).astype("<i2").reshape(n, n_records, -1)
    events = bytes([3, round(RATE), 0, 0]) + np.uint32(2).tobytes()
    events += np.array([15 * RATE + 1, 60 * RATE + 1], "<u4").tobytes()
    events += np.array([769, 770, 0, 0], "<u2").tobytes()
    events += np.array([600, 600], "<u4").tobytes()
    file.write_bytes(head + digital.transpose(1, 0, 2).tobytes() + events)


def write_eeglab(file: Path, data: np.ndarray) -> None:
    from scipy.io import savemat

    events = np.array(
        [(W, 15 * RATE + 1, 600.0), (N1, 60 * RATE + 1, 600.0)],
        dtype=[("type", object), ("latency", object), ("duration", object)],
    )
    places = np.array([("C3",), ("C4",)], dtype=[("labels", object)])
    fields: dict[str, Any] = {
        "setname": "n",
        "nbchan": 2.0,
        "trials": 1.0,
        "pnts": float(data.shape[1]),
        "srate": RATE,
        "xmin": 0.0,
        "xmax": (data.shape[1] - 1) / RATE,
        "data": data * 1e6,
        "chanlocs": places,
        "event": events,
        "epoch": np.array([]),
    }
    savemat(file, {"EEG": fields}, appendmat=False)


@pytest.mark.parametrize(
    ("notes", "changes", "message"),
    [
        ([(0, 60, "Wach")], {}, r"n has no event of those that events names .* has 'Wach'"),
        ([], {}, "n has no event of those .* it has none at all"),
        ([(0, 20, W)] * 3, {}, r"n: no window of 30 s fits into an event, .* longest lasts 20 s"),
        ([(400, 60, W)], {}, "n: none of its 2 windows lies within the signals, which last 300 s"),
        ([(0, 30, W)], {"window_seconds": 0.01}, "n has 20 samples a second, none in a window of"),
        ([(0, 30, W), (15, 30, N1)], {}, "n: all its windows overlap others of another class"),
        (
            [(20 * k, 20, W) for k in range(9)],
            {"page_seconds": 30.0},
            "n is scored in pages of 20 s; this task reads pages of 30 s",
        ),
        (
            [(0, 60, W), (60, 20, N1), (80, 40, W), (120, 20, N2), (140, 20, W)],
            {"page_seconds": 30.0},
            "n is scored in pages of 20 s",
        ),
    ],
)
def test_events_of_which_nothing_can_be_cut_are_one_sentence(
    tmp_path: Path, notes: list[Note], changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(UserError, match=message) as caught:
        prepare(pair(tmp_path, notes), replace(PLAIN, **changes))
    assert "\n" not in str(caught.value)


def test_a_short_first_or_last_page_does_not_make_a_night_of_other_pages(tmp_path: Path) -> None:
    notes = [(0, 12.5, W), (12.5, 30, N1), (42.5, 30, N2), (72.5, 7, W)]
    found = prepare(pair(tmp_path, notes), replace(PLAIN, page_seconds=30.0))
    assert_cut(found, [250, 850], [1, 2])


def test_what_was_prepared_is_found_and_what_changed_is_not(tmp_path: Path) -> None:
    source = pair(tmp_path, [(0, 60, W), (60, 30, N1)])
    assert find_prepared(source, PLAIN) is None
    found = prepare(source, PLAIN)
    again = find_prepared(source, PLAIN)
    assert again is not None
    assert again.digest == found.digest
    assert isinstance(again.x, np.memmap)
    assert find_prepared(source, replace(PLAIN, high=5.0)) is None
    assert source.events is not None
    os.utime(source.events, (1, 1))
    assert find_prepared(source, PLAIN) is None


def test_another_version_of_this_code_prepares_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = pair(tmp_path, [(0, 60, W)])
    prepare(source, PLAIN)
    monkeypatch.setattr(module, "VERSION", module.VERSION + 1)
    assert find_prepared(source, PLAIN) is None


@pytest.mark.parametrize("damage", ["torn", "changed"])
def test_a_damaged_entry_is_prepared_anew(tmp_path: Path, own_cache: Path, damage: str) -> None:
    source = pair(tmp_path, [(0, 60, W)])
    digest = prepare(source, PLAIN).digest
    (file,) = own_cache.glob("*/x.npy")
    content = bytearray(file.read_bytes())
    content[500] ^= 1
    file.write_bytes(content if damage == "changed" else content[:-100])
    assert find_prepared(source, PLAIN) is None
    found = prepare(source, PLAIN)
    assert found.digest == digest
    assert_cut(found, [0, 600], [0, 0])


def test_a_full_disk_is_one_sentence_and_leaves_nothing(
    tmp_path: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    source = pair(tmp_path, [(0, 60, W)])
    with monkeypatch.context() as patched:
        patched.setattr(cache, "_write_array", full)
        with pytest.raises(UserError, match=r"cannot write the cache folder .* make room"):
            prepare(source, PLAIN)
    assert list(own_cache.iterdir()) == []
    assert len(prepare(source, PLAIN).y) == 2


# What the odd files of the wild give, each held against the numbers that MNE reads.

ODD = [
    ("mne_test_utf8_annotations.edf", {"RECORD START": 0, "仰卧": 1}, 1.5, 0.25),
    ("mne_subsecond_starttime.edf", {"XLSpike": 0, "Clip Note": 1}, 0.5, -0.25),
    ("mne_chtypes_edf.edf", {"onset": 0, "starts turning head": 1}, 0.7, 0.1),
    ("mne_test_edf_overlapping_annotations.edf", {"T0": 0, "T1": 1, "T2": 2}, 1.0, 0.25),
]


@pytest.mark.parametrize(("name", "events", "seconds", "offset"), ODD)
def test_odd_files_of_the_wild_are_read_to_the_sample(
    sleep_root: Path, name: str, events: dict[str, int], seconds: float, offset: float
) -> None:
    file = sleep_root / "edf_odd" / name
    how = replace(PLAIN, events=events, window_seconds=seconds, offset_seconds=offset)
    found = prepare(Source("n", "1", file), how)
    raw = mne.io.read_raw_edf(file, preload=True, verbose="ERROR")
    marks = [note for note in raw.annotations if note["description"] in events]
    rate = raw.info["sfreq"]
    starts = [round((note["onset"] + offset) * rate) for note in marks]
    n_times = round(seconds * rate)
    whole = [k for k, start in enumerate(starts) if start + n_times <= raw.n_times]
    assert found.y.tolist() == [events[marks[k]["description"]] for k in whole]
    data = raw.get_data() * 1e6
    for window, k in zip(windows(found), whole, strict=True):
        assert np.array_equal(window, data[:, starts[k] : starts[k] + n_times].astype(np.float32))


def test_annotations_that_overlap_by_rounding_keep_their_windows(sleep_root: Path) -> None:
    """Of the wild: onsets rounded to a hundredth overlap the event before by up to 5 ms."""
    file = sleep_root / "edf_odd" / "mne_test_edf_overlapping_annotations.edf"
    how = replace(PLAIN, events={"T0": 0, "T1": 1, "T2": 2}, window_seconds=1.0)
    found = prepare(Source("n", "1", file), how)
    raw = mne.io.read_raw_edf(file, verbose="ERROR")
    n_whole = Counter(int(note["duration"] + 1e-6) for note in raw.annotations)
    assert len(found.y) == sum(n * count for n, count in n_whole.items())


def test_a_hypnogram_that_is_a_signal_is_refused(sleep_root: Path) -> None:
    source = Source("n", "1", sleep_root / "edf_odd" / "dreams_excerpt3.edf")
    message = r"n has no annotations; its channel 'hypnogram' seems to hold the hypnogram as a sig"
    with pytest.raises(UserError, match=message):
        prepare(source, PLAIN)


def test_a_hypnogram_in_place_of_a_recording_is_one_sentence(sleep_root: Path) -> None:
    source = Source("n", "1", sleep_root / "edf_odd" / "SC4001EC-Hypnogram.edf")
    with pytest.raises(UserError, match=r"^SC4001EC-Hypnogram.edf has annotations and no sig"):
        prepare(source, PLAIN)
