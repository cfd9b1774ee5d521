"""Pipelines as model files hold them: the steps with what they learned, around the estimator that is the last."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.compose import TransformedTargetRegressor
from sklearn.pipeline import Pipeline

from reseau.checks import tensor as check_tensor
from reseau.errors import ParameterError, ReseauError
from reseau.estimators import description as of_estimators
from reseau.estimators import estimator_file
from reseau.estimators.perceptron import Perceptron
from reseau.estimators.pipelines import SCALERS, flattened, known_scaler, opened, scaling
from reseau.visible import visible

STEPS = "steps."  # begins the names of the tensors of steps: steps.0.mean_
PASSTHROUGH, ESTIMATOR = "passthrough", "estimator"  # what a step may be besides a Pipeline and the scalers
WAY_OUT = "write it with reseau.to_onnx, which knows the steps of scikit-learn, or pickle it."
SCALER_CLASSES = {kind.__name__: kind for kind in SCALERS}

Tensors = dict[str, np.ndarray[Any, Any]]


def described(model: Any, names: str) -> tuple[dict[str, Any], Tensors]:
    """The description and the tensors of a fitted pipeline; `names` is what else a model file holds.

    Raises
    ------
    ParameterError
        For what is no pipeline that ends in one of our estimators, and for a step that is no scaler, by its name.
    sklearn.exceptions.NotFittedError
        Before fit.
    """
    tensors: Tensors = {}
    found: list[Perceptron] = []
    steps = list(_described(model, "", tensors, found)) if isinstance(model, Pipeline) else []
    if not found:
        last = model.steps[-1][1] if isinstance(model, Pipeline) else model
        ends = "" if last is model else f" that ends in a {type(last).__name__}"
        inside = "; save its regressor_" if isinstance(last, TransformedTargetRegressor) else ""
        raise ParameterError(
            f"a {type(model).__name__}{ends} cannot be saved as a model file, which holds {names} of Réseau, or a "
            f"Pipeline that ends in one of the latter{inside}."
        )
    description, numbers = found[0].described()
    return {"kind": "pipeline", "steps": steps, ESTIMATOR: description}, tensors | numbers


def _described(
    pipeline: Pipeline, prefix: str, tensors: Tensors, found: list[Perceptron], last: bool = True
) -> Iterator[dict[str, Any]]:
    """The entries of steps; their tensors and the estimator are put into the lists given."""
    if getattr(pipeline, "transform_input", None) is not None:
        raise ParameterError(f"transform_input is {pipeline.transform_input!r}, which a model file has no place for.")
    for place, (name, step) in enumerate(pipeline.steps, start=1):
        ends, step = last and place == len(pipeline.steps), opened(step)
        if isinstance(step, Pipeline):
            inner = _described(step, f"{prefix}{name}__", tensors, found, ends)
            yield {"name": name, "type": "Pipeline", "steps": list(inner)}
        elif ends:
            if isinstance(step, Perceptron):
                found.append(step)
            yield {"name": name, "type": ESTIMATOR}
        elif step is None or step == PASSTHROUGH:
            yield {"name": name, "type": PASSTHROUGH}
        else:
            yield {"name": name, **_scaler(f"{prefix}{name}", step, tensors)}


def _scaler(name: str, step: Any, tensors: Tensors) -> dict[str, Any]:
    scaler = known_scaler(name, step, WAY_OUT)
    scaling(name, step, WAY_OUT)  # refuses what is not fitted, and numbers that are not finite
    learned = scaler.learned(step)
    number = len({tensor.split(".")[1] for tensor in tensors})
    for attribute in learned:
        array = np.atleast_1d(getattr(step, attribute))
        kinds = {"float16": np.float32, "float32": np.float32, "float64": np.float64}
        tensors[f"{STEPS}{number}.{attribute}"] = array.astype(kinds.get(array.dtype.name, np.int64))
    parameters = step.get_params(deep=False)
    given = {key: value for key, value in parameters.items() if value != _default(type(step), key)}
    names = getattr(step, "feature_names_in_", None)
    return {
        "type": type(step).__name__,
        "parameters": {key: of_estimators.plain(f"{key} of {name!r}", value) for key, value in given.items()},
        "number": number if learned else None,
        "columns": int(step.n_features_in_),
        "feature_names_in_": None if names is None else [str(feature) for feature in names],
        "output": getattr(step, "_sklearn_output_config", {}).get("transform"),
    }


def _default(kind: type, parameter: str) -> Any:
    return inspect.signature(kind).parameters[parameter].default


def from_description(description: Mapping[str, Any], tensors: Mapping[str, np.ndarray[Any, Any]] | None) -> Pipeline:
    """Rebuild a pipeline from what `described` gave; without tensors it can only be shown.

    Raises
    ------
    ReseauError
        When a tensor is missing or of another shape, or the parts do not fit.
    """
    ours = None if tensors is None else {name: value for name, value in tensors.items() if name.startswith(STEPS)}
    rest = None if tensors is None else {name: value for name, value in tensors.items() if not name.startswith(STEPS)}
    estimator = estimator_file.from_description(description[ESTIMATOR], rest)
    ends: list[str] = []
    pipeline = _pipeline(description["steps"], estimator, ours, ends)
    if len(ends) != 1:
        raise ReseauError("the pipeline has to have one step that is the estimator, its last.")
    if ours:
        raise ReseauError(f"Tensor {min(ours)!r} has no place in the pipeline.")
    return pipeline


def _pipeline(entries: list[Any], estimator: Perceptron, tensors: Tensors | None, ends: list[str]) -> Pipeline:
    steps: list[tuple[str, Any]] = []
    for entry in entries:
        name, kind = entry["name"], entry["type"]
        if ends or any(name == other for other, _ in steps):
            raise ReseauError(f"the step {name!r} stands twice, or behind the estimator.")
        if kind == "Pipeline":
            step: Any = _pipeline(entry["steps"], estimator, tensors, ends)
        elif kind == ESTIMATOR:
            step = estimator
            ends.append(name)
        else:
            step = kind if kind == PASSTHROUGH else _rebuilt(entry, estimator, tensors)
        steps.append((name, step))
    return Pipeline(steps)


def _rebuilt(entry: Mapping[str, Any], estimator: Perceptron, tensors: Tensors | None) -> Any:
    """A scaler with what it learned; its tensors are taken out."""
    kind = SCALER_CLASSES[entry["type"]]
    parameters = {key: of_estimators.back(value) for key, value in entry["parameters"].items()}
    step = kind(**parameters)
    columns, names = entry["columns"], entry["feature_names_in_"]
    if columns != estimator.n_features_in_ or (names is not None and len(names) != columns):
        inputs = estimator.n_features_in_
        raise ReseauError(f"the step {entry['name']!r} takes {columns} columns, but the network has {inputs} inputs.")
    step.n_features_in_ = columns
    if names is not None:
        step.feature_names_in_ = np.array(names, dtype=object)
    if entry["output"] is not None:
        step.set_output(transform=entry["output"])
    if tensors is not None:
        for attribute in SCALERS[kind].unasked:
            setattr(step, attribute, None)
        for attribute in SCALERS[kind].learned(step):
            key = f"{STEPS}{entry['number']}.{attribute}"
            value = tensors.pop(key, None)
            one = attribute == "n_samples_seen_" and value is not None and value.shape == (1,)  # for all columns
            check_tensor(key, value, (1,) if one else (columns,), np.float64 if value is None else value.dtype)
            setattr(step, attribute, value[0] if one and value is not None else value)
        scaling(entry["name"], step, "the file is damaged.")
    return step


def told(name: str, description: Mapping[str, Any], pipeline: Pipeline) -> list[str]:
    """What a terminal tells of a file of this name, given its description and the pipeline of that."""
    flat = list(flattened(pipeline))
    steps = [f"{visible(step)}: {' '.join(repr(what).split())}" for step, what in flat]
    names: Sequence[str] = next(
        (step.feature_names_in_ for _, step in flat[:-1] if hasattr(step, "feature_names_in_")), []
    )
    within = estimator_file.told(name, description[ESTIMATOR], flat[-1][1])
    return [f"{name}: a pipeline of scikit-learn", "", *steps, *estimator_file.told_features(names), *within[1:]]
