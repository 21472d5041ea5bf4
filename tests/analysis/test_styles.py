"""The colours and markers of methods: distinct, stable, and safe for colour-blind readers."""

import itertools

import matplotlib
import numpy as np
import pytest

from augbench.analysis.styles import METHOD_STYLES, WITHOUT_EPOCHS, method_styles
from augbench.methods import METHODS

# Linear RGB as seen with one kind of cone missing. Source: Machado et al. 2009, severity 1.
VISION = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def lab(colour: str, vision: str) -> np.ndarray:
    """CIE Lab of a colour, (3,)."""
    rgb = np.array(matplotlib.colors.to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    xyz = TO_XYZ @ np.clip(VISION[vision] @ linear, 0, 1) / np.array([0.95047, 1.0, 1.08883])
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def looks(styles):
    return [(style.colour, style.symbol, style.fill) for style in styles.values()]


def test_the_table_has_every_method_and_no_two_share_a_colour_or_a_marker():
    assert set(METHOD_STYLES) == set(METHODS)
    assert len({style.colour for style in METHOD_STYLES.values()}) == len(METHODS)
    assert len({style.symbol for style in METHOD_STYLES.values()}) == len(METHODS)
    assert set(WITHOUT_EPOCHS) < set(METHODS)


@pytest.mark.parametrize("vision", VISION)
def test_any_two_colours_can_be_told_apart(vision):
    seen = {name: lab(style.colour, vision) for name, style in METHOD_STYLES.items()}
    for one, other in itertools.combinations(seen, 2):
        assert np.linalg.norm(seen[one] - seen[other]) >= 10, (one, other)


def test_augnet_comes_first_and_second_labels_stand_beside_their_method():
    methods = {name: name for name in METHODS} | {"augnet-3": "augnet", "mine": "plug_in"}
    methods |= {"a": "none"}
    styles = method_styles(methods)
    order = sorted(styles, key=lambda label: styles[label].order)
    assert order[:3] == ["augnet", "augnet-3", "augerino"]
    assert order.index("a") == order.index("none") - 1
    assert order[-1] == "mine"
    assert len({style.order for style in styles.values()}) == len(styles)


def test_no_two_labels_look_the_same_whatever_the_suite_holds():
    labels = [f"augnet-{k}" for k in range(300)] + [f"mine {k}" for k in range(200)]
    styles = method_styles({name: name for name in METHODS} | dict.fromkeys(labels, "augnet"))
    assert len(set(looks(styles))) == len(styles)
    colours = {style.colour for style in METHOD_STYLES.values()}
    assert not colours & {styles[label].colour for label in labels}
    many = dict.fromkeys(map(str, range(2000)), "none")  # they cannot all differ, but are drawn
    assert len(method_styles(many)) == 2000


def test_the_look_of_a_label_does_not_depend_on_the_others():
    alone = {label: looks(method_styles({label: "augnet"}))[0] for label in ("augnet-3", "x", "y")}
    together = method_styles(dict.fromkeys([*alone, "augnet", "none"], "augnet"))
    for label, look in alone.items():
        assert looks({label: together[label]}) == [look]
    assert together["augnet"]._replace(order=0) == METHOD_STYLES["augnet"]._replace(order=0)
