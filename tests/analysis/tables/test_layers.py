import pandas as pd
import pytest

from augbench.analysis.tables.frame import results
from augbench.analysis.tables.layers import LAYER_TABLE, layer_table


def layered(base, *tables):
    """The results of hand-made trials with what their layers have learned."""
    learned = pd.concat(tables, ignore_index=True).assign(unit="degrees")
    learned = learned.assign(point=learned["step"])
    keys = [learned[name].astype("str") for name in ("task", "method", "fold", "seed")]
    learned["trial"] = keys[0] + "-" + keys[1] + "-" + keys[2] + "-" + keys[3]
    return results(base.points, base.trials, "toys", learned=learned, methods={"mine": "augnet"})


def test_the_epoch_that_is_reported_is_that_of_the_best_validation(trial, gather, learn):
    valid = [0.5, 0.7, 0.7, 0.6]
    points = [(each, 0.4, k, k) for k, each in enumerate(valid, start=1)]
    base = gather(trial("augnet", 0, points), trial("augnet", 1, points[:1]))
    found = {"rotate": (0.9, 0.5, 45.0), "shear_x": (0.1, 0.2, 6.0)}
    run = layered(base, *(learn("augnet", found, fold=fold) for fold in (0, 1)))
    table = layer_table(run, "toy")
    assert list(table) == list(LAYER_TABLE)
    chosen = table[table["chosen"]]
    assert chosen[["fold", "step", "transform"]].values.tolist() == [
        [0, 2, "rotate"],  # a tie keeps the older
        [0, 2, "shear_x"],
        [1, 1, "rotate"],
        [1, 1, "shear_x"],
    ]
    assert chosen["value"].tolist() == pytest.approx([22.5, 3.0, 11.25, 1.5])


def test_methods_come_as_in_the_figures_and_other_tasks_are_left_out(trial, gather, learn):
    one = [(0.5, 0.4, 1, 1)]
    base = gather(
        trial("mine", 0, one),
        trial("augnet", 0, one),
        trial("augerino", 0, one),
        trial("augnet", 0, one, task="other"),
    )
    found = {"rotate": (0.9, 0.5, 45.0)}
    tables = [learn(name, found) for name in ("mine", "augerino", "augnet")]
    run = layered(base, *tables, learn("augnet", found, task="other"))
    assert list(layer_table(run, "toy")["method"].unique()) == ["augnet", "mine", "augerino"]
    assert len(layer_table(run, "other")) == 4


def test_a_task_without_layers_has_no_rows(grid):
    table = layer_table(grid(2, 2), "task_0")
    assert list(table) == list(LAYER_TABLE)
    assert table.empty
