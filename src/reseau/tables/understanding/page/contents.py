"""What the page of a table model tells, in no language yet: each section as it is computed."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from reseau.tables.learning.evidence import Evidence
from reseau.tables.reading.cells import Floats, Labels
from reseau.tables.reading.stored_table import SampledTable
from reseau.tables.understanding.importance import Importance, permutation_importance
from reseau.tables.understanding.page.findings import Finding
from reseau.tables.understanding.page.noticed import notice
from reseau.tables.understanding.page.of_classes import ClassesSeen
from reseau.tables.understanding.page.of_quantity import QuantitySeen
from reseau.tables.understanding.page.repeat import Repeat
from reseau.tables.understanding.page.seen import Seen
from reseau.tables.understanding.page.spread import ScoreSeen, scores_of
from reseau.tables.understanding.partial_dependence import Effect, effect

if TYPE_CHECKING:
    from reseau.tables.columns.description import Values
    from reseau.tables.model import TableModel
    from reseau.tables.reading.table import Column

HARDEST = 10  # rows
MOST_EFFECTS = 5  # columns
LINES, LINES_OF_MANY = 30, 10  # of single rows, of a prediction that is one number, and of the classes
MOST_CELLS = 4  # that are told of each
LINE = re.compile(r"(.*), line (\d+)$", re.DOTALL)  # how messages call a place in a file of text


@dataclass(frozen=True)
class HardRow:
    """A row that the model is far from.

    Attributes
    ----------
    row : int
        The first being 1.
    line : int or None
        Of the file, where it is one of text.
    file : str
        Its name.
    actual, predicted : str or float
        Labels, or numbers.
    probability : float or None
        Which the model gives to the class that is.
    loss : float
        What it costs: -log of that, or the size of the error.
    cells : tuple of str or None
        What the most important columns hold; None is missing.
    """

    row: int
    line: int | None
    file: str
    actual: str | float
    predicted: str | float
    probability: float | None
    loss: float
    cells: tuple[str | None, ...]


@dataclass(frozen=True)
class Contents:
    """All that the page tells.

    Attributes
    ----------
    model : TableModel
    evidence : Evidence
        The rows from which scores and pictures are made.
    seen : Seen
        The data as they were recognised.
    findings, notes : list
        What was noticed; and what the model noted besides, in English.
    scores : list of ScoreSeen
    answers : ClassesSeen or QuantitySeen
        What the model says of the rows, beside what is.
    importance : Importance
        By how much the error grows without each column.
    effects : list of Effect
        How predictions follow the most important columns.
    hardest : list of HardRow
    repeat : Repeat
    """

    model: TableModel
    evidence: Evidence
    seen: Seen
    findings: list[Finding]
    notes: list[str]
    scores: list[ScoreSeen]
    answers: ClassesSeen | QuantitySeen
    importance: Importance
    effects: list[Effect]
    hardest: list[HardRow]
    repeat: Repeat

    @classmethod
    def of(
        cls, model: TableModel, evidence: Evidence, command: str, tables: Sequence[str], threads: int | None
    ) -> Contents:
        """Compute all of it."""
        seen = Seen.of(model, evidence)
        findings, notes = notice(model, evidence, seen)
        answers = _ANSWERS[model.target.task](model, evidence)
        importance = permutation_importance(model, evidence, threads=threads)
        matter = zip(importance.columns, importance.means, strict=True)
        changed = [column for column, growth in matter if growth > 0][:MOST_EFFECTS]
        lines = LINES if model.target.outputs <= 2 else LINES_OF_MANY
        effects = [effect(model, evidence.table, column, lines=lines, threads=threads) for column in changed]
        return cls(
            model,
            evidence,
            seen,
            findings,
            notes,
            scores_of(model, evidence),
            answers,
            importance,
            effects,
            _hardest(model, evidence, seen, answers.losses, importance.columns[:MOST_CELLS]),
            Repeat.of(model, command, tables),
        )

    @property
    def rows(self) -> int:
        """How many the table has, of which some may have stayed on disk."""
        table = self.evidence.table
        return table.whole.rows if isinstance(table, SampledTable) else table.rows


_ANSWERS: dict[str, Callable[[Any, Evidence], ClassesSeen | QuantitySeen]] = {
    "classification": lambda model, rows: ClassesSeen.of(model.target.labels, rows.y, rows.O.astype(np.float64)),
    "regression": lambda model, rows: QuantitySeen.of(model.target, rows),
}


def _hardest(
    model: TableModel, evidence: Evidence, seen: Seen, losses: Floats, columns: Sequence[str]
) -> list[HardRow]:
    table, target = evidence.table, model.target
    places = np.argsort(-losses, kind="stable")[:HARDEST]
    y, O = evidence.y[places], evidence.O[places]
    said, names = target.answer(O).values.to_pylist(), target.names
    values = {d.name: v for d, v in zip(model.columns, seen.values, strict=True)}
    hard, any_column = [], next(iter(table.columns.values()))
    for i, place in enumerate(places.tolist()):
        row = int(evidence.rows[place])
        found = LINE.search(any_column.place(row))
        of_class = target.task == "classification"
        cells = [_cell(table.columns[name], values[name], row) for name in columns]
        hard.append(
            HardRow(
                (int(table.numbers[row]) if isinstance(table, SampledTable) else row) + 1,
                int(found[2]) if found else None,
                Path(found[1]).name if found else "",
                names[int(y[i])] if of_class else float(y[i]),
                names[int(O[i].argmax())] if of_class else float(said[i]),
                float(O[i, int(y[i])]) if of_class else None,
                float(losses[place]),
                tuple(cells),
            )
        )
    return hard


def _cell(column: Column, values: Values, row: int) -> str | None:
    """What a cell holds, as it is written; None where it was read as missing."""
    absent = values.codes[row] < 0 if isinstance(values, Labels) else np.isnan(values[row])
    cell = column.cells[row].as_py()
    if absent or cell is None:
        return None
    return f"{cell:.7g}" if isinstance(cell, float) else str(cell)
