"""Models of a run directory, loaded to predict, and their files opened without us."""

import shutil
from pathlib import Path

import pytest
import torch

from augbench.bench.library import load_model
from augbench.bench.store.ledger import Ledger
from augbench.bench.store.open_run import open_run
from augbench.bench.store.predictions import read_predictions
from augbench.bench.unit.job import trial_job
from augbench.datasets.errors import UserError
from augbench.methods import AugNet
from augbench.methods.training.training import predict


@pytest.mark.parametrize("method", ["none", "augnet", "other"])
def test_a_model_predicts_what_it_predicted_in_the_run(method: str, learned_run: Path) -> None:
    model = load_model(str(learned_run), "digits", method, 0)
    assert isinstance(model, AugNet) == (method == "augnet")
    assert not any(each.training for each in model.modules())
    run, suite = open_run(learned_run)
    found = {planned.method: (planned, each) for planned, each in read_predictions(run, suite.plan)}
    planned, kept = found[method]
    meter = Ledger(torch.device("cpu"))
    job = trial_job(planned.spec.to_json(), Path("data"), device=torch.device("cpu"), meter=meter)
    seed = job.setup.seeds.integer("score")
    with meter.phase("evaluate"):
        probabilities = predict(model, job.test.x, seed=seed, meter=meter).double().softmax(1)
    torch.testing.assert_close(
        probabilities, torch.from_numpy(kept.probabilities), rtol=0, atol=1e-3
    )
    assert probabilities.argmax(1).tolist() == kept.predicted.tolist()


def test_augnet_comes_with_what_it_learned(learned_run: Path) -> None:
    model = load_model(learned_run, method="augnet")
    assert isinstance(model, AugNet)
    (layer,) = model.describe()
    assert [each["transform"] for each in layer] == ["rotate", "brightness"]
    assert layer[0]["value"] == pytest.approx(45.0 * layer[0]["magnitude"])
    assert "degrees" in repr(model)


def test_the_file_of_a_model_opens_with_torch_alone(learned_run: Path) -> None:
    files = sorted(learned_run.glob("*/*/attempts/*/model.pt"))
    assert files
    for file in files:
        assert set(torch.load(file, weights_only=True)) == {"weights", "digest"}
    model = load_model(learned_run, method="none")
    states = [torch.load(file, weights_only=True)["weights"] for file in files]
    assert any(same(state, dict(model.state_dict())) for state in states)


def same(state: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return state.keys() == other.keys() and all(torch.equal(state[k], other[k]) for k in state)


def test_what_is_not_there_or_damaged_is_one_sentence(learned_run: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="several trials fit: say which method, one of none, augn"):
        load_model(learned_run)
    with pytest.raises(UserError, match="unknown method 'augnt'; did you mean 'augnet'"):
        load_model(learned_run, "digits", "augnt", 0)
    with pytest.raises(UserError, match="is no run directory"):
        load_model(tmp_path, "digits", "augnet", 0)
    shutil.copytree(learned_run, tmp_path / "run")
    for file in (tmp_path / "run").glob("trials/*/attempts/*/model.pt"):
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        file.write_bytes(content)
    with pytest.raises(UserError, match=r"model\.pt is damaged \(checksum\)"):
        load_model(tmp_path / "run", "digits", "augnet", 0)
    for file in (tmp_path / "run").glob("trials/*/result.json"):
        file.unlink()
    with pytest.raises(UserError, match=r"augnet on digits, fold 0, has no finished model"):
        load_model(tmp_path / "run", "digits", "augnet", 0)
