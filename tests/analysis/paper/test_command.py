"""The command line of `augbench reproduce`, in this process."""

import tomllib
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from augbench.analysis.paper import FIGURES
from augbench.analysis.paper.command import reproduce
from augbench.datasets.errors import UserError

app = typer.Typer()
app.command()(reproduce)
SHORT = ("n_folds=1", "n_train=40", "n_test=16", "training={epochs=2, patience=2}")


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(app, list(map(str, words)))


def test_a_figure_is_drawn_and_the_exit_code_says_that_all_is_there(tmp_path: Path) -> None:
    sets = [word for each in SHORT for word in ("--set", f"tasks.sinusoids.{each}")]
    words = ("figB1", "--engine", "inline", "--workers", "1", "--out", tmp_path, "--set", "folds=1")
    result = run(*words, *sets)
    assert result.exit_code == 0, result.output
    assert "6 of 6 trials done" in result.output
    assert (tmp_path / "figB1.png").exists()
    assert (tmp_path / "fig5_small" / "run.json").exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("fig9",), "unknown figure 'fig9'.*known: .*fig3"),
        (("fig3", "--task", "ssvep"), "--task is for fig8, given fig3: leave out --task"),
        (("fig8", "--task", "ssvepp", "--engine", "inline"), "unknown task 'ssvepp'"),
        (("fig3", "--draw-only"), "is no run directory"),
        (("fig3", "--engine", "inline", "--address", "x"), "--address is for --engine ray"),
    ],
)
def test_what_the_user_can_mend_is_one_sentence(
    words: tuple[str, ...], sentence: str, tmp_path: Path
) -> None:
    result = run(*words, "--out", tmp_path)
    assert isinstance(result.exception, UserError)
    with pytest.raises(UserError, match=sentence):
        raise result.exception


def test_every_figure_is_named_in_the_help() -> None:
    text = " ".join(run("--help").output.split())
    assert all(name in text for name in FIGURES)


def test_bench_finds_the_command() -> None:
    file = Path(__file__).parents[3] / "pyproject.toml"
    project = tomllib.loads(file.read_text(encoding="utf-8"))["project"]
    assert project["entry-points"]["augbench.commands"]["reproduce"] == (
        f"{reproduce.__module__}:{reproduce.__name__}"
    )
