""".ts files of the UEA archive, read as they are."""

from pathlib import Path

import numpy as np
import pytest

from augbench.datasets.arrays import arrays
from augbench.datasets.errors import UserError, UserNotice
from augbench.datasets.options.tasks import ArraysOptions
from augbench.datasets.ts_files import read_ts

HEAD = """#A comment: of the authors,
#
@problemName Waves
@timeStamps false
@missing false
@univariate false
@dimensions 2
@equalLength true
@seriesLength 3
@classLabel true left right
@data
"""
DATA = "1,2,3:4,5,6:left\n7,8,9:1e1,-11,1.25E-1:right\n"
SERIES = np.array([[[1, 2, 3], [4, 5, 6]], [[7, 8, 9], [10, -11, 0.125]]], dtype=np.float32)


def write(path: Path, x: np.ndarray, y: list[str], head: str = HEAD) -> None:
    lines = [
        ":".join([*(",".join(map(str, row)) for row in example), label])
        for example, label in zip(x, y, strict=True)
    ]
    path.write_text(head + "\n".join(lines) + "\n")


@pytest.mark.parametrize(
    "text",
    [HEAD + DATA, (HEAD + DATA).replace("\n", "\r\n"), "\ufeff" + HEAD + "\n" + DATA + "\n\n"],
)
def test_a_file_is_read_as_it_stands(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.ts").write_text(text, newline="")
    file = read_ts(tmp_path / "a.ts")
    assert np.array_equal(file.read("x"), SERIES)
    assert file.read("y").tolist() == ["left", "right"]


def test_numbers_of_classes_are_in_their_order(tmp_path: Path) -> None:
    write(tmp_path / "a.ts", np.zeros((3, 1, 4)), ["10", "2", "1"])
    assert read_ts(tmp_path / "a.ts").read("y").tolist() == [10, 2, 1]


def test_missing_values_are_told(tmp_path: Path) -> None:
    (tmp_path / "a.ts").write_text(HEAD + DATA.replace("5", "?", 1) + 4 * DATA)
    with pytest.raises(UserError, match="has NaN or infinite values in 1 of 10 examples"):
        arrays(ArraysOptions(path="a.ts", n_folds=2), tmp_path, 0)


def test_a_file_that_changed_is_read_again(tmp_path: Path) -> None:
    write(tmp_path / "a.ts", np.zeros((2, 1, 4)), ["a", "b"])
    assert not read_ts(tmp_path / "a.ts").read("x").any()
    write(tmp_path / "a.ts", np.ones((3, 1, 4)), ["a", "b", "a"])
    assert read_ts(tmp_path / "a.ts").read("x").shape == (3, 1, 4)


def test_the_official_split_needs_no_script(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=(30, 2, 40)).round(4)
    labels = ["left", "right"] * 15
    write(tmp_path / "Waves_TRAIN.ts", x[:20], labels[:20])
    write(tmp_path / "Waves_TEST.ts", x[20:], labels[20:])
    options = ArraysOptions(path="Waves_TRAIN.ts", test_path="Waves_TEST.ts", standardise=False)
    task = arrays(options, tmp_path, 0)
    fold = task.fold(0)
    assert task.n_folds == 1
    assert np.array_equal(fold.test.x.numpy(), x[20:].astype(np.float32))
    assert [task.class_names[label] for label in fold.test.y] == labels[20:]
    assert len(fold.views.train.y) + len(fold.views.model_valid.y) == 20
    with pytest.warns(UserNotice, match='is not used: .* test_path = "Waves_TEST.ts"'):
        assert arrays(ArraysOptions(path="Waves_TRAIN.ts"), tmp_path, 0).n_folds == 5


WRONG = {
    "": "has no line @data",
    "hello": "has no @data before line 1",
    HEAD: "holds no example after @data",
    HEAD + "1,2,3": "line 12 of a.ts is cut off or is no example",
    HEAD + "1,2,3:4,5,6:": "is cut off or is no example",
    HEAD + "1,2,3:4,5:left": "line 12 of a.ts has dimensions of 2 to 3 values",
    HEAD + DATA + "1,2:3,4:left": "line 14 of a.ts has 2 dimensions of 2 values where the first",
    HEAD + DATA + "1,2,3:left": "1 dimension of 3 values where",
    HEAD + DATA + "1,two,3:4,5,6:left": "number 1, that is not numbers separated by commas",
    HEAD.replace("timeStamps false", "timeStamps true") + DATA: "has time stamps",
    HEAD.replace("classLabel true", "classLabel false") + DATA: "has no classes",
    HEAD.replace("@classLabel true left right", "@targetLabel true") + DATA: "has no classes",
}


@pytest.mark.parametrize(("text", "message"), WRONG.items(), ids=WRONG.values())
def test_what_cannot_be_read_is_one_sentence(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "a.ts").write_text(text)
    with pytest.raises(UserError, match=message) as caught:
        read_ts(tmp_path / "a.ts")
    assert "\n" not in str(caught.value)


def test_other_files_say_what_to_give(tmp_path: Path) -> None:
    (tmp_path / "a.ts").write_bytes(b"\x80\x81\x82" * 100)
    with pytest.raises(UserError, match="is no text"):
        read_ts(tmp_path / "a.ts")
    (tmp_path / "a.arff").write_text("@relation a")
    with pytest.raises(UserError, match=r"\.arff file, which is not read: give the \.ts file"):
        arrays(ArraysOptions(path="a.arff"), tmp_path, 0)


def test_real_trials_are_the_same_from_text(data_root: Path, tmp_path: Path) -> None:
    name = "FingerMovements"
    known = arrays(ArraysOptions(path=f"uea/{name}.npz"), data_root, 0)
    with np.load(data_root / "uea" / f"{name}.npz") as stored:
        x, split = stored["x"], stored["split"]
        labels = stored["classes"][stored["y"]]
    for part, word in enumerate(("TRAIN", "TEST")):
        write(tmp_path / f"{name}_{word}.ts", x[split == part], labels[split == part].tolist())
    options = ArraysOptions(path=f"{name}_TRAIN.ts", test_path=f"{name}_TEST.ts")
    task = arrays(options, tmp_path, 0)
    assert task.class_names == known.class_names
    assert np.array_equal(task.fold(0).test.x.numpy(), known.fold(0).test.x.numpy())
    assert np.array_equal(task.fold(0).test.y.numpy(), known.fold(0).test.y.numpy())
