"""Réseau: dense neural networks, exactly as on the blackboard and as fast as the hardware allows."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from reseau.packages import ask
from reseau.version import __version__

ask()
del ask

# Where each public name lives; loaded when first used, so that importing reseau costs next to nothing.
_HOMES = {
    "Network": "network",
    "Ensemble": "ensemble",
    "Dense": "vocabulary.layers",
    "Dropout": "vocabulary.layers",
    "LayerNorm": "vocabulary.layers",
    "PReLU": "vocabulary.layers",
    "Residual": "vocabulary.layers",
    "ArrowRows": "stored.arrow_rows",
    "Callback": "training.callbacks",
    "CSVLogger": "training.loggers",
    "MLflowLogger": "training.loggers",
    "TensorBoardLogger": "training.loggers",
    "OwnLoss": "vocabulary.losses",
    "History": "training.history",
    "SGD": "vocabulary.optimizers",
    "Adam": "vocabulary.optimizers",
    "AdamW": "vocabulary.optimizers",
    "RMSprop": "vocabulary.optimizers",
    "AMSGrad": "vocabulary.optimizers",
    "Nadam": "vocabulary.optimizers",
    "RAdam": "vocabulary.optimizers",
    "Lion": "vocabulary.optimizers",
    "Adagrad": "vocabulary.optimizers",
    "Constant": "vocabulary.schedules",
    "Step": "vocabulary.schedules",
    "Exponential": "vocabulary.schedules",
    "Polynomial": "vocabulary.schedules",
    "Cosine": "vocabulary.schedules",
    "OneCycle": "vocabulary.schedules",
    "ReduceOnPlateau": "vocabulary.schedules",
    "find_learning_rate": "display.rates",
    "LevenbergMarquardt": "vocabulary.least_squares",
    "BayesianRegularization": "vocabulary.least_squares",
    "BinaryCrossEntropy": "vocabulary.losses",
    "BinaryFocal": "vocabulary.losses",
    "CrossEntropy": "vocabulary.losses",
    "Focal": "vocabulary.losses",
    "Huber": "vocabulary.losses",
    "NegativeBinomial": "vocabulary.losses",
    "Quantile": "vocabulary.losses",
    "StudentT": "vocabulary.losses",
    "Tweedie": "vocabulary.losses",
    "fit_many": "many",
    "Exercise": "exercises.exercise",
    "exercise": "exercises.public",
    "variants": "exercises.public",
    "check": "exercises.public",
    "marks": "exercises.public",
    "load": "models",
    "MLPClassifier": "estimators.classifier",
    "MLPRegressor": "estimators.regressor",
    "TableClassifier": "tables.estimators",
    "TableData": "tables.table_data",
    "TableModel": "tables.model",
    "TableRegressor": "tables.estimators",
    "from_onnx": "importing.onnx",
    "from_sklearn": "importing.sklearn",
    "from_torch": "importing.torch",
    "from_keras": "importing.keras",
    "from_matlab": "importing.matlab",
    "save": "models",
    "to_c": "models",
    "to_onnx": "models",
    "to_python": "models",
    "CalibrationDisplay": "display.calibration",
    "DecisionBoundaryDisplay": "display.boundary",
    "EffectDisplay": "display.effect",
    "ErrorHistogramDisplay": "display.error_histogram",
    "ExplanationDisplay": "display.explanation",
    "FitDisplay": "display.fit",
    "ImportanceDisplay": "display.importance",
    "LossCurveDisplay": "plots",
    "NetworkDisplay": "display.network",
    "RegressionDisplay": "display.regression",
    "TrainingStateDisplay": "display.training_state",
    "ReseauError": "errors",
    "ParameterError": "errors",
    "DataError": "errors",
    "ModelFileError": "errors",
}

__all__ = [
    "SGD",
    "AMSGrad",
    "Adagrad",
    "Adam",
    "AdamW",
    "ArrowRows",
    "BayesianRegularization",
    "BinaryCrossEntropy",
    "BinaryFocal",
    "CSVLogger",
    "CalibrationDisplay",
    "Callback",
    "Constant",
    "Cosine",
    "CrossEntropy",
    "DataError",
    "DecisionBoundaryDisplay",
    "Dense",
    "Dropout",
    "EffectDisplay",
    "Ensemble",
    "ErrorHistogramDisplay",
    "Exercise",
    "ExplanationDisplay",
    "Exponential",
    "FitDisplay",
    "Focal",
    "History",
    "Huber",
    "ImportanceDisplay",
    "LayerNorm",
    "LevenbergMarquardt",
    "Lion",
    "LossCurveDisplay",
    "MLPClassifier",
    "MLPRegressor",
    "MLflowLogger",
    "ModelFileError",
    "Nadam",
    "NegativeBinomial",
    "Network",
    "NetworkDisplay",
    "OneCycle",
    "OwnLoss",
    "PReLU",
    "ParameterError",
    "Polynomial",
    "Quantile",
    "RAdam",
    "RMSprop",
    "ReduceOnPlateau",
    "RegressionDisplay",
    "ReseauError",
    "Residual",
    "Step",
    "StudentT",
    "TableClassifier",
    "TableData",
    "TableModel",
    "TableRegressor",
    "TensorBoardLogger",
    "TrainingStateDisplay",
    "Tweedie",
    "__version__",
    "check",
    "exercise",
    "find_learning_rate",
    "fit_many",
    "from_keras",
    "from_matlab",
    "from_onnx",
    "from_sklearn",
    "from_torch",
    "load",
    "marks",
    "save",
    "to_c",
    "to_onnx",
    "to_python",
    "variants",
]

if TYPE_CHECKING:
    from reseau.display.boundary import DecisionBoundaryDisplay
    from reseau.display.calibration import CalibrationDisplay
    from reseau.display.effect import EffectDisplay
    from reseau.display.error_histogram import ErrorHistogramDisplay
    from reseau.display.explanation import ExplanationDisplay
    from reseau.display.fit import FitDisplay
    from reseau.display.importance import ImportanceDisplay
    from reseau.display.network import NetworkDisplay
    from reseau.display.rates import find_learning_rate
    from reseau.display.regression import RegressionDisplay
    from reseau.display.training_state import TrainingStateDisplay
    from reseau.ensemble import Ensemble
    from reseau.errors import DataError, ModelFileError, ParameterError, ReseauError
    from reseau.estimators.classifier import MLPClassifier
    from reseau.estimators.regressor import MLPRegressor
    from reseau.exercises.exercise import Exercise
    from reseau.exercises.public import check, exercise, marks, variants
    from reseau.importing.keras import from_keras
    from reseau.importing.matlab import from_matlab
    from reseau.importing.onnx import from_onnx
    from reseau.importing.sklearn import from_sklearn
    from reseau.importing.torch import from_torch
    from reseau.many import fit_many
    from reseau.models import load, save, to_c, to_onnx, to_python
    from reseau.network import Network
    from reseau.plots import LossCurveDisplay
    from reseau.stored.arrow_rows import ArrowRows
    from reseau.tables.estimators import TableClassifier, TableRegressor
    from reseau.tables.model import TableModel
    from reseau.tables.table_data import TableData
    from reseau.training.callbacks import Callback
    from reseau.training.history import History
    from reseau.training.loggers import CSVLogger, MLflowLogger, TensorBoardLogger
    from reseau.vocabulary.layers import Dense, Dropout, LayerNorm, PReLU, Residual
    from reseau.vocabulary.least_squares import BayesianRegularization, LevenbergMarquardt
    from reseau.vocabulary.losses import (
        BinaryCrossEntropy,
        BinaryFocal,
        CrossEntropy,
        Focal,
        Huber,
        NegativeBinomial,
        OwnLoss,
        Quantile,
        StudentT,
        Tweedie,
    )
    from reseau.vocabulary.optimizers import SGD, Adagrad, Adam, AdamW, AMSGrad, Lion, Nadam, RAdam, RMSprop
    from reseau.vocabulary.schedules import Constant, Cosine, Exponential, OneCycle, Polynomial, ReduceOnPlateau, Step


if not TYPE_CHECKING:  # which would take any name for one of these

    def __getattr__(name: str) -> Any:
        home = _HOMES.get(name)
        if home is None:
            raise AttributeError(f"module 'reseau' has no attribute {name!r}")
        value = getattr(importlib.import_module(f"reseau.{home}"), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
