"""Methods of least squares, which stand where an optimizer stands: one step an epoch, on all rows at once.

They are no entries of the table of optimizers, whose steps follow the gradient of a batch. What they do is in
`reseau.training.least_squares`; here is what they are called, and their numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from math import nan
from typing import Any, ClassVar

from reseau.checks import integer, known, real
from reseau.vocabulary.optimizers import OPTIMIZERS, Optimizer, check_optimizer


@dataclass(frozen=True, kw_only=True)
class LevenbergMarquardt:
    """Levenberg and Marquardt's method: Δw = −(H + μ I)⁻¹ g, with H = Jᵀ S J/Σs and g = Jᵀ S e/Σs.

    J = ∂O/∂w of all rows, e = o − t, S the weights of the rows. An epoch is one step on all rows that lowers the loss:
    μ grows by `mu_inc` until one does, and shrinks by `mu_dec` after it. To the step half its geodesic acceleration is
    added where that is small beside it (Transtrum and Sethna 2012), which takes the curves of narrow valleys. It is for
    squared error and for networks of up to some thousand parameters. On small regressions it finds the minimum to
    the last digits, where gradient descent is still on its way.

    All is computed in float64; the parameters of a float32 network are rounded after each step.

    Parameters
    ----------
    mu : float
        μ > 0 of the first step.
    mu_dec : float
        The factor of μ after a step that lowered the loss, in (0, 1).
    mu_inc : float
        The factor of μ after one that did not, above 1.
    mu_max : float
        Where μ ends training, as no step lowers the loss, however short: at least `mu`.
    min_grad : float
        The norm of the gradient at which training ends, at least 0. MATLAB's is 1e-7, which suits inputs and targets
        between −1 and 1, and stops short of the minimum where the parameters are nearly dependent; 0 ends where no step
        lowers the loss any more.
    goal : float
        The loss at which training ends, at least 0.
    max_fail : int or None
        How many epochs in a row the validation loss may fail to fall below its smallest, where there are validation
        data; None does not look at it.

    Raises
    ------
    ParameterError
        For a number out of its range.

    Notes
    -----
    For n parameters, a step takes rows · outputs · n² multiply-adds for H, which is summed block by block so that J is
    never there as a whole, and n³/3 for each μ that is tried. It holds three matrices of n² numbers: n = 1,000 takes
    24 MB, n = 10,000 takes 2.4 GB. What does not fit in memory is refused.

    Why training ended is in `History.stopped`: "goal", "min_grad", "mu_max", "max_fail", "epochs" or "callback". Of
    each epoch `History.state` has "mu", after the step, and "gradient", the norm of the gradient before it.

    References
    ----------
    Marquardt 1963, 'An algorithm for least-squares estimation of nonlinear parameters'; Hagan and Menhaj 1994,
    'Training feedforward networks with the Marquardt algorithm'; Transtrum and Sethna 2012, 'Improvements to the
    Levenberg-Marquardt algorithm for nonlinear least-squares minimization'.

    Examples
    --------
    >>> import numpy as np
    >>> import reseau as rs
    >>> X = np.linspace(0, 1, 20).reshape(-1, 1)
    >>> net = rs.Network(rs.Dense(1, "exponential", bias=False), rs.Dense(1), inputs=1, dtype="float64")
    >>> net.parameters[...] = [-1.0, 1.0, 0.0]
    >>> history = net.fit(X, 2 * np.exp(-3 * X) + 1, optimizer=rs.LevenbergMarquardt())
    >>> net.parameters.round(10)  # of e^(w x), its factor, and the constant
    array([-3.,  2.,  1.])
    """

    mu: float = 1e-3
    mu_dec: float = 0.1
    mu_inc: float = 10.0
    mu_max: float = 1e10
    min_grad: float = 0.0
    goal: float = 0.0
    max_fail: int | None = 6

    name: ClassVar[str] = "lm"
    aliases: ClassVar[tuple[str, ...]] = ("levenberg_marquardt", "marquardt", "trainlm")
    epochs: ClassVar[int] = 1000  # at most, where fit is not told
    states: ClassVar[int] = 0  # all that goes on is in the history
    schedule: ClassVar[None] = None
    rate: ClassVar[float] = nan

    def __post_init__(self) -> None:
        checked: dict[str, Any] = {
            "mu": real("mu", self.mu, low=0, includes_low=False),
            "mu_dec": real("mu_dec", self.mu_dec, low=0, high=1, includes_low=False, includes_high=False),
            "mu_inc": real("mu_inc", self.mu_inc, low=1, includes_low=False),
            "min_grad": real("min_grad", self.min_grad, low=0),
            "goal": real("goal", self.goal, low=0),
        }
        checked["mu_max"] = real("mu_max", self.mu_max, low=checked["mu"])
        if self.max_fail is not None:
            checked["max_fail"] = integer("max_fail", self.max_fail, low=1, also="None")
        for name, value in checked.items():
            object.__setattr__(self, name, value)

    def describe(self) -> dict[str, Any]:
        """Its name and its numbers."""
        return {"name": self.name, **self.hyperparameters()}

    def hyperparameters(self) -> dict[str, Any]:
        """The numbers that define it, by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


@dataclass(frozen=True, kw_only=True)
class BayesianRegularization(LevenbergMarquardt):
    """Bayesian regularisation: Levenberg and Marquardt's method on β E_D + α E_W, whose α and β follow from the data.

    E_D = ½ Σ s e² is the error and E_W = ½ Σ w² the size of all N_w parameters. After MacKay's evidence, each epoch
    first sets γ = N_w − α tr((β Jᵀ S J + α I)⁻¹), the number of parameters that the data determine, then
    α = γ/(2 E_W) and β = (N − γ)/(2 E_D), where N counts the targets, each as often as its row's weight says. So
    the network is as smooth as the noise asks, without a validation set. It supposes inputs and targets
    of the order of 1, and noise of one size.

    Parameters
    ----------
    mu, mu_dec, mu_inc, mu_max, min_grad, goal, max_fail
        As in `LevenbergMarquardt`, of (β E_D + α E_W)/(β Σs); the validation loss is not looked at unless `max_fail`
        says so.

    Raises
    ------
    ParameterError
        For a number out of its range.

    Notes
    -----
    Of each epoch `History.state` has, besides what `LevenbergMarquardt` notes, "gamma", "alpha" and "beta", with which
    its step was made. 1/√β is the size of the noise. Memory is that of `LevenbergMarquardt`, and γ takes 4n³/3
    multiply-adds more in each epoch.

    References
    ----------
    MacKay 1992, 'A practical Bayesian framework for backpropagation networks'; Foresee and Hagan 1997, 'Gauss-Newton
    approximation to Bayesian learning'.

    Examples
    --------
    >>> import numpy as np
    >>> import reseau as rs
    >>> X = np.linspace(-1, 1, 41).reshape(-1, 1)
    >>> y = np.sin(3 * X) + np.random.default_rng(0).normal(0, 0.1, X.shape)
    >>> net = rs.Network(rs.Dense(12, "tanh"), rs.Dense(1), dtype="float64", seed=0)
    >>> history = net.fit(X, y, optimizer=rs.BayesianRegularization(), epochs=200)
    >>> history.state["gamma"][-1] < net.n_parameters / 2
    True
    """

    mu: float = 5e-3
    max_fail: int | None = None

    name: ClassVar[str] = "br"
    aliases: ClassVar[tuple[str, ...]] = ("bayesian_regularization", "bayesian", "trainbr")


LEAST_SQUARES: dict[str, type[LevenbergMarquardt]] = {
    entry.name: entry for entry in (LevenbergMarquardt, BayesianRegularization)
}
"""Every method of least squares by its name."""


def check_method(method: object) -> Optimizer | LevenbergMarquardt:
    """Return what a network is trained by, for a name as it is by default, or raise ParameterError."""
    if isinstance(method, str):
        methods: dict[str, Any] = {**OPTIMIZERS, **LEAST_SQUARES}
        made: Optimizer | LevenbergMarquardt = methods[known("optimizer", method, methods)]()
        return made
    return method if isinstance(method, LevenbergMarquardt) else check_optimizer(method)
