"""Réseau: dense neural networks, exactly as on the blackboard and as fast as the hardware allows."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# Where each public name lives; loaded when first used, so that importing reseau costs next to nothing.
_HOMES = {
    "Network": "network",
    "Dense": "layers",
    "History": "history",
    "SGD": "optimizers",
    "Adam": "optimizers",
    "AdamW": "optimizers",
    "RMSprop": "optimizers",
    "load": "model_file",
    "MLPClassifier": "estimators",
    "MLPRegressor": "estimators",
    "TableModel": "table_model",
    "from_onnx": "importing.onnx",
    "from_sklearn": "importing.sklearn",
    "from_torch": "importing.torch",
    "from_keras": "importing.keras",
    "save": "model_file",
    "to_c": "export.c",
    "to_onnx": "export.onnx",
    "to_python": "export.numpy_script",
    "LossCurveDisplay": "plots",
    "NetworkDisplay": "network_display",
    "ReseauError": "errors",
    "ParameterError": "errors",
    "DataError": "errors",
    "ModelFileError": "errors",
}

__all__ = [
    "SGD",
    "Adam",
    "AdamW",
    "DataError",
    "Dense",
    "History",
    "LossCurveDisplay",
    "MLPClassifier",
    "MLPRegressor",
    "ModelFileError",
    "Network",
    "NetworkDisplay",
    "ParameterError",
    "RMSprop",
    "ReseauError",
    "TableModel",
    "__version__",
    "from_keras",
    "from_onnx",
    "from_sklearn",
    "from_torch",
    "load",
    "save",
    "to_c",
    "to_onnx",
    "to_python",
]

if TYPE_CHECKING:
    from reseau.errors import DataError, ModelFileError, ParameterError, ReseauError
    from reseau.estimators import MLPClassifier, MLPRegressor
    from reseau.export.c import to_c
    from reseau.export.numpy_script import to_python
    from reseau.export.onnx import to_onnx
    from reseau.history import History
    from reseau.importing.keras import from_keras
    from reseau.importing.onnx import from_onnx
    from reseau.importing.sklearn import from_sklearn
    from reseau.importing.torch import from_torch
    from reseau.layers import Dense
    from reseau.model_file import load, save
    from reseau.network import Network
    from reseau.network_display import NetworkDisplay
    from reseau.optimizers import SGD, Adam, AdamW, RMSprop
    from reseau.plots import LossCurveDisplay
    from reseau.table_model import TableModel


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'reseau' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"reseau.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
