"""Why a table model predicts what it does of a row: what each column contributes, beside other rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from reseau.checks import integer
from reseau.errors import DataError
from reseau.tables.columns import kinds as columns_module
from reseau.tables.columns.description import X32, Description, Rows
from reseau.tables.figures import brief, decimals, number
from reseau.tables.reading.cells import Floats
from reseau.tables.reading.table import read_table, written
from reseau.tables.understanding.shapley import contributions, rows_for
from reseau.visible import aligned, short

if TYPE_CHECKING:
    from reseau.tables.model import TableModel
    from reseau.tables.reading.table import Column, Table

MOST_ROWS, LEAST_ROWS = 256, 16  # of a background
MOST_COLUMNS = 40  # shown one by one
LONGEST = 32  # characters of a name or a cell


@dataclass(frozen=True, repr=False)
class Explanation:
    """What each column contributes to the prediction of a row: they sum to `prediction` - `base`.

    Attributes
    ----------
    answer : str
        What is predicted: the target, in its own unit, or the probability of a class, such as "species=Adelie".
    prediction : float
        That of the row.
    base : float
        The mean prediction of the rows of the background.
    columns : tuple of str
        Those that the model uses, the largest contribution first, of whichever sign.
    cells : tuple of str or None
        What the row has in each, as the table writes it; None where it is missing.
    contributions : ndarray of shape (columns,)
        Of each: its Shapley value.
    errors : ndarray of shape (columns,) or None
        The standard error of each, where orders of columns were drawn; None where the values are exact.
    table : str
        What the row is from.
    row : int
        Which row, the first being 1.
    background : str
        What the background is from.
    background_rows : int
        How many of its rows.
    """

    answer: str
    prediction: float
    base: float
    columns: tuple[str, ...]
    cells: tuple[str | None, ...]
    contributions: Floats
    errors: Floats | None
    table: str
    row: int
    background: str
    background_rows: int

    @property
    def exact(self) -> bool:
        """Whether the contributions are exact, beside these rows."""
        return self.errors is None

    def lines(self, most: int = MOST_COLUMNS) -> list[str]:
        """Tell of the row, and of so many columns one by one, in lines of text."""
        rows = self._rows(most)
        return [self._title(), "", *aligned(rows, right=range(2, len(rows[0])))]

    def _title(self) -> str:
        """What is predicted of the row, and of the others."""
        beside = "its rows" if self.background == self.table else f"the rows of {_base(self.background)}"
        return (
            f"{_base(self.table)}, row {self.row:,}: {short(self.answer, 2 * LONGEST)} {number(self.prediction)}; "
            f"mean of {self.background_rows:,} of {beside} {number(self.base)}"
        )

    def _rows(self, most: int) -> list[tuple[str, ...]]:
        """A table: of the first columns name, cell, contribution and error; and of the others together."""
        most = len(self.columns) if len(self.columns) <= most + 1 else most
        kind = decimals(self.contributions)
        rows = [("column", "value", "contribution")]
        rows += [
            (short(name, LONGEST), brief(cell, LONGEST), number(value, f"+{kind}"))
            for name, cell, value in zip(self.columns[:most], self.cells, self.contributions, strict=False)
        ]
        if most < len(self.columns):
            rest = f"{len(self.columns) - most:,} other columns"
            rows.append((rest, "", number(self.contributions[most:].sum(), f"+{kind}")))
        rows.append(("sum", "", number(self.prediction - self.base, f"+{kind}")))
        if self.errors is None:
            return list(rows)
        errors = ["±", *(number(error, kind) for error in self.errors[:most])]
        errors += [""] * (len(rows) - len(errors))
        return [(*row, error) for row, error in zip(rows, errors, strict=True)]

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON-able values."""
        errors = [None] * len(self.columns) if self.errors is None else self.errors.tolist()
        each = zip(self.columns, self.cells, self.contributions.tolist(), errors, strict=True)
        return {
            "table": self.table,
            "row": self.row,
            "answer": self.answer,
            "prediction": self.prediction,
            "base": self.base,
            "background": {"table": self.background, "rows": self.background_rows},
            "exact": self.exact,
            "columns": [
                {"column": name, "value": cell, "contribution": value} | ({} if error is None else {"error": error})
                for name, cell, value, error in each
            ],
        }

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def __repr__(self) -> str:
        first = ", ".join(
            f"{short(name)} {value:+.4g}" for name, value in zip(self.columns[:3], self.contributions, strict=False)
        )
        more = ", ..." if len(self.columns) > 3 else ""
        return f"Explanation({short(self.answer)} of row {self.row} is {self.prediction:.4g}: {first}{more})"

    def _repr_html_(self) -> str:
        from reseau.notebook.page import block, paragraph, table

        return block(paragraph(self._title()), table(self._rows(MOST_COLUMNS)))


def explain(
    model: TableModel,
    table: Table,
    row: int,
    *,
    label: Any = None,
    background: Any = None,
    samples: int | None = None,
    seed: int = 0,
    threads: int | None = None,
) -> Explanation:
    """What each column contributes to the prediction of a row; parameters are those of `TableModel.explain`."""
    seed = integer("seed", seed, low=0)
    of_row, place = table.holding(row)
    if background is None and table.rows == 1:
        raise DataError(
            f"{table.name} has a single row, and a prediction is explained beside those of other rows; give a table of "
            "such as the background (--background)."
        )
    others = table if background is None else read_table(background, **model.reading)
    used = [description for description in model.columns if description.features]
    inputs = columns_module.inputs_of(used)
    width = sum(part.stop - part.start for part in inputs.values())
    rows = np.arange(others.rows)
    most = rows_for(len(inputs), width, MOST_ROWS, LEAST_ROWS)
    if others.rows > most:
        rows = np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))
    if of_row is others:
        both = _encoded(used, others, np.append(place, rows))
        x, B = both[0], both[1:]
    else:
        x, B = _encoded(used, of_row, np.array([place]))[0], _encoded(used, others, rows)
    target, network = model.target, model.network
    predicted = target.predicted(network(x[None], threads=threads))[0]
    output = int(predicted.argmax()) if label is None else target.place(label)

    def answer(X: npt.NDArray[Any]) -> Floats:
        return target.predicted(network(X, threads=threads))[:, output]

    found = contributions(answer, x, B, list(inputs.values()), samples=samples, seed=seed)
    order = np.argsort(-np.abs(found.values), kind="stable")
    names = tuple(inputs)
    return Explanation(
        target.answers[output],
        found.answer,
        found.base,
        tuple(names[j] for j in order),
        tuple(_cell(of_row.columns[names[j]], place) for j in order),
        found.values[order],
        None if found.errors is None else found.errors[order],
        table.name,
        int(row),
        others.name,
        len(rows),
    )


def _encoded(used: Sequence[Description], table: Table, rows: Rows) -> X32:
    """The inputs of some rows of a table."""
    values = columns_module.read_columns(used, table)  # of all rows, which decide how some are read
    return columns_module.encode(used, [each[rows] for each in values], len(rows))


def _cell(column: Column, row: int) -> str | None:
    """A cell as text; None where it is missing."""
    kind = column.cells.type
    if pa.types.is_time(kind) or pa.types.is_duration(kind):  # which Arrow writes as a number
        cell = column.cells[row].as_py()
    else:
        cell = written(column.cells.slice(row, 1))[0].as_py()
    return None if cell is None else str(cell)


def _base(name: str) -> str:
    """The name of a table without its folders."""
    return short(Path(name).name, 2 * LONGEST)
