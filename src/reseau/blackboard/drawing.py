"""A network drawn with its numbers: what stands in the drawing, and where, whatever the form.

The unit is that of a screen's pixel: letters are `FONT` high. `reseau.blackboard.svg`, `tikz` and `figure` set it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import hypot
from typing import TypeAlias

import numpy as np

from reseau.formulas.trees import Expression
from reseau.formulas.typesetting import TextSetter
from reseau.notebook.places import Points, apart

Label: TypeAlias = "tuple[Expression | str, ...]"  # letters and numbers beside one another, such as e, "=", 0.5

FONT = 14.0
WIDE, NARROW = 0.64, 0.45  # of letters and of raised ones, in parts of their height: no usual font has wider figures
LINE = 18.0  # from one line of text to the next
LEAST_HALF = 22.0  # of a neuron's width
AIR, INSIDE = 8.0, 6.0  # between what stands side by side; within a neuron, beside its numbers
BETWEEN_NEURONS, LEAST_ROW = 16.0, 78.0  # with room enough for the numbers on the lines
LEAST_GAP, WIDER, MOST_TRIES = 60.0, 1.06, 60  # between layers, and by how much it is made larger until numbers fit
ARC = 24.0  # how much higher a residual link is drawn than those that it leads over
SHORTEST = 3.0  # piece of a line that is worth drawing
THINNEST, THICKEST = 0.7, 2.4


@dataclass(frozen=True)
class Neuron:
    """One place of a layer.

    Attributes
    ----------
    inside : tuple of Expression
        The numbers in it, one above the other.
    above : tuple
        What stands above it.
    beside : tuple of tuples
        What stands beside it, line by line: on the left of inputs, on the right of outputs.
    """

    inside: tuple[Expression, ...]
    above: Label = ()
    beside: tuple[Label, ...] = ()


@dataclass(frozen=True)
class Weight:
    """A line from a place of one layer to one of the next, both counted among those drawn, with its number."""

    start: int
    end: int
    label: Label = ()
    size: float = 0.0  # from −1 to 1, beside the others of its layer


@dataclass(frozen=True)
class Drawing:
    """A network with the numbers of one way, there or back.

    Attributes
    ----------
    title : str
        What it is called.
    described : str
        What it shows, for those who do not see it.
    caption : str
        How it is read.
    columns : tuple of tuples
        The inputs and the neurons of each layer; None stands for dots, where some are left out.
    below : tuple of str
        What stands below each column, line by line.
    weights : tuple of tuples
        The lines between each two columns.
    links : tuple of (int, int)
        Residual links, from one column to another.
    total : tuple
        The error, at the right end.
    back : bool
        Whether what it shows goes from right to left.
    """

    title: str
    described: str
    caption: str
    columns: tuple[tuple[Neuron | None, ...], ...]
    below: tuple[tuple[str, ...], ...]
    weights: tuple[tuple[Weight, ...], ...]
    links: tuple[tuple[int, int], ...]
    total: Label
    back: bool = False


# --- where it stands --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Stroke:
    """A straight line; `kind` is "plus" or "minus" for the sign of a weight, "plain", or "arrow" towards its end."""

    x0: float
    y0: float
    x1: float
    y1: float
    kind: str = "plain"
    width: float = 1.0


@dataclass(frozen=True)
class Arc:
    """A residual link, from above one layer to above another, as high as its two middle points."""

    x0: float
    y0: float
    x1: float
    y1: float
    high: float


@dataclass(frozen=True)
class Written:
    """Some text, whose middle is at half its height; the anchor is "start", "middle" or "end"."""

    x: float
    y: float
    label: Label
    anchor: str = "middle"
    width: float = 0.0
    result: bool = False

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom."""
        left = self.x - {"start": 0.0, "middle": 0.5, "end": 1.0}[self.anchor] * self.width
        return left, self.y - FONT / 2, left + self.width, self.y + FONT / 2


@dataclass(frozen=True)
class Picture:
    """Everything at its place."""

    width: float
    height: float
    half: tuple[float, float]  # of the width and of the height of each neuron, whose ends are round
    neurons: tuple[tuple[float, float], ...]  # their middles
    strokes: tuple[Stroke, ...]
    arcs: tuple[Arc, ...]
    texts: tuple[Written, ...]
    dots: tuple[tuple[float, float], ...]


def plain(label: Label, setter: TextSetter) -> str:
    """A label as text."""
    return " ".join(piece if isinstance(piece, str) else setter.set(piece) for piece in label)


def measured(text: str) -> float:
    """About how wide a text is, and rather too wide."""
    small = sum(unicodedata.decomposition(c).startswith(("<super>", "<sub>")) for c in text)
    nothing = sum(bool(unicodedata.combining(c)) for c in text)
    return FONT * (WIDE * (len(text) - small - nothing) + NARROW * small)


class _Layout:
    """Finds the places of a drawing's parts."""

    def __init__(self, drawing: Drawing, setter: TextSetter) -> None:
        self.drawing, self.setter = drawing, setter
        neurons = [neuron for column in drawing.columns for neuron in column if neuron is not None]
        self.half = max([LEAST_HALF, *(self.width((n,)) / 2 + INSIDE for neuron in neurons for n in neuron.inside)])
        self.high = max(len(neuron.inside) for neuron in neurons) * LINE / 2 + 4
        self.above = above = LINE if any(neuron.above for neuron in neurons) else 0.0
        beside = max([0.0, *(len(neuron.beside) * LINE for neuron in neurons)])
        self.row = max(max(2 * self.high + above, beside) + BETWEEN_NEURONS, LEAST_ROW)
        self.levels = _levels(drawing.links)
        self.top = AIR + above + ARC * max(self.levels.values(), default=0)
        self.rows = max(map(len, drawing.columns))

    def width(self, label: Label) -> float:
        """Of a label."""
        return measured(plain(label, self.setter))

    def reach(self, column: int) -> float:
        """How far a column reaches to each side of its middle."""
        neurons = [neuron for neuron in self.drawing.columns[column] if neuron is not None]
        above = max([0.0, *(self.width(neuron.above) / 2 for neuron in neurons if neuron.above)])
        return max(self.half, above) + 2

    def y(self, column: int, place: int) -> float:
        """Of the middle of a neuron."""
        count = len(self.drawing.columns[column])
        return self.top + self.high + self.row * (place + (self.rows - count) / 2)

    def places(self, column: int, x: float) -> Points:
        """Of all neurons of a column."""
        return np.array([[x, self.y(column, place)] for place in range(len(self.drawing.columns[column]))])

    def picture(self) -> Picture:
        """Everything at its place."""
        drawing = self.drawing
        foot = [max(measured(line) for line in lines) for lines in drawing.below]
        names = [self._beside(neuron) for neuron in drawing.columns[0] if neuron is not None]
        x = AIR + max(max(names, default=0.0) + AIR + self.half, self.reach(0), foot[0] / 2)
        xs, texts, strokes = [x], [], []
        for layer, weights in enumerate(drawing.weights):
            reach = max(self.reach(layer), self.reach(layer + 1))
            least = max(2 * reach + LEAST_GAP, (foot[layer] + foot[layer + 1]) / 2 + AIR)
            step, written = self._numbers(layer, weights, reach, least)
            texts += [_moved(text, xs[-1]) for text in written]
            strokes += [_moved_stroke(s, xs[-1]) for s in self._lines(layer, weights, step, written)]
            xs.append(xs[-1] + step)
        neurons: list[tuple[float, float]] = []
        dots: list[tuple[float, float]] = []
        for column, several in enumerate(drawing.columns):
            for place, neuron in enumerate(several):
                at = (xs[column], self.y(column, place))
                (dots if neuron is None else neurons).append(at)
                if neuron is not None:
                    texts += self._of_neuron(neuron, *at, column > 0)
        ys = [self.y(0, place) for place, neuron in enumerate(drawing.columns[0]) if neuron is not None]
        texts += [
            self._written(xs[0] - self.half - AIR, y, neuron.beside[0], "end")
            for y, neuron in zip(ys, filter(None, drawing.columns[0]), strict=True)
            if neuron.beside
        ]
        right = self._outcome(xs[-1], texts, strokes)
        bottom = self.top + (self.rows - 1) * self.row + 2 * self.high + AIR
        for x, lines in zip(xs, drawing.below, strict=True):
            for place, line in enumerate(lines):
                texts.append(self._written(x, bottom + LINE * (place + 0.5), (line,)))
        arcs = tuple(self._arc(start, end, xs) for start, end in drawing.links)
        height = bottom + LINE * max(map(len, drawing.below)) + AIR
        width = max(right, xs[-1] + foot[-1] / 2) + AIR
        return Picture(
            width, height, (self.half, self.high), tuple(neurons), tuple(strokes), arcs, tuple(texts), tuple(dots)
        )

    def _beside(self, neuron: Neuron) -> float:
        return max([0.0, *map(self.width, neuron.beside)])

    def _written(self, x: float, y: float, label: Label, anchor: str = "middle", result: bool = False) -> Written:
        return Written(x, y, label, anchor, self.width(label), result)

    def _of_neuron(self, neuron: Neuron, x: float, y: float, found: bool) -> Iterator[Written]:
        count = len(neuron.inside)
        for place, number in enumerate(neuron.inside):
            last = found and place == count - 1
            yield self._written(x, y + LINE * (place - (count - 1) / 2), (number,), result=last)
        if neuron.above:
            yield self._above(neuron, x, y)

    def _above(self, neuron: Neuron, x: float, y: float) -> Written:
        return self._written(x, y - self.high - FONT / 2 - 2, neuron.above)

    def _all_above(self, column: int, x: float) -> Iterator[Written]:
        for place, neuron in enumerate(self.drawing.columns[column]):
            if neuron is not None and neuron.above:
                yield self._above(neuron, x, self.y(column, place))

    def _numbers(
        self, layer: int, weights: Sequence[Weight], reach: float, least: float
    ) -> tuple[float, tuple[Written, ...]]:
        """How far apart two columns are, and the numbers on the lines between them, from the first column on."""
        sizes = np.array([[self.width(w.label) + 6, FONT + 4] if w.label else [0.0, 0.0] for w in weights])
        step = max(least, 2 * reach + 1.4 * float(sizes[:, 0].max(initial=0.0)))
        for _ in range(MOST_TRIES):
            middles = self._middles(layer, weights, sizes, reach, step)
            if not _overlap(middles, sizes):
                break
            step *= WIDER
        return step, tuple(
            self._written(float(x), float(y), weight.label)
            for (x, y), weight in zip(middles, weights, strict=True)
            if weight.label
        )

    def _middles(self, layer: int, weights: Sequence[Weight], sizes: Points, reach: float, step: float) -> Points:
        starts, ends = self.places(layer, 0.0), self.places(layer + 1, step)
        whole = len(weights) == len(self._drawn(layer)) * len(self._drawn(layer + 1))
        if whole and len(weights) > 1:
            edge = np.array([self.half, 0.0])
            starts, ends = starts[self._drawn(layer)] + edge, ends[self._drawn(layer + 1)] - edge
            return apart(starts, ends, sizes, reach - self.half)
        return np.array([(starts[w.start] + ends[w.end]) / 2 for w in weights]).reshape(-1, 2)

    def _drawn(self, column: int) -> list[int]:
        return [place for place, neuron in enumerate(self.drawing.columns[column]) if neuron is not None]

    def _lines(
        self, layer: int, weights: Sequence[Weight], step: float, written: Sequence[Written]
    ) -> Iterator[Stroke]:
        """The lines between two columns, which leave out where a text stands."""
        texts = [*written, *self._all_above(layer, 0.0), *self._all_above(layer + 1, step)]
        boxes = [(left - 2, top - 1, right + 2, bottom + 1) for left, top, right, bottom in (w.box for w in texts)]
        for weight in weights:
            line = self.half, self.y(layer, weight.start), step - self.half, self.y(layer + 1, weight.end)
            kind = "plus" if weight.size > 0 else "minus" if weight.size < 0 else "plain"
            width = THINNEST + (THICKEST - THINNEST) * abs(weight.size)
            for part in _outside(line, boxes):
                yield Stroke(*part, kind, width)

    def _outcome(self, x: float, texts: list[Written], strokes: list[Stroke]) -> float:
        """Write what stands beside the outputs, and the error; return where that ends on the right."""
        outputs = [
            (self.y(-1, place), neuron.beside)
            for place, neuron in enumerate(self.drawing.columns[-1])
            if neuron is not None and neuron.beside
        ]
        begin = x + self.half + 24
        end = begin + max([0.0, *(self.width(line) for _, lines in outputs for line in lines)])
        middle = self.top + self.high + self.row * (self.rows - 1) / 2
        for y, lines in outputs:
            strokes.append(self._arrow(x + self.half + 4, y, begin - 4, y))
            for place, line in enumerate(lines):
                texts.append(self._written(begin, y + LINE * (place - (len(lines) - 1) / 2), line, "start"))
            strokes.append(self._arrow(end + 4, y, end + 32, middle + (y - middle) * 0.1))
        texts.append(self._written(end + 36, middle, self.drawing.total, "start", result=True))
        return end + 36 + self.width(self.drawing.total)

    def _arrow(self, x0: float, y0: float, x1: float, y1: float) -> Stroke:
        return Stroke(x1, y1, x0, y0, "arrow") if self.drawing.back else Stroke(x0, y0, x1, y1, "arrow")

    def _arc(self, start: int, end: int, xs: Sequence[float]) -> Arc:
        tops = [self.y(column, 0) - self.high - self.above - 2 for column in (start, end)]
        high = self.top - (self.top - AIR) * self.levels[start, end] / max(self.levels.values())
        arc = Arc(xs[start], tops[0], xs[end], tops[1], high)
        return Arc(arc.x1, arc.y1, arc.x0, arc.y0, high) if self.drawing.back else arc


def placed(drawing: Drawing, setter: TextSetter) -> Picture:
    """Find a place for everything, such that no text lies on another.

    Parameters
    ----------
    drawing : Drawing
        What is drawn.
    setter : TextSetter
        Of the numbers, by which their widths are known.
    """
    return _Layout(drawing, setter).picture()


def _levels(links: Sequence[tuple[int, int]]) -> dict[tuple[int, int], int]:
    """Of each residual link how many arcs high it is: one more than those that it leads over."""
    levels: dict[tuple[int, int], int] = {}
    for start, end in sorted(links, key=lambda link: link[1] - link[0]):
        below = [level for (a, b), level in levels.items() if a < end and start < b]
        levels[start, end] = 1 + max(below, default=0)
    return levels


def _overlap(middles: Points, sizes: Points) -> bool:
    """Whether any two boxes lie on one another."""
    away = np.abs(middles[:, None] - middles) - (sizes[:, None] + sizes) / 2
    return bool(np.triu((away < 0).all(axis=2), 1).any())


def _moved(text: Written, x: float) -> Written:
    return Written(text.x + x, text.y, text.label, text.anchor, text.width, text.result)


def _moved_stroke(stroke: Stroke, x: float) -> Stroke:
    return Stroke(stroke.x0 + x, stroke.y0, stroke.x1 + x, stroke.y1, stroke.kind, stroke.width)


Part: TypeAlias = tuple[float, float, float, float]


def _outside(line: Part, boxes: Sequence[Part]) -> Iterator[Part]:
    """What of a line lies outside boxes."""
    x0, y0, x1, y1 = line
    inside = sorted(found for box in boxes if (found := _within(line, box)) is not None)
    ends = [0.0]
    for first, last in inside:
        if first > ends[-1]:
            ends += [first, last]
        else:
            ends[-1] = max(ends[-1], last)
    ends.append(1.0)
    for a, b in zip(ends[::2], ends[1::2], strict=True):
        part = (x0 + a * (x1 - x0), y0 + a * (y1 - y0), x0 + b * (x1 - x0), y0 + b * (y1 - y0))
        if hypot(part[2] - part[0], part[3] - part[1]) >= SHORTEST and a < b:
            yield part


def _within(line: Part, box: Part) -> tuple[float, float] | None:
    """Between which parts of its length a line lies in a box."""
    x0, y0, x1, y1 = line
    first, last = 0.0, 1.0
    for start, along, low, high in ((x0, x1 - x0, box[0], box[2]), (y0, y1 - y0, box[1], box[3])):
        if along == 0:
            if not low < start < high:
                return None
            continue
        near, far = sorted(((low - start) / along, (high - start) / along))
        first, last = max(first, near), min(last, far)
    return (first, last) if first < last else None
