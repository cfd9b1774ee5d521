"""Colours of numbers, and places of their texts, in a diagram."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from reseau.errors import ParameterError
from reseau.plots import LOSS_COLOUR, VALIDATION_COLOUR

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap

Points = npt.NDArray[np.float64]

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


def apart(starts: Points, ends: Points, sizes: Points, radius: float) -> Points:
    """Find a place on each line for a box, such that it lies on no other box and on as few other lines as can be.

    Parameters
    ----------
    starts, ends : ndarray of shape (n_in, 2) and (n_out, 2)
        Every start is joined with every end.
    sizes : ndarray of shape (n_in · n_out, 2)
        Width and height of the boxes.
    radius : float
        Of the circles at the ends.

    Returns
    -------
    ndarray of shape (n_in · n_out, 2)
        The middles of the boxes.
    """
    y0, y1 = starts[:, 1].repeat(len(ends)), np.tile(ends[:, 1], len(starts))
    x0, across = starts[0, 0], ends[0, 0] - starts[0, 0]
    middles: Points = np.zeros_like(sizes)
    for i, (width, height) in enumerate(sizes):
        margin = min((radius + width / 2) / across, 0.45)
        ts = np.linspace(margin, 1 - margin, 25)
        ts = ts[np.argsort(np.abs(ts - 0.3), kind="stable")]  # of equal places that nearest to the start, as one reads
        best = np.inf
        for t in ts:
            x, y = x0 + t * across, y0[i] + t * (y1[i] - y0[i])
            away = np.abs(middles[:i] - [x, y]) - (sizes[:i] + sizes[i]) / 2
            sides = t + np.array([[-0.5], [0.5]]) * width / across
            ys = y0 + sides * (y1 - y0)  # of all lines, where the box begins and ends
            crossed = (ys.min(axis=0) < y + height / 2) & (ys.max(axis=0) > y - height / 2)
            cost = 100 * (away < 0).all(axis=1).sum() + crossed.sum()
            if cost < best:
                best, middles[i] = cost, (x, y)
    return middles


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
