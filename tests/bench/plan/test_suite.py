from pathlib import Path
from typing import Any

import pytest

from augbench.bench.plan.spec import EvaluationSpec, TrialSpec
from augbench.bench.plan.suite import SHIPPED, Suite, load_suite, read_suite
from augbench.datasets.errors import UserError

TABLES: dict[str, Any] = {
    "name": "t",
    "folds": 2,
    "seeds": [0, 1],
    "tasks": {"digits": {}, "waves": {"task": "sinusoids", "training": {"epochs": 2}}},
    "methods": {"none": {}, "two": {"method": "random_policy", "n_policies": 2}},
}


def changed(**tables: Any) -> Suite:
    return read_suite(TABLES | tables, "t.toml")


def test_a_plan_holds_every_combination_once() -> None:
    plan = changed().plan
    assert len(plan) == 2 * 2 * 2 * 2
    assert len({planned.spec.unit for planned in plan}) == len(plan)
    assert {(p.task, p.spec.task.task) for p in plan} == {
        ("digits", "digits"),
        ("waves", "sinusoids"),
    }


def test_a_trial_is_named_by_what_it_is_and_not_by_order_or_label() -> None:
    units = {planned.spec.unit for planned in changed().plan}
    relabelled = {
        "tasks": dict(reversed(TABLES["tasks"].items())) | {"waves": {}, "digits": {}},
        "methods": {"first": {"method": "none"}, "second": TABLES["methods"]["two"]},
        "resources": {"workers": 7},
    }
    relabelled["tasks"]["waves"] = TABLES["tasks"]["waves"]
    assert {planned.spec.unit for planned in changed(**relabelled).plan} == units


@pytest.mark.parametrize(
    "change",
    [
        {"budget": {"steps": 3}},
        {"seeds": [2, 3]},
        {"tasks": {"digits": {"trunk": "mlp"}}},
        {"tasks": {"digits": {"data_seed": 1}}},
        {"tasks": {"digits": {"training": {"epochs": 1}}}},
        {"methods": {"two": {"method": "random_policy", "n_policies": 3}}},
    ],
)
def test_a_trial_that_is_another_has_another_name(change: dict[str, Any]) -> None:
    units = {planned.spec.unit for planned in changed().plan}
    assert not units & {planned.spec.unit for planned in changed(**change).plan}


def test_options_left_out_and_options_at_their_defaults_are_the_same_trial() -> None:
    explicit = {"five": {"method": "random_policy", "n_policies": 5}}
    implicit = {"five": {"method": "random_policy"}}
    assert [p.spec.unit for p in changed(methods=explicit).plan] == [
        p.spec.unit for p in changed(methods=implicit).plan
    ]


def test_a_whole_number_and_its_fraction_are_the_same_trial() -> None:
    units = [
        changed(tasks={"digits": {"training": {"learning_rate": rate}}}).plan[0].spec.unit
        for rate in (1, 1.0)
    ]
    assert units[0] == units[1]


def test_specs_survive_json() -> None:
    for planned in changed().plan:
        assert TrialSpec.from_json(planned.spec.to_json()) == planned.spec
    nothing = changed(tasks={"digits": {"transforms": []}}).plan[0].spec
    assert TrialSpec.from_json(nothing.to_json()).unit == nothing.unit
    task = changed().plan[0].spec.task
    evaluation = EvaluationSpec(task, {"subpolicies": []}, 0, 1)
    assert EvaluationSpec.from_json(evaluation.to_json()) == evaluation


def test_names_of_units_are_stable() -> None:
    """If this fails, stored runs match their suites no more: raise SEMANTICS, then this."""
    spec = read_suite(
        {"name": "g", "folds": 1, "tasks": {"sinusoids": {}}, "methods": {"none": {}}}, "g"
    ).plan[0]
    assert spec.spec.unit.digest == GOLDEN


GOLDEN = "556304d4ecef"

BAD = {
    "an unknown key": ({"fold": 1}, "unknown key .*'fold'.*did you mean 'folds'"),
    "an unknown task": ({"tasks": {"digitz": {}}}, "unknown task 'digitz'; did you mean 'digits'"),
    "an unknown method": ({"methods": {"nine": {}}}, "unknown method 'nine'"),
    "an unknown trunk": ({"tasks": {"digits": {"trunk": "resnet"}}}, "unknown trunk 'resnet'"),
    "an unknown option of a task": ({"tasks": {"digits": {"sise": 1}}}, "unknown key .*'sise'"),
    "an unknown option of a method": (
        {"methods": {"random_policy": {"n_policy": 1}}},
        r"unknown key in \[methods.random_policy\].*did you mean 'n_policies'",
    ),
    "an unknown setting of the training": (
        {"tasks": {"digits": {"training": {"epoch": 1}}}},
        "unknown key in training.*did you mean 'epochs'",
    ),
    "an option of the wrong kind": (
        {"methods": {"random_policy": {"n_policies": "many"}}},
        "n_policies is 'many'; it has to be a whole number",
    ),
    "a fold twice": ({"folds": [0, 0]}, "folds is"),
    "folds that are a word": ({"folds": "x"}, "folds is 'x'; .* a whole number or a list$"),
    "an unknown choice": (
        {"methods": {"augnet": {"regularizer": "x"}}},
        "regularizer is 'x'; it has to be 'selective', 'augerino' or 'none'",
    ),
    "no folds": ({"folds": 0}, "folds is 0; it has to be from 1 to 10000, or a list"),
    "a negative seed": ({"seeds": [-1]}, "seeds is"),
    "the same trials twice": (
        {"methods": {"none": {}, "nothing": {"method": "none"}}},
        "'none' on 'digits' and 'nothing' on 'digits' are the same trials",
    ),
    "no methods": ({"methods": {}}, "at least one"),
    "an unknown budget": ({"budget": {"hours": 1}}, r"unknown key in \[budget\]"),
    "no workers": ({"resources": {"workers": 0}}, "workers is 0; it has to be 1 or more$"),
    "no processors": ({"resources": {"cpus": 0.0}}, "cpus is 0.0; it has to be above 0$"),
    "less than no GPU": ({"resources": {"gpus": -1.0}}, "gpus is -1.0"),
    "every GPU there is": ({"resources": {"gpus": float("inf")}}, "gpus is inf"),
    "a task that is a number": (
        {"tasks": {"digits": {"task": 3}}},
        "task is 3; it has to be a text",
    ),
    "a training that is a number": (
        {"tasks": {"digits": {"training": 3}}},
        "training is 3; .* a table",
    ),
    "transforms that are one name": (
        {"tasks": {"digits": {"transforms": "rotate"}}},
        "transforms is 'rotate'; it has to be a list",
    ),
    "a transform twice": (
        {"tasks": {"digits": {"transforms": ["rotate", "rotate"]}}},
        "listed twice",
    ),
    "a seed that is a word": (
        {"tasks": {"digits": {"data_seed": "x"}}},
        "data_seed is 'x'; .* a whole",
    ),
    "a negative learning rate": (
        {"tasks": {"digits": {"training": {"learning_rate": -1.0}}}},
        "learning_rate is -1.0; it has to be above 0",
    ),
    "batches of nothing": (
        {"tasks": {"digits": {"training": {"batch_size": 0}}}},
        "batch_size is 0",
    ),
    "a negative budget": ({"budget": {"steps": -3}}, "steps is -3; it has to be above 0"),
    "an endless budget": ({"budget": {"device_hours": float("inf")}}, "device_hours"),
    "one GPU and a half": ({"resources": {"gpus": 1.5}}, "gpus is 1.5"),
    "a name that leads elsewhere": ({"name": "../x"}, "name is '../x'"),
    "a table that is a number": ({"methods": {"none": 3}}, "methods.none"),
}


@pytest.mark.parametrize("what", BAD)
def test_a_suite_with_what_it_must_not_hold_is_one_sentence(what: str) -> None:
    change, sentence = BAD[what]
    with pytest.raises(UserError, match=sentence) as caught:
        changed(**change)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("file", sorted(SHIPPED.glob("*.toml")), ids=lambda file: file.stem)
def test_a_suite_that_ships_can_be_read_and_its_searches_propose(file: Path) -> None:
    plan = load_suite(file).plan
    assert plan
    for planned in plan:
        if planned.spec.method == "autoaugment":
            options = planned.spec.options
            assert options["n_startup"] < options["n_samplings"]  # else it is a random search


def test_a_missing_name_is_one_sentence() -> None:
    tables = {key: value for key, value in TABLES.items() if key != "name"}
    with pytest.raises(UserError, match="name"):
        read_suite(tables, "t.toml")


@pytest.mark.parametrize(
    ("override", "path", "value"),
    [
        ("seeds=[3]", ("seeds",), [3]),
        ("tasks.waves.training.epochs=9", ("tasks", "waves", "training", "epochs"), 9),
        ("tasks.digits.trunk=mlp", ("tasks", "digits", "trunk"), "mlp"),
        ("methods.augnet.penalty=0.5", ("methods", "augnet", "penalty"), 0.5),
    ],
)
def test_an_override_changes_one_value(
    tmp_path: Path, override: str, path: tuple[str, ...], value: Any
) -> None:
    resolved: Any = load_suite(_write(tmp_path), [override]).resolved
    for key in path:
        resolved = resolved[key]
    assert resolved == value


@pytest.mark.parametrize("override", ["seeds", "=1", "name.more=1"])
def test_an_override_that_is_none_is_one_sentence(tmp_path: Path, override: str) -> None:
    with pytest.raises(UserError, match="--set"):
        load_suite(_write(tmp_path), [override])


def test_a_missing_file_and_no_toml_are_one_sentence_each(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot read suite"):
        load_suite(tmp_path / "nowhere.toml")
    (tmp_path / "bad.toml").write_text("name = ")
    with pytest.raises(UserError, match="is not a TOML file"):
        load_suite(tmp_path / "bad.toml")


def _write(folder: Path) -> Path:
    file = folder / "suite.toml"
    file.write_text(
        'name = "t"\nfolds = 1\n[tasks.digits]\n[tasks.waves]\ntask = "sinusoids"\n'
        "[methods.none]\n[methods.augnet]\n"
    )
    return file


def test_a_method_may_have_a_training_of_its_own_which_its_retrainings_share() -> None:
    tables = {
        "name": "own",
        "folds": 1,
        "tasks": {"digits": {"training": {"epochs": 3, "batch_size": 32}}},
        "methods": {"none": {}, "random_policy": {"training": {"epochs": 4, "beta1": 0.5}}},
    }
    plain, own = (planned.spec for planned in read_suite(tables, "own").plan)
    assert plain.task.training == {"epochs": 3, "batch_size": 32}
    assert own.task.training == {"epochs": 4, "batch_size": 32, "beta1": 0.5}
    tables["methods"]["none"] = {"training": {"epoch": 4}}
    with pytest.raises(UserError, match="did you mean 'epochs'"):
        read_suite(tables, "own")


FRAGMENT = """
folds = 1
[methods.two]
n_policies = 5
[methods.two.training]
epochs = 7
[methods.new]
method = "none"
training = { epochs = 3 }
[searches.two]
directory = "runs/search"
device_hours = 1.5
forward = 10
backward = 20
"""


def test_a_fragment_goes_over_the_suite_and_under_what_is_set(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text(
        'name = "s"\nfolds = 3\n[tasks.digits]\n[methods.none]\n'
        '[methods.two]\nmethod = "random_policy"\nn_policies = 2\ntraining = { beta1 = 0.5 }\n'
    )
    (tmp_path / "best.toml").write_text(FRAGMENT)
    alone = load_suite(tmp_path / "s.toml")
    suite = load_suite(
        tmp_path / "s.toml", ["methods.two.training.epochs=9"], [tmp_path / "best.toml"]
    )
    specs = {planned.method: planned.spec for planned in suite.plan}
    assert len(suite.plan) == len(specs) == 3
    assert specs["two"].options["n_policies"] == 5
    assert specs["two"].task.training == {"beta1": 0.5, "epochs": 9}
    assert specs["new"].method == "none"
    assert (
        specs["none"].unit == alone.plan[0].spec.unit
    )  # what a search was charged is no part of it
    assert (suite.searches["two"].device_hours, alone.searches) == (1.5, {})
    assert suite.resolved["searches"]["two"]["directory"] == "runs/search"


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("[methods.two]\nn_policy = 1", "did you mean 'n_policies'"),
        ("[searches.too]\ndirectory = 'd'\ndevice_hours = 1\nforward = 1\nbackward = 1", "'two'"),
        ("[searches.two]\ndirectory = 'd'", "device_hours is missing"),
        ("[methods.two", "best.toml is not a TOML file"),
    ],
)
def test_a_fragment_that_does_not_fit_is_refused(tmp_path: Path, text: str, part: str) -> None:
    (tmp_path / "s.toml").write_text(
        'name = "s"\nfolds = 1\n[tasks.digits]\n[methods.two]\nmethod = "random_policy"\n'
    )
    (tmp_path / "best.toml").write_text(text)
    with pytest.raises(UserError, match=part):
        load_suite(tmp_path / "s.toml", fragments=[tmp_path / "best.toml"])
    with pytest.raises(UserError, match="cannot read the tables of"):
        load_suite(tmp_path / "s.toml", fragments=[tmp_path / "none.toml"])


@pytest.mark.parametrize("name", ["autoaugment", "fast_autoaugment", "random_search"])
def test_samplings_in_batches_leave_the_names_of_other_trials_as_they_were(name: str) -> None:
    def trial(options: dict[str, Any]) -> TrialSpec:
        tables = {"name": "n", "folds": 1, "tasks": {"digits": {}}, "methods": {name: options}}
        return read_suite(tables, "here").plan[0].spec

    plain, one, four = (trial(each) for each in ({}, {"parallel": 1}, {"parallel": 4}))
    assert "parallel" not in plain.options
    assert plain.unit == one.unit != four.unit
    assert four.options == {**plain.options, "parallel": 4}
