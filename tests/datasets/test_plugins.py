"""Rows of other packages: loaded where they are named, in nobody's way where they are not."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from augbench.datasets import TASKS, known_tasks
from augbench.datasets.entry_points import entry_points, unreadable_packages
from augbench.datasets.errors import UserError
from augbench.datasets.plugin_code import outermost, plugin_code
from augbench.datasets.plugins import pinned
from installed import add_package

GOOD = "from augbench.datasets import TASKS\nROW = TASKS['digits']\n"
GROUP = "augbench.tasks"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that packages are installed in."""
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    plugin_code.cache_clear()
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.startswith("theirs"):
            del sys.modules[name]


def add(site: Path, package: str, name: str, text: str, version: str = "1.0") -> None:
    module = f"theirs_{package}"
    rows = {GROUP: {name: f"{module}:ROW"}}
    add_package(site, package, rows, version, **{module: text})


def test_a_row_is_loaded_when_it_is_asked_for_and_not_before(site: Path) -> None:
    add(site, "good", "mine", GOOD)
    known = known_tasks()
    assert "mine" in known
    assert list(known) == [*TASKS, "mine"]
    assert "theirs_good" not in sys.modules
    assert known["mine"] is TASKS["digits"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("1 / 0", r"package bad 1.0\) cannot be imported \(ZeroDivisionError"),
        ("raise SystemExit(3)", r"cannot be imported \(SystemExit: 3\)"),
        ("import no_such_module", "No module named 'no_such_module'"),
        ("x = 1", r"cannot be imported \(AttributeError"),
        ("ROW = 3", "is a int; it must be a TaskRow"),
        ("this is no Python", r"cannot be imported \(SyntaxError"),
    ],
)
def test_a_bad_row_is_an_error_for_its_own_name_alone(
    site: Path, text: str, complaint: str
) -> None:
    add(site, "bad", "broken", text)
    add(site, "good", "mine", GOOD)
    known = known_tasks()
    assert known["digits"] is known["mine"] is TASKS["digits"]
    with pytest.raises(UserError, match=complaint) as caught:
        known["broken"]
    assert known.faults() == {"broken": str(caught.value)}
    assert list(known.usable()) == [*TASKS, "mine"]


def test_a_name_of_ours_stays_ours(site: Path) -> None:
    add(site, "taker", "digits", "ROW = 3")
    known = known_tasks()
    assert known["digits"] is TASKS["digits"]
    assert known.plugin("digits") is None
    assert "takes a name that is in use" in known.faults()["digits"]
    assert "package taker 1.0" in known.faults()["digits"]


def test_a_name_of_two_packages_is_refused_unless_a_run_has_kept_one(site: Path) -> None:
    add(site, "first", "mine", GOOD)
    kept = known_tasks().plugin("mine")
    assert kept is not None
    add(site, "second", "mine", "ROW = 3")
    with pytest.raises(UserError, match=r"task .mine. of package .* and of package .*: uninstall"):
        known_tasks()["mine"]
    with pinned([kept]):
        assert known_tasks()["mine"] is TASKS["digits"]
        assert known_tasks().plugin("mine") == kept


def test_a_kept_row_must_be_there_with_the_same_code(site: Path) -> None:
    add(site, "mine", "mine", GOOD)
    kept = known_tasks().plugin("mine")
    assert kept is not None
    assert str(kept) == "task 'mine' of package mine 1.0"
    plugin_code.cache_clear()  # as another process
    add(site, "mine", "mine", f"# another line\n{GOOD}", version="1.1")
    with pinned([kept]), pytest.raises(UserError, match=r"code of task 'mine' has changed .*1\.1"):
        known_tasks()["mine"]
    assert known_tasks()["mine"] is TASKS["digits"]
    (site / "mine-1.1.dist-info").rename(site / "gone")
    with pinned([kept]):
        assert "mine" in known_tasks()
        with pytest.raises(UserError, match=r"package mine 1\.0 is not installed here"):
            known_tasks()["mine"]


def test_a_package_that_is_half_installed_hides_no_other(site: Path) -> None:
    add(site, "good", "mine", GOOD)
    for name, file, text in (
        ("torn", "entry_points.txt", "[augbench.tasks]\nno equals sign\n"),
        ("empty", "RECORD", ""),
        ("bytes", "METADATA", ""),
    ):
        info = site / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
        (info / file).write_text(text)
    (site / "bytes-1.0.dist-info" / "entry_points.txt").write_bytes(b"[augbench.tasks]\nx = \xff:R")
    (site / "bare-1.0.dist-info").mkdir()
    (site / "bare-1.0.dist-info" / "entry_points.txt").write_text("[augbench.tasks]\nbare = m:R\n")
    assert {entry.name for entry in entry_points(group=GROUP)} == {"mine", "bare"}
    assert known_tasks()["mine"] is TASKS["digits"]
    assert "torn" in unreadable_packages()
    assert "bare" in known_tasks().faults()


def test_the_code_of_a_package_is_all_its_files_wherever_they_lie(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digests = []
    for place, word in (("a", "x = 1"), ("b", "x = 1"), ("c", "x = 2")):
        inner = tmp_path / place / "theirs_space" / "inner"
        inner.mkdir(parents=True)
        (inner / "__init__.py").write_text("")
        (inner / "deep.py").write_text(word)
        with monkeypatch.context() as patch:
            patch.syspath_prepend(str(tmp_path / place))
            plugin_code.cache_clear()
            assert outermost("theirs_space.inner.deep") == "theirs_space.inner"
            digests.append(plugin_code("theirs_space.inner.deep", ""))
        sys.modules.pop("theirs_space", None)
    assert digests[0] == digests[1] != digests[2]
    assert len(digests[0]) == 12
    assert plugin_code("theirs_nowhere", "none") == ""
