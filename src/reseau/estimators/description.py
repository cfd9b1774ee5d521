"""Estimators as model files describe them: parameters, classes, what `fit` left, from where `partial_fit` goes on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from reseau.arrays import FloatArray, ResumePoint
from reseau.checks import known, shown
from reseau.errors import ParameterError, ReseauError
from reseau.estimators.least_squares import EVIDENCE
from reseau.estimators.rules import LOG_LOSS
from reseau.files.model_file import STATE
from reseau.vocabulary.layers import Layer, Residual, layer_from_description
from reseau.vocabulary.least_squares import LEAST_SQUARES, LevenbergMarquardt
from reseau.vocabulary.losses import Loss, describe_loss, loss_from_description
from reseau.vocabulary.optimizers import OPTIMIZERS, Optimizer
from reseau.vocabulary.schedules import SCHEDULES, Schedule

if TYPE_CHECKING:
    from reseau.estimators.perceptron import Perceptron
    from reseau.network import Network

# What a fit leaves behind; after "lbfgs" there is none of the epochs but the validation loss.
OF_EPOCHS = ("loss_curve_", "best_loss_", "validation_scores_", "best_validation_score_", "validation_loss_curve_")
RECORDS = ("n_iter_", "t_", "loss_", *OF_EPOCHS, *EVIDENCE)
_METHODS: dict[str, Any] = {**OPTIMIZERS, **LEAST_SQUARES}
# The parameters that earlier releases lack, left out of files where they change nothing.
_ADDED = {
    "loss": LOG_LOSS,
    "precision": None,
    "early_stopping_metric": None,
    "hidden_layers": None,
    "dropout": 0.0,
    "optimizer": None,
    "class_weight": None,
    "stratify": None,
    "masked_targets": False,
}
_RESIDUAL = "residual"  # the type of layers with a link around them, beside those of the table
TWISTER = "MT19937"  # the generator of every RandomState that NumPy makes by itself


def described(estimator: Perceptron) -> tuple[dict[str, Any], dict[str, FloatArray]]:
    """The description and the tensors of a fitted estimator.

    Raises
    ------
    ReseauError
        For a subclass, and for parameters or classes that JSON has no place for.
    sklearn.exceptions.NotFittedError
        Before fit.
    """
    if "_kept_as" not in vars(type(estimator)):  # a subclass
        raise ReseauError(
            f"A {type(estimator).__name__} cannot be kept in a model file, which holds an MLPClassifier or "
            "MLPRegressor alone; save its network_, or pickle it."
        )
    check_is_fitted(estimator, "_network")
    estimator._check_parameters()
    state = estimator.__getstate__()  # with the weights and the progress that the engine may still have
    network: Network = state["_network"]
    progress: ResumePoint | None = state.get("_progress")
    tensors = network.tensors()
    if progress is not None:
        tensors |= {f"{STATE}{place}": vector for place, vector in enumerate(progress.state)}
    fitted = {record: state[record] for record in (*RECORDS, "_no_improvement_count") if record in state}
    for record in [record for record, value in fitted.items() if isinstance(value, list)]:
        tensors[record] = np.array(fitted.pop(record), np.float64)  # as numbers: JSON knows none that are not finite
    if "feature_names_in_" in state:
        fitted["feature_names_in_"] = [str(feature) for feature in state["feature_names_in_"]]
    description = {
        "kind": "estimator",
        "estimator": estimator._kept_as,
        "parameters": {
            key: plain(key, value)
            for key, value in estimator.get_params(deep=False).items()
            if not _as_before(key, value)
        },
        "network": network.describe(),
        "classes": estimator._described_classes(),
        "fitted": {key: plain(key, value) for key, value in fitted.items()},
        "progress": None
        if progress is None
        else {
            "steps": progress.steps,
            "epochs": progress.epochs,
            "rate_factor": float(state["_rate_factor"]),
            **({"seed": state["_seed"]} if "_seed" in state else {}),
        },
    }
    return description, tensors


def _as_before(key: str, value: Any) -> bool:
    """Whether it is a parameter that earlier releases lack, with the value that stands for what they do."""
    return key in _ADDED and type(value) is type(_ADDED[key]) and value == _ADDED[key]


def plain(name: str, value: Any) -> Any:
    """A value as JSON has it: what NumPy made as what Python has, numbers that are not finite as texts."""
    if value is np.random:
        return None  # the same to scikit-learn
    if isinstance(value, np.random.RandomState):
        state: Any = value.get_state(legacy=False)
        if state["bit_generator"] != TWISTER:
            raise ParameterError(f"{name} draws from a {state['bit_generator']}; a model file can keep a {TWISTER}.")
        kept = {**state["state"], "has_gauss": state["has_gauss"], "cached_gaussian": state["gauss"]}
        return {key: plain(name, part) for key, part in kept.items()}
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, float) and not isfinite(value):
        return str(value)
    if isinstance(value, list | tuple | range):
        return [plain(name, part) for part in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Layer):
        return value.describe()
    if isinstance(value, Residual):
        return {"type": _RESIDUAL, "layers": [plain(name, layer) for layer in value.layers]}
    if isinstance(value, Mapping):
        return {"mapping": [[plain(name, key), plain(name, weight)] for key, weight in value.items()]}
    if isinstance(value, Loss) and not value.own:
        return describe_loss(value)
    if isinstance(value, Optimizer):
        numbers = {**value.hyperparameters(), "learning_rate": value.learning_rate}
        return {"optimizer": value.name, **{key: plain(name, part) for key, part in numbers.items()}}
    if isinstance(value, LevenbergMarquardt):
        return {"optimizer": value.name, **{key: plain(name, part) for key, part in value.hyperparameters().items()}}
    if isinstance(value, Schedule) and value.described_whole:
        described = value.describe()
        return {"schedule": described.pop("name"), **described}
    way_out = "pickle the estimator, or save its network_" if callable(value) else "give plain numbers"
    raise ParameterError(
        f"{name} is {shown(value)}, of type {type(value).__name__}, which a model file has no place for; {way_out}."
    )


def back(value: Any) -> Any:
    """The value that `plain` wrote; a ReseauError for what it cannot have written."""
    if isinstance(value, dict) and "optimizer" in value:
        return _entry(value, "optimizer", _METHODS)
    if isinstance(value, dict) and isinstance(value.get("mapping"), list):
        return _mapping(value["mapping"])
    if isinstance(value, dict) and "schedule" in value:
        return _entry(value, "schedule", SCHEDULES)
    if isinstance(value, dict) and "loss" in value:
        return _loss(value)
    if isinstance(value, dict) and "type" in value:
        return _layer(value)
    if isinstance(value, dict):
        if value.keys() != {"key", "pos", "has_gauss", "cached_gaussian"}:
            raise ReseauError(f"A parameter is {shown(value)}, which is no value of one.")
        random = np.random.RandomState(np.random.MT19937())
        words = {"key": np.array(value["key"], np.uint32), "pos": value["pos"]}
        random.set_state(
            {
                "bit_generator": TWISTER,
                "state": words,
                "has_gauss": value["has_gauss"],
                "gauss": value["cached_gaussian"],
            }
        )
        return random
    if value in ("inf", "-inf", "nan"):
        return float(value)
    if isinstance(value, list):
        parts = map(back, value)
        return list(parts) if any(isinstance(part, dict) for part in value) else tuple(parts)
    return value


def _mapping(pairs: list[Any]) -> dict[Any, Any]:
    for pair in pairs:
        if not isinstance(pair, list) or len(pair) != 2 or not isinstance(pair[0], str | int | float):
            raise ReseauError(f"A parameter has {shown(pair)} in a mapping, which is no key with a value.")
    return {key: back(value) for key, value in pairs}


def _loss(value: Mapping[str, Any]) -> Any:
    if not value.keys() <= {"loss", "loss_numbers"} or not isinstance(value.get("loss_numbers", {}), Mapping):
        raise ReseauError(f"A parameter is {shown(value)}, which is no loss.")
    return loss_from_description(value)


def _layer(value: Mapping[str, Any]) -> Layer | Residual:
    if value["type"] != _RESIDUAL:
        return layer_from_description(dict(value), "a layer of hidden_layers")
    layers = value.get("layers")
    if value.keys() != {"type", "layers"} or not isinstance(layers, list):
        raise ReseauError(f"A layer of hidden_layers is {shown(value)}, which is none.")
    return Residual(*(_layer(each) if isinstance(each, dict) and "type" in each else each for each in layers))


def _entry(value: Mapping[str, Any], what: str, table: Mapping[str, type[Any]]) -> Any:
    """An entry of a table with its numbers."""
    kind = table[known(what, value[what], table)]
    numbers = {key: back(part) for key, part in value.items() if key != what}
    for key in numbers:
        known(f"a parameter of {kind.name}", key, [field.name for field in fields(kind)])
    return kind(**numbers)
