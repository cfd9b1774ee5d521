"""The targets that there are, by their task, and which of them a column is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from reseau.checks import known
from reseau.errors import DataError, ParameterError
from reseau.tables.columns.asked import NOTHING, Asked, option
from reseau.tables.columns.sentinels import sentinels
from reseau.tables.reading import cells as read
from reseau.tables.reading import dates, numerals
from reseau.tables.reading.table import listed, quoted
from reseau.tables.targets.classes import Classes, values_of
from reseau.tables.targets.quantity import Quantity
from reseau.tables.targets.target import Target
from reseau.training.metrics import METRICS
from reseau.visible import plural
from reseau.vocabulary.losses import NamedLoss, loss_of

if TYPE_CHECKING:
    from reseau.tables.reading.cells import Labels
    from reseau.tables.reading.table import Column

TARGETS: dict[str, type[Classes] | type[Quantity]] = {target.task: target for target in (Classes, Quantity)}
TASKS = tuple(TARGETS)
# Whole numbers are classes if they are this few and each is met this often on average, or if they
# are only two.
MOST_NUMBER_CLASSES = 20
ROWS_PER_NUMBER_CLASS = 10
LARGEST_INTEGER = 2**63 - 1


def from_json(entry: Mapping[str, Any], loss: NamedLoss) -> Target:
    """Return the target that its `to_json` wrote, of an entry as the schema of model files has it, and its loss."""
    return replace(TARGETS[entry["task"]].from_json(entry), loss=loss)


def recognise_target(
    column: Column, task: str | None = None, asked: Asked = NOTHING, mark: str = ""
) -> tuple[Target, list[str]]:
    """Say what a target is, from all of its cells that are not missing.

    Text and booleans are classes, and so are numbers that begin like a code (01). Other numbers are
    classes if there are only two different ones, or if they are whole, at most 20 different ones,
    each met ten times on average; else they are a quantity. Texts that mark a missing value among numbers
    are classes among texts.

    Parameters
    ----------
    column : Column
    task : {"classification", "regression"} or None
        What it has to be; None decides by the rule above.
    asked : Asked
        What the user says of columns, of this one too.
    mark : str
        The decimal mark that the table proves, "" if it proves none.

    Returns
    -------
    target : Classes or Quantity
        A quantity is not scaled yet (`fitted`).
    notes : list of str
        What the user should know of how it was taken.

    Raises
    ------
    DataError
        If nothing can be learned from it: all missing, a single class, numbers with a few texts among them,
        as many classes as rows.
    ParameterError
        For a task that is none, or that goes against what the column is asked to be.
    """
    if isinstance(task, str):
        task = task.strip().lower()
    if task is not None:
        known("task", task, TASKS)
    kind = asked.kinds.get(column.name, "")
    if kind == "date":
        raise ParameterError(
            f"the target {column.name!r} is asked to be a date, which cannot be predicted; give it as a number, such "
            "as days since a given date."
        )
    if task == "regression" and kind in ("category", "text"):
        raise ParameterError(
            f"the target {column.name!r} is asked to be {kind}, whose labels are no quantity; leave that out, or give "
            "the task classification."
        )
    if task is None:
        task = TASK_OF_KIND.get(kind or column.declared)
    return _Recognition(column, task, kind, asked, mark).result()


def task_of(loss: NamedLoss | None, metrics: Iterable[str]) -> str | None:
    """The task that a loss or metrics are of; None where they are of none, or of several, which is then refused."""
    name = None if loss is None else loss_of(loss).name
    tasks = {task for task, target in TARGETS.items() if name in target.losses}
    tasks |= {task for task, target in TARGETS.items() for metric in metrics if METRICS[metric].of == target.metrics_of}
    return tasks.pop() if len(tasks) == 1 else None


TASK_OF_KIND = {"category": "classification", "text": "classification", "number": "regression"}


@dataclass(frozen=True)
class _Recognition:
    """A target's column, and what is known beside it."""

    column: Column
    task: str | None
    kind: str
    asked: Asked
    mark: str

    @property
    def where(self) -> str:
        return f"the target {self.column.name!r}"

    def result(self) -> tuple[Target, list[str]]:
        cells = self.column.cells
        if cells.null_count == len(cells):
            raise DataError(f"{self.where} is missing in every row; there is nothing to learn.")
        if pa.types.is_boolean(cells.type):
            if self.task == "regression":
                raise ParameterError(f"{self.where} holds booleans, which are classes; leave task to itself.")
            return self._classes(read.label_codes(cells), "boolean"), []
        if read.is_date(cells):
            raise _dates(self.where)
        if not (read.is_text(cells) or read.is_number(cells)):
            raise DataError(f"{self.where} holds cells of type {cells.type}, which cannot be predicted.")
        return self._text() if read.is_text(cells) else self._numbers(cells, numerals.Notation())

    def _text(self) -> tuple[Target, list[str]]:
        """Text: numbers where nothing else is left without the marks of missing values, else classes."""
        cells = read.without(self.column.cells, (*read.MISSING, *self.asked.missing))
        if self.kind in ("text", "category") or cells.null_count == len(cells):
            return self._of_labels()
        plain = numerals.plain(cells, self.mark, self.asked.decimal)
        if plain is not None:
            return self._numbers(cells, plain[1])
        labels = read.label_codes(cells)
        evidence = numerals.evidence(labels.texts, labels.counts())
        asked = self.asked
        notation = numerals.found(evidence, self.mark, self.column.separator, asked.decimal, asked.thousands)
        _, odd_level = numerals.read(labels.column, notation.decimal, notation.unit)
        if self.task != "regression" and (odd_level.all() or numerals.code_among(labels.texts)):
            return self._of_labels()
        if odd_level.any():
            return self._of_numbers_and_texts(replace(self.column, cells=cells), labels, odd_level, notation)
        return self._numbers(cells, notation)

    def _of_numbers_and_texts(
        self, column: Column, labels: Labels, odd_level: read.Mask, notation: numerals.Notation
    ) -> tuple[Target, list[str]]:
        """Texts beside numbers: classes where the user says so, or each is met again and again, else refused."""
        _, odd = read.numbers(column.cells, notation.decimal, notation.unit)
        if self.task == "regression":
            if odd_level.all():
                read.refuse_odd(column, odd, "is not a number, nor is any other cell of the column.")
            leave_out = option("missing", column.cells[int(odd.argmax())].as_py())
            read.refuse_odd(
                column,
                odd,
                "is not a number, so it cannot be predicted as a quantity; correct it, or leave such rows out "
                f"({leave_out}).",
            )
        counts = labels.counts()
        often = counts.sum() >= ROWS_PER_NUMBER_CLASS * len(counts)  # each label, on average
        rarer = odd_level if 2 * counts[odd_level].sum() <= counts.sum() else ~odd_level
        if self.task is None and not (often and counts[rarer].min() > 1):
            raise _mixed(column, odd)
        target, notes = self._of_labels()
        if self.task is None:
            numbers, texts = (labels.texts.filter(pa.array(which)).to_pylist() for which in (~odd_level, odd_level))
            both = f"numbers ({listed(numbers, 3)}) and texts ({listed(texts, 3)})"
            notes.append(f"{both} in {self.column.name!r} are all taken for classes")
        return target, notes

    def _of_labels(self) -> tuple[Target, list[str]]:
        """Text as it is written, the usual marks of missing values too, but not those that the user names."""
        labels = read.label_codes(read.without(self.column.cells, self.asked.missing))
        target = self._classes(labels, "text")
        marks = [label for label in target.classes if label in read.MISSING]
        notes = self._read_as_missing(self.asked.missing)
        if marks:
            rows = int(sum(labels.counts()[labels.levels.index(label)] for label in marks))
            like = "is a class like the others" if len(marks) == 1 else "are classes like the others"
            out = " ".join(option("missing", label) for label in marks)
            notes.append(
                f"{listed(marks)} in {plural(rows, 'row')} of {self.column.name!r} {like}; {out} leaves them out"
            )
        return target, notes

    def _numbers(self, cells: pa.ChunkedArray, notation: numerals.Notation) -> tuple[Target, list[str]]:
        """Numbers, read from text or by their type: classes where they are few, else a quantity."""
        name, task = self.column.name, self.task
        cells = read.without(cells, self.asked.missing)
        values, _ = read.numbers(cells, notation.decimal, notation.unit)
        also = read.spelled(self.asked.missing, notation.decimal)
        values = read.blank(values, read.as_numbers(also, notation.decimal, notation.unit))
        read.refuse_too_large(self.column, values)
        present = values[~np.isnan(values)]
        if not len(present):
            raise DataError(f"{self.where} is missing in every row; there is nothing to learn.")
        distinct = np.unique(present)
        whole = not np.mod(distinct, 1.0).any()
        few = len(distinct) <= MOST_NUMBER_CLASSES
        few = few and len(present) >= ROWS_PER_NUMBER_CLASS * len(distinct)
        exact = not read.is_text(cells) and len(cells.drop_null().unique()) > len(distinct)
        if task is None:
            merged = exact and pa.types.is_integer(cells.type)
            task = "classification" if len(distinct) <= 2 or (whole and few) or merged else "regression"
        if len(distinct) == 1 and not exact:
            raise DataError(f"{self.where} is {distinct[0]:g} in every row; there is nothing to learn.")
        notes = list(notation.notes)
        notes += self._read_as_missing((*read.MISSING, *self.asked.missing))
        if task == "regression":
            notes += [f"the target {name!r}: {note}" for note in sentinels(self.column.cells, values)]
            if notation.unit:
                notes.append(f"{name!r} is predicted as a number in {notation.unit}")
            grouped = self.asked.groups(notation.decimal)
            grouped = grouped or (read.is_text(cells) and numerals.grouped(cells, notation.decimal))
            return Quantity(name, 0.0, 1.0, also, notation.decimal, notation.unit, grouped), notes
        commas = notation.decimal == "," and read.mask(pc.match_substring_regex(cells, "[.,]")).any()
        if notation.unit or commas:  # classes come back as they are written
            return self._of_labels()
        return self._classes(read.label_codes(cells), "integer" if whole else "number"), notes

    def _read_as_missing(self, marks: Sequence[str]) -> list[str]:
        """A note of the marks of missing values that there are."""
        met = read.marks_met(self.column.cells, marks)
        return [f"{listed(met)} in {self.column.name!r} {'is' if len(met) == 1 else 'are'} read as missing"] * bool(met)

    def _classes(self, labels: Labels, kind: str) -> Classes:
        values = sorted({value for value in values_of(labels.levels, kind) if value is not None})
        if kind == "integer" and max(map(abs, values)) > LARGEST_INTEGER:
            kind, values = "text", sorted(labels.levels)
        classes: list[Any] = list(values)
        present = int((labels.codes >= 0).sum())
        if not classes:
            raise DataError(f"{self.where} is missing in every row; there is nothing to learn.")
        if len(classes) == 1:
            raise DataError(f"{self.where} has a single class, {quoted(classes[0])}; there is nothing to learn.")
        if len(classes) > max(0.5 * present, 2):
            if kind == "text" and dates.find(labels.column, labels.counts()) is not None:
                raise _dates(self.where)
            raise DataError(
                f"{self.where} has {len(classes):,} classes in {plural(present, 'row')}: too few rows of each to learn "
                "from. Is it the right column? A number can be predicted with the task 'regression'."
            )
        return Classes(self.column.name, kind, tuple(classes), self.asked.missing)


def _dates(where: str) -> DataError:
    return DataError(
        f"{where} holds dates, which cannot be predicted; give it as a number, such as days since a given date."
    )


def _mixed(column: Column, odd: read.Mask) -> DataError:
    """Labels of mixed types: name the first cell that is of the rarer sort."""
    valid = ~read.mask(column.cells.is_null())
    n_texts, n_numbers = int(odd.sum()), int((~odd & valid).sum())
    minority = odd if n_texts <= n_numbers else ~odd & valid
    row = int(minority.argmax())
    what, others = ("text", "numbers") if n_texts <= n_numbers else ("a number", "text")
    value = column.cells[row].as_py()
    return DataError(
        f"the target {column.name!r} mixes text and numbers: {quoted(value)} "
        f"({column.place(row)}) is {what} where {max(n_texts, n_numbers):,} cells are {others}. Correct it; or leave "
        f"such rows out ({option('missing', value)}), or take all for labels (--task classification)."
    )
