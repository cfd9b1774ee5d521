"""What type checkers and editors know of the public face."""

from __future__ import annotations

from collections.abc import Iterable
from typing import get_args

import pytest

from reseau import engine, names
from reseau.checks import DTYPES
from reseau.estimators import parameters
from reseau.estimators.classifier import MLPClassifier
from reseau.estimators.regressor import MLPRegressor
from reseau.estimators.rules import CLASSIFICATION_LOSSES, REGRESSION_LOSSES
from reseau.formulas.words import LANGUAGES
from reseau.training.metrics import METRICS
from reseau.vocabulary.activations import ACTIVATIONS
from reseau.vocabulary.initializers import INITIALIZERS
from reseau.vocabulary.least_squares import LEAST_SQUARES
from reseau.vocabulary.losses import LOSSES
from reseau.vocabulary.optimizers import OPTIMIZERS
from reseau.vocabulary.precisions import PRECISIONS

TABLES: dict[str, Iterable[str]] = {
    "ActivationName": ACTIVATIONS,
    "InitializerName": INITIALIZERS,
    "LossName": LOSSES,
    "OptimizerName": OPTIMIZERS,
    "LeastSquaresName": LEAST_SQUARES,
    "MetricName": METRICS,
    "PrecisionName": PRECISIONS,
    "DtypeName": DTYPES,
    "EngineName": engine.NAMES,
    "Language": LANGUAGES,
    "HiddenActivationName": parameters.HIDDEN,
    "ClassificationLossName": CLASSIFICATION_LOSSES,
    "RegressionLossName": REGRESSION_LOSSES,
    "ClassificationSolverName": MLPClassifier._solvers,
    "RegressionSolverName": MLPRegressor._solvers,
    "RateName": parameters.RATES,
}


@pytest.mark.parametrize("alias", TABLES)
def test_the_names_that_editors_complete_are_those_of_the_table_in_its_order(alias: str) -> None:
    assert get_args(getattr(names, alias)) == tuple(TABLES[alias])


def test_all_names_are_held_against_a_table() -> None:
    assert [name for name, value in vars(names).items() if get_args(value)] == list(TABLES)
