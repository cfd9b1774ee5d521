"""What is said of a fit that has diverged, has not converged, or has come to nothing."""

from __future__ import annotations

import warnings
from math import ceil, inf
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from reseau import engine
from reseau.arrays import Guard
from reseau.checks import frames_within
from reseau.estimators import parameters
from reseau.training import divergence, plateau
from reseau.training.constants import loss_of_constants, room_below
from reseau.training.loop import Samples

if TYPE_CHECKING:
    from reseau.estimators.perceptron import Perceptron

NOT_FINITE = (  # scikit-learn's words
    "Solver produced non-finite parameter weights. The input data may contain large values and need to be preprocessed."
)
_AT_ITS_LIMIT = 1  # SciPy's status of lbfgs after max_iter or max_fun
# Of the room below the loss of constant outputs: lbfgs gains more where there is anything to learn.
_NEXT_TO_NOTHING = 1e-3


def diverged(estimator: Perceptron, when: str, X: Any, T: Any, sample_weight: Any) -> str:
    """Say that numbers have become infinite or NaN, and what to change."""
    optimizer = parameters.optimizer_of(estimator)
    rate = 0.0 if optimizer is None else optimizer.rate
    advice = (
        [] if rate > divergence.LARGE_RATE else divergence.out_of_scale(X, T, estimator._network.architecture.error)
    )
    decay = estimator.alpha if sample_weight is None else estimator.alpha / sample_weight.mean()
    if not advice and decay > divergence.LARGE:
        advice = [
            f"The penalty is out of scale: use a smaller alpha than {estimator.alpha:g}."
            if sample_weight is None or sample_weight.max() >= 1
            else f"The penalty is out of scale for a sample_weight of at most {sample_weight.max():g}: divide it "
            "by its largest value."
        ]
    if optimizer is not None:
        name = "learning_rate_init" if estimator.optimizer is None else "learning rate"
        advice.append(f"{'Or use' if advice else 'Use'} a smaller {name} than {rate:g}.")
    return " ".join([f"It happened in {when}.", *advice])


def of_constants(estimator: Perceptron, samples: Samples) -> tuple[float, float]:
    """The loss of constant outputs, and the room below, as the estimator reckons it."""
    architecture, (_, T, s, _) = estimator._network.architecture, samples
    (a, c), best = mean_units(estimator, T, s), loss_of_constants(architecture, T, s)
    return a * best + c, a * room_below(best, architecture, T, s)


def mean_units(estimator: Perceptron, T: Any, s: Any) -> tuple[float, float]:
    """(a, c) with which a E + c is scikit-learn's mean loss of the rows."""
    a, c = estimator._units(T)
    return a, float(np.average(np.broadcast_to(c, len(T)), weights=s))


def warn_of_plateau(estimator: Perceptron, samples: Samples, batch_size: int, start: Any, *, ended: bool) -> None:
    """Say that it is no better than constant outputs; `ended` of itself, it was long enough."""
    losses = estimator.loss_curve_[-estimator.n_iter_ :]
    steps = inf if ended else estimator.n_iter_ * ceil(samples.X.shape[0] / batch_size)
    if not plateau.is_suspect(losses, steps, lambda: of_constants(estimator, samples)):
        return
    way_out = (
        f"Try another learning_rate_init (now {estimator.learning_rate_init:g}), a smaller alpha (now "
        f"{estimator.alpha:g}), or a larger max_iter; or X tells nothing of y."
    )
    network = estimator._network
    known, units = None if ended else losses, mean_units(estimator, samples.T, samples.s)
    told = plateau.of_fit(network.architecture, network.parameters, samples, known, start, way_out, units)
    if told is not None:
        warnings.warn(f"after {estimator.n_iter_} epochs {told}", ConvergenceWarning, stacklevel=frames_within())


def guard(estimator: Perceptron, samples: Samples) -> Guard:
    """How far the loss may grow; weights may as scikit-learn's do, whose classes can be right for all that."""
    network = estimator._network
    architecture = network.architecture

    def errors(w: Any, of: Samples) -> Any:
        return network.compute.errors(architecture, w, of.X, of.T, engine.threads())

    def best_constants() -> float:
        return loss_of_constants(architecture, samples.T, samples.s)

    return Guard(loss=divergence.guard_of(errors, samples, network.parameters, inf, best_constants).loss)


def has_outgrown(estimator: Perceptron, samples: Samples) -> bool:
    """Whether the loss of this call of `partial_fit` is out of all proportion to that of the first."""
    if not estimator.loss_ > divergence.GROWTH * max(estimator.loss_curve_[0], divergence.LEAST_LOSS):
        return False
    best, _ = of_constants(estimator, samples)
    return not estimator.loss_ <= divergence.GROWTH * abs(best)


def advice_on_lbfgs(estimator: Perceptron, result: Any, samples: Samples) -> str:
    """What to change after a fit that has not converged, or has come to nothing; empty if it has done neither."""
    network, told = estimator._network, None
    best, room = of_constants(estimator, samples)
    if estimator.loss_ >= best - _NEXT_TO_NOTHING * room:
        way_out = f"Take a smaller alpha (now {estimator.alpha:g}), or other starting weights; or X tells nothing of y."
        units = mean_units(estimator, samples.T, samples.s)
        told = plateau.of_fit(network.architecture, network.parameters, samples, None, None, way_out, units)
    if result.success:
        return "" if told is None else f"lbfgs ended after {estimator.n_iter_} iteration(s), and {told}"
    causes = divergence.out_of_scale(samples.X, samples.T, network.architecture.error)
    if result.status == _AT_ITS_LIMIT and (told is None or not causes):
        return " ".join(["Raise max_iter or max_fun, or scale the inputs.", *causes])
    more = "More iterations will not help."
    if causes:
        return " ".join([more, *causes])
    finer = ", or give X in float64" if network.dtype == np.float32 else ""
    return f"{more} {network.dtype} cannot tell better weights from these by their loss: scale X and y{finer}."
