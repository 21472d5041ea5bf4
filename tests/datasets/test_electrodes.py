import pytest

from augbench.datasets.electrodes import electrode, pick_channels, places, unplaced
from augbench.datasets.errors import UserError


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Fp1", "FP1"),
        ("fp1", "FP1"),
        (" Cz ", "CZ"),
        ("EEG Fp1", "FP1"),
        ("EEG FP1-REF", "FP1"),
        ("EEG T3-LE", "T3"),
        ("eeg f4-cle", "F4"),
        ("EEG C3-LER", "C3"),
        ("EEG Fpz-Cz", "FPZ"),
        ("EEG Pz-Oz", "PZ"),
        ("EEG-C3", "C3"),
        ("EEG(C3)", "C3"),
        ("POL O2", "O2"),
        ("Fc5.", "FC5"),
        ("Oz..", "OZ"),
        ("C3-M2", "C3"),
        ("C4:A1", "C4"),
        ("C4 - A1", "C4"),
        ("C3M2", "C3"),
        ("F4A1", "F4"),
        ("AFF1h", "AFF1H"),
        ("A1", "A1"),
        ("M2", "M2"),
        ("A2-A1", None),
        ("M1-M2", None),
        ("EOG horizontal", None),
        ("EMG1", None),
        ("EEG 001", None),
        ("EEG", None),
        ("E1", None),
        ("STI 014", None),
        ("LOC-A2", None),
        ("", None),
        ("-", None),
    ],
)
def test_the_spellings_of_files_are_understood(name: str, expected: str | None) -> None:
    assert electrode(name) == expected


def test_every_electrode_of_the_montages_is_its_own_name() -> None:
    assert len(places()) > 300
    for name in places():
        assert electrode(name) == electrode(f"EEG {name.title()}") == name
        if name not in ("A1", "A2", "M1", "M2"):
            assert electrode(f"EEG {name.lower()}-REF") == name


def test_channels_without_a_place_of_their_own_are_listed() -> None:
    assert unplaced(["EEG Fpz-Cz", "EOG", "C3-M2", "C3-A2", "Oz"]) == ["EOG", "C3-M2", "C3-A2"]
    assert unplaced([]) == []


NAMES = ("EEG Fp1-REF", "EEG C3-REF", "EOG", "EMG chin")


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (["EOG", "EEG Fp1-REF"], (2, 0)),
        (["c3", "FP1"], (1, 0)),
        (["eog"], (2,)),
        (["-EOG", "-emg chin"], (0, 1)),
        (["-Fp1"], (1, 2, 3)),
    ],
)
def test_channels_are_kept_in_order_or_dropped(asked: list[str], expected: tuple[int, ...]) -> None:
    assert pick_channels(NAMES, asked) == expected


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (
            ["EGO"],
            r"unknown channel in the option channels: 'EGO'; did you mean 'EOG'\? known: EEG",
        ),
        (["-C7"], "unknown channel in the option channels: 'C7'"),
        (["EOG", "-C3"], "keeps some by name and drops others"),
        (["C3", "EEG C3-REF"], "names one twice"),
        (["-Fp1", "-C3", "-EOG", "-EMG chin"], "drops all channels"),
    ],
)
def test_channels_that_cannot_be_picked_are_one_sentence(asked: list[str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        pick_channels(NAMES, asked)


def test_an_electrode_of_two_channels_is_not_guessed() -> None:
    with pytest.raises(UserError, match="unknown channel in the option channels: 'C3'"):
        pick_channels(["C3-M2", "C3-A2"], ["C3"])
