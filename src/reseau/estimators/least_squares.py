"""The solvers "lm" and "br": a regressor's network trained by least squares."""

from __future__ import annotations

import warnings
from collections.abc import Callable

from sklearn.exceptions import ConvergenceWarning

from reseau.arrays import Failure, FloatArray, Guard
from reseau.checks import frames_within
from reseau.errors import ReseauError
from reseau.network import Network
from reseau.training import divergence, least_squares
from reseau.training.history import History
from reseau.training.lbfgs import penalty
from reseau.training.least_squares import LeastSquares
from reseau.training.loop import Run, Samples, train
from reseau.training.settings import Settings
from reseau.vocabulary.layers import Architecture
from reseau.vocabulary.least_squares import BayesianRegularization, LevenbergMarquardt

EVIDENCE = {"n_effective_parameters_": "gamma", "alpha_": "alpha", "beta_": "beta"}
"""What "br" leaves behind, by what the history calls it."""


def settings_of(method: LevenbergMarquardt, max_iter: int, alpha: float) -> Settings:
    """How such a method trains: Bayesian regularisation finds the penalty itself."""
    return Settings(optimizer=method, epochs=max_iter, l2=0.0 if isinstance(method, BayesianRegularization) else alpha)


def check(settings: Settings, architecture: Architecture) -> None:
    """Raise ParameterError for a network that is too large."""
    assert settings.least_squares is not None
    least_squares.check(settings.least_squares, architecture, settings.l2)


class Steps:
    """The rules of such a fit: it ends where nothing has changed for some steps.

    Parameters
    ----------
    history : History
        What the method notes.
    tol : float
        What counts as a change: that share of the loss, or of the effective number of parameters.
    patience : int or inf
        How many steps without one end the fit.
    loss : callable
        What is told as the loss of the network as it is, of its mean error.
    told : callable
        Called with each such loss; returns whether to stop.
    """

    at_once, leave = 1, False
    record: FloatArray | None = None

    def __init__(
        self,
        history: History,
        tol: float,
        patience: float,
        loss: Callable[[float], float],
        told: Callable[[float], bool],
    ) -> None:
        self.history, self.tol, self.patience, self.loss, self.told = history, tol, patience, loss, told
        self.losses: list[float] = []
        self.unchanged = 0
        self.asked_to_stop = False

    def followed(self) -> list[float]:
        """No rate follows any."""
        return self.losses

    def order(self) -> None:
        """The rows as they are."""

    def is_best(self, losses: list[float], failure: Failure | None) -> bool:
        """Note the loss; no weights are kept."""
        self.history.loss += losses
        self.losses += [self.loss(E) for E in losses]
        self.asked_to_stop = self.told(self.losses[-1])
        return False

    def goes_on(self, failure: Failure | None) -> bool:
        """Unless the method has come to its end, or nothing changes any more."""
        series = filter(None, [self.losses, self.history.state.get("gamma")])
        if len(self.losses) > 1:
            still = all(abs(values[-1] - values[-2]) <= self.tol * abs(values[-1]) for values in series)
            self.unchanged = self.unchanged + 1 if still else 0
        return self.history.stopped is None and self.unchanged < self.patience and not self.asked_to_stop

    def ends_by_interruption(self) -> bool:
        """Never: as with "lbfgs", the caller hears of Ctrl-C."""
        return False


def fit(
    network: Network,
    samples: Samples,
    settings: Settings,
    *,
    threads: int,
    tol: float,
    patience: float,
    scale: float,
    told: Callable[[float], bool],
) -> tuple[list[float], History]:
    """Train a network; return the loss after each step, `scale` times E with the penalty, and the history.

    Raises
    ------
    ReseauError
        For a loss that is not finite at the start.

    Warns
    -----
    ConvergenceWarning
        When all iterations were made and it has not converged.
    """
    assert settings.least_squares is not None
    history = History()
    training = LeastSquares(
        network.compute, network.architecture, network.parameters, settings.least_squares, threads, history
    )
    total = float(samples.X.shape[0]) if samples.s is None else float(samples.s.sum())

    def loss(E: float) -> float:
        return scale * E + penalty(network.architecture, network.parameters, settings.l2) / total

    rules, run = Steps(history, tol, patience, loss, told), Run()
    train(run, training, network.parameters, samples, settings, rules, Guard())
    if run.failure is not None:
        causes = " ".join(divergence.out_of_scale(samples.X, samples.T, network.architecture.error)) or "Scale X and y."
        raise ReseauError(
            f"The loss is {history.loss[-1]} before the first step, from where no step leads on. {causes}"
        )
    if history.stopped is None and rules.unchanged < patience and not rules.asked_to_stop:
        warnings.warn(
            f"{settings.least_squares.name} failed to converge after {run.epochs} iteration(s); raise max_iter or tol.",
            ConvergenceWarning,
            stacklevel=frames_within(),
        )
    return rules.losses, history
