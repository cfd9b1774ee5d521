"""What is to be predicted: classes or a quantity, and the way from cells to `y` and back."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from reseau import cells as read
from reseau.checks import known
from reseau.columns import mean_and_deviation, plural
from reseau.errors import DataError, ParameterError
from reseau.table import quoted

if TYPE_CHECKING:
    from reseau.cells import Floats
    from reseau.table import Column

TASKS = ("classification", "regression")
# Whole numbers are classes if they are this few and each is met this often on average, or if they
# are only two.
MOST_NUMBER_CLASSES = 20
ROWS_PER_NUMBER_CLASS = 10
TYPES: dict[str, Any] = {
    "text": pa.large_string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
}

Codes = npt.NDArray[np.int64]
MISSING, UNKNOWN = -1, -2


@dataclass(frozen=True)
class Classes:
    """A target of classes, given back as they came: text as text, whole numbers as such.

    Parameters
    ----------
    name : str
        Of the column.
    type : str
        "text", "integer", "number" or "boolean".
    classes : tuple
        Sorted, at least two; `y` is the place in it.
    """

    name: str
    type: str
    classes: tuple[Any, ...]
    task: ClassVar[str] = "classification"

    def encode(self, column: Column) -> Codes:
        """Return the class of each row, (rows,); -1 where it is missing, -2 where unknown."""
        if self.type == "text":
            labels = read.label_codes(column.cells)
            place = {label: i for i, label in enumerate(self.classes)}
            table = [place.get(level, UNKNOWN) for level in labels.levels] + [MISSING]
            return np.array(table, np.int64)[labels.codes]
        values, odd = _values(column, self.type)
        classes = np.array(self.classes, np.float64)
        nearest = np.searchsorted(classes, np.nan_to_num(values)).clip(max=len(classes) - 1)
        codes = np.where(classes[nearest] == values, nearest, UNKNOWN)
        return np.where(np.isnan(values) & ~odd, MISSING, codes).astype(np.int64)

    def decode(self, codes: Codes) -> pa.Array:
        """Return the classes themselves, (rows,)."""
        return pa.array(self.classes, TYPES[self.type]).take(pa.array(codes))

    @property
    def labels(self) -> list[str]:
        """The classes as text, all different."""
        if self.type == "number":
            short = [f"{label:.15g}" for label in self.classes]
            return short if len(set(short)) == len(short) else [repr(label) for label in self.classes]
        return [str(label) for label in self.classes]


@dataclass(frozen=True)
class Quantity:
    """A target that is a number; the network learns (y - mean) / scale; `encode` gives y."""

    name: str
    mean: float
    scale: float
    task: ClassVar[str] = "regression"

    def encode(self, column: Column) -> Floats:
        """Return y, (rows,) in float64; NaN where it is missing."""
        values, odd = _values(column, "number")
        read.refuse_odd(column, odd, "is not a number, and the model predicts a number.")
        read.refuse_too_large(column, values)
        return values


Target = Classes | Quantity


def to_json(target: Target) -> dict[str, Any]:
    """Return the target as the model file holds it."""
    return {"task": target.task, **asdict(target)}


def from_json(entry: dict[str, Any]) -> Target:
    """Return the target that `to_json` wrote, of an entry as the schema of model files has it."""
    if entry["task"] == Classes.task:
        return Classes(entry["name"], entry["type"], tuple(entry["classes"]))
    return Quantity(entry["name"], float(entry["mean"]), float(entry["scale"]))


def recognise_target(column: Column, task: str | None = None) -> Target:
    """Say what a target is, from all of its cells that are not missing.

    Text and booleans are classes, and so are numbers that begin like a code (01). Other numbers are
    classes if there are only two different ones, or if they are whole, at most 20 different ones,
    each met ten times on average; else they are a quantity.

    Parameters
    ----------
    column : Column
    task : {"classification", "regression"} or None
        What it has to be; None decides by the rule above.

    Returns
    -------
    Classes or Quantity
        A quantity is not scaled yet (`scaled`).

    Raises
    ------
    DataError
        If nothing can be learned from it: all missing, a single class, text and numbers mixed, as
        many classes as rows.
    """
    if task is not None:
        known("task", task, TASKS)
    cells = column.cells
    where = f"the target {column.name!r}"
    if cells.null_count == len(cells):
        raise DataError(f"{where} is missing in every row; there is nothing to learn.")
    if pa.types.is_boolean(cells.type):
        if task == "regression":
            raise ParameterError(f"{where} holds booleans, which are classes; leave task to itself.")
        return _classes(column, "boolean")
    if read.is_date(cells):
        raise _dates(where)
    if not (read.is_text(cells) or read.is_number(cells)):
        raise DataError(f"{where} holds cells of type {cells.type}, which cannot be predicted.")
    values, odd = read.numbers(cells)
    n_numbers = int((~odd).sum()) - cells.null_count
    if odd.any() and n_numbers:
        raise _mixed(column, odd, n_numbers)
    if odd.any():
        if task == "regression":
            read.refuse_odd(column, odd, "is not a number, so it cannot be predicted as a quantity.")
        return _classes(column, "text")
    if task != "regression" and read.is_text(cells) and read.has_codes(cells):
        return _classes(column, "text")
    read.refuse_too_large(column, values)
    present = values[~np.isnan(values)]
    if not len(present):
        raise DataError(f"{where} is missing in every row; there is nothing to learn.")
    distinct = np.unique(present)
    whole = not np.mod(distinct, 1.0).any() and float(np.abs(distinct).max()) < 2**53
    few = len(distinct) <= MOST_NUMBER_CLASSES
    few = few and len(present) >= ROWS_PER_NUMBER_CLASS * len(distinct)
    if task is None:
        task = "classification" if len(distinct) <= 2 or (whole and few) else "regression"
    if len(distinct) == 1:
        raise DataError(f"{where} is {distinct[0]:g} in every row; there is nothing to learn.")
    if task == "classification":
        return _classes(column, "integer" if whole else "number")
    return Quantity(column.name, 0.0, 1.0)


def scaled(target: Quantity, y: Floats) -> Quantity:
    """Return the quantity with the mean and scale of the training rows; a `DataError` if they do not vary."""
    mean, deviation = mean_and_deviation(y)
    if not deviation:
        raise DataError(
            f"the target {target.name!r} varies too little to be learned: from {y.min():.15g} to {y.max():.15g} in "
            f"{plural(len(y), 'training row')}; give it in another unit, or as the difference from its mean."
        )
    return Quantity(target.name, mean, deviation)


def _classes(column: Column, kind: str) -> Classes:
    where = f"the target {column.name!r}"
    if kind == "text":
        classes: list[Any] = sorted(read.label_codes(column.cells).levels)
    else:
        values, _ = _values(column, kind)
        to = {"integer": int, "number": float, "boolean": bool}[kind]
        classes = [to(value) for value in np.unique(values[~np.isnan(values)])]
    present = len(column.cells) - column.cells.null_count
    if len(classes) == 1:
        raise DataError(f"{where} has a single class, {quoted(classes[0])}; there is nothing to learn.")
    if len(classes) > max(0.5 * present, 2):
        if kind == "text" and not all(read.dates(column.cells, order)[1].any() for order in read.DATE_ORDERS):
            raise _dates(where)
        raise DataError(
            f"{where} has {len(classes):,} classes in {plural(present, 'row')}: too few rows of each to learn "
            "from. Is it the right column? A number can be predicted with the task 'regression'."
        )
    return Classes(column.name, kind, tuple(classes))


def _dates(where: str) -> DataError:
    return DataError(
        f"{where} holds dates, which cannot be predicted; give it as a number, such as days since a given date."
    )


def _values(column: Column, kind: str) -> tuple[Floats, read.Mask]:
    return read.booleans(column.cells) if kind == "boolean" else read.numbers(column.cells)


def _mixed(column: Column, odd: read.Mask, n_numbers: int) -> DataError:
    """Labels of mixed types: name the first cell that is of the rarer sort."""
    n_texts = int(odd.sum())
    valid = ~read.mask(pc.is_null(column.cells))
    minority = odd if n_texts <= n_numbers else ~odd & valid
    row = int(minority.argmax())
    what, others = ("text", "numbers") if n_texts <= n_numbers else ("a number", "text")
    return DataError(
        f"the target {column.name!r} mixes text and numbers: {quoted(column.cells[row].as_py())} "
        f"({column.place(row)}) is {what} where {max(n_texts, n_numbers):,} cells are {others}. Correct it, leave "
        "it empty to drop the row, or make all labels text, such as 'class 1'."
    )
