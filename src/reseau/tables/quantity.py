"""A target that is a number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from reseau.errors import DataError, ParameterError
from reseau.export import c_text as c
from reseau.export import numpy_code
from reseau.export.onnx_graph import Graph, tensor
from reseau.export.onnx_layers import layers
from reseau.formulas.typesetting import TextSetter
from reseau.tables import cells as read
from reseau.tables import numerals
from reseau.tables.code.c_rows import Answer
from reseau.tables.scores import score_quantity
from reseau.tables.statistics import mean_and_deviation
from reseau.tables.target import Said, Target, Values
from reseau.visible import plural, visible

if TYPE_CHECKING:
    from reseau.ensemble import Ensemble
    from reseau.export.c_code import File
    from reseau.network import Network
    from reseau.tables.cells import Floats
    from reseau.tables.scores import Scores
    from reseau.tables.table import Column


LEAST_SHARE = 0.25  # of the mean square of residuals, that is not the difference between members
MOST_RESIDUALS = 1999  # that are kept, with which an interval of 0.999 is possible


@dataclass(frozen=True)
class Quantity(Target):
    """A target that is a number; the network learns (y - mean) / scale; `encode` gives y.

    `also_missing` are texts that count as missing beside the usual marks; `decimal` is the decimal mark of text and
    `unit` what stands beside its numbers, such as "%"; `grouped` says whether points or commas grouped digits.
    `residuals` are y minus what was predicted of rows out of fold, in increasing order, as large as those of the whole
    model would be; of many rows quantiles of them, evenly spaced.
    """

    name: str
    mean: float
    scale: float
    also_missing: tuple[str, ...] = ()
    decimal: str = ""
    unit: str = ""
    grouped: bool = False
    residuals: tuple[float, ...] = ()
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
    def names(self) -> list[str]:
        """The quantity's name."""
        return [self.name]

    @property
    def slope(self) -> float:
        """The scale that outputs are multiplied by."""
        return self.scale

    def known(self, y: Values) -> npt.NDArray[np.bool_]:
        """Where y is a number."""
        return ~np.isnan(y)

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

    def signals(self, y: Values) -> Floats:
        """Return what is taught."""
        return self.taught(y).astype(np.float64)

    def answer(self, O: Values) -> Said:
        """The numbers."""
        return Said(pa.array(self.numbers(O)))

    def numbers(self, O: Values) -> Floats:
        """The numbers that outputs (rows, 1) stand for, (rows,)."""
        y = O[:, 0].astype(np.float64) * self.scale + self.mean
        # float32 knows seven digits of the scale; more would only look exact.
        return np.round(y, 7 - int(np.floor(np.log10(self.scale))))

    def out_of_fold(self, O: Values, y: Values, excess: Values) -> Quantity:
        """Return the quantity with the residuals of these rows, scaled so that their mean square is the model's own."""
        residuals = np.sort(y - self.numbers(O))
        square = float((residuals / self.scale) @ (residuals / self.scale)) / len(residuals)
        if square:
            residuals *= np.sqrt(max(1 - float(excess[0]) / square, LEAST_SHARE))
        if len(residuals) > MOST_RESIDUALS:
            residuals = np.quantile(residuals, np.linspace(0.0, 1.0, MOST_RESIDUALS))
        return replace(self, residuals=tuple(residuals.tolist()))

    def interval(self, O: Values, coverage: float) -> tuple[Floats, Floats]:
        """The numbers plus the residuals within which that share of them lies, as many being beyond at either end [1].

        [1] R. Barber, E. Candès, A. Ramdas, R. Tibshirani, Predictive inference with the jackknife+, 2021: CV+, here
        with the mean of the members for each of them.
        """
        n = len(self.residuals)
        beyond = int((n + 1) * (1 - coverage) / 2)  # residuals, at each end
        if not beyond:
            least = int(np.ceil(2 / (1 - coverage))) - 1
            raise ParameterError(
                f"interval is {coverage:g}, for which {least:,} rows out of fold are needed, but "
                + (
                    f"the model has {n:,}; ask for less."
                    if n
                    else "the model was trained by an older release, without."
                )
            )
        y = self.numbers(O)
        return y + self.residuals[beyond - 1], y + self.residuals[n - beyond]

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
        return super().cell(value)

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

    def in_c(self, file: File) -> Answer:
        """The number in the unit of the table."""
        mean, scale = c.bracketed(self.mean), c.bracketed(self.scale)
        return Answer(
            what=c.plain(self.name),
            of_a_row=f"The {c.plain(self.name)} of a row, in the unit of the table that was learned from.",
            names="output_names",
            meanings=[self.name],
            result="double *prediction",
            outputs="o",
            statements=(f"*prediction = {mean} + {scale} * (double)o[0];",),
            test_variables=("double prediction = 0.0;",),
            test_result="&prediction",
            test_checks=(
                f'check("prediction", t, prediction, {mean} + {scale} * (double)o[0],',
                f"      {scale} * test_o_rounding[t][0] + 1e-15 * fabs({mean}));",
            ),
        )

    def in_numpy(self, outputs: int) -> numpy_code.Code:
        """The number in the unit of the table."""
        quantity = f"""def quantity(O):
    # The network gives ({c.plain(self.name)} - mean)/deviation.
    return {self.mean!r} + {self.scale!r} * O[:, 0].astype(float)"""
        answers = "    for value in quantity(predict(encode(rows))):\n        print(value)"
        return numpy_code.Code(behind=(quantity,), answers=answers)

    def in_onnx(self, g: Graph, network: Network | Ensemble, X: str) -> tuple[list[Any], dict[str, Any]]:
        """The number in the unit of the table."""
        O = g.cast(layers(g, network, X, g.free("O")), np.float64)
        quantity = g("Add", g("Mul", O, np.array(self.scale)), np.array(self.mean))
        g("Squeeze", quantity, np.array([1]), name="prediction")
        return [tensor("prediction", np.float64, "N")], {"target": self.name}

    def to_json(self) -> dict[str, Any]:
        """Return the target as the model file holds it."""
        return {"task": self.task, **asdict(self)}

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> Quantity:
        """The inverse of `to_json`, of an entry as the schema of model files has it."""
        written = (entry.get("decimal", ""), entry.get("unit", ""), entry.get("grouped", False))
        also_missing = tuple(entry.get("also_missing", ()))
        residuals = tuple(map(float, entry.get("residuals", ())))
        return cls(entry["name"], float(entry["mean"]), float(entry["scale"]), also_missing, *written, residuals)
