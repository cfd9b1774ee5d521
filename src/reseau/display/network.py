"""NetworkDisplay: a network as one draws it, with its real weights and names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from reseau.arrays import FloatArray
from reseau.checks import boolean, integer, known, shown
from reseau.display.drawing import MIDDLE, colormap, ground_of, joined, lightness
from reseau.ensemble import member_of
from reseau.errors import ParameterError
from reseau.export.steps import steps
from reseau.formulas.typesetting import TextSetter
from reseau.model import Model
from reseau.notebook.places import Points, apart
from reseau.plots import check_axes, require_matplotlib
from reseau.visible import visible
from reseau.vocabulary.activations import ACTIVATIONS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import LineCollection, PathCollection
    from matplotlib.colorbar import Colorbar
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure
    from matplotlib.patches import PathPatch
    from matplotlib.text import Text

    from reseau.network import Network

MOST_WRITTEN = 30  # weights, or their numbers would cover the lines
LONGEST_NAME = 40  # letters
POINTS = 72  # in an inch
# How large things are, in points.
NEURON, NEURON_WITH_NUMBER = 24.0, 36.0
GAP = 5.0  # between a neuron and its name
ROW, ROW_WITH_NUMBERS = 27.0, 80.0  # from neuron to neuron
COLUMN, COLUMN_WITH_NUMBERS = 125.0, 190.0  # from layer to layer
COLORBAR = 85.0
MANY = 50  # lines between two layers
FEW_LINES, MANY_LINES = (0.7, 0.8, 3.2), (0.3, 0.4, 2.2)  # opacity of a weight of zero; its width, that of the largest
SMALLEST_FONT = 3.0
ARC = 22.0  # how much higher a residual link is drawn than those that it leads over


class NetworkDisplay:
    """The diagram of a network: a circle for each neuron, a line for each weight.

    The colour of a line is that of its weight, and its width grows with the weight's size; the colour of a neuron is
    that of its bias. Of a large layer the first neurons are drawn, dots, and the last. A layer that takes its numbers
    one by one, as a normalisation or a parametric ReLU does, has a line for each, of the colour of what multiplies it.
    A residual link is an arc above the layers that it leads over. What only training does, dropout, is not drawn.

    `from_estimator` makes and draws one.

    Parameters
    ----------
    weights : list of ndarray of shape (n_in, n_out) or (n_out,)
        W of each layer, or what its numbers are multiplied by one by one.
    biases : list of ndarray of shape (n_out,), or None
        b of each layer; None where it has no bias.
    activations : list of str
        The name of each layer's activation.
    kinds : list of str or None
        What is written below each layer, such as "layer normalisation tanh"; "" for the name of its activation.
    links : list of int, or None
        For each layer the one whose outputs a residual link adds to its own, counted from 1, 0 for the inputs; None for
        none.
    input_names, output_names : list of str or None
        What the inputs and outputs are; None calls them x_1, x_2, ... and o_1, o_2, ...

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
        Where it was drawn.
    shown_ : list of list of int
        Of the inputs and of each layer, which neurons are drawn, from 0.
    lines_ : list of LineCollection
        The weights of each layer, ``W[np.ix_(shown_[l], shown_[l + 1])].ravel()`` of a matrix.
    neurons_ : list of PathCollection
        The inputs, then the neurons of each layer.
    dots_ : list of PathCollection
        One for each layer that is not drawn whole.
    input_texts_, output_texts_ : list of Text
        The names of the drawn inputs and outputs.
    layer_texts_ : list of Text
        Below the inputs and each layer: how many there are, and the activation.
    weight_texts_ : list of list of Text
        The written weights of each layer, in the order of `lines_`; empty lists if they are not written.
    bias_texts_ : list of list of Text
        The written biases of each layer.
    links_ : list of PathPatch
        The residual links, by the layers at which they end.
    colorbar_ : Colorbar or None
        The scale of the colours.

    Raises
    ------
    ParameterError
        If layers do not fit one another, or there are not as many names as inputs or outputs.
    """

    input_names: list[str] | None
    output_names: list[str] | None
    kinds: list[str]
    ax_: Axes
    figure_: Figure
    shown_: list[list[int]]
    lines_: list[LineCollection]
    neurons_: list[PathCollection]
    dots_: list[PathCollection]
    input_texts_: list[Text]
    output_texts_: list[Text]
    layer_texts_: list[Text]
    weight_texts_: list[list[Text]]
    bias_texts_: list[list[Text]]
    links_: list[PathPatch]
    colorbar_: Colorbar | None

    def __init__(
        self,
        *,
        weights: list[FloatArray],
        biases: list[FloatArray | None],
        activations: list[str],
        kinds: list[str] | None = None,
        links: list[int | None] | None = None,
        input_names: Sequence[str] | None = None,
        output_names: Sequence[str] | None = None,
    ) -> None:
        weights, biases, activations = _checked_layers(weights, biases, activations)
        self.weights = weights
        self.biases = biases
        self.activations = activations
        self.kinds = _checked_each("kinds", kinds, "", weights)
        self.links: list[int | None] = _checked_links(links, weights)
        self.input_names = _checked_names("input_names", input_names, weights[0].shape[0], "inputs")
        self.output_names = _checked_names("output_names", output_names, weights[-1].shape[-1], "outputs")

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        member: int = 1,
        input_names: Sequence[str] | None = None,
        output_names: Sequence[str] | None = None,
        max_neurons: int = 12,
        include_values: bool | None = None,
        digits: int = 2,
        cmap: str | Colormap | None = None,
        colorbar: bool = True,
        ax: Axes | None = None,
    ) -> NetworkDisplay:
        """Draw the network of an estimator.

        Parameters
        ----------
        estimator : MLPClassifier, MLPRegressor, Pipeline, TableModel, Network or Ensemble
            Fitted; a pipeline ends with one of the first two.
        member : int
            Of an ensemble, which network, the first being 1.
        input_names, output_names : list of str or None
            None takes the names of the columns and classes, where the estimator knows them. The one output neuron of a
            classifier of two classes has the name of the second class, whose probability it gives.
        max_neurons : int
            Of a layer of more neurons, at least 3, the first `max_neurons` − 2 and the last are drawn.
        include_values : bool or None
            Whether weights and biases are written; None writes them if there are at most 30 weights.
        digits : int
            To how many significant digits.
        cmap : str, Colormap or None
            The colours from the most negative to the most positive number; None takes orange and blue.
        colorbar : bool
            Whether the scale of the colours is drawn.
        ax : matplotlib Axes or None
            Where to draw; None makes a new figure, as large as the diagram needs.

        Returns
        -------
        NetworkDisplay
            With `ax_`, `figure_` and everything drawn.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the estimator is not fitted.
        ParameterError
            If there is no network in it, or none of this number, there are not as many names as inputs or outputs, or a
            weight is not finite.
        ReseauError
            If matplotlib is not installed, or the network does not know its inputs yet.

        Examples
        --------
        >>> import reseau as rs
        >>> net = rs.Network(rs.Dense(2, "tanh"), rs.Dense(1, "sigmoid"), inputs=3, seed=0)
        >>> display = rs.NetworkDisplay.from_estimator(net, input_names=["age", "height", "mass"])
        >>> [text.get_text() for text in display.input_texts_]
        ['age', 'height', 'mass']
        >>> bool((display.lines_[0].get_array() == net.layers[0].W.ravel()).all())
        True
        """
        network, inputs, outputs = _opened(estimator, member)
        layers = steps(network)
        tensors = [[values.copy() for values in layer.tensors.values()] for layer in layers]
        ones = [np.ones(layer.n_out, network.dtype) for layer in layers]  # where numbers are passed on
        display = cls(
            weights=[found[0] if found else one for found, one in zip(tensors, ones, strict=True)],
            biases=[found[1] if len(found) > 1 else None for found in tensors],
            activations=[layer.layer.sigma.name for layer in layers],
            kinds=[layer.words for layer in layers],
            links=[layer.link for layer in layers],
            input_names=inputs if input_names is None else input_names,
            output_names=outputs if output_names is None else output_names,
        )
        return display.plot(
            ax, max_neurons=max_neurons, include_values=include_values, digits=digits, cmap=cmap, colorbar=colorbar
        )

    def plot(
        self,
        ax: Axes | None = None,
        *,
        max_neurons: int = 12,
        include_values: bool | None = None,
        digits: int = 2,
        cmap: str | Colormap | None = None,
        colorbar: bool = True,
    ) -> NetworkDisplay:
        """Draw the diagram into `ax`, or into a new figure; parameters are those of `from_estimator`.

        The diagram fits the size that the axes have now; its data coordinates are points, 1/72 of an inch.

        Returns
        -------
        NetworkDisplay
            Itself, with what was drawn among its attributes.

        Raises
        ------
        ParameterError
            For a number out of its range, or colours that matplotlib does not know.
        """
        require_matplotlib()
        import matplotlib as mpl
        from matplotlib.cm import ScalarMappable
        from matplotlib.colors import CenteredNorm

        check_axes(ax)
        colorbar = boolean("colorbar", colorbar)
        include_values = None if include_values is None else boolean("include_values", include_values)
        max_neurons = integer("max_neurons", max_neurons, low=3)
        write = TextSetter("en", integer("digits", digits, low=1)).number
        widths = [self.weights[0].shape[0], *(W.shape[-1] for W in self.weights)]
        self.shown_ = [[*range(n)] if n <= max_neurons else [*range(max_neurons - 2), n - 1] for n in widths]
        W = [
            w[np.ix_(*places)] if w.ndim == 2 else w[places[1]]
            for w, *places in zip(self.weights, self.shown_, self.shown_[1:], strict=False)
        ]
        b = [None if v is None else v[places] for v, places in zip(self.biases, self.shown_[1:], strict=True)]
        largest = float(np.max([np.abs(numbers).max() for numbers in [*W, *b] if numbers is not None]))
        if not np.isfinite(largest):
            raise ParameterError(
                "The network has weights that are not finite, which have no colour; train it again, with a smaller "
                "learning rate."
            )
        values = sum(w.size for w in W) <= MOST_WRITTEN if include_values is None else include_values
        slots = [min(n, max_neurons) for n in widths]

        fontsize = float(mpl.rcParams["font.size"])
        names = [
            _labels(self.input_names, "x", self.shown_[0]),
            _labels(self.output_names, "o", self.shown_[-1]),
        ]
        if ax is None:
            import matplotlib.pyplot as plt

            letters = sum(max(len(name.replace("$", "")) for name in side) for side in names)
            column, row = (COLUMN_WITH_NUMBERS, ROW_WITH_NUMBERS) if values else (COLUMN, ROW)
            width = column * (len(widths) - 1) + 0.6 * fontsize * letters + 3 * NEURON + COLORBAR * bool(colorbar)
            height = row * max(slots) + 4 * fontsize + NEURON + self._head()
            size = (max(width / POINTS, 5.0), max(height / POINTS, 3.2))
            _, ax = plt.subplots(figsize=size, layout="constrained")
        self.ax_ = ax
        figure: Any = ax.figure
        self.figure_ = figure
        ax.set_xticks([])
        ax.set_yticks([])
        ax.spines[:].set_visible(False)
        ax.grid(False)
        ax.set_aspect("auto")

        ground, ink = ground_of(ax), mpl.rcParams["text.color"]
        colours = ScalarMappable(CenteredNorm(0, halfrange=largest or 1.0), colormap(cmap, ground, ink))
        self.colorbar_ = None
        if colorbar:
            what = "weight" if all(v is None for v in b) else "weight (line), bias (neuron)"
            bar: Colorbar = figure.colorbar(colours, ax=ax, shrink=0.8, aspect=25)
            bar.set_label(what, labelpad=8)
            bar.outline.set_visible(False)
            self.colorbar_ = bar

        def text(words: str, **options: Any) -> Text:
            """Text of the diagram, at a place that is found later."""
            return ax.text(0, 0, words, fontsize=fontsize, color=ink, **options)

        # A $ in a name begins no formula; the names of none do.
        self.input_texts_, self.output_texts_ = (
            [text(name, ha=side, va="center", parse_math=given is None) for name in labels]
            for labels, side, given in zip(names, ("right", "left"), (self.input_names, self.output_names), strict=True)
        )
        self.layer_texts_ = [
            text(words, ha="center", va="top", linespacing=1.3)
            for words in _footers(widths, self.activations, self.kinds)
        ]
        at, diameter = self._places(slots, values)
        self._draw_neurons(at, slots, diameter, b, colours, ground, ink)
        self._draw_weights(at, W, colours, largest or 1.0)
        self._draw_links(at, diameter, ink)
        self.weight_texts_ = [[] for _ in W]
        self.bias_texts_ = [[] for _ in W]
        if values:
            self._write_values(at, diameter, W, b, colours, ground, ink, write)
        return self

    def _levels(self) -> dict[int, int]:
        """Of each layer at which a residual link ends, how many arcs high it is: one more than those below it."""
        links = {end: start for end, start in enumerate(self.links, start=1) if start is not None}
        levels: dict[int, int] = {}
        for end, start in sorted(links.items(), key=lambda link: link[0] - link[1]):
            below = [level for other, level in levels.items() if start < other <= end or start <= links[other] < end]
            levels[end] = 1 + max(below, default=0)
        return levels

    def _head(self) -> float:
        """How much room residual links need above the layers."""
        return ARC * max(self._levels().values(), default=0)

    def _places(self, slots: list[int], values: bool) -> tuple[list[Points], float]:
        """Put the texts into their places; return those of the drawn neurons, (n, 2) for each layer, and their size."""
        ax = self.ax_
        root: Any = self.figure_.canvas.figure  # of a subfigure too
        sides = [self.input_texts_, self.output_texts_]
        for text in [*sides[0], *sides[1], *self.layer_texts_]:
            text.set_in_layout(False)  # it is not in its place yet
        root.draw_without_rendering()  # a layout manager places the axes only then
        box = ax.get_window_extent()
        unit = POINTS / root.dpi
        width, height = max(box.width * unit, 1.0), max(box.height * unit, 1.0)
        ax.set_xlim(0, width)
        ax.set_ylim(0, height)

        def across(texts: list[Text]) -> float:
            return float(max(text.get_window_extent().width for text in texts) * unit)

        foot = max(text.get_window_extent().height for text in self.layer_texts_) * unit + 2 * GAP
        row = max(height - foot - self._head(), 1.0) / max(slots)
        diameter = min(NEURON_WITH_NUMBER if values else NEURON, 0.75 * row)

        # Names: not higher than a row, and in all not wider than half of the axes, or than what the layers leave.
        size = float(self.input_texts_[0].get_fontsize())
        room = max(0.5 * width, width - 0.5 * COLUMN * len(slots))
        factor = min(1.0, row / (1.3 * size), room / sum(across(side) for side in sides))
        for texts in sides:
            for text in texts:
                text.set_fontsize(max(size * factor, SMALLEST_FONT))
        half = across(self.layer_texts_) / 2
        left, right = (max(across(texts) + GAP + diameter / 2, half) + GAP for texts in sides)
        xs = np.linspace(left, width - right, len(slots))
        column = (width - left - right) / (len(slots) - 1)
        diameter = min(diameter, max(0.5 * column, 1.0))
        factor = min(1.0, max(column, 1.0) / (2 * half + GAP))
        for x, text in zip(xs, self.layer_texts_, strict=True):
            text.set_fontsize(max(size * factor, SMALLEST_FONT))
            text.set_position((float(x), foot - GAP))
            text.set_in_layout(True)

        at = []
        for x, n, drawn in zip(xs, slots, self.shown_, strict=True):
            ys = foot + row * (max(slots) + n - 1) / 2 - row * np.arange(n)
            if len(drawn) < n:  # the last slot but one is for the dots
                ys = np.delete(ys, -2)
            at.append(np.column_stack([np.full(len(drawn), x), ys]))
        for texts, places, shift in zip(sides, (at[0], at[-1]), (-1, 1), strict=True):
            for text, (x, y) in zip(texts, places, strict=True):
                text.set_position((x + shift * (diameter / 2 + GAP), y))
                text.set_in_layout(True)
        return at, diameter

    def _draw_neurons(
        self,
        at: list[Points],
        slots: list[int],
        diameter: float,
        b: list[FloatArray | None],
        colours: Any,
        ground: Any,
        ink: Any,
    ) -> None:
        self.neurons_, self.dots_ = [], []
        for places, n, biases in zip(at, slots, [None, *b], strict=True):
            look: dict[str, Any] = {"facecolors": [ground]}
            if biases is not None:
                look = {"c": biases, "cmap": colours.cmap, "norm": colours.norm}
            x, y = places.T
            self.neurons_.append(
                self.ax_.scatter(x, y, s=diameter**2, edgecolors=ink, linewidths=1.0, zorder=3, **look)
            )
            if len(places) < n:
                step = (y[-2] - y[-1]) / 8
                dots = (y[-2] + y[-1]) / 2 + step * np.array([1, 0, -1])
                size = min(0.15 * diameter, 3.5)
                self.dots_.append(self.ax_.scatter(x[[0] * 3], dots, s=size**2, color=ink, zorder=3))

    def _draw_weights(self, at: list[Points], W: list[FloatArray], colours: Any, largest: float) -> None:
        from matplotlib.collections import LineCollection

        self.lines_ = []
        for starts, ends, weights in zip(at, at[1:], W, strict=False):
            size = np.abs(weights.ravel()) / largest
            segments = np.stack(joined(starts, ends, weights), axis=1)
            faintest, thinnest, thickest = FEW_LINES if weights.size <= MANY else MANY_LINES
            lines = LineCollection(
                list(segments),
                array=weights.ravel(),
                cmap=colours.cmap,
                norm=colours.norm,
                linewidths=thinnest + (thickest - thinnest) * size,
                alpha=faintest + (1 - faintest) * size,
                zorder=1,
            )
            self.ax_.add_collection(lines, autolim=False)
            self.lines_.append(lines)

    def _draw_links(self, at: list[Points], diameter: float, ink: Any) -> None:
        """Draw each residual link from above the first neuron of the layer where it begins to that where it ends."""
        from matplotlib.patches import PathPatch
        from matplotlib.path import Path

        self.links_ = []
        top = max(float(places[0, 1]) for places in at) + diameter / 2
        for end, level in sorted(self._levels().items()):
            start = self.links[end - 1]
            assert start is not None
            (x0, y0), (x1, y1) = (at[place][0] + [0, diameter / 2] for place in (start, end))
            high = top + ARC * level * 4 / 3  # of which a curve reaches three quarters
            code = [Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4]
            path = Path([(x0, y0), (x0, high), (x1, high), (x1, y1)], code)
            patch = PathPatch(path, facecolor="none", edgecolor=ink, linewidth=1.2, linestyle="--", zorder=2)
            self.ax_.add_patch(patch)
            self.links_.append(patch)

    def _write_values(
        self,
        at: list[Points],
        diameter: float,
        W: list[FloatArray],
        b: list[FloatArray | None],
        colours: Any,
        ground: Any,
        ink: Any,
        write: Any,
    ) -> None:
        """Write each weight on its line, and each bias in its neuron."""
        unit = POINTS / self.figure_.dpi
        size = 0.85 * float(self.input_texts_[0].get_fontsize())
        for layer, (starts, ends, weights, biases) in enumerate(zip(at, at[1:], W, b, strict=False)):
            shades = colours.to_rgba(weights.ravel())
            texts = self.weight_texts_[layer] = [
                self.ax_.text(
                    0,
                    0,
                    write(float(w)),
                    fontsize=size,
                    color=ink,
                    ha="center",
                    va="center",
                    zorder=2,
                    bbox={"boxstyle": "round,pad=0.15", "facecolor": ground, "edgecolor": shade, "linewidth": 0.8},
                )
                for w, shade in zip(weights.ravel(), shades, strict=True)
            ]
            boxes = [text.get_window_extent() for text in texts]
            sizes = np.array([[box.width * unit, box.height * unit] for box in boxes]) + 0.45 * size
            middles = apart(starts, ends, sizes, diameter / 2) if weights.ndim == 2 else (starts + ends) / 2
            for text, place in zip(texts, middles, strict=True):
                text.set_position(tuple(place))
            if biases is None:
                continue
            for (x, y), bias in zip(ends, biases, strict=True):
                shade = colours.to_rgba(bias)
                text = self.ax_.text(
                    x,
                    y,
                    write(float(bias)),
                    fontsize=size,
                    color="black" if lightness(shade) > MIDDLE else "white",
                    ha="center",
                    va="center",
                    zorder=4,
                )
                text.set_fontsize(size * min(1.0, 0.85 * diameter / (text.get_window_extent().width * unit)))
                self.bias_texts_[layer].append(text)


def _opened(estimator: Any, member: int) -> tuple[Network, list[str] | None, list[str] | None]:
    """The network in an estimator, or that member of an ensemble, and what inputs and outputs are called, if known."""
    before, inner = None, estimator
    if not isinstance(estimator, Model):
        from sklearn.pipeline import Pipeline

        if isinstance(estimator, Pipeline):
            before, inner = estimator[:-1], estimator[-1]
    if not isinstance(inner, Model):
        kind = estimator if isinstance(estimator, type) else type(estimator)
        hint = "; of a search give its best_estimator_" if hasattr(estimator, "estimator") else ""
        raise ParameterError(
            f"estimator is {'the class' if kind is estimator else 'of'} {kind.__module__}.{kind.__qualname__}, but "
            "must be a fitted MLPClassifier or MLPRegressor of reseau, a pipeline that ends with one, a TableModel, "
            f"an Ensemble or a Network{hint}."
        )
    parts = inner.parts()
    inputs = parts.encoder.names
    given = getattr(estimator, "feature_names_in_", None)
    if inputs is None and before is not None and len(before) and given is not None:
        try:
            inputs = [str(name) for name in before.get_feature_names_out(given)]
        except AttributeError:  # a step does not name what it gives
            inputs = None
    return member_of(parts.network, member), inputs, parts.decoder.names


def _checked_layers(weights: Any, biases: Any, activations: Any) -> tuple[list[Any], list[Any], list[str]]:
    """W, b and the activation of each layer, whose shapes fit one another."""
    for parameter, values in (("weights", weights), ("biases", biases), ("activations", activations)):
        if not isinstance(values, list | tuple):
            raise ParameterError(f"{parameter} is {shown(values)}, but must be a list with an entry for each layer.")
    if not len(weights) == len(biases) == len(activations) > 0:
        raise ParameterError(
            f"weights, biases and activations have {len(weights)}, {len(biases)} and {len(activations)} entries, but "
            "must have one for each layer."
        )
    n_in = None
    for layer, (W, b, activation) in enumerate(zip(weights, biases, activations, strict=True), start=1):
        if not isinstance(W, np.ndarray) or W.ndim not in (1, 2) or W.dtype.kind != "f" or len(W) != (n_in or len(W)):
            raise ParameterError(
                f"the weights of layer {layer} are no matrix W (n_in, n_out) on the layer before, nor a number for "
                "each of its neurons."
            )
        n_in = W.shape[-1]
        if b is not None and not (isinstance(b, np.ndarray) and b.shape == (n_in,) and b.dtype.kind == "f"):
            raise ParameterError(f"the biases of layer {layer} must be an array of shape ({n_in},), or None.")
        known(f"the activation of layer {layer}", activation, ACTIVATIONS)
    return list(weights), list(biases), list(activations)


def _checked_each(parameter: str, values: Any, otherwise: Any, weights: list[Any]) -> list[Any]:
    """An entry for each layer, or the same for all."""
    if values is None:
        return [otherwise] * len(weights)
    if not isinstance(values, list | tuple) or len(values) != len(weights):
        raise ParameterError(
            f"{parameter} is {shown(values)}, but must be a list with an entry for each of the {len(weights)} layers."
        )
    return list(values)


def _checked_links(links: Any, weights: list[Any]) -> list[int | None]:
    """The residual links, each from an earlier layer that is as wide."""
    found: list[int | None] = _checked_each("links", links, None, weights)
    widths = [len(weights[0]), *(W.shape[-1] for W in weights)]
    for layer, start in enumerate(found, start=1):
        if start is None:
            continue
        if type(start) is not int or not 0 <= start < layer or widths[start] != widths[layer]:
            raise ParameterError(
                f"the link of layer {layer} begins at {shown(start)}, but must at an earlier layer of as many neurons, "
                "or at the inputs, 0."
            )
    return found


def _checked_names(parameter: str, names: Any, wanted: int, what: str) -> list[str] | None:
    if names is None:
        return None
    if isinstance(names, str) or not np.iterable(names):
        raise ParameterError(f"{parameter} is {names!r}, but must be a list of the names of the {wanted} {what}.")
    found = [str(name) for name in names]
    if len(found) != wanted:
        raise ParameterError(
            f"{parameter} has {len(found)} names, {found}, but the network has {wanted} {what}; give one name for each."
        )
    return found


def _labels(names: list[str] | None, letter: str, shown: list[int]) -> list[str]:
    if names is None:
        return [f"${letter}_{{{i + 1}}}$" for i in shown]
    lines = [visible(" ".join(names[i].split())) for i in shown]
    return [name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…" for name in lines]


def _footers(widths: list[int], activations: list[str], kinds: list[str]) -> list[str]:
    whats = ["input", *["neuron"] * (len(widths) - 2), "output"]
    counts = [f"{n} {what}{'s' if n > 1 else ''}" for n, what in zip(widths, whats, strict=True)]
    names = [(kind or activation).replace(" ", "\n") for kind, activation in zip(kinds, activations, strict=True)]
    return [f"{count}\n{name}" for count, name in zip(counts, [" ", *names], strict=True)]
