"""What scikit-learn does between epochs, as rules of the loop: order, loss, rates, patience, what is printed."""

from __future__ import annotations

from dataclasses import replace
from math import inf, nan
from typing import TYPE_CHECKING, Any

import numpy as np

from reseau.arrays import Failure, FloatArray, IntArray
from reseau.engine.door import Trainer
from reseau.estimators.attempt import is_one_of_many
from reseau.vocabulary.optimizers import Optimizer

if TYPE_CHECKING:
    from reseau.estimators.callbacks import Tasks
    from reseau.estimators.perceptron import Perceptron
    from reseau.estimators.validation import Validation

_SMALLEST_RATE = 1e-6  # "adaptive" divides the rate by 5 until here, then stops, as in scikit-learn


class EpochLoss:
    """The loss of an epoch as scikit-learn reckons it: of each batch its mean error with the penalty, before its step.

    Parameters
    ----------
    rows, batch_size : int
        How the epoch is cut.
    alpha : float
        λ of the penalty ½ λ Σ W².
    weights : ndarray of shape (rows,) or None
        How much each row counts.
    a, c : float, and float or ndarray of shape (rows,)
        Of the estimator's `_units`.

    Attributes
    ----------
    record : ndarray of shape (batches, 2)
        What the trainer fills in.
    """

    def __init__(self, rows: int, batch_size: int, alpha: float, weights: Any, a: float, c: Any) -> None:
        self.starts = np.arange(0, rows, batch_size)
        self.sizes = np.minimum(batch_size, rows - self.starts)
        self.weights, self.alpha, self.a = weights, alpha, a
        self.offsets = None if np.ndim(c) == 0 else c if weights is None else c * weights
        self.record: FloatArray = np.zeros((len(self.starts), 2))

    def loss(self, order: IntArray) -> float:
        """The mean over the batches, each as often as it has rows, of the epoch that took the rows in this order."""
        errors = self.a * self.record[:, 0]
        if self.offsets is not None:
            errors += np.add.reduceat(self.offsets[order], self.starts)
        totals = self.sizes if self.weights is None else np.add.reduceat(self.weights[order], self.starts)
        with np.errstate(invalid="ignore", divide="ignore"):
            losses = np.where(totals > 0, (errors + 0.5 * self.alpha * self.record[:, 1]) / totals, 0.0)
        return float((losses * self.sizes).sum() / self.sizes.sum())


class Epochs:
    """The rules of a fit in steps, which writes down in the estimator what scikit-learn's keeps of each epoch.

    Parameters
    ----------
    estimator : Perceptron
        Whose parameters they are, and whose records are written.
    trainer : Trainer
        What makes the epochs; its learning rate is changed.
    optimizer : Optimizer
        At its first learning rate.
    epoch_loss : EpochLoss
        How the loss is reckoned.
    rows : int
        How many are trained on.
    random : RandomState
        What draws the order of rows.
    validation : Validation or None
        Rows that are not trained on; with early stopping, they are scored.
    tasks : Tasks or None
        What callbacks hear of.
    first : bool
        Whether there are no weights yet that an interruption could leave.
    leave : bool
        Whether the trainer may keep the newest weights.

    Attributes
    ----------
    stopped : bool
        Whether nothing has improved for too long, or a callback has said so.
    """

    at_once = 1

    def __init__(
        self,
        estimator: Perceptron,
        trainer: Trainer,
        optimizer: Optimizer,
        epoch_loss: EpochLoss,
        rows: int,
        random: np.random.RandomState,
        validation: Validation | None,
        tasks: Tasks | None,
        *,
        first: bool,
        leave: bool,
    ) -> None:
        self.estimator, self.trainer, self.optimizer, self.epoch_loss = estimator, trainer, optimizer, epoch_loss
        self.record: FloatArray | None = epoch_loss.record
        self.rows, self.random, self.validation = rows, random, validation
        self.tasks, self.first, self.leave, self.stopped = tasks, first, leave, False
        self.places = np.arange(rows)
        self._set_rate(estimator._rate_factor)

    def followed(self) -> list[float]:
        """Those of validation, where there are any; of this fit alone, if it goes on with another."""
        model = self.estimator
        losses: list[float] = model.loss_curve_ if self.validation is None else model.validation_loss_curve_
        return losses[len(losses) - model.n_iter_ :]

    def order(self) -> IntArray:
        """That of the epoch before, shuffled as scikit-learn does."""
        if self.tasks is not None:
            self.tasks.begin()
        if self.estimator.shuffle:
            places = np.arange(self.rows)
            self.random.shuffle(places)
            self.places = self.places[places]
        return self.places

    def is_best(self, losses: list[float], failure: Failure | None) -> bool:
        """Write down loss and score, and count epochs without improvement."""
        model = self.estimator
        model.n_iter_ += 1
        model.t_ += self.rows
        # An epoch that failed has not been through all of its batches.
        model.loss_ = self.epoch_loss.loss(self.places) if failure is None else self.epoch_loss.a * losses[-1]
        model.loss_curve_.append(model.loss_)
        if model.verbose:
            print(f"Iteration {model.n_iter_}, loss = {model.loss_:.8f}")  # noqa: T201
        loss = nan
        if self.validation is not None:
            loss = nan if failure is not None else self.validation.loss(model)
            model._note_validation_loss(loss)
        if not model.early_stopping:
            best = inf if model.best_loss_ is None else model.best_loss_
            worse = model.loss_ > best - model.tol
            model.best_loss_ = min(best, model.loss_)
            is_best = False
        else:
            assert self.validation is not None
            score = nan if failure is not None else self.validation.score(model, loss)
            if model.verbose:
                print(f"Validation score: {score:f}")  # noqa: T201
            scores = model.validation_scores_ = model.validation_scores_ or []
            scores.append(score)
            best = -inf if model.best_validation_score_ is None else model.best_validation_score_
            worse, is_best = score < best + model.tol, score > best
            model.best_validation_score_ = max(best, score)
        model._no_improvement_count = model._no_improvement_count + 1 if worse else 0
        return is_best

    def goes_on(self, failure: Failure | None) -> bool:
        """Change the rate; the patience may be at an end, or a callback want it."""
        model = self.estimator
        told_to_stop = self.tasks is not None and self.tasks.end()
        if failure is not None:
            return False
        if model.solver == "sgd" and model.learning_rate == "invscaling":
            self._set_rate((model.t_ + 1) ** -model.power_t)
        if model._no_improvement_count > model.n_iter_no_change:
            self.stopped = not self._slow_down()
            if not self.stopped:
                model._no_improvement_count = 0
        self.stopped = self.stopped or told_to_stop
        return not self.stopped

    def ends_by_interruption(self) -> bool:
        """If there are weights that could be kept, and no search that has to stop too."""
        return (not self.first or self.estimator.n_iter_ > 0) and not is_one_of_many()

    def _set_rate(self, factor: float) -> None:
        """Let the trainer go on at so many times the first learning rate."""
        self.estimator._rate_factor = factor
        if self.estimator.optimizer is None:
            self.optimizer = replace(self.optimizer, learning_rate=self.estimator.learning_rate_init * factor)
        self.trainer.optimizer = self.optimizer

    def _slow_down(self) -> bool:
        """After too many epochs without progress: whether to go on, at a fifth of the rate."""
        model = self.estimator
        adaptive = model.solver == "sgd" and model.learning_rate == "adaptive"
        goes_on = adaptive and self.optimizer.rate > _SMALLEST_RATE
        if goes_on:
            self._set_rate(model._rate_factor / 5)
        if model.verbose:
            what = "Validation score" if model.early_stopping else "Training loss"
            then = (
                f"Setting learning rate to {self.optimizer.rate:f}"
                if goes_on
                else "Learning rate too small. Stopping."
                if adaptive
                else "Stopping."
            )
            print(  # noqa: T201
                f"{what} did not improve more than tol={model.tol:f} for {model.n_iter_no_change} consecutive epochs. "
                f"{then}"
            )
        return goes_on
