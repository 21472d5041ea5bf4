import re
from contextlib import suppress
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
import torch

from augbench.datasets import plugins
from augbench.datasets.errors import UserError
from augbench.datasets.task import Signal
from augbench.methods.transforms import EEG, IMAGE, TRANSFORMS
from augbench.methods.transforms.bank import every_transform, make_bank, transform_faults
from augbench.methods.transforms.transform import Transform
from augbench.methods.transforms.ungraded import ungraded


def triple(signal: Signal) -> Transform:
    """What another package might add."""
    return ungraded("triple", lambda x: 3 * x, "nobody")


def misnamed(signal: Signal) -> Transform:
    return ungraded("something else", torch.neg, "nobody")


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """Pretends that packages with these rows are installed."""

    class Row(EntryPoint):
        def load(self):  # type: ignore[no-untyped-def]
            if self.value == "absent:builder":
                raise ModuleNotFoundError("No module named 'absent'")
            return {"here:triple": triple, "here:misnamed": misnamed, "here:number": 3}[self.value]

    def pretend(**rows: str) -> None:
        found = [Row(name, value, "augbench.transforms") for name, value in rows.items()]
        monkeypatch.setattr(plugins, "entry_points", lambda group: found)

    return pretend


def test_a_bank_holds_what_was_asked_for_in_that_order(eeg: Signal, image: Signal) -> None:
    assert list(make_bank(["time_mask", "sign_flip"], eeg)) == ["time_mask", "sign_flip"]
    assert set(make_bank(EEG, eeg)) == set(EEG)
    assert set(make_bank(IMAGE, image)) == set(IMAGE)
    assert make_bank([], eeg) == {}


def test_an_unknown_name_gets_a_hint(eeg: Signal) -> None:
    with pytest.raises(UserError, match=r"unknown transform 'time_maks'; did you mean 'time_mask'"):
        make_bank(["time_maks"], eeg)


def test_a_transform_of_the_other_kind_is_refused(eeg: Signal, image: Signal) -> None:
    with pytest.raises(UserError, match="'rotate' is for images, but the task has kind 'eeg'"):
        make_bank(["rotate"], eeg)
    with pytest.raises(UserError, match=r"'time_mask' is for EEG, .* it can use: translate_x"):
        make_bank(["time_mask"], image)


def test_what_the_signal_lacks_is_said(image: Signal) -> None:
    with pytest.raises(UserError, match="needs the sampling rate"):
        make_bank(["frequency_shift"], Signal("eeg", (2, 100)))


def test_a_range_is_another_meaning_of_magnitude_1(image: Signal) -> None:
    quarter = make_bank(["rotate", "crop"], image, {"rotate": 90.0})["rotate"]
    assert (quarter.strongest, quarter.unit) == (90.0, "degrees")
    x, noise = torch.rand(2, *image.shape), torch.ones(2)
    third = make_bank(["rotate"], image)["rotate"].apply(x, torch.ones(2), noise)
    assert torch.allclose(quarter.apply(x, torch.full((2,), 1 / 3), noise), third, atol=1e-5)


@pytest.mark.parametrize(
    ("ranges", "complaint"),
    [
        ({"rotat": 90.0}, "did you mean 'rotate'"),
        ({"rotate": 0.0}, "`ranges` gives 'rotate' 0 degrees; it has to be above 0"),
        ({"rotate": float("inf")}, "above 0"),
        ({"horizontal_flip": 0.5}, "leave it out"),
    ],
)
def test_a_range_that_cannot_be_is_refused(
    ranges: dict[str, float], complaint: str, image: Signal
) -> None:
    with pytest.raises(UserError, match=complaint):
        make_bank(["rotate", "horizontal_flip"], image, ranges)


def test_a_probability_has_no_range_above_1(eeg: Signal) -> None:
    with pytest.raises(UserError, match="above 0 and at most 1"):
        make_bank(["channel_dropout"], eeg, {"channel_dropout": 1.5})


def test_another_package_adds_a_row(installed, eeg: Signal) -> None:  # type: ignore[no-untyped-def]
    installed(triple="here:triple")
    made = make_bank(["triple", "sign_flip"], eeg)
    x = torch.ones(1, *eeg.shape)
    assert torch.equal(made["triple"].apply(x, torch.ones(1), torch.rand(1)), 3 * x)
    assert "triple" not in TRANSFORMS


def test_a_row_with_a_name_of_ours_is_not_taken(installed, eeg: Signal) -> None:  # type: ignore[no-untyped-def]
    installed(sign_flip="here:triple")
    assert make_bank(["sign_flip"], eeg)["sign_flip"].source != "nobody"
    fault = transform_faults([eeg])["sign_flip"]
    assert re.search(r"'sign_flip' .* takes a name that is in use", fault)


def test_a_row_that_cannot_be_imported_names_its_package(installed, eeg: Signal) -> None:  # type: ignore[no-untyped-def]
    installed(broken="absent:builder")
    complaint = r"'absent:builder' of the entry point 'broken' .* cannot be imported"
    with pytest.raises(UserError, match=complaint):
        make_bank(["broken"], eeg)
    assert list(make_bank(["time_mask"], eeg)) == ["time_mask"]


def test_a_folder_that_hides_a_package_is_named(
    eeg: Signal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As that of an editable install does whose folder has the name of its module."""
    folder = tmp_path / "hidden_module"
    folder.mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(
        plugins,
        "entry_points",
        lambda group: [EntryPoint("hidden", "hidden_module:builder", group)],
    )
    with pytest.raises(UserError, match=f"the folder {folder} hides the package: rename it"):
        make_bank(["hidden"], eeg)


def test_a_builder_that_returns_something_else_is_refused(installed, eeg: Signal) -> None:  # type: ignore[no-untyped-def]
    installed(triple="here:misnamed")
    with pytest.raises(UserError, match="builder of transform 'triple' returned"):
        make_bank(["triple"], eeg)


def test_a_row_that_is_no_function_is_refused(installed, eeg: Signal) -> None:  # type: ignore[no-untyped-def]
    installed(triple="here:number")
    with pytest.raises(UserError, match=r"'here:number' .* is a int; it must be a function"):
        make_bank(["triple"], eeg)


def test_a_builder_that_fails_for_every_kind_of_signal_is_a_fault_with_its_reason(
    installed,  # type: ignore[no-untyped-def]
    eeg: Signal,
    image: Signal,
) -> None:
    installed(triple="here:misnamed")
    fault = transform_faults([eeg, image])["triple"]
    assert "can be built for no signal (eeg: the builder returned Transform(" in fault
    assert "`augbench check triple` says more" in fault
    assert "something else" not in [row.name for _, row in every_transform([eeg, image])]


@pytest.mark.parametrize(
    "signal",
    [
        Signal("eeg", (1, 300), ("C3",), 100.0),
        Signal("eeg", (1, 300), ("Cz",), 100.0),
        Signal("eeg", (2, 300), ("Cz", "Fz"), 100.0),
        Signal("eeg", (3, 300), ("Cz", "Oz", "O1"), 100.0),
        Signal("eeg", (2, 300), ("C3", "C4"), 100.0),
        Signal("image", (1, 16, 16)),
        Signal("image", (3, 7, 7)),
        Signal("image", (3, 5, 4)),
        Signal("image", (3, 2, 3)),
    ],
    ids=lambda signal: "-".join((signal.kind, *map(str, signal.channels or signal.shape))),
)
def test_a_transform_changes_something_or_is_refused(signal: Signal) -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(64, *signal.shape, generator=generator)
    changing = set()
    for name in EEG if signal.kind == "eeg" else IMAGE:
        with suppress(UserError):
            row = make_bank([name], signal)[name]
            changed = row.apply(x, torch.ones(64), row.draw(x, generator))
            assert (changed - x).abs().max() > 1e-3, name
            changing.add(name)
    assert changing >= ({"sign_flip", "time_mask"} if signal.kind == "eeg" else {"rotate", "crop"})
