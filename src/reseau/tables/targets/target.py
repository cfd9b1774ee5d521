"""What is to be predicted: everything that training, predicting, scoring and telling ask of a target."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from reseau.checks import known
from reseau.errors import ParameterError
from reseau.names import ActivationName
from reseau.parts import Decoder
from reseau.training.metrics import METRICS
from reseau.vocabulary.losses import NamedLoss, loss_of

if TYPE_CHECKING:
    from reseau.export.c_code import File
    from reseau.tables.code import c_rows
    from reseau.tables.reading.cells import Codes
    from reseau.tables.reading.table import Column
    from reseau.tables.targets.scores import Scores

Values = npt.NDArray[Any]


@dataclass(frozen=True)
class Said:
    """What outputs say, in the target's own values.

    Attributes
    ----------
    values : pyarrow.Array
        The predicted values, one a row.
    probabilities : ndarray of shape (rows, classes), float32, or None
        Of classes.
    columns : dict of str to pyarrow.Array
        What a table of predictions has besides.
    """

    values: pa.Array
    probabilities: npt.NDArray[np.float32] | None = None
    columns: Mapping[str, pa.Array] = field(default_factory=dict)


class Target(Decoder):
    """A target: y is what `encode` makes of its cells; the network learns `taught` of it, and gives O.

    Attributes
    ----------
    name : str
        Of the column.
    task : str
        "classification" or "regression".
    outputs : int
        The network's output neurons.
    activation : str
        Of the network's last layer.
    hidden : tuple of str
        Of the hidden layers, unless the user asks for another: one network after another takes the next.
    loss : str or Loss
        The error. A file has it with the network.
    losses : tuple of str
        The names of those that may be chosen in its place.
    measured : str
        What `error` is.
    """

    kind = "table model"
    onnx_outputs: ClassVar[tuple[str, ...]] = ("prediction", "probabilities")

    name: str
    task: ClassVar[str]
    loss: NamedLoss
    losses: ClassVar[tuple[str, ...]]
    hidden: ClassVar[tuple[ActivationName, ...]] = ("relu",)
    measured: ClassVar[str]
    metrics_of: ClassVar[str]  # what the metrics compare

    @property
    @abstractmethod
    def activation(self) -> ActivationName: ...

    @property
    @abstractmethod
    def outputs(self) -> int: ...

    @property
    @abstractmethod
    def names(self) -> list[str]: ...

    @property
    @abstractmethod
    def answers(self) -> list[str]:
        """What each of the numbers is that are predicted, as a table of predictions calls it."""

    @abstractmethod
    def place(self, label: Any) -> int:
        """Which of these is that of a class; a ParameterError for what is no class."""

    @abstractmethod
    def in_c(self, file: File) -> c_rows.Answer:
        """What a C file has of the answer to a row."""

    @abstractmethod
    def encode(self, column: Column) -> Values:
        """Return y, (rows,), of the cells of a column."""

    @abstractmethod
    def known(self, y: Values) -> npt.NDArray[np.bool_]:
        """Where y is a value that can be scored, (rows,)."""

    def unknown(self, y: Values) -> list[str]:
        """What is told of values of y that are not known, and not missing either."""
        return []

    def strata(self, y: Values) -> Codes | None:
        """The class of each row, where rows that are drawn are to keep classes in proportion."""
        return None

    @abstractmethod
    def learned_by(self, loss: NamedLoss) -> Target:
        """Return the target as it is learned by this loss; a `ParameterError` for one of another kind of targets."""

    def check_loss(self, loss: NamedLoss) -> None:
        """Refuse a loss that is none of `losses`."""
        if loss_of(loss).name not in self.losses:
            raise ParameterError(
                f"loss is {loss_of(loss).shown}, which is no loss of {self.task}; {self.name!r} can be learned by "
                f"{', '.join(self.losses)}."
            )

    def check_metrics(self, names: Sequence[str]) -> None:
        """Refuse metrics that there are not, or of another kind of targets."""
        for name in names:
            if METRICS[known("metrics", name, METRICS)].of != self.metrics_of:
                fitting = ", ".join(metric.name for metric in METRICS.values() if metric.of == self.metrics_of)
                raise ParameterError(
                    f"metrics holds {name!r}, which compares {METRICS[name].of}, but {self.name!r} is predicted by "
                    f"{self.task}; take of {fitting}."
                )

    @abstractmethod
    def fitted(self, y: Values) -> Target:
        """Return the target with the statistics of the training rows; a `DataError` if there is nothing to learn."""

    def forms(self, y: Values) -> tuple[Target, ...]:
        """The targets that may be learned in the place of this one, which is fitted: itself, and others to be tried."""
        return (self,)

    @property
    def form(self) -> str:
        """Which of them it is; "" as it comes."""
        return ""

    @abstractmethod
    def misfit(self, O: Values, y: Values) -> float:
        """How badly outputs (rows, outputs) of rows out of fold tell y; of all `forms` in one unit."""

    @abstractmethod
    def error(self, O: Values, y: Values) -> float:
        """The error of outputs (rows, outputs) that people are told, smaller where they are better."""

    @abstractmethod
    def predicted(self, O: Values) -> npt.NDArray[np.float64]:
        """What outputs (rows, outputs) say as numbers, of the same shape: probabilities, or what is predicted."""

    def slopes(self, O: Values) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """The first two derivatives of what is predicted by the outputs: (rows, outputs) each."""
        return np.ones(O.shape), np.zeros(O.shape)

    @abstractmethod
    def taught(self, y: Values) -> Values:
        """Return what the network learns of y."""

    @abstractmethod
    def signals(self, y: Values) -> npt.NDArray[np.float64]:
        """Return what effects of a column are effects on, (rows, signals)."""

    def facts(self, y: Values) -> dict[str, Any]:
        """What is kept of the training rows beside the target."""
        return {}

    def check(self, facts: Mapping[str, Any]) -> None:
        """Raise a ReseauError where what a file says of the training does not go with the target."""
        self.check_metrics(facts.get("metrics", ()))

    @abstractmethod
    def answer(self, O: Values) -> Said:
        """What outputs (rows, outputs) say."""

    def out_of_fold(self, O: Values, y: Values, excess: Values) -> Target:
        """Return the target with what outputs (rows, outputs) of rows that were not learned from say of errors.

        Their mean square is larger by `excess` (outputs,) than that of the model itself.
        """
        return self

    @abstractmethod
    def interval(self, O: Values, coverage: float) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Between which numbers what outputs (rows, outputs) are of lies with this probability; (rows,) each."""

    @abstractmethod
    def score(self, O: Values, y: Values, facts: Mapping[str, Any]) -> Scores:
        """Score outputs (rows, outputs) where y is known."""

    @abstractmethod
    def told(self, facts: Mapping[str, Any]) -> str:
        """Say in a line what is predicted, and how it was in the training rows."""

    def cell(self, value: Any) -> pa.Array:
        """Return a value that somebody gives as one cell of the target's column."""
        return pa.array([str(value)], pa.large_string())

    @abstractmethod
    def lesson(self, y: Values, row: int, cell: Any, lang: str) -> tuple[Values, list[str]]:
        """What the network should answer to one row, y (1,), as a blackboard has it, and what its outputs mean.

        A `DataError` names the row, the first being 0, and its cell, if there is no such answer.
        """

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """Return the target as the model file holds it."""
