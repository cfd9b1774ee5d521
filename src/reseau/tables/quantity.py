"""A target that is a number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from reseau.errors import DataError
from reseau.formulas.typesetting import TextSetter
from reseau.tables import cells as read
from reseau.tables import numerals
from reseau.tables.columns import mean_and_deviation
from reseau.tables.scores import score_quantity
from reseau.tables.target import Answer, Target, Values
from reseau.visible import plural, visible

if TYPE_CHECKING:
    from reseau.tables.cells import Floats
    from reseau.tables.scores import Scores
    from reseau.tables.table import Column


@dataclass(frozen=True)
class Quantity(Target):
    """A target that is a number; the network learns (y - mean) / scale; `encode` gives y.

    `also_missing` are texts that count as missing beside the usual marks; `decimal` is the decimal mark of text and
    `unit` what stands beside its numbers, such as "%"; `grouped` says whether points or commas grouped digits.
    """

    name: str
    mean: float
    scale: float
    also_missing: tuple[str, ...] = ()
    decimal: str = ""
    unit: str = ""
    grouped: bool = False
    task = "regression"
    activation = "identity"
    loss = "squared_error"

    def encode(self, column: Column) -> Floats:
        """Return y, (rows,) in float64; NaN where it is missing."""
        mark = f" with a decimal {numerals.MARKS[self.decimal]}" if self.decimal else ""
        is_not = f"is not a number{mark}, and the model predicts one."
        return read.quantities(column, self.also_missing, self.decimal, self.unit, self.grouped, is_not)

    @property
    def outputs(self) -> int:
        """One neuron."""
        return 1

    @property
    def meanings(self) -> list[str]:
        """The quantity's name."""
        return [self.name]

    def known(self, y: Values) -> npt.NDArray[np.bool_]:
        """Where y is a number."""
        return ~np.isnan(y)

    def unknown(self, y: Values) -> list[str]:
        """There are no others."""
        return []

    def strata(self, y: Values) -> None:
        """Rows are drawn as they come."""

    def fitted(self, y: Values) -> Quantity:
        """Return the quantity with the mean and scale of the training rows; a `DataError` if they do not vary."""
        mean, deviation = mean_and_deviation(y)
        if not deviation:
            raise DataError(
                f"the target {self.name!r} varies too little to be learned: from {y.min():.15g} to {y.max():.15g} in "
                f"{plural(len(y), 'training row')}; give it in another unit, or as the difference from its mean."
            )
        return replace(self, mean=mean, scale=deviation)

    def taught(self, y: Values) -> Values:
        """Return (y - mean)/scale, (rows, 1) in float32."""
        return ((y - self.mean) / self.scale).astype(np.float32)[:, None]

    def facts(self, y: Values) -> dict[str, Any]:
        """All is in the target itself."""
        return {}

    def check(self, facts: Mapping[str, Any]) -> None:
        """There is nothing to check."""

    def answer(self, O: Values) -> Answer:
        """The numbers."""
        return Answer(pa.array(self.numbers(O)))

    def numbers(self, O: Values) -> Floats:
        """The numbers that outputs (rows, 1) stand for, (rows,)."""
        y = O[:, 0].astype(np.float64) * self.scale + self.mean
        # float32 knows seven digits of the scale; more would only look exact.
        return np.round(y, 7 - int(np.floor(np.log10(self.scale))))

    def score(self, O: Values, y: Values, facts: Mapping[str, Any]) -> Scores:
        """Score the numbers beside the mean of the training rows."""
        return score_quantity(y, self.numbers(O), self.mean)

    def told(self, facts: Mapping[str, Any]) -> str:
        """Mean and deviation."""
        return f"Predicts {visible(self.name)}: a number (mean {self.mean:.6g}, deviation {self.scale:.6g})"

    def cell(self, value: Any) -> pa.Array:
        """The number itself where as text it would have a decimal point, else text."""
        if isinstance(value, Real) and not isinstance(value, bool | Integral):
            return pa.array([float(value)])
        return pa.array([str(value)], pa.large_string())

    def lesson(self, y: Values, row: int, cell: Any, lang: str) -> tuple[Values, list[str]]:
        """The number as the network gives it, and what that means."""
        if np.isnan(y[0]):
            raise DataError(
                f"the target {self.name!r} of row {row + 1} is missing; choose another row, or give a target "
                "(--target)."
            )
        number = TextSetter(lang).number
        meaning = f"({self.name} − {number(self.mean)})/{number(self.scale)}"
        return (y.astype(np.float64) - self.mean) / self.scale, [meaning]

    def to_json(self) -> dict[str, Any]:
        """Return the target as the model file holds it."""
        return {"task": self.task, **asdict(self)}

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> Quantity:
        """The inverse of `to_json`, of an entry as the schema of model files has it."""
        written = (entry.get("decimal", ""), entry.get("unit", ""), entry.get("grouped", False))
        also_missing = tuple(entry.get("also_missing", ()))
        return cls(entry["name"], float(entry["mean"]), float(entry["scale"]), also_missing, *written)
