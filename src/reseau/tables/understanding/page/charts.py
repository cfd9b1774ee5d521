"""Charts in SVG, whose colours are variables of the page, so that light, dark and print are one drawing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from reseau.tables.reading.cells import Floats
from reseau.tables.understanding.page.markup import Html, Language, joined, plain, short_of, tag
from reseau.tables.understanding.page.seen import written_date

WIDTH, HEIGHT = 420.0, 260.0
LEFT, RIGHT, TOP, BOTTOM = 62.0, 12.0, 12.0, 42.0
TICKS_X, TICKS_Y = 6, 6
DATES = 3  # at an axis
LEAST_PLAIN, LARGEST_PLAIN = 1e-4, 1e6  # steps and numbers that are written without a power of ten
DIGITS = 4
WIDE = 30.0  # from such a ratio of the largest number to the smallest on, the scale of a curve is logarithmic
LABEL = 20  # characters of a label at an axis


class Scale:
    """Where numbers between two ends lie on an axis, plainly or by their logarithms."""

    def __init__(self, low: float, high: float, start: float, stop: float, *, log: bool = False) -> None:
        if not high > low:  # a single number lies in the middle
            apart = abs(low) * 1e-3 or 1.0
            low, high = (low / 2, low * 2) if log else (low - apart, low + apart)
        self.low, self.high, self.start, self.stop, self.log = low, high, start, stop, log

    def __call__(self, values: npt.ArrayLike) -> Floats:
        """The places; what lies beyond the ends is drawn at them."""
        v = np.clip(np.asarray(values, np.float64), self.low, self.high)
        low, high = self.low, self.high
        if self.log:
            v, low, high = np.log(v), float(np.log(low)), float(np.log(high))
        return np.asarray(self.start + (self.stop - self.start) * (v / 2 - low / 2) / (high / 2 - low / 2))

    def ticks(self, most: int) -> Floats:
        """Round numbers within the ends."""
        if self.log:
            powers = np.arange(np.ceil(np.log10(self.low) - 1e-9), np.floor(np.log10(self.high) + 1e-9) + 1)
            if 2 <= len(powers) <= most:
                return np.asarray(10.0**powers)
            if len(powers) > most:
                return np.asarray(10.0 ** powers[:: -(-len(powers) // most)])
            return np.geomspace(self.low, self.high, 3)
        return nice(self.low, self.high, most)


def nice(low: float, high: float, most: int) -> Floats:
    """Multiples of 1, 2 or 5 times a power of ten between two numbers, at most so many."""
    power = 10.0 ** np.floor(np.log10((high - low) / most))
    for factor in (1, 2, 5, 10, 20):
        step = factor * power
        first, last = np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9)
        if last - first < most:
            break
    return np.asarray(np.arange(first, last + 1) * step + 0.0)


class Chart:
    """A drawing with two axes, to which shapes are added; those that come later lie above."""

    def __init__(self, language: Language, x: Scale, y: Scale, *, width: float = WIDTH, height: float = HEIGHT) -> None:
        self.language, self.x, self.y, self.width, self.height = language, x, y, width, height
        self.shapes: list[Html] = []

    @classmethod
    def of(
        cls,
        language: Language,
        x: tuple[float, float],
        y: tuple[float, float],
        *,
        log_x: bool = False,
        log_y: bool = False,
        width: float = WIDTH,
        height: float = HEIGHT,
    ) -> Chart:
        """A chart of numbers between these ends."""
        across = Scale(*x, LEFT, width - RIGHT, log=log_x)
        up = Scale(*y, height - BOTTOM, TOP, log=log_y)
        return cls(language, across, up, width=width, height=height)

    def line(self, xs: npt.ArrayLike, ys: npt.ArrayLike, class_: str, opacity: float | None = None) -> None:
        """A line through points, with gaps where one is no number."""
        x, y = np.asarray(xs, np.float64), np.asarray(ys, np.float64)
        there = np.isfinite(x) & np.isfinite(y)
        px, py = self.x(x), self.y(y)
        parts, open_ = [], False
        for a, b, drawn in zip(px.tolist(), py.tolist(), there.tolist(), strict=True):
            if drawn:
                parts.append(f"{'L' if open_ else 'M'}{_place(a)} {_place(b)}")
            open_ = drawn
        if parts:
            self.shapes.append(tag("path", d="".join(parts), class_=f"line {class_}", opacity=opacity))

    def dots(self, xs: npt.ArrayLike, ys: npt.ArrayLike, class_: str, opacity: float | None = None) -> None:
        """A dot at each point, all of them one path."""
        parts = [f"M{_place(a)} {_place(b)}h0" for a, b in zip(self.x(xs).tolist(), self.y(ys).tolist(), strict=True)]
        if parts:
            self.shapes.append(tag("path", d="".join(parts), class_=f"dots {class_}", opacity=opacity))

    def whiskers(self, xs: npt.ArrayLike, low: npt.ArrayLike, high: npt.ArrayLike, class_: str) -> None:
        """An upright line from one number to another at each place."""
        ends = zip(self.x(xs).tolist(), self.y(low).tolist(), self.y(high).tolist(), strict=True)
        parts = [f"M{_place(a)} {_place(b)}V{_place(c)}" for a, b, c in ends]
        if parts:
            self.shapes.append(tag("path", d="".join(parts), class_=f"line {class_}"))

    def bars(self, edges: npt.ArrayLike, heights: npt.ArrayLike, class_: str) -> None:
        """A bar from 0 to each height, between edges."""
        places, floor = self.x(edges).tolist(), float(self.y(max(self.y.low, 0.0)))
        for a, b, top in zip(places, places[1:], self.y(heights).tolist(), strict=False):
            if floor - top > 0:
                width = max(b - a - 0.8, 0.4)
                rounded = (round(a, 1), round(top, 1), round(width, 1), round(floor - top, 1))
                x, y, w, h = rounded
                self.shapes.append(tag("rect", x=x, y=y, width=w, height=h, class_=class_))

    def across(self, y: float, class_: str = "guide") -> None:
        """A level line."""
        self.line([self.x.low, self.x.high], [y, y], class_)

    def upright(self, x: float, class_: str = "guide") -> None:
        """An upright line."""
        self.line([x, x], [self.y.low, self.y.high], class_)

    def drawing(
        self,
        told: str,
        x: str,
        y: str,
        *,
        labels: Sequence[str] | None = None,
        dates: bool = False,
        whole: bool = False,
        counts: bool = False,
    ) -> Html:
        """The whole, which those who do not see it are told of in words.

        Parameters
        ----------
        told : str
            What is seen.
        x, y : str
            What the axes are of.
        labels : sequence of str or None
            Of the places 0, 1, 2, ... of x, where these stand for names.
        dates : bool
            Whether x is in days since 1970, which are written as dates.
        whole, counts : bool
            Whether x, and whether y counts something.
        """
        floor, ticks = self.height - BOTTOM, []
        for label, place in self._marks(self.y, TICKS_Y, whole=counts):
            ticks.append(tag("path", d=f"M{LEFT} {place:.1f}H{self.width - RIGHT:g}", class_="grid"))
            ticks.append(words_at(LEFT - 6, place + 4, label, "end"))
        if labels is not None:
            marks = [(short_of(label, LABEL), float(self.x(i))) for i, label in enumerate(labels)]
        elif dates:
            days = np.linspace(self.x.low, self.x.high, DATES + 2)[1:-1]
            marks = [(written_date(float(np.round(day))), float(self.x(day))) for day in days]
        else:
            marks = self._marks(self.x, TICKS_X, whole=whole)
        turned = labels is not None and sum(len(label) for label, _ in marks) > 48
        for label, place in marks:
            if turned:
                at = f"rotate(-30 {place:.1f} {floor + 12:g})"
                ticks.append(tag("text", label, x=place, y=floor + 12, text_anchor="end", transform=at))
            else:
                ticks.append(words_at(place, floor + 16, label, "middle"))
        ticks.append(tag("path", d=f"M{LEFT} {floor:g}H{self.width - RIGHT:g}", class_="axis"))
        extra = 34.0 if turned else 0.0
        middle = (LEFT + self.width - RIGHT) / 2
        names = [words_at(middle, self.height - 6 + extra, plain(x), "middle", "of-axis")]
        turn = f"rotate(-90 12 {(TOP + floor) / 2:g})"
        names.append(
            tag("text", plain(y), x=12.0, y=(TOP + floor) / 2, text_anchor="middle", transform=turn, class_="of-axis")
        )
        return svg(self.width, self.height + extra, told, *ticks, *self.shapes, *names)

    def _marks(self, scale: Scale, most: int, *, whole: bool = False) -> list[tuple[str, float]]:
        """The numbers at an axis, as they are written, and where."""
        ticks = scale.ticks(most)
        if whole:
            ticks = np.unique(np.round(ticks))
        step = float(np.diff(ticks).min()) if len(ticks) > 1 and not scale.log else 0.0
        size = float(np.abs(ticks).max())
        if step >= LEAST_PLAIN and size < LARGEST_PLAIN:
            decimals = max(-int(np.floor(np.log10(step) + 1e-9)), 0)
            written = [self.language.fixed(tick, decimals) for tick in ticks.tolist()]
        else:
            written = [self.language.number(tick, DIGITS) for tick in ticks.tolist()]
        return list(zip(written, scale(ticks).tolist(), strict=True))


def svg(width: float, height: float, told: str, *shapes: Html, class_: str = "chart") -> Html:
    """A picture of this size, told in words to those who do not see it."""
    return tag(
        "svg",
        tag("title", plain(told)),
        *shapes,
        role="img",
        viewBox=f"0 0 {width:g} {height:g}",
        width=width,
        height=height,
        class_=class_,
    )


def words_at(x: float, y: float, words: str, anchor: str = "start", class_: str | None = None) -> Html:
    """A text in a picture."""
    return tag("text", words, x=round(x, 1), y=round(y, 1), text_anchor=anchor, class_=class_)


def bar(share: float, told: str, *, deviation: float = 0.0, width: float = 160.0, class_: str = "a") -> Html:
    """A level bar from the left, for a cell of a table, with a line of so many shares to either side of its end."""
    height, share = 14.0, min(max(share, 0.0), 1.0)
    shapes = [tag("rect", x=0, y=2, width=round(share * (width - 8), 1), height=height - 4, class_=class_)]
    if deviation > 0:
        low, high = ((min(max(share + sign * deviation, 0.0), 1.04)) * (width - 8) for sign in (-1, 1))
        shapes.append(tag("path", d=f"M{low:.1f} {height / 2:g}H{high:.1f}", class_="line ink"))
    return svg(width, height, told, *shapes, class_="spark")


def spark(heights: npt.ArrayLike, told: str, *, width: float = 96.0, height: float = 22.0) -> Html:
    """A small histogram for a cell of a table."""
    counts = np.asarray(heights, np.float64)
    step, most = width / max(len(counts), 1), max(float(counts.max(initial=0.0)), 1.0)
    parts = []
    for i, count in enumerate(counts.tolist()):
        if count:
            tall = max((height - 1) * count / most, 1.0)
            parts.append(f"M{i * step + 0.4:.1f} {height:g}v-{tall:.1f}h{max(step - 0.8, 0.6):.1f}v{tall:.1f}z")
    return svg(width, height, told, tag("path", d="".join(parts), class_="a"), class_="spark")


def figure(drawn: Html, caption: str) -> Html:
    """A picture with what is said of it."""
    return tag("figure", drawn, tag("figcaption", caption))


def pictures(*figures: Html) -> Html:
    """Pictures beside one another where there is room."""
    return tag("div", joined(*figures), class_="pictures")


def _place(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
