"""Pipelines of scikit-learn that end in one of our models: what they are apart from the model, as lines x' = (x - a)/s.

A scaler that is an entry of `SCALERS` is such a line for each column; exports write it as a step of its own, in double,
since inputs far from zero (1e5 ± 1) would lose their digits if it became part of a layer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from sklearn.compose import TransformedTargetRegressor
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler
from sklearn.utils.validation import check_is_fitted

from reseau.errors import ParameterError, ReseauError
from reseau.parts import Scaling


@dataclass(frozen=True)
class Wrapped:
    """A model with what pipelines put around it.

    Attributes
    ----------
    model : object
        The innermost estimator.
    scalings : tuple of Scaling
        Of the inputs, in their order.
    target : Scaling or None
        Of which what is predicted is taken `back`.
    features : list of str or None
        The names of the inputs, as the outermost was fitted on.
    """

    model: Any
    scalings: tuple[Scaling, ...] = ()
    target: Scaling | None = None
    features: list[str] | None = None


class Scaler(NamedTuple):
    """A scaler of scikit-learn that is a line: what it learns, and a and s of x' = (x - a)/s, None for 0 and 1.

    Of what it learns, some is None where parameters do not ask for it.
    """

    learned: Callable[[Any], list[str]]
    line: Callable[[Any], tuple[Any, Any]]
    limits: Callable[[Any], tuple[float, float]] = lambda s: (-np.inf, np.inf)
    unasked: tuple[str, ...] = ()


SCALERS: dict[type, Scaler] = {
    StandardScaler: Scaler(
        learned=lambda s: [
            "n_samples_seen_",
            *["mean_"] * (s.with_mean or s.with_std),
            *["var_", "scale_"] * s.with_std,
        ],
        unasked=("mean_", "var_", "scale_"),
        line=lambda s: (s.mean_ if s.with_mean else None, s.scale_ if s.with_std else None),
    ),
    MinMaxScaler: Scaler(
        learned=lambda s: ["data_min_", "data_max_", "data_range_", "scale_", "min_", "n_samples_seen_"],
        line=lambda s: (-np.float64(s.min_) / s.scale_, 1 / np.float64(s.scale_)),
        limits=lambda s: s.feature_range if s.clip else (-np.inf, np.inf),
    ),
    MaxAbsScaler: Scaler(
        learned=lambda s: ["max_abs_", "scale_", "n_samples_seen_"],
        line=lambda s: (None, s.scale_),
        limits=lambda s: (-1.0, 1.0) if getattr(s, "clip", False) else (-np.inf, np.inf),
    ),
    RobustScaler: Scaler(
        learned=lambda s: [*["center_"] * s.with_centering, *["scale_"] * s.with_scaling],
        unasked=("center_", "scale_"),
        line=lambda s: (s.center_ if s.with_centering else None, s.scale_ if s.with_scaling else None),
    ),
    FunctionTransformer: Scaler(learned=lambda s: [], line=lambda s: (None, None)),
}
"""Those that are known, by exact class; a FunctionTransformer is one if it has no function."""


def opened(model: Any) -> Any:
    """What a search found and what is frozen; any other model itself.

    Raises
    ------
    ParameterError
        For a search that has fitted none at its end.
    sklearn.exceptions.NotFittedError
        For a search before fit.
    """
    while True:
        if isinstance(model, GridSearchCV | RandomizedSearchCV):
            check_is_fitted(model)
        if hasattr(model, "best_estimator_"):
            model = model.best_estimator_
        elif hasattr(model, "cv_results_"):
            raise ParameterError(f"model is a {type(model).__name__} with refit=False, which has no fitted estimator.")
        elif type(model).__name__ == "FrozenEstimator":
            model = model.estimator
        else:
            return model


def unwrapped(model: Any, way_out: str) -> Wrapped:
    """Take apart pipelines, searches and a scaled target; a model that is none of them is wrapped in nothing.

    Raises
    ------
    ParameterError
        For a step that is no line, with its name and `way_out`.
    sklearn.exceptions.NotFittedError
        For a step before fit.
    """
    model = opened(model)
    if isinstance(model, TransformedTargetRegressor):
        check_is_fitted(model)
        inner = unwrapped(model.regressor_, way_out)
        if inner.target is not None or getattr(model.transformer_, "func", None) is not None:
            through = " ".join(repr(model.transformer_).split())
            raise ParameterError(f"the target goes through {through}, which is no line; {way_out}")
        target = scaling("transformer", model.transformer_, way_out)
        features = getattr(model, "feature_names_in_", inner.features)
        return Wrapped(inner.model, inner.scalings, target, None if features is None else list(map(str, features)))
    if not isinstance(model, Pipeline):
        names = getattr(model, "feature_names_in_", None)
        return Wrapped(model, features=None if names is None else list(map(str, names)))
    *before, (last_name, last) = flattened(model)
    if last is None or last == "passthrough":
        raise ParameterError(f"the pipeline ends in {last_name!r}, which passes everything through; end it in a model.")
    inner = unwrapped(last, way_out)
    scalings = [scaling(name, step, way_out) for name, step in before]
    features = next((step.feature_names_in_ for _, step in before if hasattr(step, "feature_names_in_")), None)
    return Wrapped(
        inner.model,
        (*(each for each in scalings if each is not None), *inner.scalings),
        inner.target,
        inner.features if features is None else list(map(str, features)),
    )


def flattened(pipeline: Pipeline, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The steps of a pipeline and of those in it, with their names as parameters have them ("outer__inner")."""
    for name, step in pipeline.steps:
        step = opened(step)
        if isinstance(step, Pipeline):
            yield from flattened(step, f"{prefix}{name}__")
        else:
            yield f"{prefix}{name}", step


def scaling(name: str, step: Any, way_out: str) -> Scaling | None:
    """The line of a step; None of one that changes nothing."""
    if step is None or step == "passthrough":
        return None
    scaler = known_scaler(name, step, way_out)
    check_is_fitted(step)
    lacking = [attribute for attribute in scaler.learned(step) if getattr(step, attribute, None) is None]
    if lacking:
        raise ReseauError(f"the step {name!r} has no {lacking[0]}, which its parameters ask for; fit it again.")
    shift, scale = scaler.line(step)
    low, high = scaler.limits(step)
    if shift is None and scale is None and np.isinf(low):
        return None
    shape = (step.n_features_in_,)
    shift, scale = (
        np.broadcast_to(np.asarray(default if value is None else value, np.float64), shape)
        for value, default in ((shift, 0.0), (scale, 1.0))
    )
    if not (np.isfinite(shift) & np.isfinite(scale) & (scale != 0)).all():
        column = int(np.argmin(np.isfinite(shift) & np.isfinite(scale) & (scale != 0)))
        raise ReseauError(
            f"the step {name!r} takes {shift[column]:g} off column {column} and divides it by {scale[column]:g}, which "
            "gives no finite numbers; fit it on a column that has some, or leave the column out."
        )
    return Scaling(shift, scale, float(low), float(high))


def known_scaler(name: str, step: Any, way_out: str) -> Scaler:
    """The entry of a step; ParameterError if it has none."""
    scaler = SCALERS.get(type(step))
    functions = [getattr(step, "func", None), getattr(step, "inverse_func", None)]
    if scaler is None or functions != [None, None]:
        what = f" with the function {functions[0]!r}" if scaler is not None else ""
        known = ", ".join(kind.__name__ for kind in SCALERS if kind is not FunctionTransformer)
        raise ParameterError(
            f"the step {name!r} is a {type(step).__name__}{what}, but must be one of {known} or passthrough; {way_out}"
        )
    return scaler
