"""The table of losses: e_j, the error of output neuron j, from the output o and the target t (the lecture's o*).

The error of a sample is E = Σ_j e_j, and a batch averages E over its rows. Each entry has the error, its derivative
∂E/∂o, the outputs and the targets it is defined for, and the activation that a last layer has where it is given none.
With some that is the one activation the loss *simplifies with*: error and ∂E/∂Z (o − t, for most) are then computed
from the raw scores Z, so that a saturated output loses nothing.

An entry is what its name stands for; a loss with other numbers, such as `Huber(1.5)`, may stand wherever a name may.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias, cast

from reseau.checks import known
from reseau.errors import ParameterError
from reseau.names import LossName
from reseau.vocabulary.losses.classes import (
    BinaryCrossEntropy,
    BinaryFocal,
    CrossEntropy,
    CrossEntropyOfLogarithms,
    Focal,
    FocalOfLogarithms,
)
from reseau.vocabulary.losses.counts import Gamma, NegativeBinomial, Poisson, Tweedie
from reseau.vocabulary.losses.distributions import Gaussian, StudentT
from reseau.vocabulary.losses.loss import NO_BOUNDS, Bounds, Loss, numbers_from, smallest
from reseau.vocabulary.losses.own import LossFunction, OwnLoss
from reseau.vocabulary.losses.residuals import AbsoluteError, Huber, LogCosh, Quantile, SquaredError

__all__ = [
    "LOSSES",
    "NO_BOUNDS",
    "OF_LOGARITHMS",
    "BinaryCrossEntropy",
    "BinaryFocal",
    "Bounds",
    "CrossEntropy",
    "Focal",
    "Huber",
    "Loss",
    "LossLike",
    "NamedLoss",
    "NegativeBinomial",
    "OwnLoss",
    "Quantile",
    "StudentT",
    "Tweedie",
    "check_loss",
    "describe_loss",
    "known_loss",
    "loss_from_description",
    "loss_of",
    "smallest",
]

_KINDS: tuple[type[Loss], ...] = (
    SquaredError,
    AbsoluteError,
    Huber,
    LogCosh,
    Quantile,
    BinaryCrossEntropy,
    CrossEntropy,
    BinaryFocal,
    Focal,
    Poisson,
    Gamma,
    Tweedie,
    NegativeBinomial,
    Gaussian,
    StudentT,
)

LOSSES: dict[str, Loss] = {kind.name: kind() for kind in _KINDS}
"""Every loss by its name."""

OF_LOGARITHMS: tuple[Loss, ...] = (CrossEntropyOfLogarithms(), FocalOfLogarithms())
"""What those over distributions are where the outputs are logarithms of one; users do not name them."""

NamedLoss: TypeAlias = LossName | Loss  # a name where it says all, else the loss
LossLike: TypeAlias = NamedLoss | LossFunction  # what a network is given


def loss_of(loss: NamedLoss) -> Loss:
    """The loss that a name stands for, or itself."""
    return LOSSES[loss] if isinstance(loss, str) else loss


def check_loss(loss: object) -> NamedLoss:
    """Return a loss of the table, as a name where that says all, or one's own, or raise ParameterError."""
    if isinstance(loss, OwnLoss):
        return loss
    if callable(loss) and not isinstance(loss, type):
        return OwnLoss(loss)
    if isinstance(loss, Loss) and type(LOSSES.get(loss.name)) is type(loss):
        return cast("LossName", loss.name) if loss.is_plain else loss
    return cast("LossName", known_loss(loss, LOSSES))


def known_loss(loss: object, table: Iterable[str]) -> str:
    """Return the name of a loss of a table, or raise ParameterError."""
    if isinstance(loss, type) and issubclass(loss, Loss):
        raise ParameterError(f"loss is the class {loss.__name__}, but must be an object of it: {loss.__name__}(...).")
    return known("loss", loss, table)


def describe_loss(loss: NamedLoss) -> dict[str, Any]:
    """A loss as JSON-able values: its name, and the numbers that the name does not say; of one's own no function."""
    if isinstance(loss, str | OwnLoss):
        return {"loss": loss if isinstance(loss, str) else loss.name}
    numbers = {name: list(value) if isinstance(value, tuple) else value for name, value in loss.numbers().items()}
    return {"loss": loss.name, "loss_numbers": numbers}


def loss_from_description(description: Mapping[str, Any]) -> NamedLoss:
    """Rebuild a loss from what `describe_loss` gave, checking every value."""
    if description["loss"] == OwnLoss.name and "loss_numbers" not in description:
        return OwnLoss(None)
    name = known("loss", description["loss"], LOSSES)
    numbers = description.get("loss_numbers", {})
    try:
        return check_loss(numbers_from(name, type(LOSSES[name]), numbers))
    except ParameterError as error:
        raise ParameterError(f"loss {name!r}: {error}") from None
