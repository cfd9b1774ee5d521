"""A column that gives no input, and why."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reseau.tables.columns.description import X32, Description, Rows
from reseau.tables.reading.cells import Floats
from reseau.tables.reading.table import Column


@dataclass(frozen=True)
class LeftOut(Description):
    """A column that gives no input.

    `taken_for`: identifier, constant, empty, free text, unsupported, unrelated or ignored.
    """

    kind = "left out"
    taken_for: str = "ignored"
    reason: str = ""

    def inputs_in(self, lang: str) -> list[str]:
        """Return the names of the inputs."""
        return []

    def read(self, column: Column) -> Floats:
        """Read the cells."""
        return np.empty(0)

    def fit(self, values: Floats, rows: Rows) -> LeftOut:
        """Return the description with the statistics of these rows."""
        return self

    @property
    def summary(self) -> str:
        """Say what was learned."""
        return self.reason

    @property
    def told(self) -> str:
        """Why it is left out."""
        return f"left out: {self.reason}"

    def encode(self, values: Floats, X: X32) -> None:
        """Write nothing."""
