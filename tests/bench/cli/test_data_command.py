"""`augbench data check`: what it says of own data, and whether its first suite is one."""

import re
import shutil
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from PIL import Image

from augbench.bench.cli.data_command import check
from augbench.bench.plan.suite import load_suite
from augbench.bench.unit.job import load_task
from augbench.datasets.errors import UserError
from traffic_signs import write_gtsrb

RANDOM = np.random.default_rng(0)
Y = np.arange(60) % 3


def said(
    capsys: pytest.CaptureFixture[str], path: Path, out: Path | None = None
) -> tuple[list[str], list[str]]:
    """The facts, and what one has to mind."""
    code = 0
    try:
        check(path, out)
    except typer.Exit as stop:
        code = stop.exit_code
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("- ")]
    mind = [line.removeprefix("- mind: ") for line in lines if line.startswith("- mind: ")]
    assert code == any("a task cannot be made of it yet" in each for each in mind)
    return [line for line in lines if not line.startswith("- mind: ")], mind


def save(path: Path, **arrays: Any) -> Path:
    np.savez(path, **arrays)
    return path


def eeg(**changes: Any) -> dict[str, Any]:
    x = RANDOM.normal(0, 2e-5, size=(60, 3, 64))
    named = {"groups": Y * 0 + np.arange(60) // 6, "sampling_rate": 64.0}
    return {"x": x, "y": Y, "channels": np.array(["Fz", "Cz", "Pz"]), **named, **changes}


def test_good_data_have_facts_and_nothing_to_mind(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    facts, mind = said(capsys, save(tmp_path / "mine.npz", **eeg()))
    assert facts[0] == "- 60 windows of 3 channels and 1 s at 64 Hz"
    assert facts[1] == "- 3 classes: 0 20, 1 20, 2 20"
    assert "- 10 groups of 6 examples" in facts
    assert any("it looks like volts" in fact for fact in facts)
    assert any("60 windows of 10 groups; fold 0: " in fact for fact in facts)
    assert mind == []


@pytest.mark.parametrize(
    ("deviation", "unit"),
    [
        (2e-5, "volts"),
        (0.005, "millivolts"),
        (0.02, "millivolts"),
        (1.0, "standardised signals"),
        (20.0, "microvolts"),
        (2e4, "raw counts of an amplifier"),
    ],
)
def test_the_unit_is_guessed_by_the_size_of_the_deviation(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], deviation: float, unit: str
) -> None:
    x = RANDOM.normal(0, deviation, size=(60, 3, 64))
    facts, _ = said(capsys, save(tmp_path / "mine.npz", **eeg(x=x)))
    assert any(f"it looks like {unit}; " in fact for fact in facts)


def test_one_of_a_thing_is_said_in_the_singular(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    x, y = RANDOM.normal(size=(60, 1, 64)), np.where(np.arange(60) == 0, 1, 0)
    data = eeg(x=x, y=y, groups=np.zeros(60, int), channels=np.array(["Cz"]))
    facts, mind = said(capsys, save(tmp_path / "one.npz", **data))
    assert facts[0] == "- 60 windows of 1 channel and 1 s at 64 Hz"
    assert "- 1 group of 60 examples" in facts
    assert "class 1 has 1 example only" in mind
    assert any("n_folds = 5 is too many for 1 group:" in each for each in mind)


def test_paths_are_relative_to_the_folder_of_the_data(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = save(tmp_path / "mine.npz", **eeg())
    out = tmp_path / "out" / "mine.toml"
    out.parent.mkdir()
    check(Path("mine.npz"), out, data=tmp_path)
    assert f"--data {tmp_path}" in capsys.readouterr().out.replace("\n", " ")
    check(file, data=tmp_path / "elsewhere")  # an absolute path is what it is
    with pytest.raises(UserError, match=r"there is no .*elsewhere.mine\.npz"):
        check(Path("mine.npz"), data=tmp_path / "elsewhere")


def test_what_is_odd_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = eeg()
    data["x"][:30, 1] = 0.0
    data["x"][7, 0, 0] = np.nan
    data["y"] = np.where(np.arange(60) < 55, 0, 1)
    for name in ("groups", "sampling_rate"):
        del data[name]
    _, mind = said(capsys, save(tmp_path / "odd.npz", **data))
    text = "\n".join(mind)
    for part in (
        "NaN or infinite values in 1 example: leave it out",
        "channel Cz never changes in 49% of the windows",
        "class 1 has 5 examples only",
        "classes are uneven",
        "no sampling_rate",
        "no groups",
        "a task cannot be made of it yet: x in odd.npz has NaN",
    ):
        assert part in text, part


def test_windows_with_time_before_channels_are_seen(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = eeg()
    data["x"] = data["x"].transpose(0, 2, 1)
    del data["channels"]
    _, mind = said(capsys, save(tmp_path / "turned.npz", **data))
    assert "more channels (64) than samples (3): x has to be (N, channels, samples)" in mind[0]


def test_images_have_no_talk_of_electrodes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = save(tmp_path / "i.npz", x=255 * RANDOM.random((60, 1, 8, 8)), y=Y)
    facts, mind = said(capsys, file)
    assert facts[0] == "- 60 images of 1 x 8 x 8"
    assert mind[0] == "images have to lie in [0, 1]: scale them"
    assert len(mind) == 2  # and so no task can be made of it


def test_its_suite_runs_on_what_was_checked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "mine.toml"
    check(save(tmp_path / "my data [1].npz", **eeg()), out)
    assert f"augbench run {out} --data {tmp_path}" in capsys.readouterr().out.replace("\n", " ")
    suite = load_suite(out)
    task = load_task(suite.plan[0].spec.task, tmp_path)
    assert task.class_names == ("0", "1", "2")
    with pytest.raises(UserError, match="is there already"):
        check(tmp_path / "my data [1].npz", out)


def test_a_folder_of_nights_is_understood(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from augbench.datasets.simulated_nights.folder import NightsOptions, write_nights

    for layout, name in (("mass", "m"), ("sleep-edf", "s")):
        list(write_nights(tmp_path / name, NightsOptions(layout, 4, hours=0.5), []))
        facts, _ = said(capsys, tmp_path / name, tmp_path / f"{name}.toml")
        assert "4 are recordings of" in facts[0]
        assert any(re.match(r"- events of \d+ s \(median\): 'Sleep stage", fact) for fact in facts)
        table = tomllib.loads((tmp_path / f"{name}.toml").read_text())["tasks"][name]
        assert table["events"]["Sleep stage 2"] == "Sleep stage 2"
        task = load_task(load_suite(tmp_path / f"{name}.toml").plan[0].spec.task, tmp_path)
        assert task.n_classes >= 2


def test_the_reason_why_a_lone_file_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "bad.edf").write_text("0       not an EDF")
    with pytest.raises(UserError, match=r"cannot read bad\.edf"):
        check(tmp_path)


def test_recordings_are_found_behind_many_files_of_events(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from augbench.datasets.simulated_nights.folder import NightsOptions, write_nights

    list(write_nights(tmp_path / "n", NightsOptions("mass", 2, hours=0.5), []))
    for number in range(12):
        (tmp_path / "n" / f"00 {number}.edf").write_bytes(
            (tmp_path / "n" / "01-03-0001 Base.edf").read_bytes()
        )
    monkeypatch.chdir(tmp_path / "n")
    facts, _ = said(capsys, Path(), tmp_path / "n.toml")
    assert "1 are recordings" in facts[0]
    assert 'path = "n"' in (tmp_path / "n.toml").read_text()


@pytest.mark.parametrize("what", ["nothing", "empty", "text"])
def test_what_cannot_be_used_is_one_sentence(what: str, tmp_path: Path) -> None:
    path = tmp_path / what
    if what == "empty":
        path.mkdir()
    if what == "text":
        path.write_text("hello")
    with pytest.raises(UserError):
        check(path)


def test_odd_files_are_told_and_the_others_read(
    sleep_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    facts, mind = said(capsys, sleep_root / "edf_odd")
    assert "recordings of 5 to 1800 s" in facts[0]
    assert any(each.startswith("rates differ") for each in mind)
    assert any(each.startswith("channels differ") for each in mind)


def draw(folder: Path, n: int, level: int = 0) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for k in range(n):
        pixels = RANDOM.integers(level, 256, (10 + k % 3, 12, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{k}.png")


def test_a_folder_of_images_is_understood(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for label, n in (("cats", 12), ("dogs", 12), ("birds", 6)):
        draw(tmp_path / "my pictures" / label, n)
    out = tmp_path / "p.toml"
    facts, mind = said(capsys, tmp_path / "my pictures", out)
    assert facts[0] == "- 30 images (30 .png)"
    assert facts[1] == "- 3 classes: birds 6, cats 12, dogs 12"
    assert "- from 10 x 12 to 12 x 12 pixels (height x width), the median is 11 x 12" in facts
    assert "- all are in colour" in facts
    assert any("30 images, not by group; fold 0: " in fact for fact in facts)
    assert mind[0] == "class birds has 6 examples only"
    assert any(each.startswith("sizes differ: all images are resized, here to 8") for each in mind)
    task = load_task(load_suite(out).plan[0].spec.task, tmp_path)
    assert task.signal.shape == (3, 8, 8)


def test_broken_images_and_images_in_both_parts_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for label, level in (("cats", 0), ("dogs", 100)):
        draw(tmp_path / "p" / "train" / label, 12, level)
        draw(tmp_path / "p" / "test" / label, 6, level)
        for k in range(3):
            name = f"{label}/{k}.png"
            shutil.copy(tmp_path / "p" / "train" / name, tmp_path / "p" / "test" / name)
    facts, mind = said(capsys, tmp_path / "p")
    assert "- a split of its own: train 24, test 12" in facts
    assert any(each.startswith("training or validation holds 6 examples of") for each in mind)
    (tmp_path / "p" / "train" / "cats" / "3.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    _, mind = said(capsys, tmp_path / "p")
    assert (
        "a task cannot be made of it yet: 1 of 36 images cannot be read: p/train/cats/3.png"
        in (mind[-1])
    )


def test_the_layout_of_gtsrb_is_understood(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_gtsrb(tmp_path)
    facts, mind = said(capsys, tmp_path / "GTSRB", tmp_path / "g.toml")
    assert "- a split of its own: train 258, test 86" in facts
    assert mind[0].startswith("43 classes have fewer than 10 examples: 00000 8, 00001 8")
    assert len(mind) == 2
    assert load_task(load_suite(tmp_path / "g.toml").plan[0].spec.task, tmp_path).n_classes == 43
    train, test = (tmp_path / "GTSRB" / f"Final_{part}" for part in ("Training", "Test"))
    check(train / "Images", tmp_path / "apart.toml", test / "Images")
    text = (tmp_path / "apart.toml").read_text()
    assert 'test_path = "../Final_Test/Images"' in text
    task = load_task(load_suite(tmp_path / "apart.toml").plan[0].spec.task, train)
    assert task.n_folds == 1


def test_files_of_the_uea_archive_are_understood(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    head = "@problemName Waves\n@timeStamps false\n@classLabel true a b\n@data\n"
    for word, n in (("TRAIN", 30), ("TEST", 14)):
        lines = [
            ":".join(
                [*(",".join(map(str, row)) for row in RANDOM.normal(size=(2, 40))), "ab"[k % 2]]
            )
            for k in range(n)
        ]
        (tmp_path / f"Waves_{word}.ts").write_text(head + "\n".join(lines))
    facts, mind = said(capsys, tmp_path / "Waves_TRAIN.ts", tmp_path / "w.toml")
    assert facts[0] == "- 44 windows of 2 channels and 40 samples"
    assert any("44 windows, not by group; fold 0: 22 / 8 / 14 windows" in fact for fact in facts)
    assert any("give the option sampling_rate" in each for each in mind)
    assert not any("groups" in each for each in mind)
    task = load_task(load_suite(tmp_path / "w.toml").plan[0].spec.task, tmp_path)
    assert task.class_names == ("a", "b")
    assert "[tasks.Waves]" in (tmp_path / "w.toml").read_text()


def test_the_official_splits_of_uea_are_said(
    data_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    facts, _ = said(capsys, data_root / "uea" / "HandMovementDirection.npz")
    assert facts[0] == "- 234 windows of 10 channels and 400 samples"
    assert any(fact.endswith("120 / 40 / 74 windows") for fact in facts)
