"""class_weight: how much the rows of each class count, by scikit-learn's rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from reseau import data
from reseau.arrays import FloatArray
from reseau.checks import real, shown
from reseau.errors import DataError, ParameterError
from reseau.estimators import labels

BALANCED = "balanced"
_WANTED = f"must be {BALANCED!r}, a mapping from classes to weights, a list of such for several labels a row, or None"


def check(class_weight: Any) -> None:
    """Refuse what no classes could make valid."""
    if class_weight is None or (isinstance(class_weight, str) and class_weight == BALANCED):
        return
    if not isinstance(class_weight, Mapping | list | tuple):
        raise ParameterError(f"class_weight is {shown(class_weight)}, but {_WANTED}.")
    several = not isinstance(class_weight, Mapping)
    for place, weights in enumerate(class_weight if several else [class_weight]):
        name = f"class_weight[{place}]" if several else "class_weight"
        if not isinstance(weights, Mapping):
            raise ParameterError(f"{name} is {shown(weights)}, but must be a mapping from classes to weights.")
        for label, weight in weights.items():
            real(f"{name}[{label!r}]", weight, low=0)


def times(
    class_weight: Any, classes: Any, y: Any, sample_weight: FloatArray | None, *, by_parts: bool
) -> FloatArray | None:
    """The weight of each row times that of its class.

    Parameters
    ----------
    class_weight : "balanced", mapping, list of mappings or None
        That of the estimator, which `check` has let through.
    classes : ndarray, or list of ndarray
        The labels; of several columns those of each, and of several labels a row whether a row has it, 0 and 1 of each.
    y : ndarray of shape (rows,) or (rows, columns)
        Places among the classes; −1 is missing, and no class.
    sample_weight : ndarray of shape (rows,) or None
        The weights of the rows alone; "balanced" counts rows by them.
    by_parts : bool
        Whether there are more rows than these, so that they cannot be balanced.

    Returns
    -------
    ndarray of shape (rows,) or None
        None where nothing weighs anything.
    """
    if class_weight is None:
        return sample_weight
    if by_parts and isinstance(class_weight, str):
        raise ParameterError(
            "class_weight='balanced' is not supported for partial_fit, which sees one batch of rows at a time. Use "
            "sklearn.utils.class_weight.compute_class_weight('balanced', classes=classes, y=y) on all y, or a large "
            "part of them, and give class_weight those weights."
        )
    several = isinstance(classes, list)
    columns = list(y.T) if several else [y]
    if not isinstance(class_weight, str) and several == isinstance(class_weight, Mapping):
        raise ParameterError(
            f"class_weight is {shown(class_weight)}, but y has {len(columns)} labels a row; give a list of "
            f"{len(columns)} mappings, such as {{0: 1, 1: 5}} for each."
            if several
            else f"class_weight is {shown(class_weight)}, but y has one label a row; give one mapping from classes to "
            "weights."
        )
    if several and not isinstance(class_weight, str) and len(class_weight) != len(columns):
        raise ParameterError(
            f"class_weight has {len(class_weight)} mappings, but y has {len(columns)} labels a row; give one for each."
        )
    product = np.ones(len(y))
    for place, column in enumerate(columns):
        values = classes[place] if several else classes
        of_classes = (
            _balanced(column, len(values), sample_weight)
            if isinstance(class_weight, str)
            else _mapped(class_weight[place], values, f"class_weight[{place}]")
            if several
            else _mapped(class_weight, values, "class_weight")
        )
        product = product * np.where(column < 0, 1, of_classes[column.astype(np.intp)])
    product = product if sample_weight is None else sample_weight * product
    return data.weights(
        product, len(y), "class_weight times sample_weight" if sample_weight is not None else "class_weight"
    )


def _balanced(places: Any, classes: int, sample_weight: FloatArray | None) -> FloatArray:
    """Σ s/(classes Σ_class s): those that do not occur have none."""
    known = places >= 0
    places, ones = (
        places[known].astype(np.intp),
        (np.ones(len(places)) if sample_weight is None else sample_weight)[known],
    )
    counts = np.bincount(places, weights=ones, minlength=classes)
    there = np.bincount(places, minlength=classes) > 0
    with np.errstate(divide="ignore"):
        found = counts.sum() / (there.sum() * counts)
    return np.where(counts > 0, found, 0.0)


def _mapped(weights: Mapping[Any, Any], classes: Any, name: str) -> FloatArray:
    """The weight of each class; 1 for those that are not named."""
    found = np.ones(len(classes))
    if not weights:
        return found
    try:
        named = labels.read(list(weights), name, "place")
    except DataError as error:
        raise ParameterError(str(error)) from None
    same = labels.kind(named) == labels.kind(classes)
    places = labels.number(named, classes) if same else np.full(len(named), -1)
    if (places < 0).any():
        label = list(weights)[int(np.argmin(places))]
        raise ParameterError(
            f"{name} gives a weight to {label!r}, which is none of the classes: {labels.shown(classes)}."
        )
    found[places] = [float(weight) for weight in weights.values()]
    return found
