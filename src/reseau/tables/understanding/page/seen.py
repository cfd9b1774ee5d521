"""The data as they were recognised: what each column holds, in numbers of which pages are made."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from reseau.tables.columns.kinds import Boolean, Date, read_columns
from reseau.tables.columns.left_out import LeftOut
from reseau.tables.columns.statistics import WHOLE
from reseau.tables.learning.evidence import Evidence
from reseau.tables.reading import dates
from reseau.tables.reading.cells import Floats, Labels
from reseau.tables.reading.table import Table

if TYPE_CHECKING:
    from reseau.tables.columns.description import Description, Rows, Values
    from reseau.tables.model import TableModel
    from reseau.tables.targets.target import Target

BINS = 24  # of the small histogram of a column
TAIL = 0.005  # of the numbers at either end, that the outermost steps hold
MOST_BARS = 12  # levels of a category in it
MOST_COLUMNS = 200  # that are told one by one
COMMON = 3  # levels that are named


@dataclass(frozen=True)
class ColumnSeen:
    """What a column holds.

    Attributes
    ----------
    name, taken_for : str
        Its name, and the kind that it was taken for.
    missing : int
        How many of its cells are missing.
    bars : tuple of int
        How many rows there are in each of equal steps of the numbers, or of each of the commonest levels.
    ends : tuple of float or str
        The least, the median and the largest value; dates are written out. Empty for labels.
    common : tuple of (str, int)
        The commonest levels, and in how many rows each is.
    levels : int
        How many different labels there are.
    share : float or None
        In which share of the rows that say it, a boolean is true.
    only : str or None
        The one value of a constant.
    used : bool
        Whether the model has inputs of it, or it is what is predicted.
    """

    name: str
    taken_for: str
    missing: int
    bars: tuple[int, ...] = ()
    ends: tuple[float | str, ...] = ()
    common: tuple[tuple[str, int], ...] = ()
    levels: int = 0
    share: float | None = None
    only: str | None = None
    used: bool = True


@dataclass(frozen=True)
class Seen:
    """The table of a model, read.

    Attributes
    ----------
    target : ColumnSeen
        What is predicted.
    columns : tuple of ColumnSeen
        The first columns, in the order of the table.
    more : tuple of (str, int)
        What the others were taken for, and how many of each there are.
    values : list
        The values of all columns of the model, in its order, (table rows,) each.
    rows, y : ndarray
        The rows whose target is known, scored or not, and their target as it encodes them.
    """

    target: ColumnSeen
    columns: tuple[ColumnSeen, ...]
    more: tuple[tuple[str, int], ...]
    values: list[Values]
    rows: Rows
    y: Any

    @classmethod
    def of(cls, model: TableModel, evidence: Evidence) -> Seen:
        """Read the table that the evidence is from."""
        table = evidence.table
        values = read_columns(model.columns, table)
        first = [_seen(d, v, table) for d, v in zip(model.columns[:MOST_COLUMNS], values[:MOST_COLUMNS], strict=True)]
        more = Counter(d.taken_for for d in model.columns[MOST_COLUMNS:])
        rows, y = targets_of(model, evidence)
        target = _of_target(model.target, table.rows - len(rows), y)
        return cls(target, tuple(first), tuple(more.most_common()), values, rows, y)


def targets_of(model: TableModel, evidence: Evidence) -> tuple[Rows, Any]:
    """The rows of a table whose target is known, scored or not, and their targets; those scored where it has none."""
    table, target = evidence.table, model.target
    if target.name not in table.columns:
        return evidence.rows, evidence.y
    y = target.encode(table.columns[target.name])
    rows = np.nonzero(target.known(y))[0]
    return rows, y[rows]


def _of_target(target: Target, missing: int, y: Any) -> ColumnSeen:
    if target.task == "classification":
        labels = Labels(y, pa.array(target.names, pa.large_string()))
        return _of_labels(target.name, target.task, missing, labels)
    return _of_numbers(target.name, target.task, missing, y)


def _seen(description: Description, values: Values, table: Table) -> ColumnSeen:
    name, kind = description.name, description.taken_for
    column = table.columns.get(name)
    if isinstance(description, LeftOut):
        if column is None:
            return ColumnSeen(name, kind, 0, used=False)
        cells = column.cells.drop_null()
        only = str(cells[0].as_py()) if kind == "constant" and len(cells) else None
        return ColumnSeen(name, kind, column.cells.null_count, only=only, used=False)
    assert column is not None
    missing = description.absent(column, values)
    if isinstance(values, Labels):
        return _of_labels(name, kind, missing, values)
    present = values[~np.isnan(values)]
    if not len(present):
        return ColumnSeen(name, kind, missing)
    if isinstance(description, Boolean):
        share = float(present.mean())
        yes = int(present.sum())
        return ColumnSeen(name, kind, missing, bars=(len(present) - yes, yes), share=share)
    seen = _of_numbers(name, kind, missing, present)
    if isinstance(description, Date):
        whole = not np.mod(present, 1.0).any()  # a median between two days is the first of them
        days = (float(np.floor(day)) if whole else float(day) for day in seen.ends)
        ends = tuple(written_date(day, description.order) for day in days)
        return replace(seen, ends=ends)
    return seen


def _of_numbers(name: str, kind: str, missing: int, present: Floats) -> ColumnSeen:
    ends = float(present.min()), float(np.median(present)), float(present.max())
    shown = np.clip(present, *np.quantile(present, [TAIL, 1 - TAIL])) if len(present) > 1 / TAIL else present
    return ColumnSeen(name, kind, missing, bars=tuple(histogram(shown, BINS)[0].tolist()), ends=ends)


def _of_labels(name: str, kind: str, missing: int, values: Labels) -> ColumnSeen:
    counts = values.counts()
    order = np.argsort(-counts, kind="stable")
    met = int((counts > 0).sum())
    again = len(counts) and counts[order[0]] > 1  # of texts that are met once there is nothing to draw
    bars = tuple(int(counts[i]) for i in order[: min(MOST_BARS, met)] if again)
    common = tuple((values.levels[i], int(counts[i])) for i in order[: min(COMMON, met)])
    return ColumnSeen(name, kind, missing, bars, common=common, levels=met)


def histogram(values: Floats, bins: int) -> tuple[np.ndarray[tuple[int], np.dtype[np.int64]], Floats]:
    """How many finite numbers there are in each of equal steps, and the edges of these.

    Whole numbers of few values have a step each; sizes at which a step is nothing beside the number have one step.
    """
    low, high = float(values.min()), float(values.max())
    if 0 < high - low < bins and max(-low, high) < WHOLE and not np.mod(values, 1.0).any():
        edges = np.arange(low - 0.5, high + 1.0)
    else:
        edges = np.linspace(low, high, bins + 1)
        if not (np.diff(edges) > 0).all():
            half = max(abs(low) * 1e-3, 0.5)
            edges = np.array([low - half, low + half])
    return np.histogram(values, edges)[0].astype(np.int64), edges


def written_date(day: float, order: str = "") -> str:
    """A day since 1970 as people write it, or a part of the day as its time."""
    when = np.datetime64(0, "s") + np.timedelta64(round(day * 86400), "s")
    date, _, time = str(when).partition("T")
    if order == dates.TIME_OF_DAY:
        return time
    return date if time == "00:00:00" else f"{date} {time}"
