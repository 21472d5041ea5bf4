"""Against real hypnograms and the beginning of a real night, in files of the same layout."""

import csv
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar

import numpy as np
import pytest
import torch

from augbench.datasets import sleep_edf as module
from augbench.datasets import sleep_staging
from augbench.datasets.errors import UserError, UserNotice
from augbench.datasets.fetch import Record, read_record
from augbench.datasets.options.tasks import SleepEdfOptions
from augbench.datasets.parts import describe_split
from augbench.datasets.recording import prepare as preparing
from augbench.datasets.sleep_edf import sleep_edf
from augbench.datasets.task import Task
from edf_files import write_edf
from nights import SLEEP_EDF, STAGES, notes_of, write_sleep_edf

OPTIONS = SleepEdfOptions()
AS_WRITTEN = replace(OPTIONS, high=0.0, sampling_rate=0.0)  # for files of a low rate
N_GOLDEN = {"W": 8285, "N1": 2804, "N2": 17799, "N3": 5703, "REM": 7717}

pytestmark = pytest.mark.filterwarnings("ignore:(in .* of .* recordings|the transforms of task)")


def counts(task: Task) -> list[int]:
    tested = torch.cat([task.fold(k).test.y for k in range(task.n_folds)])
    return torch.bincount(tested, minlength=5).tolist()


@pytest.fixture(scope="session")
def real_nights(sleep_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """39 real hypnograms, each with two channels of one sample a second, and its long end."""
    root = tmp_path_factory.mktemp("real")
    random = np.random.default_rng(0)
    for file in sorted((sleep_root / "hypnograms_sleepedf20").glob("*.csv")):
        pages = file.read_text().split()
        notes = [*notes_of(pages, merged=True), (30.0 * len(pages), 6900.0, "Sleep stage ?")]
        signals = {name: random.normal(size=30 * len(pages)) for name in SLEEP_EDF}
        folder = root / "sleep_edf"
        write_edf(folder / f"{file.stem}-PSG.edf", signals, 1.0, record_seconds=30)
        write_edf(folder / f"{file.stem[:7]}C-Hypnogram.edf", {}, notes=notes)
    return root


@pytest.fixture(scope="session")
def golden_task(real_nights: Path) -> Task:
    return sleep_edf(AS_WRITTEN, real_nights, 0)


def test_39_real_nights_have_the_golden_counts(golden_task: Task) -> None:
    assert counts(golden_task) == list(N_GOLDEN.values())
    assert describe_split(golden_task, 0).startswith("42,308 windows of 20 groups; fold 0: ")


def test_each_real_night_has_its_golden_counts(
    golden_task: Task, real_nights: Path, sleep_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read from the cache, which the task of all nights has filled."""
    monkeypatch.setattr(preparing, "_build", None)  # nothing is prepared anew
    asked, found = [], {}
    monkeypatch.setattr(
        sleep_staging, "recordings_task", lambda name, *task, **rest: asked.append(task)
    )
    sleep_edf(AS_WRITTEN, real_nights, 0)
    sources, how, _ = asked[0]
    for source in sources:
        y = preparing.prepare(source, how).y
        found[source.name] = np.bincount(y, minlength=5).tolist()
    with (sleep_root / "golden_counts_39_nights.csv").open() as file:
        golden = {row["night"]: [int(row[n]) for n in N_GOLDEN] for row in csv.DictReader(file)}
    assert found == golden
    assert len(golden) == 39


def test_folds_are_by_subject_and_even_in_subjects(golden_task: Task) -> None:
    assert golden_task.parts
    for k in range(5):
        assert [part.n_groups for part in golden_task.parts(k)] == [8, 8, 4]
    lengths = [len(golden_task.fold(k).test.y) for k in range(5)]
    assert sum(lengths) == 42_308


def test_the_real_pair_gives_ten_windows_of_wake(
    sleep_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its hypnogram goes on for a day; sleep begins long after the 300 s that are here."""
    folder = tmp_path / "sleep_edf"
    folder.mkdir()
    odd = sleep_root / "edf_odd"
    (folder / "SC4001E0-PSG.edf").symlink_to(odd / "edfio_short_psg.edf")
    (folder / "SC4001EC-Hypnogram.edf").symlink_to(odd / "SC4001EC-Hypnogram.edf")
    for subject in range(1, 5):
        write_sleep_edf(folder, f"SC4{subject:02d}1E0", rate=100.0)
    task = sleep_edf(OPTIONS, tmp_path, 0)
    assert task.signal.shape == (2, 3000)
    assert counts(task)[0] == 10 + 4 * STAGES.count("W")
    assert sum(counts(task)) == 10 + 4 * len(STAGES)


def test_every_recorder_and_scorer_is_read(tmp_path: Path) -> None:
    """51 of the 153 nights are not of recorder E."""
    for k, letter in enumerate("EFGEF"):
        write_sleep_edf(tmp_path / "sleep_edf", f"SC4{k:02d}1{letter}0")
    task = sleep_edf(AS_WRITTEN, tmp_path, 0)
    assert sum(counts(task)) == 5 * len(STAGES)


def test_two_nights_of_a_subject_stay_together(tmp_path: Path) -> None:
    for k in range(5):
        for night in (1, 2):
            write_sleep_edf(tmp_path / "sleep_edf", f"SC4{k:02d}{night}E0")
    task = sleep_edf(AS_WRITTEN, tmp_path, 0)
    assert describe_split(task, 0) == (
        f"{10 * len(STAGES)} windows of 5 groups; fold 0: 68 / 68 / 34 windows, 2 / 2 / 1 groups"
    )


def test_the_bank_leaves_out_what_two_channels_of_the_midline_make_senseless(
    tmp_path: Path,
) -> None:
    for k in range(5):
        write_sleep_edf(tmp_path / "sleep_edf", f"SC4{k:02d}1E0")
    with pytest.warns(UserNotice, match="without channel_symmetry, rotation_x, rotation_y, rotat"):
        task = sleep_edf(AS_WRITTEN, tmp_path, 0)
    assert not {"channel_symmetry", "rotation_x", "rotation_y", "rotation_z"} & {*task.transforms}
    assert task.trunk == "sleep_stager"
    assert task.metric == "balanced_accuracy"
    assert task.training.class_weights


def test_a_missing_folder_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no night of Sleep-EDF .* `augbench fetch sleep_edf`"):
        sleep_edf(OPTIONS, tmp_path, 0)


def test_a_subject_that_is_not_there_is_named(tmp_path: Path) -> None:
    write_sleep_edf(tmp_path / "sleep_edf", "SC4001E0")
    with pytest.raises(UserError, match=r"subjects has 07, of whom there is no recording; .* 00"):
        sleep_edf(replace(AS_WRITTEN, subjects=(7,)), tmp_path, 0)


@pytest.mark.parametrize(
    ("lost", "message"),
    [
        ("SC4001EC-Hypnogram.edf", "1 of 1 recordings have no file of events .* SC4001E0-PSG.edf"),
        ("SC4001E0-PSG.edf", "1 of 1 files of events have no recording .* SC4001EC-Hypnogram.edf"),
    ],
)
def test_half_a_night_is_named(tmp_path: Path, lost: str, message: str) -> None:
    write_sleep_edf(tmp_path / "sleep_edf", "SC4001E0")
    (tmp_path / "sleep_edf" / lost).unlink()
    with pytest.raises(UserError, match=message):
        sleep_edf(AS_WRITTEN, tmp_path, 0)


@pytest.mark.parametrize("name", ["SC4001F0-PSG.edf", "SC4001EH-Hypnogram.edf"])
def test_two_files_of_one_night_are_named(tmp_path: Path, name: str) -> None:
    write_sleep_edf(tmp_path / "sleep_edf", "SC4001E0")
    (tmp_path / "sleep_edf" / name).write_bytes(b"")
    with pytest.raises(UserError, match=f"and {name} are two files of one night, SC4001"):
        sleep_edf(AS_WRITTEN, tmp_path, 0)


def test_pages_of_20_seconds_are_refused(tmp_path: Path) -> None:
    write_sleep_edf(tmp_path / "sleep_edf", "SC4001E0")
    notes = notes_of(STAGES, 20.0, merged=True)
    write_edf(tmp_path / "sleep_edf" / "SC4001EC-Hypnogram.edf", {}, notes=notes)
    with pytest.raises(UserError, match="SC4001E0 is scored in pages of 20 s"):
        sleep_edf(AS_WRITTEN, tmp_path, 0)


def test_another_rate_is_named(tmp_path: Path) -> None:
    write_sleep_edf(tmp_path / "sleep_edf", "SC4001E0")
    with pytest.raises(UserError, match="was recorded at 20 Hz and sampling_rate is 100"):
        sleep_edf(OPTIONS, tmp_path, 0)


def test_the_registry_has_153_nights_of_78_people() -> None:
    record = read_record("sleep_edf", module.MIRROR, module.BASE_URL)
    signals = [name for name in record.checksums if module.NAMES.signals.fullmatch(name)]
    scores = [name for name in record.checksums if module.NAMES.stages.fullmatch(name)]
    assert (len(signals), len(scores), len(record.checksums)) == (153, 153, 306)
    assert {name[:6] for name in signals} == {name[:6] for name in scores}
    assert len({name[3:5] for name in signals}) == 78
    assert sum(name[6] == "E" for name in signals) == 102


def test_the_registry_is_the_list_of_the_real_files(sleep_root: Path) -> None:
    lines = (sleep_root / "sleepedf_sc_filenames_sha256.txt").read_text().splitlines()
    expected = {name: checksum for checksum, name in map(str.split, lines)}
    assert read_record("sleep_edf", "http://nowhere/").checksums == expected


class Handler(BaseHTTPRequestHandler):
    """Two addresses of the same files, of which the first may lack some or send others."""

    files: ClassVar[dict[str, bytes]] = {}
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path.removeprefix("/"))
        content = self.files.get(self.asked[-1])
        if content is None:
            self.send_error(503)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def addresses(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, bytes]]:
    """What a local server has of the mirror and of the site: two nights at both."""
    names = [f"SC400{n}E{x}" for n in (1, 2) for x in ("0-PSG.edf", "C-Hypnogram.edf")]
    content = {name: name.encode() * 1000 for name in names}
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Handler.files = {f"{at}/{name}": content[name] for at in ("mirror", "site") for name in names}
    Handler.asked = []
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}/"
    record = Record(
        "sleep_edf",
        f"{base}mirror/",
        {name: sha256(text).hexdigest() for name, text in content.items()},
        (f"{base}site/",),
    )
    monkeypatch.setattr(module, "read_record", lambda *names: record)
    monkeypatch.setattr(module, "fetch", partial(module.fetch, n_retries=0))
    yield Handler.files
    server.shutdown()
    server.server_close()


def fetched(data: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in (data / "sleep_edf").iterdir()}


def test_fetch_takes_all_from_the_mirror(addresses: dict[str, bytes], tmp_path: Path) -> None:
    module.fetch_sleep_edf(tmp_path)
    assert len(fetched(tmp_path)) == 4
    assert all(name.startswith("mirror/") for name in Handler.asked)
    Handler.asked.clear()
    module.fetch_sleep_edf(tmp_path)
    assert Handler.asked == []


@pytest.mark.parametrize("fault", ["missing", "wrong"])
def test_fetch_takes_from_the_site_what_the_mirror_has_not(
    addresses: dict[str, bytes], tmp_path: Path, fault: str
) -> None:
    name = "SC4002E0-PSG.edf"
    if fault == "missing":
        del addresses[f"mirror/{name}"]
    else:
        addresses[f"mirror/{name}"] = b"something else"
    module.fetch_sleep_edf(tmp_path)
    assert fetched(tmp_path)[name] == addresses[f"site/{name}"]
    assert [each for each in Handler.asked if each.startswith("site/")] == [f"site/{name}"]


def test_fetch_goes_on_where_it_was_broken_off(addresses: dict[str, bytes], tmp_path: Path) -> None:
    name = "SC4002E0-PSG.edf"
    kept = {at: addresses.pop(f"{at}/{name}") for at in ("mirror", "site")}
    with pytest.raises(UserError, match=rf"cannot fetch {name} of sleep_edf from http.*/site/ "):
        module.fetch_sleep_edf(tmp_path)
    Handler.asked.clear()
    addresses |= {f"{at}/{name}": content for at, content in kept.items()}
    module.fetch_sleep_edf(tmp_path)
    assert len(fetched(tmp_path)) == 4
    assert Handler.asked[0] == f"mirror/{name}"


def test_fetch_can_take_a_part(addresses: dict[str, bytes], tmp_path: Path) -> None:
    module.fetch_sleep_edf(tmp_path, only="SC4001*")
    assert sorted(fetched(tmp_path)) == ["SC4001E0-PSG.edf", "SC4001EC-Hypnogram.edf"]
    with pytest.raises(UserError, match=r"no file of Sleep-EDF has a name like 'SC5\*'"):
        module.fetch_sleep_edf(tmp_path, only="SC5*")


def test_the_mirror_is_asked_before_the_site() -> None:
    record = read_record("sleep_edf", module.MIRROR, module.BASE_URL)
    assert record.base_url.startswith("https://physionet-open.s3.amazonaws.com/sleep-edfx/1.0.0/")
    assert record.other_urls == (module.BASE_URL,)
