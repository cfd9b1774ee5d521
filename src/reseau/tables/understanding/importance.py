"""Permutation importance: by how much the error grows where a column tells nothing any more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from reseau.checks import integer
from reseau.tables.columns import kinds as columns_module
from reseau.tables.columns.description import X32
from reseau.tables.figures import decimals, number
from reseau.tables.reading.cells import Floats
from reseau.visible import aligned, plural, short

if TYPE_CHECKING:
    from reseau.tables.learning.evidence import Evidence, Held
    from reseau.tables.model import TableModel

NUMBERS = 1 << 33  # inputs of all shuffled rows together; fewer rows are taken of tables so wide
LEAST_ROWS = 32  # of a network
MOST_REPEATS = 10_000
MOST_COLUMNS, LONGEST = 40, 32  # told one by one; characters of a name


@dataclass(frozen=True, repr=False)
class Importance:
    """By how much the error grows where the values of a column are shuffled among rows.

    Attributes
    ----------
    columns : tuple of str
        Those that the model uses, in falling order of their importance.
    means, deviations : ndarray of shape (columns,)
        By how much the error grew, in the mean over the repeats, and its standard deviation over them.
    increases : ndarray of shape (columns, repeats)
        The same of each repeat.
    measured : str
        What the error is: "log loss", or "RMSE" in the unit of the target.
    error : float
        The error of the rows as they are.
    rows : int
        How many rows these are.
    """

    columns: tuple[str, ...]
    means: Floats
    deviations: Floats
    increases: Floats
    measured: str
    error: float
    rows: int

    def lines(self, most: int = MOST_COLUMNS) -> list[str]:
        """Tell of so many columns, in lines of text."""
        rows = self._rows(most)
        return [self._title(), "", *aligned(rows, right=(1, 2))]

    def _title(self) -> str:
        return f"{self.measured} {self.error:.6g} of {plural(self.rows, 'row')}; with a column shuffled it grows by"

    def _rows(self, most: int) -> list[tuple[str, str, str]]:
        """A table: of each column its name, by how much the error grows, and the deviation."""
        kind = decimals(self.means)
        each = zip(self.columns[:most], self.means, self.deviations, strict=False)
        rows = [(short(name, LONGEST), number(mean, f"+{kind}"), number(d, kind)) for name, mean, d in each]
        rest = len(self.columns) - most
        return [("column", "growth", "±"), *rows, *[(f"and {plural(rest, 'more column')}", "", "")] * (rest > 0)]

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def __repr__(self) -> str:
        first = ", ".join(
            f"{short(name)} {mean:+.4g}" for name, mean in zip(self.columns[:3], self.means, strict=False)
        )
        return f"Importance({self.measured} {self.error:.4g}: {first}{', ...' if len(self.columns) > 3 else ''})"

    def _repr_html_(self) -> str:
        from reseau.notebook.page import block, paragraph, table

        return block(paragraph(self._title()), table(self._rows(MOST_COLUMNS)))


def permutation_importance(
    model: TableModel, evidence: Evidence, *, repeats: int = 5, seed: int = 0, threads: int | None = None
) -> Importance:
    """By how much the error of rows that were not learned from grows if a column's values are shuffled among them [1].

    Parameters
    ----------
    model : TableModel
    evidence : Evidence
        The rows: `model.evidence` of the training, or `Evidence.of(model, table)` of another table with the target. All
        inputs of a column are shuffled together, among the rows that one network has not learned from.
    repeats : int
        How often each column is shuffled, at least 1.
    seed : int
        Fixes how.
    threads : int or None
        At most as many threads; the result is the same for any number.

    Returns
    -------
    Importance
        A column that goes along with another one may be worth little, as the other one tells the same.

    References
    ----------
    [1] L. Breiman, Random Forests, 2001; A. Fisher, C. Rudin, F. Dominici, All Models are Wrong, but Many are Useful,
    2019.

    Examples
    --------
    >>> import numpy as np
    >>> import reseau as rs
    >>> rng = np.random.default_rng(0)
    >>> table = {"size": rng.normal(size=100), "noise": rng.normal(size=100)}
    >>> model = rs.TableModel.train(table | {"price": 3 * table["size"]}, "price", preset="fast", epochs=20)
    >>> permutation_importance(model, model.evidence).columns
    ('size', 'noise')
    """
    repeats, seed = integer("repeats", repeats, low=1, high=MOST_REPEATS), integer("seed", seed, low=0)
    inputs, target = columns_module.inputs_of(model.columns), model.target
    width = sum(part.stop - part.start for part in inputs.values())
    most = NUMBERS // max(repeats * len(inputs) * width * len(evidence.held), 1)
    held = [_fewer(each, max(most, LEAST_ROWS)) for each in evidence.held]
    y = evidence.y[np.concatenate([each.rows for each in held])]
    error = target.error(np.concatenate([each.network(each.X, threads=threads) for each in held]), y)
    rng = np.random.default_rng(seed)
    increases = np.empty((len(inputs), repeats))
    for j, part in enumerate(inputs.values()):
        for repeat in range(repeats):
            O = np.concatenate([each.network(_shuffled(each.X, part, rng), threads=threads) for each in held])
            increases[j, repeat] = target.error(O, y) - error
    means = increases.mean(axis=1)
    order = np.argsort(-means, kind="stable")
    names = tuple(inputs)
    return Importance(
        tuple(names[j] for j in order),
        means[order],
        increases.std(axis=1)[order],
        increases[order],
        target.measured,
        error,
        len(y),
    )


def _fewer(held: Held, most: int) -> Held:
    """At most so many of the rows, evenly spaced."""
    if len(held.rows) <= most:
        return held
    some = np.linspace(0, len(held.rows) - 1, most).astype(np.int64)
    return type(held)(held.network, held.rows[some], held.X[some])


def _shuffled(X: X32, part: slice, rng: np.random.Generator) -> X32:
    """X, of which these inputs come from another row: no row keeps its own."""
    order, shuffled = rng.permutation(len(X)), X.copy()
    shuffled[order, part] = X[np.roll(order, 1), part]
    return shuffled
