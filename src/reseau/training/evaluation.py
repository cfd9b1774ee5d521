"""How good a network is on samples: its mean error, its outputs, and the metrics of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

from reseau.arrays import FloatArray, Predictor, SparseRows
from reseau.engine.door import Engine
from reseau.training.loop import Samples
from reseau.training.metrics import Metric, Weights, measured
from reseau.vocabulary.layers import Architecture

Outputs: TypeAlias = Callable[[Samples], FloatArray]  # of samples, with the weights as they then are


def outputs_of(compute: Engine, architecture: Architecture, parameters: FloatArray, threads: int) -> Outputs:
    """What computes the outputs of samples with the parameters as they are when it is called."""
    predict: Predictor | None = None  # made when it is first needed

    def outputs(samples: Samples) -> FloatArray:
        nonlocal predict
        if isinstance(samples.X, SparseRows):
            return compute.outputs(architecture, parameters, samples.X, threads)
        if predict is None:
            predict = compute.predictor(architecture, parameters, lambda: threads)
        found = predict(samples.X, threads)
        assert found is not None
        return found

    return outputs


def mean_error(e: FloatArray, s: Weights) -> float:
    """The mean over the rows of their errors, each summed over its outputs."""
    with np.errstate(over="ignore", invalid="ignore"):
        of_rows = e.sum(axis=1, dtype="float64")
        return float(of_rows.mean() if s is None else np.average(of_rows, weights=s))


def evaluated(
    compute: Engine,
    architecture: Architecture,
    parameters: FloatArray,
    samples: Samples,
    metrics: Sequence[Metric],
    threads: int,
) -> dict[str, float]:
    """The loss and the metrics, which must have been checked, by name."""
    X, T, s, _ = samples
    found = {"loss": mean_error(compute.errors(architecture, parameters, X, T, threads), s)}
    if metrics:
        O = outputs_of(compute, architecture, parameters, threads)(samples)
        found |= measured(metrics, T, O, s, architecture)
    return found
