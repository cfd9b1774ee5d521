"""A target that is a number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from reseau.checks import shown
from reseau.errors import DataError, ParameterError
from reseau.export import c_text as c
from reseau.export import numpy_code
from reseau.export.onnx_graph import Graph, tensor
from reseau.export.onnx_layers import layers
from reseau.formulas.typesetting import TextSetter
from reseau.names import ActivationName
from reseau.tables.code.c_rows import Answer
from reseau.tables.columns.description import NO_LIMIT
from reseau.tables.columns.statistics import ROUNDING, mean_and_deviation
from reseau.tables.reading import cells as read
from reseau.tables.reading import numerals
from reseau.tables.targets.scores import score_quantity
from reseau.tables.targets.target import Said, Target, Values
from reseau.visible import plural, visible
from reseau.vocabulary.losses import NamedLoss, loss_of

if TYPE_CHECKING:
    from reseau.ensemble import Ensemble
    from reseau.export.c_code import File
    from reseau.network import Network
    from reseau.tables.reading.cells import Floats
    from reseau.tables.reading.table import Column
    from reseau.tables.targets.scores import Scores


SKEWED = 1.0  # the skewness E((y - ȳ)/s)³ from which the logarithm is tried
OF_MEDIAN = 0.5  # of the numbers above 0, that is added to all of them where some are 0, which have no logarithm
BEYOND = 1.0  # how far a predicted logarithm may lie beyond the largest
LEAST_SHARE = 0.25  # of the mean square of residuals, that is not the difference between members
MOST_RESIDUALS = 1999  # that are kept, with which an interval of 0.999 is possible


OF_MEANS = ("poisson", "gamma", "tweedie")  # losses of outputs above 0, of any unit


@dataclass(frozen=True)
class Quantity(Target):
    """A target that is a number; the network learns t = (f(y) - mean)/scale; `encode` gives y.

    f(y) is y itself, or log(y + shift) where `shift` is a number. What is predicted is f⁻¹ of the outputs: a logarithm
    is no larger than `most`, and the number no smaller than `least`.

    `also_missing` are texts that count as missing beside the usual marks; `decimal` is the decimal mark of text and
    `unit` what stands beside its numbers, such as "%"; `grouped` says whether points or commas grouped digits.
    `residuals` are t minus the outputs of rows out of fold, in increasing order, as large as those of the whole model
    would be; of many rows quantiles of them, evenly spaced.
    """

    name: str
    mean: float
    scale: float
    also_missing: tuple[str, ...] = ()
    decimal: str = ""
    unit: str = ""
    grouped: bool = False
    shift: float | None = None
    most: float = NO_LIMIT
    least: float = -NO_LIMIT
    residuals: tuple[float, ...] = ()
    loss: NamedLoss = "squared_error"
    task = "regression"
    losses: ClassVar[tuple[str, ...]] = ("squared_error", "absolute_error", "huber", "log_cosh", "quantile", *OF_MEANS)
    metrics_of = "numbers"
    measured = "RMSE"

    @property
    def activation(self) -> ActivationName:
        """The one that the loss goes with."""
        return loss_of(self.loss).output

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
    def answers(self) -> list[str]:
        """The quantity's name."""
        return [self.name]

    def place(self, label: Any) -> NoReturn:
        """Refuse: it has no classes."""
        raise ParameterError(f"the class {shown(label)} is asked of {self.name!r}, which is a number; leave it out.")

    def known(self, y: Values) -> npt.NDArray[np.bool_]:
        """Where y is a number."""
        return ~np.isnan(y)

    def learned_by(self, loss: NamedLoss) -> Quantity:
        """Return the quantity with this loss, of which the unit of y does not matter."""
        self.check_loss(loss)
        return replace(self, loss=loss)

    def fitted(self, y: Values) -> Quantity:
        """Return the quantity with the mean and scale of the training rows; a `DataError` if they do not vary.

        Of a loss of means above 0 the outputs are such means too: t = y/mean.
        """
        mean, deviation = mean_and_deviation(y)
        if not deviation:
            raise DataError(
                f"the target {self.name!r} varies too little to be learned: from {y.min():.15g} to {y.max():.15g} in "
                f"{plural(len(y), 'training row')}; give it in another unit, or as the difference from its mean."
            )
        least = float(y.min())
        outside = loss_of(self.loss).targets.lacks(y)
        if outside.any():
            raise DataError(
                f"the loss {loss_of(self.loss).shown} is of numbers in {loss_of(self.loss).targets}, but the target "
                f"{self.name!r} is {y[outside][0]:.15g} in some row; choose another loss."
            )
        least = least if least >= 0 else -NO_LIMIT
        if loss_of(self.loss).name in OF_MEANS:
            return replace(self, mean=0.0, scale=mean, least=least)
        return replace(self, mean=mean, scale=deviation, least=least)

    def forms(self, y: Values) -> tuple[Quantity, ...]:
        """Itself; and where no number is below 0 and many are far above the others, what else it may be.

        Its logarithm is learned as well as a mean by its logarithm, of which a number of 0 is one like any other.
        """
        least, deviations = float(y.min()), (y - y.mean()) / y.std()
        if least < 0 or (deviations**3).mean() < SKEWED:
            return (self,)
        of_means = replace(self, mean=0.0, scale=float(y.mean()), loss="poisson")
        shift = 0.0 if least else float(np.median(y[y > 0])) * OF_MEDIAN
        mean, deviation = mean_and_deviation(np.log(y + shift))
        most = float(np.log(y.max() + shift)) + BEYOND
        logarithm = replace(self, mean=mean, scale=deviation, shift=shift, most=most)
        return (self, logarithm, of_means) if deviation else (self, of_means)

    @property
    def form(self) -> str:
        """Whether its logarithm is learned, or a mean by it."""
        return loss_of(self.loss).name if loss_of(self.loss).name in OF_MEANS else "" if self.shift is None else "log"

    def taught(self, y: Values) -> Values:
        """Return t, (rows, 1) in float32."""
        return ((self._f(y) - self.mean) / self.scale).astype(np.float32)[:, None]

    def _f(self, y: Values) -> Values:
        return y if self.shift is None else np.log(np.maximum(y + self.shift, np.finfo(float).tiny))

    def signals(self, y: Values) -> Floats:
        """Return what is taught."""
        return self.taught(y).astype(np.float64)

    def answer(self, O: Values) -> Said:
        """The numbers."""
        return Said(pa.array(self.numbers(O)))

    def numbers(self, O: Values) -> Floats:
        """The numbers that outputs (rows, 1) stand for, (rows,)."""
        f = O[:, 0].astype(np.float64) * self.scale + self.mean
        # float32 knows seven digits of the scale; more would only look exact.
        if self.shift is None:
            y = np.round(f, 7 - int(np.floor(np.log10(self.scale))))
        else:
            y = _rounded(np.exp(np.minimum(f, self.most)) - self.shift)
        return np.asarray(np.maximum(y, self.least))

    def slopes(self, O: Values) -> tuple[Floats, Floats]:
        """The first two derivatives of the number by the output: 0 where it is held."""
        f = O.astype(np.float64) * self.scale + self.mean
        if self.shift is None:
            y, first, second = f, np.full_like(f, self.scale), np.zeros_like(f)
        else:
            grown = np.exp(np.minimum(f, self.most)).astype(np.float64)
            y, moving = grown - self.shift, f < self.most
            first, second = moving * self.scale * grown, moving * self.scale**2 * grown
        held = y < self.least
        return np.where(held, 0.0, first), np.where(held, 0.0, second)

    def out_of_fold(self, O: Values, y: Values, excess: Values) -> Quantity:
        """Return the quantity with the residuals of these rows, scaled so that their mean square is the model's own.

        The logarithm's mean is moved so that the numbers predicted have the sum of those met: exp of an unbiased mean
        is too small [1].

        [1] N. Duan, Smearing estimate: a nonparametric retransformation method, 1983.
        """
        target = self._unbiased(O, y)
        residuals = np.sort(target.taught(y)[:, 0] - O[:, 0].astype(np.float64))
        square = float(residuals @ residuals) / len(residuals)
        if square:
            residuals *= np.sqrt(max(1 - float(excess[0]) / square, LEAST_SHARE))
        if len(residuals) > MOST_RESIDUALS:
            residuals = np.quantile(residuals, np.linspace(0.0, 1.0, MOST_RESIDUALS))
        return replace(target, residuals=tuple(residuals.tolist()))

    def _unbiased(self, O: Values, y: Values) -> Quantity:
        if self.shift is None:
            return self
        grown = np.exp(np.minimum(O[:, 0].astype(np.float64) * self.scale + self.mean, self.most))
        return replace(self, mean=self.mean + float(np.log((y + self.shift).sum() / grown.sum())))

    def misfit(self, O: Values, y: Values) -> float:
        """The geometric mean of the root of the mean squared error and of the mean error of rows out of fold.

        Of a heavy tail the few largest numbers decide the first, so that it alone tells forms apart by chance.
        """
        error = np.abs(self._unbiased(O, y).numbers(O) - y)
        return float(np.sqrt(np.sqrt((error**2).mean()) * error.mean()))

    def error(self, O: Values, y: Values) -> float:
        """The root of the mean squared error."""
        return float(np.sqrt(((self.numbers(O) - y) ** 2).mean()))

    def predicted(self, O: Values) -> Floats:
        """The numbers."""
        return self.numbers(O)[:, None]

    def interval(self, O: Values, coverage: float) -> tuple[Floats, Floats]:
        """The numbers of the outputs plus the residuals between which that share of them lies [1].

        [1] R. Barber, E. Candès, A. Ramdas, R. Tibshirani, Predictive inference with the jackknife+, 2021: CV+, here
        with the mean of the members for each of them.
        """
        n = len(self.residuals)
        tail = (1 - coverage) / 2 * (1 + ROUNDING)  # else 0.1 of 20 would be 1.99999
        beyond = int((n + 1) * tail)  # residuals, at each end
        if not beyond:
            least = int(np.ceil(1 / tail)) - 1
            raise ParameterError(
                f"interval is {coverage:g}, for which {least:,} rows out of fold are needed, but "
                + (
                    f"the model has {n:,}; ask for less."
                    if n
                    else "the model was trained by an older release, without."
                )
            )
        O = O.astype(np.float64)
        return self.numbers(O + self.residuals[beyond - 1]), self.numbers(O + self.residuals[n - beyond])

    def facts(self, y: Values) -> dict[str, Any]:
        """The mean of the training rows."""
        return {"target_mean": float(y.mean())}

    def score(self, O: Values, y: Values, facts: Mapping[str, Any]) -> Scores:
        """Score the numbers beside the mean of the training rows."""
        return score_quantity(y, self.numbers(O), facts.get("target_mean", self.mean), facts.get("metrics", ()))

    def told(self, facts: Mapping[str, Any]) -> str:
        """Mean and deviation."""
        predicts = f"Predicts {visible(self.name)}: a number"
        by = "" if self.loss == Quantity.loss else f", learned by the loss {loss_of(self.loss).shown}"
        if loss_of(self.loss).name in OF_MEANS:
            return f"{predicts} (mean {self.scale:.6g}){by}"
        if self.shift is None:
            return f"{predicts} (mean {self.mean:.6g}, deviation {self.scale:.6g}){by}"
        return f"{predicts} (mean {facts['target_mean']:.6g}), learned as {self._logarithm('.6g')}"

    def _logarithm(self, digits: str) -> str:
        return f"log({self.name}{f' + {self.shift:{digits}}' if self.shift else ''})"

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
        what = self.name if self.shift is None else f"log({self.name} + {number(self.shift)})"
        meaning = f"({what} − {number(self.mean)})/{number(self.scale)}"
        return (self._f(y.astype(np.float64)) - self.mean) / self.scale, [meaning]

    def in_c(self, file: File) -> Answer:
        """The number in the unit of the table."""
        mean, scale = c.bracketed(self.mean), c.bracketed(self.scale)
        lines, slope = [f"double y = {mean} + {scale} * (double)o[0];"], scale
        if self.shift is not None:
            most = c.bracketed(self.most)
            lines += [f"y = exp(y > {most} ? {most} : y) - {c.bracketed(self.shift)};"]
            slope = f"{scale} * (fabs(y) + {c.bracketed(self.shift)})"
        if self.least > -NO_LIMIT:
            lines += [f"y = y < {c.bracketed(self.least)} ? {c.bracketed(self.least)} : y;"]
        return Answer(
            what=c.plain(self.name),
            of_a_row=f"The {c.plain(self.name)} of a row, in the unit of the table that was learned from.",
            names="output_names",
            meanings=[self.name],
            result="double *prediction",
            outputs="o",
            statements=(*lines, "*prediction = y;"),
            test_variables=("double prediction = 0.0;",),
            test_result="&prediction",
            test_checks=(
                *lines,
                'check("prediction", t, prediction, y,',
                f"      {slope} * test_o_rounding[t][0] + 1e-15 * fabs(y) + 1e-15 * fabs({mean}));",
            ),
        )

    def in_numpy(self, outputs: int) -> numpy_code.Code:
        """The number in the unit of the table."""
        what = c.plain(self.name if self.shift is None else self._logarithm(".6g"))
        lines = [f"y = {self.mean!r} + {self.scale!r} * O[:, 0].astype(float)"]
        if self.shift is not None:
            lines += [f"y = np.exp(np.minimum(y, {self.most!r})) - {self.shift!r}"]
        if self.least > -NO_LIMIT:
            lines += [f"y = np.maximum(y, {self.least!r})"]
        body = "\n".join(f"    {line}" for line in [*lines, "return y"])
        quantity = f"def quantity(O):\n    # The network gives ({what} - mean)/deviation.\n{body}"
        answers = "    for value in quantity(predict(encode(rows))):\n        print(value)"
        return numpy_code.Code(behind=(quantity,), answers=answers)

    def in_onnx(self, g: Graph, network: Network | Ensemble, X: str) -> tuple[list[Any], dict[str, Any]]:
        """The number in the unit of the table."""
        O = g.cast(layers(g, network, X, g.free("O")), np.float64)
        y = g("Add", g("Mul", O, np.array(self.scale)), np.array(self.mean))
        if self.shift is not None:
            y = g("Sub", g("Exp", g("Min", y, np.array(self.most))), np.array(self.shift))
        if self.least > -NO_LIMIT:
            y = g("Max", y, np.array(self.least))
        g("Squeeze", y, np.array([1]), name="prediction")
        return [tensor("prediction", np.float64, "N")], {"target": self.name}

    def to_json(self) -> dict[str, Any]:
        """Return the target as the model file holds it."""
        fields = asdict(self)
        del fields["loss"]  # the network has it
        return {"task": self.task, **fields}

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> Quantity:
        """The inverse of `to_json`, of an entry as the schema of model files has it."""
        written = (entry.get("decimal", ""), entry.get("unit", ""), entry.get("grouped", False))
        also_missing = tuple(entry.get("also_missing", ()))
        shift = entry.get("shift")
        held = float(entry.get("most", NO_LIMIT)), float(entry.get("least", -NO_LIMIT))
        residuals = tuple(map(float, entry.get("residuals", ())))
        mean, scale = float(entry["mean"]), float(entry["scale"])
        return cls(
            entry["name"],
            mean,
            scale,
            also_missing,
            *written,
            None if shift is None else float(shift),
            *held,
            residuals,
        )


def _rounded(y: Floats) -> Floats:
    """Numbers to seven digits each."""
    size = np.abs(y)
    digits = 10.0 ** (6 - np.floor(np.log10(np.where((size > 1e-290) & (size < 1e290), size, 1.0))))
    return np.asarray(np.round(y * digits) / digits)
