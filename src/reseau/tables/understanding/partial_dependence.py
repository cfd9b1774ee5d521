"""Partial dependence: what is predicted as one column changes, all others staying as they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from reseau.checks import integer
from reseau.tables.columns import kinds as columns_module
from reseau.tables.reading.cells import Floats, Labels
from reseau.tables.reading.table import read_table
from reseau.visible import plural, short

if TYPE_CHECKING:
    from reseau.tables.model import TableModel

MOST_ROWS, MOST_NUMBERS = 512, 1 << 22  # rows of which the mean is taken, and inputs of them together
MOST_LEVELS = 12  # of categories, where not otherwise asked
POINTS, MOST_POINTS = 32, 10_000


@dataclass(frozen=True, repr=False)
class Effect:
    """What is predicted as one column changes.

    Attributes
    ----------
    column : str
        Which.
    kind : str
        "number", "date", "time of day" (in hours), "boolean", "category" or "text".
    grid : ndarray of shape (points,)
        What the column is set to: numbers or dates (datetime64) in increasing order; labels, the most frequent first;
        or free texts, from the one that says least to the one that says most.
    answers : tuple of str
        What is predicted: the target, in its own unit, or the probabilities of classes, such as "species=Adelie".
    mean : ndarray of shape (points, answers)
        The mean prediction of rows, whose other columns are as they are: the partial dependence [1].
    lines : ndarray of shape (lines, points, answers)
        The predictions of some of these rows one by one: individual conditional expectations [2].
    rows : ndarray of shape (lines,)
        Which rows of the table these are, the first being 0.
    of_rows : int
        How many rows the mean is of.

    References
    ----------
    [1] J. Friedman, Greedy Function Approximation: A Gradient Boosting Machine, 2001.
    [2] A. Goldstein, A. Kapelner, J. Bleich, E. Pitkin, Peeking Inside the Black Box, 2015.
    """

    column: str
    kind: str
    grid: npt.NDArray[Any]
    answers: tuple[str, ...]
    mean: Floats
    lines: Floats
    rows: npt.NDArray[np.int64]
    of_rows: int

    def __repr__(self) -> str:
        points, lines = plural(len(self.grid), "point"), plural(len(self.lines), "line")
        answers = f"{len(self.answers)} answers" if len(self.answers) > 1 else short(self.answers[0])
        return f"Effect({short(self.column)}, a {self.kind}, on {answers}: {points}, {lines})"


def effect(
    model: TableModel,
    table: Any,
    column: str,
    *,
    points: int | None = None,
    lines: int = 30,
    label: Any = None,
    seed: int = 0,
    threads: int | None = None,
) -> Effect:
    """How what a model predicts of the rows of a table follows one of its columns.

    Parameters
    ----------
    model : TableModel
    table : path, Table, data frame, dict or list of dicts
        The rows, as for `TableModel.predict`. Of more than 512 some are drawn.
    column : str
        One that the model uses.
    points : int or None
        Of a number or date how many quantiles it is set to, at least 2, from the smallest to the largest that there is;
        of a category how many levels, the most frequent ones. None takes 32, or 12 levels.
    lines : int
        Of how many rows the predictions are given one by one, at least 0.
    label : str, or a class as it is
        Whose probability, of classes. None takes the last of two, and each of more.
    seed : int
        Fixes which rows are drawn.
    threads : int or None
        At most as many threads; the result is the same for any number.

    Returns
    -------
    Effect
        Where columns go together in the table, some of the rows that this makes are such as never were.

    Raises
    ------
    DataError
        If a column is missing, a cell cannot be read, or this column has no value in any row.
    ParameterError
        For a column that the model does not use, an unknown class, and a number outside its range.

    Examples
    --------
    >>> import numpy as np
    >>> import reseau as rs
    >>> table = {"size": np.linspace(0, 1, 60), "sort": ["plain", "striped"] * 30}
    >>> model = rs.TableModel.train(table | {"price": 3 * table["size"]}, "price", preset="fast", epochs=20)
    >>> found = effect(model, table, "size", points=5)
    >>> found.answers, found.mean.shape, found.lines.shape
    (('price',), (5, 1), (30, 5, 1))
    >>> effect(model, table, "sort").grid.tolist()
    ['plain', 'striped']
    """
    points = None if points is None else integer("points", points, low=2, high=MOST_POINTS)
    lines, seed = integer("lines", lines, low=0), integer("seed", seed, low=0)
    read = read_table(table, **model.reading)
    name = columns_module.used_column(model.columns, column)
    target = model.target
    if label is not None:
        chosen = [target.place(label)]
    else:
        chosen = [1] if target.outputs == 2 else list(range(target.outputs))
    used = [description for description in model.columns if description.features]
    values = columns_module.read_columns(used, read)
    description, own = next((d, v) for d, v in zip(used, values, strict=True) if d.name == name)
    grid = description.grid(own, points or (MOST_LEVELS if isinstance(own, Labels) else POINTS))
    inputs = columns_module.inputs_of(used)
    width = sum(part.stop - part.start for part in inputs.values())
    rng = np.random.default_rng(seed)
    rows = np.arange(read.rows)
    most = max(min(MOST_ROWS, MOST_NUMBERS // width), 1)
    if read.rows > most:
        rows = np.sort(rng.choice(rows, most, replace=False))
    X = columns_module.encode(used, [v[rows] for v in values], len(rows))
    shown = description.shown(grid)
    part = np.empty((len(shown), inputs[name].stop - inputs[name].start), np.float32)
    description.encode(grid, part)
    told = np.empty((len(rows), len(shown), len(chosen)))
    for point, of_point in enumerate(part):
        X[:, inputs[name]] = of_point
        told[:, point] = target.predicted(model.network(X, threads=threads))[:, chosen]
    drawn = np.sort(rng.choice(len(rows), min(lines, len(rows)), replace=False))
    answers = tuple(target.answers[place] for place in chosen)
    return Effect(name, description.cell_kind, shown, answers, told.mean(axis=0), told[drawn], rows[drawn], len(rows))
