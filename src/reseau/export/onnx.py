"""Models as ONNX files, for every runtime that reads them: networks, estimators, and tables from their raw columns.

A file is one graph that holds its weights, written with operators of opset 17 (IR 8), which runtimes know since 2022,
and for text of `ai.onnx.ml` 3.

What goes in and comes out:

- a `Network`: "X" (N, inputs) gives "O" (N, outputs), in the network's precision;
- an `MLPClassifier`: "X" gives "label" (N,) and "probabilities" (N, classes); of several labels at once, their
  indicators (N, labels) and the probability of each;
- an `MLPRegressor`: "X" gives "prediction" (N, outputs);
- a `TableModel`: each column that it uses is an input of its own, (N, 1): numbers in float64, booleans as 0 and 1 and
  dates as days since 1970-01-01 likewise (fractions of a day for the time, in UTC), NaN where they are missing;
  categories as text, "" where it is missing. They give "prediction" (N,), a class or a quantity in its own unit, and
  for classes "probabilities" (N, classes). What `TableModel.predict` refuses, such as an infinite number, is not
  refused there.

- a pipeline of scikit-learn: what its estimator gives, of its own inputs (see `onnx_pipeline`).

The metadata holds "library", "version", "kind", "loss", and as JSON what the model knows of "inputs", "target" and
"classes" (those in the order of the probabilities).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from reseau import __version__, files
from reseau.errors import ParameterError, ReseauError
from reseau.export.models import class_labels
from reseau.export.onnx_graph import IR_VERSION, ML_OPSET, OPSET, Graph, onnx_package
from reseau.export.onnx_pipeline import joined
from reseau.network import Network

if TYPE_CHECKING:
    import onnx

    from reseau.columns import Boolean, Category, Date, Number
    from reseau.perceptron import Perceptron
    from reseau.table_model import TableModel

LARGEST = 2**31 - 2**20  # bytes; protobuf ends at 2 GiB, of which some are left for what is not weights
Array = np.ndarray[Any, Any]


def to_onnx(model: object, path: str | Path, *, sample: Any = None) -> None:
    """Write a model as one self-contained ONNX file, complete or not at all.

    Parameters
    ----------
    model : Network, TableModel, MLPClassifier, MLPRegressor, or sklearn.pipeline.Pipeline
        Built, trained or fitted. A pipeline ends in one of the estimators; the steps before it become part of the
        graph, from the raw columns on, as far as the package skl2onnx can write them.
    path : path
        Where; an existing file is replaced in one move.
    sample : data frame, array or None
        For a pipeline fitted on a data frame: rows of it, of which the types of the columns are read.

    Raises
    ------
    ReseauError
        Without the package onnx; for a model that has no weights yet, or that ONNX has no place for.
    sklearn.exceptions.NotFittedError
        For an estimator before fit.
    OSError
        When the path cannot be written.

    Examples
    --------
    >>> import reseau as rs
    >>> net = rs.Network(rs.Dense(2, "softmax"), inputs=3, loss="cross_entropy")
    >>> rs.to_onnx(net, "small.onnx")
    >>> rs.from_onnx("small.onnx")
    Network(Dense(2, 'softmax'), loss='cross_entropy', inputs=3, dtype='float32')
    """
    files.write_bytes(path, to_model(model, sample).SerializeToString(deterministic=True))


def to_model(model: object, sample: Any = None) -> onnx.ModelProto:
    """The model in onnx's own form; parameters and errors are those of `to_onnx`."""
    onnx_package()
    if isinstance(model, Network):
        return _network_model(model)
    from reseau.perceptron import Perceptron

    if isinstance(model, Perceptron):
        return _estimator_model(model)
    from reseau.table_model import TableModel

    if isinstance(model, TableModel):
        return _table_model(model)
    from sklearn.pipeline import Pipeline

    if isinstance(model, Pipeline) and isinstance(model.steps[-1][1], Perceptron):
        last = _estimator_model(model.steps[-1][1])
        return last if len(model.steps) == 1 else joined(model, last, sample)
    ends = f" that ends in a {type(model.steps[-1][1]).__name__}" if isinstance(model, Pipeline) else ""
    raise ParameterError(
        f"model is a {type(model).__name__}{ends}, but must be a Network, TableModel, MLPClassifier or MLPRegressor of "
        "Réseau, or a Pipeline that ends in one of the latter."
    )


# --- models -----------------------------------------------------------------------------------------------------------


def _layers(g: Graph, net: Network, X: str, name: str) -> str:
    """The layers of a network, from the tensor X to one of this name."""
    if net.parameters.nbytes > LARGEST:
        raise ReseauError(
            f"The network's {net.n_parameters:,} parameters take {net.parameters.nbytes / 2**30:.1f} GiB, but one ONNX "
            "file holds at most 2; give it fewer neurons, or keep it as a model file (save)."
        )
    A = X
    for place, layer in enumerate(net.layers, start=1):
        g.within(f"layer {place}/")
        parameters = [g.weight(f"W{place}", layer.W)]
        if layer.b is not None:
            parameters.append(g.weight(f"b{place}", layer.b))
        A = g("Gemm", A, *parameters)
        A = layer.description.sigma.code.onnx(g, A)
    g.nodes[-1].output[0] = g.nodes[-1].name = name  # the node that gave A
    g.within("")
    return name


def _finished(
    g: Graph, net: Network, inputs: Sequence[Any], outputs: Sequence[Any], kind: str, metadata: dict[str, Any]
) -> onnx.ModelProto:
    """The graph as a model, with what it is in its metadata."""
    from onnx import helper

    graph = helper.make_graph(g.nodes, "reseau", inputs, outputs, initializer=g.weights)
    opsets = [helper.make_opsetid("", OPSET)]
    if any(node.domain == "ai.onnx.ml" for node in g.nodes):
        opsets.append(helper.make_opsetid("ai.onnx.ml", ML_OPSET))
    model = helper.make_model(
        graph,
        opset_imports=opsets,
        ir_version=IR_VERSION,
        producer_name="reseau",
        producer_version=__version__,
    )
    entries = {"library": "reseau", "version": __version__, "kind": kind, "loss": net.loss}
    entries |= {key: json.dumps(value, ensure_ascii=False) for key, value in metadata.items() if value is not None}
    helper.set_model_props(model, entries)
    return model


def _tensor(name: str, dtype: Any, *shape: int | str, doc: str = "") -> Any:
    """Describe an input or output; a length that is text may be any."""
    from onnx import TensorProto, helper

    is_text = np.dtype(dtype).kind in "OU"
    code = TensorProto.STRING if is_text else helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    return helper.make_tensor_value_info(name, code, shape, doc_string=doc)


def _network_model(net: Network) -> onnx.ModelProto:
    architecture = net.architecture
    g = Graph(net.dtype, taken=("X", "O"))
    inputs = [_tensor("X", net.dtype, "N", architecture.inputs)]
    outputs = [_tensor(_layers(g, net, "X", "O"), net.dtype, "N", architecture.outputs)]
    return _finished(g, net, inputs, outputs, "network", {})


def _estimator_model(estimator: Perceptron) -> onnx.ModelProto:
    from sklearn.base import is_classifier
    from sklearn.utils.validation import check_is_fitted

    check_is_fitted(estimator, "_network")
    net = estimator.network_
    g = Graph(net.dtype, taken=("X", "label", "probabilities", "prediction"))
    names = getattr(estimator, "feature_names_in_", None)
    metadata: dict[str, Any] = {"inputs": None if names is None else [str(name) for name in names]}
    inputs = [_tensor("X", net.dtype, "N", net.architecture.inputs)]
    if not is_classifier(estimator):
        outputs = [_tensor(_layers(g, net, "X", "prediction"), net.dtype, "N", net.architecture.outputs)]
        return _finished(g, net, inputs, outputs, "regressor", metadata)
    classes: Array = np.asarray(estimator.classes_)
    several: bool = estimator._several
    metadata["classes"] = classes.tolist()
    if several:
        O = _layers(g, net, "X", "probabilities")
        label = g.cast(g("Greater", O, 0.5), np.int64, name="label")
        outputs = [_tensor(label, np.int64, "N", len(classes)), _tensor(O, net.dtype, "N", len(classes))]
        return _finished(g, net, inputs, outputs, "classifier", metadata)
    class_labels(estimator)  # refuses a single class
    if net.architecture.outputs == 1:
        O = _layers(g, net, "X", "O")
        g("Concat", g("Sub", 1.0, O), O, axis=1, name="probabilities")
        place = g("Squeeze", g.cast(g("Greater", O, 0.5), np.int64), np.array([1]))
    else:
        place = g("ArgMax", _layers(g, net, "X", "probabilities"), axis=1, keepdims=0)
    outputs = [_labels(g, place, classes, "label"), _tensor("probabilities", net.dtype, "N", len(classes))]
    return _finished(g, net, inputs, outputs, "classifier", metadata)


def _labels(g: Graph, place: str, classes: Array, name: str) -> Any:
    """Look up the labels of places (N,) in the table of classes."""
    if classes.dtype.kind in "OU":
        odd = [label for label in classes if not isinstance(label, str)]
        if odd:
            raise ReseauError(
                f"The class {odd[0]!r} is of type {type(odd[0]).__name__}, for which ONNX has no tensors; make the "
                "classes text or numbers."
            )
        classes = classes.astype(object)
    elif classes.dtype.kind in "iu":
        classes = classes.astype(np.int64)
    elif classes.dtype.kind not in "bf":
        raise ReseauError(f"The classes are of type {classes.dtype}; ONNX takes text, numbers and booleans.")
    g("Gather", g.weight("classes", classes), place, axis=0, name=name)
    return _tensor(name, classes.dtype, "N")


# --- tables -----------------------------------------------------------------------------------------------------------

_TABLE_OUTPUTS = ("prediction", "probabilities")
_MISSING = "NaN where it is missing"


def _table_model(model: TableModel) -> onnx.ModelProto:
    from reseau.target import Classes

    net, target = model.network, model.target
    used = [d for d in model.columns if d.features]
    # Columns keep their names, but for those that an output has already.
    names = [f"{d.name} (input)" if d.name in _TABLE_OUTPUTS else d.name for d in used]
    g = Graph(net.dtype, taken=(*names, *_TABLE_OUTPUTS))
    inputs, parts, told = [], [], []
    for name, d in zip(names, used, strict=True):
        g.within(f"{name}/")
        dtype, doc, emit = _COLUMNS[d.kind]
        inputs.append(_tensor(name, dtype, "N", 1, doc=doc))
        parts += emit(g, name, d)
        told.append({"name": d.name, "input": name, "kind": d.kind, "cells": doc})
    g.within("")
    X = g("Concat", *parts, axis=1)
    metadata: dict[str, Any] = {"inputs": told, "target": target.name}
    if isinstance(target, Classes):
        metadata["classes"] = list(target.classes)
        place = g("ArgMax", _layers(g, net, X, "probabilities"), axis=1, keepdims=0)
        classes = np.array(target.classes, dtype=object if target.type == "text" else None)
        outputs = [
            _labels(g, place, classes, "prediction"),
            _tensor("probabilities", net.dtype, "N", len(target.classes)),
        ]
    else:
        O = g.cast(_layers(g, net, X, g.free("O")), np.float64)
        quantity = g("Add", g("Mul", O, np.array(target.scale)), np.array(target.mean))
        g("Squeeze", quantity, np.array([1]), name="prediction")
        outputs = [_tensor("prediction", np.float64, "N")]
    return _finished(g, net, inputs, outputs, "table model", metadata)


def _filled(g: Graph, X: str, d: Number | Boolean | Date) -> tuple[str, list[str]]:
    """The cells, float64 (N, 1), with the missing ones filled; and the input that says so, if there is one."""
    absent = g("IsNaN", X)
    return g("Where", absent, np.array(d.fill), X), [g.cast(absent, g.dtype)] * d.missing


def _standardised(g: Graph, values: str, d: Number | Date) -> str:
    return g("Div", g("Sub", values, np.array(d.mean)), np.array(d.scale))


def _number(g: Graph, X: str, d: Number) -> list[str]:
    values, missing = _filled(g, X, d)
    z = g("Clip", _standardised(g, values, d), np.array(-d.limit), np.array(d.limit))
    return [g.cast(z, g.dtype), *missing]


def _boolean(g: Graph, X: str, d: Boolean) -> list[str]:
    values, missing = _filled(g, X, d)
    return [g.cast(values, g.dtype), *missing]


def _category(g: Graph, X: str, d: Category) -> list[str]:
    """One-hot: the place of each level, of the rare ones, of the missing ones; a place beyond them all gives zeros."""
    n, width = len(d.levels), len(d.features)
    places = {"": n + d.other if d.missing else width} | {level: i for i, level in enumerate(d.levels)}
    place = g(
        "LabelEncoder",
        X,
        domain="ai.onnx.ml",
        keys_strings=list(places),
        values_int64s=list(places.values()),
        default_int64=n if d.other else width,
    )
    one_hot = g("OneHot", g("Squeeze", place, np.array([1])), np.array(width), np.array([0, 1], g.dtype), axis=-1)
    return [one_hot]


def _date(g: Graph, X: str, d: Date) -> list[str]:
    from reseau.columns import CYCLES, EPOCH_WEEKDAY

    days, missing = _filled(g, X, d)
    whole = g("Floor", days)
    positions: dict[str, Callable[[], str]] = {
        "year": lambda: _day_of_year(g, whole),
        "week": lambda: _day_of_week(g, g("Add", whole, np.array(EPOCH_WEEKDAY))),
        "day": lambda: g("Sub", days, whole),
    }
    parts = [_standardised(g, days, d)]
    for cycle in d.cycles:
        angle = g("Mul", positions[cycle](), np.array(2 * np.pi / CYCLES[cycle]))
        parts += [g("Sin", angle), g("Cos", angle)]
    return [*(g.cast(part, g.dtype) for part in parts), *missing]


def _day_of_week(g: Graph, since: str) -> str:
    """How many days since Monday, of whole days since one of them."""
    week = np.array(7.0)
    return g("Sub", since, g("Mul", week, g("Floor", g("Div", since, week))))


def _day_of_year(g: Graph, whole: str) -> str:
    """How many days since January 1st, of whole days since 1970, (N, 1).

    Year y after 2000 begins 365 y + ⌈y/4⌉ − ⌈y/100⌉ + ⌈y/400⌉ days after 2000-01-01, before which there were so many
    leap days in between. Three years are tried, of which that with the least difference not below 0 is the year.
    """
    since = g("Sub", whole, np.array(10957.0))  # 2000-01-01
    y = g("Add", g("Floor", g("Div", since, np.array(365.2425))), np.array([[-1.0, 0.0, 1.0]]))
    leap = [g("Ceil", g("Div", y, np.array(length))) for length in (4.0, 100.0, 400.0)]
    begin = g("Add", g("Mul", y, np.array(365.0)), g("Add", g("Sub", leap[0], leap[1]), leap[2]))
    day = g("Sub", since, begin)
    return g("ReduceMin", g("Where", g("Less", day, np.array(0.0)), np.array(1e9), day), axes=[1], keepdims=1)


_COLUMNS: dict[str, tuple[Any, str, Callable[[Graph, str, Any], list[str]]]] = {
    "number": (np.float64, f"a number, {_MISSING}", _number),
    "boolean": (np.float64, f"0 or 1, {_MISSING}", _boolean),
    "category": (object, 'text, "" where it is missing', _category),
    "date": (np.float64, f"days since 1970-01-01, {_MISSING}", _date),
}
