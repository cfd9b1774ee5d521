"""fit: epochs, validation, callbacks, and the History they leave."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from math import inf, nan
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np

from reseau import data, engine
from reseau.arrays import FloatArray, Progress, SparseRows
from reseau.checks import boolean, frames_within, integer, known, real
from reseau.errors import ParameterError, ReseauError
from reseau.training import divergence
from reseau.training.checkpoints import DATA, Checkpoints, Snapshot, digest
from reseau.training.history import History
from reseau.vocabulary.optimizers import Adam, Optimizer, check_optimizer

if TYPE_CHECKING:
    from reseau.network import Network

PRECISIONS = ("bf16",)


def fit(
    network: Network,
    X: object,
    y: object,
    *,
    optimizer: Optimizer | str | None,
    epochs: int,
    batch_size: int,
    validation_data: object,
    sample_weight: object,
    l2: float,
    shuffle: bool,
    precision: str | None,
    keep_best: bool,
    checkpoint: str | PathLike[str] | None,
    checkpoint_every: int,
    callback: Callable[[History], object] | None,
    threads: int | None,
) -> History:
    """Train a network; the parameters are described at `Network.fit`."""
    optimizer = Adam() if optimizer is None else check_optimizer(optimizer)
    epochs = integer("epochs", epochs, low=1)
    batch_size = integer("batch_size", batch_size, low=1)
    l2 = real("l2", l2, low=0)
    if precision is not None:
        known("precision", precision, PRECISIONS)
        if network.dtype != "float32":
            raise ParameterError(
                f"precision is {precision!r}, but the network has dtype {network.dtype}; it goes with float32 alone."
            )
    shuffle, keep_best = boolean("shuffle", shuffle), boolean("keep_best", keep_best)
    checkpoint_every = integer("checkpoint_every", checkpoint_every, low=1)
    if keep_best and validation_data is None:
        raise ParameterError(
            "keep_best=True needs validation_data: the best epoch is that with the smallest loss on it."
        )
    if callback is not None and not callable(callback):
        raise ParameterError(f"callback is {callback!r}, but must be a function of the History.")
    n_threads = engine.threads(threads)

    inputs = network.architecture.inputs if network.built else None
    X_checked = data.rows(X, "X", network.dtype, columns=inputs, learnt=True)
    rows = X_checked.shape[0]
    architecture = network.architecture if network.built else network.architecture_on(X_checked.shape[1])
    T = data.targets(y, "y", architecture, rows, network.dtype)
    s = None if sample_weight is None else data.weights(sample_weight, rows)
    validation = None
    if validation_data is not None:
        if not isinstance(validation_data, tuple | list) or len(validation_data) != 2:
            found = type(validation_data).__name__
            found += f" of {len(validation_data)}" if isinstance(validation_data, tuple | list) else ""
            raise ParameterError(f"validation_data must be a pair (X, y), but is of type {found}.")
        X_val = data.rows(validation_data[0], "validation X", network.dtype, columns=architecture.inputs)
        validation = (
            X_val,
            data.targets(validation_data[1], "validation y", architecture, X_val.shape[0], network.dtype),
        )
    if network.built:
        _check_finite(network)
    if not data.warn_of_unreachable(T, "y", architecture) and validation is not None:
        data.warn_of_unreachable(validation[1], "validation y", architecture)
    checkpoints = snapshot = None
    if checkpoint is not None:
        run = {
            "network": {"dtype": network.dtype.name, **architecture.describe()},
            "seed": network.seed,
            "optimizer": {"name": optimizer.name, **optimizer.hyperparameters()},
            "epochs": epochs,
            "batch_size": batch_size,
            "l2": l2,
            "shuffle": shuffle,
            "precision": precision,
            "keep_best": keep_best,
            DATA: digest(X_checked, T, s, *(validation or ())),
        }
        checkpoints = Checkpoints(checkpoint, run)
        snapshot = checkpoints.read(architecture.n_parameters, network.dtype, optimizer.states)

    if not network.built:
        network.build(architecture.inputs)
    if snapshot is not None:
        network.generator_state = snapshot.generator
    batch_size = min(batch_size, rows)
    trainer = network.trainer(
        optimizer,
        inputs=architecture.inputs,
        threads=n_threads,
        precision=precision,
        seed=None if snapshot is None else snapshot.seed,
        sparse=isinstance(X_checked, SparseRows),
    )
    trained = network.parameters
    start = trained.copy()
    history, best, finished, failure = History(), None, False, None
    if snapshot is not None:
        network.parameters[...] = snapshot.parameters
        trainer.go_on_from(snapshot.progress)
        history, best, finished, failure = snapshot.history, snapshot.best, snapshot.finished, snapshot.failure
    began = time.perf_counter() - history.seconds
    # Without anybody to tell between epochs they all run in one call.
    at_once = epochs if callback is None and validation is None else 1
    if checkpoints is not None:
        at_once = min(at_once, checkpoint_every)
    while not finished:
        count = min(at_once, epochs - history.epochs)
        history.loss += trainer.run(
            X_checked, T, s, epochs=count, batch_size=batch_size, shuffle=shuffle, l2=l2, guard=True
        )
        _check_same(network, trained)
        failure = trainer.failure
        if failure is not None:
            history.diverged = history.epochs
        if validation is not None:
            loss = nan if failure is not None else _validation_loss(network, validation, n_threads)
            history.validation_loss.append(loss)
            if loss < (inf if history.best_epoch is None else history.validation_loss[history.best_epoch - 1]):
                history.best_epoch = history.epochs
                best = network.parameters.copy() if keep_best else None
        history.seconds = time.perf_counter() - began
        stopped = callback is not None and _is_true(callback(history))
        _check_same(network, trained)
        finished = stopped or failure is not None or history.epochs >= epochs
        if checkpoints is not None and (finished or history.epochs % checkpoint_every == 0):
            progress = trainer.progress()
            if failure is not None:  # there is nothing to go on from, and the state may not be finite
                progress = Progress(progress.steps, history.epochs, tuple(map(np.zeros_like, progress.state)))
            generator = network.generator_state
            checkpoints.write(
                network,
                Snapshot(trainer.seed, generator, progress, network.parameters, history, finished, best, failure),
            )
    words = None
    if failure is not None:
        words = divergence.of_training(
            network, X_checked, T, history, failure, optimizer, l2, batch_size, start, keeps_best=best is not None
        )
    elif validation is not None:
        words = divergence.of_validation(history, *validation)
    if best is not None:
        network.parameters[...] = best
    if words is not None:
        warnings.warn(words, RuntimeWarning, stacklevel=frames_within())
    return history


def _check_same(network: Network, trained: FloatArray) -> None:
    """Refuse to go on where the network has been given other parameters than those that are trained."""
    if network.parameters is not trained:
        raise ReseauError(
            "The network was built anew while it was trained, by its callback or another thread, and has none of this "
            "training; build it before fit or after it."
        )


def _check_finite(network: Network) -> None:
    """Refuse to train from weights that are not finite."""
    with np.errstate(over="ignore", invalid="ignore"):
        # One pass without a temporary; a sum that overflows is looked at closely.
        if np.isfinite(network.parameters.sum()):
            return
    for name, tensor in network.tensors().items():
        wrong = ~np.isfinite(tensor)
        if wrong.any():
            raise ReseauError(
                f"The network's {name} holds {tensor[wrong][0]}, from where no training leads back; give it other "
                "weights, or build a new network."
            )


def _validation_loss(network: Network, validation: tuple[Any, Any], threads: int) -> float:
    """The mean error of the validation data."""
    with np.errstate(over="ignore", invalid="ignore"):
        return float(network.errors(*validation, threads=threads).sum(axis=1, dtype="float64").mean())


def _is_true(answer: object) -> bool:
    """Whether a callback returned True, Python's or NumPy's; nothing else asks for a stop."""
    if getattr(answer, "dtype", None) == np.bool_ and getattr(answer, "shape", None) == ():
        return bool(answer)
    return answer is True
