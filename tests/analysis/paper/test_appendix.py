"""The settings of every shipped suite, held against appendix A; docs/settings.csv says why not."""

import csv
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from augbench.analysis.paper import FIGURES
from augbench.analysis.paper.appendix import Setting, suite_settings
from augbench.bench.plan.suite import load_suite, shipped_suites
from augbench.datasets.options.row import resolve
from nights import write_mass

TABLE = Path(__file__).parents[3] / "docs" / "settings.csv"
with TABLE.open(encoding="utf-8") as _file:
    REASONS = list(csv.DictReader(_file))


def fits(words: str, name: str) -> bool:
    return any(fnmatchcase(name, word) for word in words.split())


def reasons(suite: str, setting: Setting) -> list[dict[str, str]]:
    return [
        row
        for row in REASONS
        if fits(row["suites"], suite)
        and fits(row["methods"], setting.method)
        and row["setting"] == setting.name
        and str(setting.ours) in row["ours"].split("|")
    ]


@pytest.fixture(scope="module")
def data(data_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real data, and nights in the layout of MASS, which are handed out on request only."""
    data = tmp_path_factory.mktemp("data")
    for each in data_root.iterdir():
        (data / each.name).symlink_to(each)
    if not (data / "mass").exists():
        for number in range(1, 6):
            write_mass(data / "mass", number, rate=128.0)
    (data / "simulated").symlink_to(data / "mass")  # the same layout
    return data


@pytest.fixture(scope="module")
def differences(data: Path) -> dict[str, list[Setting]]:
    """The settings of each shipped suite that are not the paper's."""
    found = {}
    for name, file in shipped_suites().items():
        settings = suite_settings(load_suite(file), data)
        found[name] = [setting for setting in settings if setting.differs]
    return found


def test_every_difference_from_the_paper_has_a_reason(
    differences: dict[str, list[Setting]],
) -> None:
    missing = [
        (name, setting)
        for name, settings in differences.items()
        for setting in settings
        if not reasons(name, setting)
    ]
    assert not missing


def test_every_reason_is_of_a_difference(differences: dict[str, list[Setting]]) -> None:
    used = [
        row
        for name, settings in differences.items()
        for setting in settings
        for row in reasons(name, setting)
    ]
    assert [row for row in REASONS if row not in used] == []
    assert all(row["reason"] for row in REASONS)


def test_suites_at_the_papers_scale_have_its_settings_but_in_ablations(
    differences: dict[str, list[Setting]],
) -> None:
    ablations = ("augnet-no-regularizer", "augerino-script", "augnet-1-lambda")
    for name in ("fig3_paper", "fig5_paper", "fig6_paper", "fig7_paper", "cifar10", "fig8_paper"):
        other = [each for each in differences[name] if not each.method.startswith(ablations)]
        assert other == [], name


def test_the_suites_of_every_figure_ship_at_both_scales() -> None:
    for place in FIGURES.values():
        figure = resolve(place)
        for suites in (figure.suites, *figure.of_tasks.values()):
            assert set(suites) == {"small", "paper"}
            assert {each for names in suites.values() for each in names} <= set(shipped_suites())


def test_what_is_compared_is_what_the_appendix_names(data_root: Path) -> None:
    settings = suite_settings(load_suite(shipped_suites()["fig6_paper"]), data_root)
    augnet = {each.name: each.ours for each in settings if each.method == "augnet"}
    assert augnet["penalty"] == 0.8
    assert augnet["initial_magnitude"] == 0.05
    assert augnet["n_copies_test"] == 10
    assert augnet["trained on"] == 400
    assert {each.section for each in settings} == {"4.3"}
