"""Training on all rows at once, by SciPy's L-BFGS-B."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from reseau.arrays import FloatArray
from reseau.engine.door import Engine
from reseau.training.loop import Samples
from reseau.vocabulary.layers import Architecture
from reseau.vocabulary.losses import NO_BOUNDS, Bounds


def penalty(architecture: Architecture, parameters: FloatArray, l2: float) -> float:
    """½ l2 Σ W² over all weights, biases left out."""
    return 0.5 * l2 * architecture.squares(parameters) if l2 else 0.0


def minimize(
    compute: Engine,
    architecture: Architecture,
    parameters: FloatArray,
    samples: Samples,
    *,
    threads: int,
    l2: float = 0.0,
    max_iterations: int = 200,
    max_evaluations: int = 15000,
    tolerance: float = 1e-4,
    bounds: Bounds = NO_BOUNDS,
    units: tuple[float, float] = (1.0, 0.0),
    callback: Callable[[float], object] | None = None,
) -> Any:
    """Minimise E + ½ l2 Σ W²/rows over all rows at once by SciPy's L-BFGS-B, from the parameters as they are.

    Parameters
    ----------
    compute : engine
        What evaluates E and its gradient.
    architecture : Architecture
        What is trained.
    parameters : ndarray of shape (n_parameters,)
        They end where the method does; where the last accepted step has led, if the call is interrupted or something
        fails in it.
    samples : Samples
        What is learnt; with weights, their sum stands for the rows.
    threads : int
        At most as many.
    l2 : float
        λ ≥ 0 of the penalty.
    max_iterations, max_evaluations : int
        Where to stop at the latest.
    tolerance : float
        The largest component of the gradient at which to stop.
    bounds : (float, float)
        Between what the errors of a cross-entropy are kept, see `reseau.engine.equations.output_error`.
    units : (a, b)
        What SciPy is told of E is a E + b, while the gradient stays that of E: what scikit-learn does where it averages
        squared errors over the outputs.
    callback : callable or None
        Called after each iteration with what is minimised.

    Returns
    -------
    scipy.optimize.OptimizeResult
        `fun`, `nit`, `success`, `message` and the rest.
    """
    import scipy.optimize

    X, T, s, slopes = samples
    total = X.shape[0] if s is None else float(s.sum())
    a, b = units
    accepted = parameters.copy()

    def objective(w: Any) -> tuple[float, Any]:
        parameters[...] = w
        E, g = compute.gradient(architecture, parameters, X, T, s, l2, threads, bounds, slopes=slopes)
        return a * E + b + penalty(architecture, parameters, l2) / total, g.astype(np.float64)

    def tell(intermediate_result: Any) -> None:  # SciPy goes by the argument's name
        accepted[...] = intermediate_result.x
        if callback is not None:
            callback(float(intermediate_result.fun))

    try:
        result = scipy.optimize.minimize(
            objective,
            parameters.astype(np.float64),
            jac=True,
            method="L-BFGS-B",
            callback=tell,
            options={"maxiter": max_iterations, "maxfun": max_evaluations, "gtol": tolerance},
        )
        accepted[...] = result.x
    finally:  # after Ctrl-C they would else be those of a trial step
        parameters[...] = accepted
    return result
