"""Models as ONNX files, for every runtime that reads them: networks, estimators, and tables from their raw columns.

A file is one graph that holds its weights, written with operators of opset 17 (IR 8), which runtimes know since 2022,
or of the version asked for, and for text of `ai.onnx.ml` 3.

What goes in and comes out:

- a `Network`: "X" (N, inputs) gives "O" (N, outputs), in the network's precision or that asked for;
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

from typing import TYPE_CHECKING, Any

from reseau.checks import integer
from reseau.errors import ParameterError, ReseauError
from reseau.export.models import dtype_of
from reseau.export.onnx_graph import OLDEST_OPSET, OPSET, onnx_package
from reseau.export.onnx_network import estimator_model, network_model
from reseau.files import writing
from reseau.network import Network

if TYPE_CHECKING:
    import numpy.typing as npt
    import onnx


def to_onnx(
    model: object,
    path: writing.Place,
    *,
    sample: Any = None,
    dtype: npt.DTypeLike | None = None,
    opset: int | None = None,
) -> None:
    """Write a model as one self-contained ONNX file, complete or not at all.

    Parameters
    ----------
    model : Network, TableModel, MLPClassifier, MLPRegressor, or another estimator of scikit-learn with these in it
        Built, trained or fitted. A pipeline becomes one graph, from the raw columns on, and so do a search, a vote, a
        stack, a calibration and whatever else the package skl2onnx and we can write.
    path : path or binary file
        Where; an existing file is replaced in one move. To a file that is open for writing, the graph is written once
        it is whole.
    sample : data frame, array or None
        For what was fitted on a data frame: rows of it, of which the types of the columns are read; None where all are
        numbers. Where onnxruntime is installed, the graph also has to predict for them (the first hundred) what the
        model does.
    dtype : {"float32", "float64"} or None
        The precision to compute in. None takes the network's; of a pipeline in float64 for which there is no valid
        graph, all in float32, with a warning.
    opset : int or None
        The version of the operators, 13 or later; None takes 17.

    Raises
    ------
    ReseauError
        Without the package onnx; for a model that has no weights yet, or such as are not finite in the precision, or
        that ONNX has no place for; for a graph that onnx's checker or onnxruntime refuses.
    ParameterError
        For a value that is none of these.
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
    made = to_model(model, sample=sample, dtype=dtype, opset=opset)
    writing.write_bytes(path, made.SerializeToString(deterministic=True))


def to_model(
    model: object, *, sample: Any = None, dtype: npt.DTypeLike | None = None, opset: int | None = None
) -> onnx.ModelProto:
    """The model in onnx's own form; parameters and errors are those of `to_onnx`."""
    latest = onnx_package().defs.onnx_opset_version()
    version = OPSET if opset is None else integer("opset", opset, low=OLDEST_OPSET, high=latest)
    if isinstance(model, Network):
        return network_model(model, dtype_of(model, dtype), version)
    from sklearn.base import BaseEstimator
    from sklearn.utils.validation import check_is_fitted

    from reseau.composed.inside import innermost, networks
    from reseau.estimators.perceptron import Perceptron
    from reseau.export.onnx_table import table_model
    from reseau.tables.model import TableModel

    if isinstance(model, TableModel):
        return table_model(model, dtype_of(model.network, dtype), version)
    if isinstance(model, BaseEstimator):
        check_is_fitted(model)
        inner = innermost(model)
        if isinstance(inner, Perceptron):
            check_is_fitted(inner, "_network")
            return estimator_model(inner, dtype_of(inner.network_, dtype), version)
        if any(True for _ in networks(inner)):
            _needs_skl2onnx()
            from reseau.composed.pipeline import pipeline_model

            return pipeline_model(inner, sample, dtype, version)
    ends = f" that ends in a {type(model.steps[-1][1]).__name__}" if hasattr(model, "steps") else ""
    raise ParameterError(
        f"model is a {type(model).__name__}{ends}, but must be a Network, TableModel, MLPClassifier or MLPRegressor of "
        "Réseau, or an estimator of scikit-learn that has one of the latter in it."
    )


def _needs_skl2onnx() -> None:
    try:
        import skl2onnx  # noqa: F401
    except ImportError:
        raise ReseauError(
            "What scikit-learn has around an estimator is written by the package skl2onnx, which is not installed; "
            "install it with pip install 'reseau[onnx]'."
        ) from None
