from itertools import combinations

import matplotlib
import numpy as np
import pytest

from augbench.analysis.html.swatches import (
    DARK,
    LEAST_CONTRAST,
    contrast,
    dark_colour,
    named,
    plotly_symbol,
)
from augbench.analysis.styles import _SPARE_COLOURS, METHOD_STYLES, method_styles


def test_contrast_is_that_of_wcag():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert contrast("#ffffff", "#777777") == contrast("#777777", "#ffffff")


def test_every_colour_can_be_seen_on_dark_ground():
    for colour in {style.colour for style in METHOD_STYLES.values()} | set(_SPARE_COLOURS):
        assert contrast(dark_colour(colour), DARK) >= LEAST_CONTRAST


def test_colours_that_differ_on_light_ground_differ_on_dark_ground():
    colours = sorted({style.colour for style in METHOD_STYLES.values()})
    for one, other in combinations(map(dark_colour, colours), 2):
        parts = np.array([matplotlib.colors.to_rgb(each) for each in (one, other)])
        assert np.abs(parts[0] - parts[1]).max() > 0.05, (one, other)


def test_no_two_of_our_methods_have_one_symbol():
    symbols = [plotly_symbol(style) for style in METHOD_STYLES.values()]
    assert len(set(symbols)) == len(symbols)


def test_every_style_has_a_symbol_and_a_swatch():
    labels = {f"label {k}": "other" for k in range(525)}
    for label, style in (method_styles(labels) | METHOD_STYLES).items():
        assert plotly_symbol(style)
        html = named(label, style)
        assert html.count("<polygon") == 1
        assert label in html


def test_the_dark_ground_is_that_of_the_page():
    from importlib.resources import files

    css = (files("augbench.analysis.html") / "page.css").read_text()
    assert f"--ground: light-dark(#ffffff, {DARK})" in css
