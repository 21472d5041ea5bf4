"""Folders of simulated nights: read by MNE, resumed, and refused."""

import json
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import mne
import numpy as np
import pytest
from numpy.typing import NDArray

from augbench.datasets.errors import UserError
from augbench.datasets.simulated_nights import folder as module
from augbench.datasets.simulated_nights.folder import README, NightsOptions, write_nights

SHORT = {
    "mass": NightsOptions("mass", 2, hours=0.25),
    "sleep-edf": NightsOptions("sleep-edf", 3, hours=0.25),
}
HYPNOGRAMS = ("W" * 80 + "1223344RR?" * 30 + "W" * 80,)
FILES = {
    "mass": [
        "01-03-0001 Base.edf",
        "01-03-0001 PSG.edf",
        "01-03-0002 Base.edf",
        "01-03-0002 PSG.edf",
        README,
    ],
    "sleep-edf": [
        README,
        "SC4001E0-PSG.edf",
        "SC4001EC-Hypnogram.edf",
        "SC4002E0-PSG.edf",
        "SC4002EC-Hypnogram.edf",
        "SC4011F0-PSG.edf",
        "SC4011FA-Hypnogram.edf",
    ],
}
LAYOUT = pytest.mark.parametrize("layout", SHORT)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def write(folder: Path, options: NightsOptions, hypnograms: tuple[str, ...] = HYPNOGRAMS) -> None:
    written = [*write_nights(folder, options, hypnograms)]
    assert sorted(written) == sorted(name for name in names(folder) if "PSG" in name)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.edf")}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("nights")
    for layout, options in SHORT.items():
        write(root / layout, options)
    return {layout: root / layout for layout in SHORT}


def read(psg: Path, stages: Path) -> tuple[mne.io.BaseRaw, mne.Annotations, timedelta]:
    """Signals, annotations, and how much later than the signals the annotations' file starts."""
    raw = mne.io.read_raw_edf(psg, preload=True, verbose="error")
    start = mne.io.read_raw_edf(stages, verbose="error").info["meas_date"]
    return raw, mne.read_annotations(stages), start - raw.info["meas_date"]


@LAYOUT
def test_files_have_the_names_of_the_real_data_set(folders: dict[str, Path], layout: str) -> None:
    assert names(folders[layout]) == FILES[layout]


def test_mass_is_read_as_its_owners_hand_it_out(folders: dict[str, Path]) -> None:
    lags, onsets = set(), set()
    for subject in ("01-03-0001", "01-03-0002"):
        psg, stages = (folders["mass"] / f"{subject} {kind}.edf" for kind in ("PSG", "Base"))
        raw, pages, lag = read(psg, stages)
        assert raw.info["sfreq"] == 256
        eeg = {f"EEG {name}-CLE" for name in ("C3", "C4", "F3", "F4", "O1", "O2", "A2")}
        assert set(raw.ch_names) == eeg | {"EOG Left Horiz", "EOG Right Horiz"}
        assert set(pages.description) <= {f"Sleep stage {stage}" for stage in "W123R?"}
        assert pages.duration.tolist() == [30.0] * 30
        assert np.diff(pages.onset).tolist() == [30.0] * 29
        assert (pages.onset[0] * 256).is_integer()  # on a sample
        assert 0 <= raw.times[-1] + 1 / 256 - lag.total_seconds() - pages.onset[-1] - 30 < 1
        lags.add(lag)
        onsets.add(pages.onset[0])
    assert len(lags) > 1
    assert len(onsets) > 1


def test_sleep_edf_is_read_as_its_owners_hand_it_out(folders: dict[str, Path]) -> None:
    for psg in sorted(folders["sleep-edf"].glob("*-PSG.edf")):
        (stages,) = folders["sleep-edf"].glob(f"{psg.name[:6]}*-Hypnogram.edf")
        raw, runs, lag = read(psg, stages)
        assert raw.info["sfreq"] == 100
        assert raw.ch_names == ["EEG Fpz-Cz", "EEG Pz-Oz", "EOG horizontal", "EMG submental"]
        assert not lag
        assert raw.n_times == 900 * 100
        assert set(runs.description) <= {f"Sleep stage {stage}" for stage in "W1234R?"}
        assert runs.onset.tolist() == [0, *np.cumsum(runs.duration)[:-1]]
        assert not (runs.duration % 30).any()
        assert (runs.onset[-1], runs.description[-1]) == (900, "Sleep stage ?")


@LAYOUT
def test_signals_are_in_microvolts_and_not_cut_off(folders: dict[str, Path], layout: str) -> None:
    for psg in folders[layout].glob("*PSG.edf"):
        raw = mne.io.read_raw_edf(psg, preload=True, verbose="error")
        microvolts = raw.get_data(picks=[name for name in raw.ch_names if "EMG" not in name]) * 1e6
        assert (microvolts.std(axis=1) > 3).all()
        assert (microvolts.std(axis=1) < 60).all()
        assert (abs(microvolts) > 499).mean() < 1e-3


@LAYOUT
def test_simulated_stands_in_all_that_is_written(folders: dict[str, Path], layout: str) -> None:
    for path in folders[layout].iterdir():
        assert b"Simulated" in path.read_bytes()[:256]
    psg = next(folders[layout].glob("*PSG.edf"))
    raw = mne.io.read_raw_edf(psg, verbose="error")
    assert raw.info["subject_info"]["last_name"] == "Simulated"
    assert psg.read_bytes()[88:168].split()[-1] == b"Simulated"
    about = (folders[layout] / README).read_text()
    options = SHORT[layout]
    assert f"simulate-nights FOLDER --layout {layout} --nights {options.nights} --seed 0" in about
    assert "seed: 0\n" in about


def beta_power(x: NDArray[np.float64], rate: int) -> NDArray[np.float64]:
    """(N, T) -> (N,): the logarithm of the power from 16 to 30 Hz, which wake has most of."""
    power = abs(np.fft.rfft(x, axis=1)) ** 2
    hertz = np.fft.rfftfreq(x.shape[1], 1 / rate)
    beta: NDArray[np.float64] = np.log(power[:, (hertz > 16) & (hertz < 30)].sum(axis=1))
    return beta


def scored_pages(pages: mne.Annotations, lag: timedelta) -> list[tuple[float, str]]:
    """Each page's start in seconds of the signals, and its stage."""
    return [
        (onset + 30 * i + lag.total_seconds(), text[-1])
        for onset, duration, text in zip(
            pages.onset, pages.duration, pages.description, strict=True
        )
        for i in range(round(duration / 30))
        if text != "Sleep stage ?"
    ]


@LAYOUT
def test_pages_lie_where_the_annotations_say(tmp_path: Path, layout: str) -> None:
    options = replace(SHORT[layout], nights=1, hours=2.0)
    write(tmp_path, options, (("W" * 4 + "3" * 4) * 60,))
    stages, psg = sorted(tmp_path.glob("*.edf"), key=lambda path: path.stat().st_size)
    raw, found, lag = read(psg, stages)
    rate = round(raw.info["sfreq"])
    x = raw.get_data(picks=[0])[0]
    pages = scored_pages(found, lag)
    assert len(pages) == 240
    wake = np.array([stage == "W" for _, stage in pages[3:-3]])

    def contrast(shift: int) -> float:
        """Between wake and deep sleep, if all pages are taken so many seconds later."""
        first = [round((start + shift) * rate) for start, _ in pages[3:-3]]
        beta = beta_power(np.stack([x[i : i + 30 * rate] for i in first]), rate)
        return float(beta[wake].mean() - beta[~wake].mean())

    contrasts = {shift: contrast(shift) for shift in range(-60, 61, 5)}
    assert contrasts[0] > 0.4
    assert abs(max(contrasts, key=contrasts.__getitem__)) <= 10


@LAYOUT
def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(
    folders: dict[str, Path], tmp_path: Path, layout: str
) -> None:
    write(tmp_path / "a", SHORT[layout])
    assert contents(tmp_path / "a") == contents(folders[layout])
    write(tmp_path / "b", replace(SHORT[layout], seed=1))
    assert not set(contents(tmp_path / "b").values()) & set(contents(tmp_path / "a").values())


@LAYOUT
def test_a_night_does_not_depend_on_how_many_there_are(
    folders: dict[str, Path], tmp_path: Path, layout: str
) -> None:
    write(tmp_path, replace(SHORT[layout], nights=1))
    alone = contents(tmp_path)
    assert alone.items() <= contents(folders[layout]).items()
    write(tmp_path, SHORT[layout])  # and more can be asked for later
    assert contents(tmp_path) == contents(folders[layout])
    assert f"--nights {SHORT[layout].nights} " in (tmp_path / README).read_text()


def test_nights_differ(folders: dict[str, Path]) -> None:
    for folder in folders.values():
        for pattern in ("*PSG.edf", "*[!G].edf"):
            files = [path.read_bytes()[768:] for path in folder.glob(pattern)]
            assert len(set(files)) == len(files) >= 2


def test_nights_can_be_dealt_to_more_people(tmp_path: Path) -> None:
    write(tmp_path, NightsOptions("sleep-edf", 4, subjects=3, hours=0.01))
    numbers = [name[3:6] for name in names(tmp_path) if "PSG" in name]
    assert numbers == ["001", "002", "011", "021"]


def test_a_stopped_call_is_resumed_to_the_same_bytes(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    nights = write_nights(tmp_path, SHORT["mass"], HYPNOGRAMS)
    next(nights)
    nights.close()
    assert len(names(tmp_path)) == 3
    before = (tmp_path / "01-03-0001 PSG.edf").stat().st_mtime_ns
    write(tmp_path, SHORT["mass"])
    assert (tmp_path / "01-03-0001 PSG.edf").stat().st_mtime_ns == before
    assert contents(tmp_path) == contents(folders["mass"])


def test_a_killed_process_leaves_no_half_night_and_is_resumed(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    script = f"""
import os
from pathlib import Path
from augbench.datasets.simulated_nights import edf, folder
whole = edf._digital
left = iter(range(12))
def dying(x, channel):
    if next(left, None) is None:
        os._exit(9)
    return whole(x, channel)
edf._digital = dying
options = folder.NightsOptions("mass", 2, hours=0.25)
list(folder.write_nights(Path({str(tmp_path)!r}), options, {HYPNOGRAMS!r}))
"""
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 9
    assert names(tmp_path) == ["01-03-0001 PSG.edf.part", README]
    write(tmp_path, SHORT["mass"])
    assert contents(tmp_path) == contents(folders["mass"])
    assert names(tmp_path) == FILES["mass"]


@pytest.mark.parametrize("damage", ["cut", "no stages"])
def test_a_night_that_is_not_whole_is_written_again(
    folders: dict[str, Path], tmp_path: Path, damage: str
) -> None:
    write(tmp_path, SHORT["mass"])
    if damage == "cut":
        psg = tmp_path / "01-03-0002 PSG.edf"
        psg.write_bytes(psg.read_bytes()[:-1])
    else:
        (tmp_path / "01-03-0002 Base.edf").unlink()
    write(tmp_path, SHORT["mass"])
    assert contents(tmp_path) == contents(folders["mass"])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("notes.txt", b"mine", "holds notes.txt, which is none of the 2 simulated nights"),
        ("01-03-0001 PSG.edf", b"0       X X X X", "holds 01-03-0001 PSG.edf, which is none of"),
        ("01-03-0003 PSG.edf", b"0       Simulated", "holds 01-03-0003 PSG.edf, which is none of"),
        ("01-03-0001 PSG.edf", b"0       Simulated", f"is not empty and has no {README}"),
        (README, b"mine", f"is not empty and has no {README} of simulated nights"),
    ],
)
def test_a_folder_of_something_else_is_left_alone(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=message):
        write(tmp_path, SHORT["mass"])
    assert contents(tmp_path) | {name: content} == {name: content}
    assert (tmp_path / name).read_bytes() == content


@pytest.mark.parametrize(
    "change", [{"seed": 1}, {"hours": 0.5}, {"layout": "mass", "nights": 2}, {"subjects": 3}]
)
def test_a_folder_of_other_nights_is_left_alone(
    folders: dict[str, Path], tmp_path: Path, change: dict[str, object]
) -> None:
    write(tmp_path, SHORT["sleep-edf"])
    before = contents(tmp_path)
    with pytest.raises(UserError, match=r"holds (nights of other settings|README|SC4)"):
        write(tmp_path, replace(SHORT["sleep-edf"], **change))  # type: ignore[arg-type]
    assert contents(tmp_path) == before == contents(folders["sleep-edf"])


def test_drawn_and_real_stages_do_not_share_a_folder(tmp_path: Path) -> None:
    write(tmp_path, SHORT["mass"], ())
    with pytest.raises(UserError, match=r"stages from a Markov chain.*stages from 1 real"):
        write(tmp_path, SHORT["mass"], HYPNOGRAMS)


def test_fewer_nights_than_there_are_is_refused(tmp_path: Path) -> None:
    write(tmp_path, SHORT["mass"])
    with pytest.raises(UserError, match=r"01-03-0002 Base\.edf, which is none of the 1 simulated"):
        write(tmp_path, replace(SHORT["mass"], nights=1))


def test_a_file_in_place_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("")
    with pytest.raises(UserError, match="is a file; simulated nights need a folder"):
        write(tmp_path / "a", SHORT["mass"])
    with pytest.raises(UserError, match="cannot write into"):
        write(tmp_path / "a" / "b", SHORT["mass"])


def test_a_disk_without_room_is_noticed_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"the nights take \d+\.\d GB and .* left: ask for fewer"):
        write(tmp_path / "a", NightsOptions("mass", 9000, hours=24))
    assert not (tmp_path / "a").exists()


def test_a_write_that_fails_ends_in_a_sentence_and_leaves_no_half_file(
    tmp_path: Path,
) -> None:
    script = f"""
import resource, signal, sys
from pathlib import Path
from augbench.datasets.errors import UserError
from augbench.datasets.simulated_nights.folder import NightsOptions, write_nights
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
try:
    list(write_nights(Path({str(tmp_path)!r}), NightsOptions("mass", 2, hours=0.25), ()))
except UserError as error:
    print(error)
"""
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert "cannot write into" in done.stdout
    assert "run the same command again" in done.stdout
    assert names(tmp_path) == [README]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"layout": "mas"}, "unknown layout 'mas'; did you mean 'mass'"),
        ({"nights": 0}, "nights is 0; it has to be from 1 to 9999"),
        ({"nights": 10_000}, "nights is 10000; it has to be from 1 to 9999"),
        ({"seed": -1}, "seed is -1; it has to be 0 or more"),
        ({"hours": 0.0}, "hours is 0.0; it has to be from 0.008333"),
        ({"hours": float("nan")}, "hours is nan; it has to be from"),
        ({"hours": 25.0}, "to 24"),
        ({"subjects": 1}, "subjects is 1; it has to be from 2 to 2"),
        ({"subjects": 3}, "subjects is 3; it has to be from 2 to 2"),
        ({"layout": "sleep-edf", "nights": 201}, "nights is 201; it has to be from 1 to 200"),
        ({"layout": "sleep-edf", "nights": 3, "subjects": 1}, "subjects is 1; .* from 2 to 3"),
    ],
)
def test_bad_options_are_refused_in_a_sentence(change: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=message):
        replace(SHORT["mass"], **change)  # type: ignore[arg-type]


def test_a_night_needs_no_more_memory_than_a_short_one(tmp_path: Path) -> None:
    script = """
import json, resource, sys
from pathlib import Path
from augbench.datasets.simulated_nights.folder import NightsOptions, write_nights
peaks = []
for hours in (0.1, 8.0):
    options = NightsOptions("sleep-edf", 1, hours=hours)
    list(write_nights(Path(sys.argv[1]) / str(hours), options, ()))
    peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
print(json.dumps(peaks))
"""
    command = [sys.executable, "-c", script, str(tmp_path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    short, long = json.loads(done.stdout)
    assert long - short < 40_000  # kilobytes; the file has 17,000


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mass/01-03-0001 PSG.edf", [29.33, -1.05, -35.65, -14.27, 30.12, -33.62]),
        ("sleep-edf/SC4001E0-PSG.edf", [-2.52, -28.44, 61.27, -20.72, 50.0, -46.45]),
    ],
)
def test_a_change_of_what_is_simulated_has_a_new_version(
    folders: dict[str, Path], name: str, expected: list[float]
) -> None:
    """With it, renew these microvolts and what the docstring of the package says."""
    assert module.VERSION == 1
    raw = mne.io.read_raw_edf(next(iter(folders.values())).parent / name, verbose="error")
    found = raw.get_data(picks=[0])[0, 5000:5600:100] * 1e6
    assert found.tolist() == pytest.approx(expected, abs=0.1)
