"""Every figure from real runs of seconds: suite, run directory, picture, table."""

import io
from dataclasses import replace

import pandas as pd
import pytest
from rich.console import Console

from augbench.analysis.figures import image_files
from augbench.analysis.paper import FIGURES
from augbench.analysis.paper.claims import COLUMNS
from augbench.analysis.paper.reproduce import Request, figure_names, reproduce_figures
from augbench.bench.driver.run_options import RunOptions
from augbench.datasets.errors import UserError

FEW = ["folds=1"]
SHORT = "training={epochs=2, patience=2}"
WAVES = ["n_folds=1", "n_train=40", "n_test=16"]
FIG6_TASKS = ("one-neuron", "two-neurons", "two-layers-of-two", "three-layers-of-two")
# What makes the suites of each figure so small that they run in seconds.
TINY = {
    "fig3": [f"tasks.mario_iggy.{each}" for each in ("n_train=40", "n_test=8", SHORT)],
    "fig5": [f"tasks.sinusoids.{each}" for each in (*WAVES, SHORT)],
    "fig6": [f"tasks.{task}.{each}" for task in FIG6_TASKS for each in (*WAVES, SHORT)],
    "fig7": [
        "tasks.cifar10.training={epochs=1}",
        "tasks.cifar10.n_folds=1",
        "tasks.cifar10.trunk=mlp",
    ],
    "fig8": [
        *(f"tasks.sinusoids.{each}" for each in (*WAVES, SHORT)),
        *("methods.random_policy.n_policies=1", "methods.autoaugment.n_samplings=2"),
        *("methods.autoaugment.n_startup=1", "methods.autoaugment.child_epochs=1"),
        *("methods.fast_autoaugment.n_samplings=2", "methods.faster_autoaugment.epochs=2"),
        *("methods.dada.epochs=2", "methods.adda.epochs=2", "methods.adda.warm_start=1"),
    ],
    "range": ["methods.augnet.training={epochs=1}"],
}
SHARED = {"fig4": "fig3", "figB1": "fig5", "figB2": "fig5", "figB4": "fig7"}
TASK = {"fig8": "sinusoids"}


@pytest.fixture(autouse=True)
def _small_pictures(monkeypatch):
    monkeypatch.setattr(image_files, "DOTS_PER_INCH", 50)


def request(names, folder, data, *, draw_only=False):
    first = SHARED.get(names[0], names[0])
    options = RunOptions(folder, data, engine="inline")
    overrides = (*FEW, *TINY[first])
    task = TASK.get(first)
    return Request(names, "small", options, overrides, task=task, draw_only=draw_only)


def reproduce(names, folder, data, **options):
    return reproduce_figures(request(names, folder, data, **options), Console(quiet=True))


@pytest.mark.parametrize("name", TINY)
def test_a_figure_is_drawn_from_its_own_run_and_judged(name, tmp_path, small_cifar):
    group = (name, *(other for other, owner in SHARED.items() if owner == name))
    assert reproduce(group, tmp_path, small_cifar)
    for each in group:
        stem = f"{each}-{TASK[each]}" if each in TASK else each
        for ending in (".png", ".svg", ".csv", "-claims.csv", "-claims.md"):
            assert (tmp_path / f"{stem}{ending}").stat().st_size > 50
        claims = pd.read_csv(tmp_path / f"{stem}-claims.csv", keep_default_na=False)
        assert tuple(claims.columns) == COLUMNS
        assert set(claims["figure"]) == {each}
        assert set(claims["device"]) == {"cpu"}
        assert (claims["seeds"] > 0).any()
        drawn = pd.read_csv(tmp_path / f"{stem}.csv")
        assert len(drawn)


def test_a_figure_comes_out_the_same_when_nothing_is_left_to_run(tmp_path, small_cifar):
    assert reproduce(("figB1",), tmp_path, small_cifar)
    first = {file.name: file.read_bytes() for file in tmp_path.glob("figB1*")}
    assert len(first) == 5
    assert reproduce(("figB1",), tmp_path, small_cifar)
    assert reproduce(("figB1",), tmp_path, small_cifar, draw_only=True)
    assert {file.name: file.read_bytes() for file in tmp_path.glob("figB1*")} == first


def test_drawing_alone_needs_a_run(tmp_path, small_cifar):
    with pytest.raises(UserError, match="fig5_small is no run directory"):
        reproduce(("fig5",), tmp_path, small_cifar, draw_only=True)


def test_one_of_several_figures_without_data_does_not_stop_the_others(tmp_path):
    # No CIFAR-10 lies in the folder of the data.
    console = Console(record=True, file=io.StringIO(), width=200)
    asked = request(("fig7", "figB1"), tmp_path, tmp_path)
    assert not reproduce_figures(replace(asked, overrides=(*FEW, *TINY["fig5"])), console)
    assert (tmp_path / "figB1.png").exists()
    assert not (tmp_path / "fig7.png").exists()
    assert "fig7_small: " in console.export_text()


@pytest.mark.parametrize(
    ("task", "scale", "directory"),
    [
        ("simulated", "small", "fig8_small"),
        ("mass", "paper", "fig8_paper"),
        ("sinusoids", "small", "fig8_small-sinusoids"),
        ("ssvep", "small", "fig8_ssvep"),
        ("ssvep", "paper", "ssvep_full"),
    ],
)
def test_a_task_has_its_own_suite_or_a_directory_of_its_own(
    task, scale, directory, tmp_path, small_cifar
):
    asked = request(("fig8",), tmp_path, small_cifar, draw_only=True)
    with pytest.raises(UserError, match=f"/{directory} is no run directory"):
        reproduce_figures(replace(asked, task=task, scale=scale), Console(quiet=True))


def test_one_figure_or_all_can_be_named():
    assert figure_names("fig3") == ("fig3",)
    assert figure_names("all") == tuple(FIGURES)
    assert figure_names("fig8", "mass") == ("fig8",)
    with pytest.raises(UserError, match="unknown figure 'fig33'; did you mean 'fig3'"):
        figure_names("fig33")


def test_every_figure_is_tried_here():
    assert {*TINY, *SHARED} == set(FIGURES)
