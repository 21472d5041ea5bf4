"""Names that tools and file systems take."""

import pytest

from augbench.bench.sinks.names import folder_name, metric_name


@pytest.mark.parametrize("label", ["digits", "augnet, 3 layers", "lr=0.1", "été", "a+b"])
def test_an_ordinary_label_stays_as_it_is(label: str) -> None:
    assert folder_name(label) == label


@pytest.mark.parametrize("label", ["", ".", "..", "a/b", "/", "a\nb", " a", "x" * 300, "é" * 200])
def test_a_label_that_cannot_be_a_folder_gets_a_name_of_its_own(label: str) -> None:
    name = folder_name(label)
    assert name not in ("", ".", "..")
    assert "/" not in name
    assert len(name.encode()) < 255
    assert name != folder_name(label + ".")


def test_metrics_have_the_letters_that_mlflow_takes() -> None:
    assert metric_name("learned", "my/op", "°C per %") == "learned/my_op/_C per _"
    assert metric_name("learned", "..", "") == "learned/_/_"
