"""Colours of numbers, and lines between neurons, in a diagram."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from reseau.errors import ParameterError
from reseau.notebook.places import Points
from reseau.plots import LOSS_COLOUR, VALIDATION_COLOUR

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap

ON_LIGHT = VALIDATION_COLOUR, LOSS_COLOUR  # the most negative weight, the most positive
ON_DARK = "#e69f00", "#56b4e9"  # told apart by the colour-blind too
COLOURS = (LOSS_COLOUR, VALIDATION_COLOUR, "#009e73", "#cc79a7", "#e69f00", "#56b4e9")  # of classes: Okabe's and Ito's
MIDDLE = 0.18  # of lightness: √(1.05 · 0.05) − 0.05, as far from black as from white by the contrast of WCAG


def joined(starts: Points, ends: Points, weights: npt.NDArray[Any]) -> tuple[Points, Points]:
    """Where the line of each weight begins and ends: all with all, or each with its own."""
    if weights.ndim == 1:
        return starts, ends
    n_in, n_out = weights.shape
    return starts.repeat(n_out, axis=0), np.tile(ends, (n_in, 1))


def ground_of(ax: Axes) -> tuple[float, float, float]:
    """The colour that the diagram lies on."""
    from matplotlib.colors import to_rgb, to_rgba

    behind: Any = ax.figure.canvas.figure
    for colour in (ax.get_facecolor(), behind.get_facecolor()):
        if to_rgba(colour)[3] > 0:
            return to_rgb(colour)
    return 1.0, 1.0, 1.0


def lightness(colour: Any) -> float:
    """The relative luminance, between 0 and 1: red, green and blue as ITU-R BT.709 weighs them."""
    return float(np.dot(np.power(colour[:3], 2.2), (0.2126, 0.7152, 0.0722)))


def colormap(cmap: object, ground: Any, ink: Any) -> Colormap:
    """The colours of `cmap`; without one, from orange over almost the ground to blue, on light and on dark ground."""
    from matplotlib import colormaps
    from matplotlib.colors import Colormap, LinearSegmentedColormap, to_rgb

    if cmap is None:
        middle = tuple(0.8 * g + 0.2 * i for g, i in zip(ground, to_rgb(ink), strict=True))
        negative, positive = ON_DARK if lightness(ground) < MIDDLE else ON_LIGHT
        return LinearSegmentedColormap.from_list("reseau", [negative, middle, positive])
    if isinstance(cmap, Colormap):
        return cmap
    if not isinstance(cmap, str) or cmap not in colormaps:
        raise ParameterError(f"cmap is {cmap!r}, which matplotlib does not know; take a diverging one such as 'RdBu'.")
    return colormaps[cmap]
