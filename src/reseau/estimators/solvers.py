"""How the solvers fit an estimator's network: on all rows at once by lbfgs or least squares, or in steps on batches."""

from __future__ import annotations

import warnings
from contextlib import ExitStack
from functools import partial
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse
from sklearn.exceptions import ConvergenceWarning

from reseau import data, engine
from reseau.arrays import Guard
from reseau.checks import frames_within
from reseau.errors import ReseauError
from reseau.estimators import least_squares, verdict
from reseau.estimators.epochs import EpochLoss, Epochs
from reseau.estimators.rules import bounds, largest, seed_of
from reseau.training.lbfgs import minimize
from reseau.training.loop import Run, Samples, train
from reseau.training.settings import Settings
from reseau.vocabulary.least_squares import LevenbergMarquardt
from reseau.vocabulary.optimizers import Optimizer

if TYPE_CHECKING:
    from reseau.estimators.callbacks import Tasks
    from reseau.estimators.perceptron import Perceptron
    from reseau.estimators.validation import Validation

_STOPPED = 99  # SciPy's status where a callback has ended the search
_FAILURES = {  # by the part that is no longer finite, or too large
    "grown loss": "The loss has grown to more than 10⁶ times that at the start, on the way to non-finite parameter "
    "weights.",
    "loss": verdict.NOT_FINITE,
    "weights": verdict.NOT_FINITE,
    "state": "The squares of the gradient have become too large for {}, so that Adam no longer moves the weights.",
}


def by_lbfgs(
    estimator: Perceptron,
    X: Any,
    T: Any,
    sample_weight: Any,
    validation: Validation | None,
    tasks: Tasks | None,
    *,
    first: bool,
    undo: ExitStack,
) -> None:
    """Minimise the loss of all rows by lbfgs."""
    assert tasks is not None  # there are no parts of such a fit
    network, X = estimator._up_to_date(to_change=True), data.checked_rows(X)
    if not first:
        undo.callback(estimator._way_back())
    estimator.n_iter_ = 0
    estimator._open_validation_record(validation, undo)

    def tell(value: float) -> None:
        if estimator._ends_iteration(value, validation, tasks):
            raise StopIteration  # SciPy's way

    tasks.begin()
    result = minimize(
        network.compute,
        network.architecture,
        network.parameters,
        Samples(X, T, sample_weight),
        threads=engine.threads(),
        l2=float(estimator.alpha),
        max_iterations=estimator.max_iter,
        max_evaluations=estimator.max_fun,
        tolerance=estimator.tol,
        bounds=bounds(network.dtype),
        units=verdict.mean_units(estimator, T, sample_weight),
        callback=tell if estimator.verbose or validation is not None or tasks.task is not None else None,
    )
    estimator.n_iter_, estimator.loss_ = min(int(result.nit), estimator.max_iter), float(result.fun)
    if not (isfinite(estimator.loss_) and np.isfinite(result.x).all() and np.isfinite(network.parameters).all()):
        told = verdict.diverged(estimator, f"iteration {estimator.n_iter_ + 1}", X, T, sample_weight)
        raise ReseauError(f"{verdict.NOT_FINITE} {told}")
    if T.dtype.kind == "f" and estimator.n_iter_ <= 2 and largest(T) * np.finfo(network.dtype).eps > 0.01:
        warnings.warn(
            f"lbfgs ended after {estimator.n_iter_} iteration(s), as {network.dtype} cannot tell the loss after a step "
            f"from that before: y reaches {largest(T):.3g}. Scale y, such as with TransformedTargetRegressor"
            + (", or give X in float64." if network.dtype == np.float32 else "."),
            ConvergenceWarning,
            stacklevel=frames_within(),
        )
    elif result.status != _STOPPED:
        advice = verdict.advice_on_lbfgs(estimator, result, Samples(X, T, sample_weight))
        if not result.success:
            advice = (
                f"lbfgs failed to converge after {estimator.n_iter_} iteration(s) (status={result.status}): "
                f"{result.message}. {advice}"
            )
        if advice:
            warnings.warn(advice, ConvergenceWarning, stacklevel=frames_within())


def in_steps(
    estimator: Perceptron,
    optimizer: Optimizer,
    X: Any,
    y: Any,
    T: Any,
    s: Any,
    validation: Validation | None,
    random: Any,
    tasks: Tasks | None,
    *,
    first: bool,
    undo: ExitStack,
) -> None:
    """Follow the gradients of batches, an epoch for `partial_fit`, which has no `tasks`."""
    incremental = tasks is None
    if estimator.early_stopping and validation is None:
        X, T, s, validation = estimator._split(X, y, T, s, random)
    sparse = scipy.sparse.issparse(X)
    X = data.checked_rows(X)
    rows = X.shape[0]
    batch_size = min(200, rows) if estimator.batch_size == "auto" else estimator.batch_size
    if batch_size > rows:
        warnings.warn(
            "Got `batch_size` less than 1 or larger than sample size. It is going to be clipped: from "
            f"{batch_size} to {rows}.",
            stacklevel=frames_within(),
        )
        batch_size = rows
    if any(layer.dropout for layer in estimator._network.architecture.layers):
        if not (incremental and "_seed" in vars(estimator)):
            estimator._seed = seed_of(random) + estimator.t_  # so that a warm start does not drop the same
    else:
        estimator.__dict__.pop("_seed", None)
    errors_between = bounds(estimator._network.dtype)
    trainer = estimator._take_trainer(
        optimizer, estimator.precision, errors_between, sparse=sparse, goes_on=incremental
    )
    network = estimator._up_to_date()
    leaves = incremental and estimator._may_leave(trainer)
    if incremental or not first:
        go_back = estimator._way_back(leaves=leaves)
        undo.callback(go_back)
    # scikit-learn's best weights are those that the first fit began with, until there are better ones; a warm start
    # has none before it has found some.
    run = Run(best=network.parameters.copy() if estimator.early_stopping and first else None)
    estimator._open_record(undo)
    estimator._open_validation_record(validation, undo)
    estimator.n_iter_ = 0
    epoch_loss = EpochLoss(rows, batch_size, estimator.alpha, s, *estimator._units(T))
    # `optimizer` has what set_params may have changed between calls of partial_fit.
    rules = Epochs(
        estimator, trainer, optimizer, epoch_loss, rows, random, validation, tasks, first=first, leave=leaves
    )
    settings = Settings(
        optimizer=optimizer,
        epochs=1 if incremental else estimator.max_iter,
        batch_size=batch_size,
        l2=estimator.alpha,
        shuffle=False,
        precision=estimator.precision,
        keep_best=estimator.early_stopping,
    )
    samples, start = Samples(X, T, s), None if incremental else network.parameters.copy()
    guard = Guard() if incremental else verdict.guard(estimator, samples)
    train(run, trainer, network.parameters, samples, settings, rules, guard)
    if run.interrupted:
        warnings.warn(f"Training interrupted by user, after {estimator.n_iter_} epochs.", stacklevel=frames_within())
        if incremental and estimator.n_iter_ == 0:
            go_back()
    elif run.failure is not None:
        told = verdict.diverged(estimator, f"step {run.failure.step} of epoch {estimator.n_iter_}", X, T, s)
        grown = run.failure.part == "loss" and isfinite(estimator.loss_)
        what = _FAILURES["grown loss" if grown else run.failure.part].format(network.dtype)
        if run.best is None:
            raise ReseauError(f"{what} {told}")
        warnings.warn(
            f"Training has diverged, and ends with the weights of the best validation score so far. {what} {told}",
            ConvergenceWarning,
            stacklevel=frames_within(),
        )
    elif not (incremental or rules.stopped):
        warnings.warn(
            f"Stochastic Optimizer: Maximum iterations ({estimator.max_iter}) reached and the optimization hasn't "
            "converged yet; raise max_iter, or tol.",
            ConvergenceWarning,
            stacklevel=frames_within(),
        )
    elif incremental and verdict.has_outgrown(estimator, samples):
        raise ReseauError(f"{_FAILURES['grown loss']} {verdict.diverged(estimator, 'this call', X, T, s)}")
    if not incremental and run.failure is None:
        verdict.warn_of_plateau(estimator, samples, batch_size, start, ended=rules.stopped)
    if incremental:
        # The way back from the next call. Nothing that could fail comes after: it can take this one's memory.
        estimator._progress = trainer.progress(into=estimator.__dict__.get("_progress"))


def by_least_squares(
    estimator: Perceptron,
    method: LevenbergMarquardt,
    X: Any,
    T: Any,
    sample_weight: Any,
    validation: Validation | None,
    tasks: Tasks | None,
    *,
    first: bool,
    undo: ExitStack,
) -> None:
    """Lower the squared error of all rows by the steps of Levenberg and Marquardt."""
    assert tasks is not None  # there are no parts of such a fit
    settings = least_squares.settings_of(method, estimator.max_iter, float(estimator.alpha))
    least_squares.check(settings, estimator._network.architecture)
    network, X = estimator._up_to_date(to_change=True), data.checked_rows(X)
    if not first:
        undo.callback(estimator._way_back())
    estimator._open_record(undo)
    estimator._open_validation_record(validation, undo)
    a, _ = estimator._units(T)
    estimator.n_iter_ = 0

    tasks.begin()
    losses, history = least_squares.fit(
        network,
        Samples(X, T, sample_weight),
        settings,
        threads=engine.threads(),
        tol=estimator.tol,
        patience=estimator.n_iter_no_change,
        scale=a,
        told=partial(estimator._ends_iteration, validation=validation, tasks=tasks),
    )
    estimator.loss_curve_ += losses
    estimator.loss_ = losses[-1]
    estimator.best_loss_ = min(estimator.loss_curve_)
    for attribute, name in least_squares.EVIDENCE.items():
        if name in history.state:
            setattr(estimator, attribute, history.state[name][-1])
