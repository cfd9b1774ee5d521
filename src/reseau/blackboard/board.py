"""The blackboard of one or several learning steps: their numbers by name, and the forms in which they are set."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from reseau import engine
from reseau.arrays import FloatArray, IntArray
from reseau.blackboard import words
from reseau.blackboard.chalk import Names
from reseau.blackboard.exact import exactly, fractions
from reseau.blackboard.lesson import Lesson
from reseau.blackboard.named import Step
from reseau.blackboard.pictures import drawings
from reseau.blackboard.sheet import Curve, Line, Prose, Title
from reseau.blackboard.step import ROWS, Parts, Task, take
from reseau.checks import boolean, integer, known, shown
from reseau.engine.reference import dense_targets
from reseau.errors import ParameterError
from reseau.formulas.fractions import floats
from reseau.formulas.trees import Number
from reseau.formulas.typesetting import TextSetter
from reseau.formulas.words import LANGUAGES
from reseau.vocabulary.layers import Architecture
from reseau.vocabulary.optimizers import Optimizer

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from reseau.blackboard.drawing import Drawing
    from reseau.files.writing import Place

WAYS = ("forward", "backward")
LEAST_WIDTH = 40  # of text
OF_THE_HOUSE = {"focus", "lesson", "lines", "names", "rounding"}  # what a board has for other files, not for users
MOST_IN_FULL = 3  # steps; of more, only the first is written out


class Blackboard:
    """One or several learning steps of a network, worked out; `Network.blackboard` makes one.

    Its numbers are those of its `steps`; those of the first are also its own: ``board["dW1"]`` or ``board.dW1``. Text,
    HTML, LaTeX and Markdown show the same numbers rounded, `plot` and `to_png` draw the network with them, and a
    notebook computes them again.

    Attributes
    ----------
    steps : tuple of Step
        Each with its arrays by name.
    errors : ndarray of shape (steps + 1,)
        E before the first step and after each.
    difference : float or None
        By how much the native engine's outputs, error and gradient of the first step differ from these, at most, each
        relative to its largest number; None where that engine is not in force.

    Examples
    --------
    >>> import reseau as rs
    >>> net = rs.Network(rs.Dense(1, "sigmoid", bias=False), inputs=2, dtype="float64")
    >>> net.layers[0].W[...] = [[0.5], [-0.25]]
    >>> board = net.blackboard([[1.0, 2.0]], [[1.0]], learning_rate=0.5)
    >>> board.O, board.E, board.delta1
    (array([[0.5]]), array(0.125), array([[-0.125]]))
    >>> board.W1_new.tolist()
    [[0.5625], [-0.125]]
    >>> print(board.to_text()[:32])
    At the blackboard: a learning st
    """

    def __init__(
        self,
        steps: Sequence[Step],
        lang: str,
        digits: int,
        focus: Mapping[str | int, Sequence[int]],
        names: Names,
        difference: float | None,
    ) -> None:
        self.steps: tuple[Step, ...] = tuple(steps)
        self.lang = lang
        self.digits = digits
        self.focus = focus
        self.names = names
        self.difference = difference

    @property
    def errors(self) -> FloatArray:
        """E before the first step and after each."""
        return floats(np.array([self.steps[0].E[()], *(step.E_new[()] for step in self.steps)]))

    def __getitem__(self, name: str) -> FloatArray:
        return self.steps[0][name]

    def __getattr__(self, name: str) -> FloatArray:
        if name.startswith("_") or name == "steps":
            raise AttributeError(name)
        array: FloatArray = getattr(self.steps[0], name)
        return array

    def __dir__(self) -> list[str]:
        """The numbers of the first step by name, for those who press Tab after a point, and what every board has."""
        return sorted({*super().__dir__(), *self.steps[0].number_names} - OF_THE_HOUSE)

    def __repr__(self) -> str:
        widths = "-".join(map(str, self.steps[0].task.architecture.widths))
        return f"Blackboard({widths}, steps={len(self.steps)}, lang={self.lang!r})"

    # --- the forms ----------------------------------------------------------------------------------------------------

    def __str__(self) -> str:
        """Text as wide as the terminal, with colours where there is one."""
        stream = sys.stdout
        colour = stream is not None and stream.isatty() and "NO_COLOR" not in os.environ
        colour = colour and os.environ.get("TERM") != "dumb"
        return self._text(shutil.get_terminal_size().columns, colour)

    def to_text(self, path: Place | None = None, *, width: int = 80, colour: bool = False) -> str | None:
        """Plain text.

        Parameters
        ----------
        path : path, binary file object or None
            A file to write; None returns the text.
        width : int
            At most so many characters a line, as far as the matrices allow; less than 40 counts as 40.
        colour : bool
            Whether to colour titles and results, with the codes of terminals.
        """
        return _out(path, self._text(integer("width", width, low=1), colour))

    def _text(self, width: int, colour: bool) -> str:
        from reseau.blackboard import text

        return text.render(self.lines(), self._setter(TextSetter), max(width, LEAST_WIDTH), colour)

    def to_html(self, path: Place | None = None, *, slides: bool = False) -> str | None:
        """A page of HTML with MathML, which needs nothing else: no network, and but for slides no script.

        Parameters
        ----------
        path : path, binary file object or None
            A file to write; None returns the text.
        slides : bool
            Whether it is made of slides, a stage each, which are revealed step by step: the right arrow or the space
            bar goes on, the left arrow back, Home and End to the first and the last, a tap likewise. Where scripts are
            off it is a page to read; printed, each stage has a page of its own.

        Examples
        --------
        >>> import reseau as rs
        >>> net = rs.Network(rs.Dense(1, "sigmoid"), inputs=2, seed=0)
        >>> page = net.blackboard([[1, 2]], [[1]]).to_html(slides=True)
        >>> page.count('<section class="stage"')
        10
        """
        from reseau.blackboard import html
        from reseau.blackboard import slides as of_slides

        page = of_slides.page if boolean("slides", slides) else html.page
        return _out(path, page(list(self.lines()), self._setter(html.MathmlSetter)))

    def stages(self) -> list[tuple[str, str]]:
        """The board in its stages, as a lecture has them: the title of each, and what it shows as a part of a page.

        They are HTML with MathML, for which `reseau.blackboard.html.STYLE` is written, within an element of the class
        reseau-board.

        Examples
        --------
        >>> import reseau as rs
        >>> net = rs.Network(rs.Dense(1, "sigmoid"), inputs=2, seed=0)
        >>> stages = net.blackboard([[1, 2]], [[1]]).stages()
        >>> stages[3][0], stages[3][1][:17]
        ('2. Error', '<h2>2. Error</h2>')
        """
        from reseau.blackboard import html

        return html.stages(list(self.lines()), self._setter(html.MathmlSetter))

    def _repr_html_(self) -> str:
        """What notebooks show."""
        from reseau.blackboard import html

        return html.fragment(list(self.lines()), self._setter(html.MathmlSetter))

    def to_latex(self, path: Place | None = None, *, fragment: bool = False) -> str | None:
        """LaTeX: an article that compiles as it stands.

        Parameters
        ----------
        path : path, binary file object or None
            A file to write; None returns the text.
        fragment : bool
            Only what stands between begin and end of the document, for one of yours, which needs the package amsmath;
            the network is drawn where tikz is loaded too.
        """
        from reseau.blackboard import latex

        return _out(path, latex.render(list(self.lines()), self._setter(latex.LatexSetter), fragment))

    def to_markdown(self, path: Place | None = None) -> str | None:
        """Markdown with formulas in LaTeX between dollars, as GitHub, Jupyter and pandoc read them.

        Parameters
        ----------
        path : path, binary file object or None
            A file to write; None returns the text.
        """
        from reseau.blackboard import markdown

        return _out(path, markdown.render(list(self.lines()), self._setter(markdown.MarkdownSetter)))

    def to_ipynb(self, path: Place | None = None) -> str | None:
        r"""A Jupyter notebook: the stages as text, and cells that compute the same numbers with NumPy alone.

        Each cell ends in what it shows, such as ``Z1 = X @ W1 + b1`` and ``Z1``; its names are those of the board.

        Parameters
        ----------
        path : path, binary file object or None
            A file to write; None returns the text.

        Examples
        --------
        >>> import json
        >>> import reseau as rs
        >>> net = rs.Network(rs.Dense(1, "sigmoid"), inputs=2, seed=0)
        >>> notebook = json.loads(net.blackboard([[1, 2]], [[1]]).to_ipynb())
        >>> [cell["source"] for cell in notebook["cells"] if cell["source"].startswith("Z1 =")]
        ['Z1 = X @ W1 + b1\nZ1']
        """
        from reseau.blackboard import ipynb, markdown

        steps = [(step.task, dict(step)) for step in self._in_full]
        return _out(path, ipynb.notebook(list(self.lines()), steps, self._setter(markdown.MarkdownSetter)))

    @property
    def _in_full(self) -> tuple[Step, ...]:
        """The steps that are written out."""
        return self.steps if len(self.steps) <= MOST_IN_FULL else self.steps[:1]

    def plot(self, ax: Axes | None = None, *, way: str = "forward") -> Axes:
        """Draw the network with the numbers of the first step, by matplotlib.

        Parameters
        ----------
        ax : matplotlib Axes or None
            Where to draw, as large as they are now; None makes a new figure.
        way : {"forward", "backward"}
            Inputs, z and a in the neurons, weights on the lines, and the error; or on the way back δ in the neurons,
            and on the lines the derivatives of E with respect to the weights.

        Returns
        -------
        matplotlib Axes
            What was drawn into.

        Raises
        ------
        ReseauError
            If matplotlib is not installed.

        Examples
        --------
        >>> import reseau as rs
        >>> net = rs.Network(rs.Dense(1, "sigmoid"), inputs=2, seed=0)
        >>> board = net.blackboard([[1, 2]], [[1]])
        >>> board.plot(way="backward").get_title()
        'The network on the way back'
        """
        from reseau.blackboard import figure

        return figure.draw(self._drawings()[known("way", way, WAYS)], self._setter(TextSetter), ax)

    def to_png(self, path: Place | None = None) -> bytes | None:
        """A picture of the network with the numbers of the first step, there and back; it needs matplotlib.

        Parameters
        ----------
        path : path, binary file object or None
            A file to write; None returns the bytes.

        Raises
        ------
        ReseauError
            If matplotlib is not installed.
        """
        from reseau.blackboard import figure

        content = figure.png(list(self._drawings().values()), self._setter(TextSetter))
        if path is None:
            return content
        from reseau.files.writing import write_bytes

        write_bytes(path, content)
        return None

    def _drawings(self) -> dict[str, Drawing]:
        """The network of the first step, by the ways."""
        return dict(zip(WAYS, drawings(self.lesson(self.steps[0])), strict=True))

    def _setter(self, kind: Any) -> Any:
        return kind(self.lang, self.digits)

    # --- what stands on it --------------------------------------------------------------------------------------------

    def lesson(self, step: Step, blank: bool = False) -> Lesson:
        """The lines of one step."""
        return Lesson(step.task, dict(step), self.lang, self.focus, blank, self.names, self.digits)

    def rounding(self, lesson: Lesson) -> Prose:
        """How the numbers are shown."""
        exact = self.steps[0].X.dtype == object
        return lesson.prose(words.EXACT if exact else words.ROUNDED, digits=self.digits)

    def lines(self) -> Iterator[Line]:
        """Everything that stands on the board, from the top."""
        first, count = self.steps[0], len(self.steps)
        lesson = self.lesson(first)
        title = words.TITLE if count == 1 else words.SEVERAL
        yield Title(lesson.say(title, steps=count), 1)
        yield network_line(lesson)
        yield self.rounding(lesson)
        yield from lesson.given()
        for step in self._in_full:
            if count > 1:
                yield Title(lesson.say(words.IN_FULL, t=step.task.t), 2)
            yield from self._with_drawings(self.lesson(step))
        if count > 1:
            yield Title(lesson.say(words.CURVE), 2)
            yield Curve(
                lesson.say(words.CURVE),
                lesson.say(words.STEP),
                lesson.say(words.ERROR_WORD),
                tuple(self.errors.tolist()),
            )
        yield lesson.prose(words.COMPUTED_EXACTLY if first.X.dtype == object else words.COMPUTED)
        if self.difference is not None:
            yield Prose(words.DIFFERENCE.in_(self.lang), (("difference", Number(float(f"{self.difference:.1e}"))),))

    def _with_drawings(self, lesson: Lesson) -> Iterator[Line]:
        """The lines of a step, with the network drawn at the end of each way."""
        forward, backward = drawings(lesson)
        before = {lesson.say(words.BACKWARD): forward, lesson.say(words.UPDATE): backward}
        for line in lesson.step():
            if isinstance(line, Title) and line.level == 2 and line.text in before:
                yield before[line.text]
            yield line


def network_line(lesson: Lesson) -> Prose:
    """The network in a sentence."""
    architecture = lesson.task.architecture
    inputs, depth = architecture.inputs, len(architecture.layers)
    return lesson.prose(
        words.NETWORK,
        widths="-".join(map(str, architecture.widths)),
        inputs=lesson.say(words.ONE_INPUT) if inputs == 1 else lesson.say(words.INPUTS, count=inputs),
        layers=lesson.say(words.ONE_LAYER) if depth == 1 else lesson.say(words.LAYERS, count=depth),
    )


def _out(path: Place | None, text: str) -> str | None:
    if path is None:
        return text
    from reseau.files.writing import write_bytes

    write_bytes(path, text.encode())
    return None


# --- making one -------------------------------------------------------------------------------------------------------


def work_out(
    architecture: Architecture,
    parameters: FloatArray,
    X: FloatArray,
    T: FloatArray | IntArray,
    optimizer: Optimizer,
    *,
    steps: int = 1,
    exact: bool = False,
    lang: str = "en",
    digits: int = 4,
    focus: Mapping[str | int, int | Sequence[int]] | None = None,
    names: Names | None = None,
) -> Blackboard:
    """Work out some steps from checked samples X (rows, inputs) and targets T; see `Network.blackboard`."""
    known("lang", lang, LANGUAGES)
    if not isinstance(exact, bool):
        raise ParameterError(f"exact is {exact!r}, but must be True or False.")
    digits = integer("digits", digits, low=1, high=MOST_DIGITS)
    steps = integer("steps", steps, low=1)
    if exact and architecture.n_parameters + X.size > MOST_EXACT:
        raise ParameterError(
            f"exact=True works with fractions, and is for at most {MOST_EXACT:,} parameters and inputs; "
            f"there are {architecture.n_parameters + X.size:,}. Leave it out, or take a smaller network."
        )
    if names is not None and not isinstance(names, Names):
        raise ParameterError(f"names is {shown(names)}, but must be reseau.blackboard.Names, or None.")
    places = _places({} if focus is None else focus, architecture, X.shape[0])
    T = dense_targets(architecture, T, np.dtype(np.float64))
    as_read = (lambda array: fractions(array, array.dtype.type)) if exact else _decimal
    given: Parts = {"X": as_read(X), "T": as_read(T)}
    for l, view in enumerate(architecture.views(parameters), start=1):
        for name, values in view.items():
            given[f"{name}{l}"] = as_read(values)
    followed = optimizer.schedule
    rates = None if followed is None else followed.rates(0, steps, steps, losses=())
    task = Task(exactly(architecture) if exact else architecture, optimizer)
    states = [equation.left.name for equation in optimizer.equations if equation.state]
    tensors = [parameter.name for parameter in task.parameters]
    for tensor in tensors:
        for state in states:
            given[f"{state}_{tensor}_before"] = given[tensor] * 0
    done: list[Step] = []
    for t in range(1, steps + 1):
        task = Task(task.architecture, optimizer if rates is None else optimizer.at(float(rates[t - 1])), t)
        parts = take(task, given)
        done.append(Step(task, parts))
        given = {"X": parts["X"], "T": parts["T"]}
        for tensor in tensors:
            given[tensor] = parts[f"{tensor}_new"]
            for state in states:
                given[f"{state}_{tensor}_before"] = parts[f"{state}_{tensor}"]
    difference = _difference(architecture, done[0]) if engine.default_name() == "native" else None
    return Blackboard(done, lang, digits, places, names or Names(), difference)


MOST_DIGITS = 15  # double precision has no more
MOST_EXACT = 5000


def _decimal(array: FloatArray) -> FloatArray:
    """In double precision, with each number of a narrower type read as the decimal that stands for it."""
    return array.astype(np.float64) if array.dtype == np.float64 else array.astype(str).astype(np.float64)


def _places(
    focus: Mapping[str | int, int | Sequence[int]], architecture: Architecture, rows: int
) -> dict[str | int, list[int]]:
    """The places of each axis that are to be shown, from 0, by "rows" or the number of the layer (0: the inputs)."""
    depth = len(architecture.layers)
    axes: dict[str, list[str | int]] = {
        ROWS: [ROWS],
        "inputs": [0],
        "neurons": list(range(1, depth)),
        "outputs": [depth],
    }
    form = (
        "focus takes places, counted from 0, by axis: 'rows', 'inputs', 'neurons' (of every hidden layer), 'outputs', "
        f"or the number of a layer from 1 to {depth}, such as focus={{'outputs': [0, 2]}}"
    )
    if not isinstance(focus, Mapping):
        raise ParameterError(f"focus is {shown(focus)}. {form}.")
    out: dict[str | int, list[int]] = {}
    for key, value in focus.items():
        if isinstance(key, str) and key in axes:
            chosen_axes = axes[key]
        elif isinstance(key, int) and not isinstance(key, bool) and 1 <= key <= depth:
            chosen_axes = [key]
        else:
            raise ParameterError(f"focus has {key!r}, which is no axis of this network. {form}.")
        for axis in chosen_axes:
            size = rows if axis == ROWS else architecture.widths[int(axis)]
            several = isinstance(value, Sequence | np.ndarray) and not isinstance(value, str)
            wanted: list[Any] = list(value) if several else [value]  # type: ignore[arg-type]
            for place in wanted:
                if integer(f"focus[{key!r}]", place) >= size or place < -size:
                    raise ParameterError(
                        f"focus[{key!r}] holds {place}, counted from 0, but there are {size}: 0 to {size - 1}."
                    )
            out[axis] = sorted({int(place) % size for place in wanted})
    return out


def _difference(architecture: Architecture, step: Step) -> float | None:
    """The largest difference of the native engine's output, error and gradient, each relative to its largest number.

    None where these are not finite, and there is no difference to speak of.
    """
    X, T = (np.ascontiguousarray(floats(step[name])) for name in ("X", "T"))
    none = np.empty(0)
    w = np.concatenate([none, *(floats(step[parameter.name]).ravel() for parameter in step.task.parameters)])
    g = np.concatenate([none, *(floats(step[parameter.gradient]).ravel() for parameter in step.task.parameters)])
    native = engine.get("native")
    O = native.predictor(architecture, w, lambda: 1)(X, 1)
    assert O is not None  # X has been checked
    E, g_native = native.gradient(architecture, w, X, T, None, 0.0, 1)
    pairs = ((floats(step.O), O), (floats(step.E), np.asarray(E)), (g, g_native))
    with np.errstate(all="ignore"):
        differences = [float(np.max(np.abs(a - b)) / (np.max(np.abs(a)) or 1.0)) for a, b in pairs if a.size]
    return max(differences) if np.isfinite(differences).all() else None
