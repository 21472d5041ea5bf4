"""The colour and the marker of each method beside its name, on light and dark ground."""

import colorsys

import numpy as np
from markupsafe import Markup
from matplotlib.colors import to_hex, to_rgb
from matplotlib.markers import MarkerStyle

from augbench.analysis.html.elements import safe
from augbench.analysis.styles import Style

DARK = "#16181d"  # the ground of the dark page, as in page.css
LEAST_CONTRAST = 3.0  # of graphics, by WCAG 2
RADIUS = 5.0  # of a marker, in a box of 22 x 14
RADII = {"*": 6.8, "d": 6.5}  # of those that are thin

# matplotlib's name of a marker: plotly's.
PLOTLY_SYMBOLS = {
    **{"o": "circle", "s": "square", "D": "diamond", "d": "diamond-tall", "p": "pentagon"},
    **{"^": "triangle-up", "v": "triangle-down", "<": "triangle-left", ">": "triangle-right"},
    **{"h": "hexagon", "H": "hexagon2", "8": "octagon", "*": "star", "P": "cross", "X": "x"},
}
# matplotlib's fill of a marker: what plotly has of its kind.
PLOTLY_FILLS = {
    **{"full": "", "none": "-open", "left": "-open-dot", "right": "-dot"},
    **{"top": "-open-dot", "bottom": "-dot"},
}


def plotly_symbol(style: Style) -> str:
    """The marker of a style in plotly's words."""
    return PLOTLY_SYMBOLS[style.symbol] + PLOTLY_FILLS[style.fill]


def dark_colour(colour: str) -> str:
    """The colour on dark ground: greys from the other end, others lighter if they are too dark."""
    red, green, blue = to_rgb(colour)
    if max(red, green, blue) - min(red, green, blue) < 0.03:
        lightness = 1 - 0.85 * red
        return to_hex((lightness, lightness, lightness))
    hue, lightness, saturation = colorsys.rgb_to_hls(red, green, blue)
    while contrast(to_hex((red, green, blue)), DARK) < LEAST_CONTRAST:
        lightness = min(1.0, lightness + 0.01)
        red, green, blue = colorsys.hls_to_rgb(hue, lightness, saturation)
    return to_hex((red, green, blue))


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, from 1 to 21. Source: WCAG 2, relative luminance."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in to_rgb(colour)
    ]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def swatch(style: Style) -> Markup:
    """The marker of a method on a piece of its line; the name beside it says which method it is."""
    marker = MarkerStyle(style.symbol)
    shape = marker.get_path().transformed(marker.get_transform())
    outline = np.asarray(shape.to_polygons(closed_only=False)[0], dtype=np.float64)  # (corners, 2)
    outline *= RADII.get(style.symbol, RADIUS) / np.abs(outline).max()
    points = " ".join(f"{11 + x:.1f},{7 - y:.1f}" for x, y in outline)
    full = style.fill == "full"
    return Markup(
        '<svg class="swatch" viewBox="0 0 22 14" width="22" height="14" aria-hidden="true" '
        'style="--light:{};--dark:{}"><path d="M0 7H22"{}/><polygon points="{}"{}/></svg>'
    ).format(
        style.colour,
        dark_colour(style.colour),
        "" if full else Markup(' stroke-dasharray="4 2"'),
        points,
        "" if full else Markup(' class="open"'),
    )


def named(label: str, style: Style) -> Markup:
    """A method's name behind its marker."""
    return Markup('<span class="method">{} {}</span>').format(swatch(style), safe(label))
