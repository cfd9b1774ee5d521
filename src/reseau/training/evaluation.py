"""How good a network is on samples: its mean error, its outputs, and the metrics of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

from reseau.arrays import FloatArray, IntArray, Predictor, SparseRows
from reseau.engine.door import Engine
from reseau.training.loop import Data, Samples
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


def mean_error_of(errors: Callable[[Samples], FloatArray], on: Data) -> float:
    """The same of rows that need not be in memory, of which each block weighs as much as its rows."""
    means, weights = zip(*((mean_error(errors(block), block.s), block.weight) for block in on.blocks()), strict=True)
    return float(means[0] if len(means) == 1 else np.average(means, weights=weights))


def compared(outputs: Outputs, on: Data) -> tuple[FloatArray | IntArray, FloatArray, Weights]:
    """Targets, outputs and weights of all rows, for metrics, few of which are means over blocks."""
    blocks = ((block.T, outputs(block), block.s) for block in on.blocks())
    first = next(blocks)
    rest = list(blocks)
    if not rest:
        return first
    T, O = (np.concatenate([block[part] for block in (first, *rest)]) for part in (0, 1))
    weights = [s for _, _, s in (first, *rest) if s is not None]
    return T, O, np.concatenate(weights) if weights else None


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
