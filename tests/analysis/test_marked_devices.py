"""Hours of several devices in one figure: each method says on which it ran."""

import pytest

from augbench.analysis.figures.accuracy import FIGURES


@pytest.mark.parametrize(("name", "is_marked"), [("hours", True), ("samples", False)])
def test_hours_of_several_devices_are_marked_in_the_legend(trial, gather, name, is_marked):
    point = [(0.5, 0.1, 1, 1)]
    run = gather(trial("a", 0, point), trial("b", 0, point, device="Some GPU"))
    figure = FIGURES[name].draw(FIGURES[name].table(run, "toy"))
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == (["a\non cpu", "b\non Some GPU"] if is_marked else ["a", "b"])


def test_one_device_needs_no_mark(trial, gather):
    run = gather(trial("a", 0, [(0.5, 0.1, 1, 1)], device="Some GPU"))
    figure = FIGURES["hours"].draw(FIGURES["hours"].table(run, "toy"))
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["a"]
