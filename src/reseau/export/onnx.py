"""Models as ONNX files, for every runtime that reads them: networks, estimators, and tables from their raw columns.

A file is one graph that holds its weights, written with operators of opset 17 (IR 8), which runtimes know since 2022,
or of the version asked for, and for text of `ai.onnx.ml` 3.

What goes in and comes out:

- a `Network`, an `Ensemble`: "X" (N, inputs) gives "O" (N, outputs), in the network's precision or that asked for;
- an `MLPClassifier`: "X" gives "label" (N,) and "probabilities" (N, classes); of several labels at once, their
  indicators (N, labels) and the probability of each;
- an `MLPRegressor`: "X" gives "prediction" (N, outputs);
- a `TableModel`: each column that it uses is an input of its own, (N, 1): numbers in float64, booleans as 0 and 1 and
  dates as days since 1970-01-01 likewise (fractions of a day for the time, in UTC), NaN where they are missing;
  categories as text, "" where it is missing. They give "prediction" (N,), a class or a quantity in its own unit, and
  for classes "probabilities" (N, classes). What `TableModel.predict` refuses, such as an infinite number, is not
  refused there.

- what scikit-learn builds around the estimators: what they give, of its own inputs (see `reseau.composed.pipeline`).

Labels keep their value and type. The metadata holds "library", "version", "kind", "loss", and as JSON what the model
knows of "inputs" (of columns the name, that of the input, and what cells are), "target" and "classes" (those in the
order of the probabilities).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reseau.checks import integer
from reseau.export.common import dtype_of
from reseau.export.onnx_graph import OLDEST_OPSET, OPSET, Graph, finished, onnx_package
from reseau.files import writing

if TYPE_CHECKING:
    import numpy.typing as npt
    import onnx

    from reseau.parts import Parts


def write(parts: Parts, path: writing.Place, *, dtype: npt.DTypeLike | None, opset: int | None) -> None:
    """Write a model as one ONNX file, complete or not at all; parameters and errors are those of `reseau.to_onnx`."""
    write_model(graph(parts, dtype, version_of(opset)), path)


def write_model(made: onnx.ModelProto, path: writing.Place) -> None:
    """Write a model in onnx's own form; equal ones are equal files."""
    writing.write_bytes(path, made.SerializeToString(deterministic=True))


def version_of(opset: int | None) -> int:
    """The version of the operators; a ReseauError without the package onnx, ParameterError for one that is none."""
    latest = onnx_package().defs.onnx_opset_version()
    return OPSET if opset is None else integer("opset", opset, low=OLDEST_OPSET, high=latest)


def graph(parts: Parts, dtype: npt.DTypeLike | None, version: int) -> onnx.ModelProto:
    """The graph of a model, from what its encoder takes to what its decoder says."""
    network, decoder = parts.network, parts.decoder
    precision = dtype_of(network, dtype)
    g = Graph(precision, decoder.onnx_outputs, version)
    X, inputs, told = parts.encoder.in_onnx(g, network.inputs, decoder.onnx_outputs)
    outputs, facts = decoder.in_onnx(g, network, X)
    return finished(g, inputs, outputs, decoder.kind, network.loss, {"inputs": told, **facts})
