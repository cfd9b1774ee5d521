"""The types of what the estimators take, and of what scikit-learn, which has none, lends them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from reseau.names import ClassificationLossName, LeastSquaresName, OptimizerName, RegressionLossName
from reseau.vocabulary.layers import Layer, Residual
from reseau.vocabulary.least_squares import LevenbergMarquardt
from reseau.vocabulary.losses import Loss
from reseau.vocabulary.losses.own import LossFunction
from reseau.vocabulary.optimizers import Optimizer

Sizes: TypeAlias = int | Sequence[int] | npt.NDArray[np.integer[Any]]
BatchSize: TypeAlias = int | Literal["auto"]
RandomState: TypeAlias = int | np.random.RandomState | None
ScoredBy: TypeAlias = str | Callable[..., float] | None
HiddenLayers: TypeAlias = Layer | Residual | Sequence[Layer | Residual] | None
Method: TypeAlias = Optimizer | LevenbergMarquardt | OptimizerName | LeastSquaresName | None
ClassificationLoss: TypeAlias = ClassificationLossName | Loss | LossFunction
RegressionLoss: TypeAlias = RegressionLossName | Loss | LossFunction
ClassWeight: TypeAlias = Literal["balanced"] | Mapping[Any, float] | Sequence[Mapping[Any, float]] | None

_Method = TypeVar("_Method", bound=Callable[..., Any])

if TYPE_CHECKING:

    def available_if(check: Callable[[Any], object]) -> Callable[[_Method], _Method]:
        """Have a method only where the check says so."""

else:
    from sklearn.utils.metaestimators import available_if

__all__ = [
    "BatchSize",
    "ClassWeight",
    "ClassificationLoss",
    "HiddenLayers",
    "Method",
    "RandomState",
    "RegressionLoss",
    "ScoredBy",
    "Sizes",
    "available_if",
]
