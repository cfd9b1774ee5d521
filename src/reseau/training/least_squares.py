"""Training by least squares: Levenberg and Marquardt's steps on all rows, and what Bayesian regularisation adds.

What is minimised is F(w) = E + ½ Σ_k ρ_k w_k², with E = ½ Σ s e²/Σs over all rows and outputs, e = o − t. Its gradient
is g + ρ w with g = Jᵀ S e/Σs, and H + diag(ρ) with H = Jᵀ S J/Σs is what Gauss and Newton take for its second
derivatives. ρ is that of an l2 penalty, λ/Σs for what it counts, or of Bayesian regularisation, α/(β Σs) for all.
"""

from __future__ import annotations

from contextlib import nullcontext
from math import isfinite
from typing import Any

import numpy as np

from reseau import engine
from reseau.arrays import Failure, FloatArray, IntArray, ResumePoint, SparseRows
from reseau.engine.door import Engine
from reseau.errors import ParameterError
from reseau.training.history import History
from reseau.vocabulary.layers import Architecture
from reseau.vocabulary.least_squares import BayesianRegularization, LevenbergMarquardt

LOSS = "squared_error"
BLOCK = 2**21  # numbers of J at once: 16 MB
MATRICES = 3  # of n² numbers: H, what is factored, and what LAPACK or BLAS makes of it
# Multiply-adds of a step up to which BLAS works in one thread. On two cores of a Zen 4 that takes 1/1.3 to 1/2.4 of the
# time of two threads, up to 1e10 as far as was measured: they and the engine's wait for one another.
ALONE = 2**34
SMALLEST_MU = 1e-20  # MATLAB's
# Half the geodesic acceleration is added to a step where it is at most this share of it (Transtrum and Sethna recommend
# up to 0.75; with 0.5 BoxBOD of the StRD ends elsewhere from its first start), and where the step promises more than
# a millionth of the loss: below that the second difference, taken at a tenth of the step, has no digits left.
ACCELERATION, PROBE, WORTH_IT = 0.3, 0.1, 1e-6
# After the last step that lowers F visibly, the minimum is still some √ε off. Gauss and Newton's steps go on while
# they are short, what they promise of F shrinks, and F stays what it is but for rounding.
SETTLED, SHORT, ROUNDING, LAST_STEPS = 1e-8, 1e-3, 1e-12, 30
EPSILON = 2.0**-52
INVISIBLE = EPSILON / 8  # of F, what no sum of its squares can show
# Of Bayesian regularisation: ρ at first, as a share of the mean of H's diagonal, and by how much it grows at most.
FIRST_RIDGE, GROWTH = 1e-6, 3.0
LARGEST = 2.0**1020  # error with which β is above 0


def check(method: LevenbergMarquardt, architecture: Architecture, l2: float, by_slopes: bool = False) -> None:
    """Raise ParameterError unless a method of least squares can train such a network, by slopes if these are learnt."""
    called = type(method).__name__
    if architecture.loss != LOSS:
        raise ParameterError(
            f"optimizer is {called}, which is for loss={LOSS!r}, but the network's is {architecture.loss!r}; use "
            "another optimizer, such as Adam."
        )
    for place, layer in enumerate(architecture.layers, start=1):
        if layer.dropout:
            raise ParameterError(
                f"optimizer is {called}, whose steps are exact, but layer {place} drops at random (dropout="
                f"{layer.dropout:g}); leave dropout out, or use another optimizer, such as Adam."
            )
    if by_slopes:
        raise ParameterError(
            f"optimizer is {called}, which is for targets alone, but dy gives derivatives to learn; leave dy out, or "
            "use another optimizer, such as Adam."
        )
    if l2 and isinstance(method, BayesianRegularization):
        raise ParameterError(
            f"l2 is {l2:g}, but BayesianRegularization finds the penalty itself; give l2=0, or LevenbergMarquardt."
        )
    n = architecture.n_parameters
    if not engine.fits_in_memory(8 * MATRICES * n * n):
        raise ParameterError(
            f"optimizer is {called}, which needs {MATRICES} matrices of {n:,} × {n:,} numbers, "
            f"{8e-9 * MATRICES * n * n:,.0f} GB, more than there is; give the network fewer neurons, or use another "
            "optimizer, such as Adam."
        )


class Residuals:
    """All rows at the parameters `w`: outputs, errors, and the normal equations block by block.

    Parameters
    ----------
    compute : engine
        What computes them.
    architecture : Architecture
        What is trained.
    X, T, sample_weight
        Checked rows, as the engines take them; NaN in T is a target that was not measured.
    output_weights : ndarray of shape (outputs,) or None
        How much each output counts.
    threads : int
        At most as many.
    """

    def __init__(
        self,
        compute: Engine,
        architecture: Architecture,
        X: FloatArray | SparseRows,
        T: FloatArray | IntArray,
        sample_weight: FloatArray | None,
        output_weights: FloatArray | None,
        threads: int,
    ) -> None:
        self.compute, self.architecture, self.threads = compute, architecture, threads
        missing = np.isnan(T)
        self.X, self.T, self.s = X, np.where(missing, 0, T).astype(np.float64, copy=False), sample_weight
        self.w = np.empty(architecture.n_parameters)
        self.predict = compute.predictor(architecture, self.w, lambda: threads)
        self.jacobian = compute.parameter_jacobians(architecture, self.w, threads)
        self.total: float = float(len(T)) if sample_weight is None else float(sample_weight.sum())
        share = np.full(T.shape, 1 / self.total) if sample_weight is None else sample_weight[:, None] / self.total
        share = share if output_weights is None else share * output_weights
        # √(s c/Σs), (rows, outputs), 0 where there is no target
        self.root = np.broadcast_to(np.where(missing, 0, np.sqrt(share)), T.shape)
        self.counts: bool = bool(self.root.all())  # whether everything does
        self.J: FloatArray | None = None  # of all rows, weighted as the errors are, where they are one block
        self.counted: float = self.total * float((self.root**2).sum())

    def outputs(self) -> FloatArray:
        """O, (rows, outputs)."""
        if isinstance(self.X, SparseRows):
            return self.compute.outputs(self.architecture, self.w, self.X, self.threads)
        O = self.predict(self.X, self.threads)
        assert O is not None  # X has been checked
        return O

    def errors(self, O: FloatArray) -> FloatArray:
        """e √(s/Σs), (rows, outputs), so that E is half the sum of their squares."""
        return self.weighted(O - self.T)

    def weighted(self, e: FloatArray) -> FloatArray:
        """What is of rows and outputs, times √(s/Σs); 0 in rows that count nothing."""
        return e * self.root if self.counts else np.where(self.root > 0, e * self.root, 0)

    def normal_equations(self, e: FloatArray) -> tuple[FloatArray, FloatArray]:
        """H, of which the lower triangle is there, and g, of the errors that `errors` gave."""
        from scipy.linalg.blas import dsyrk

        n, outputs = self.w.size, self.T.shape[1]
        H, g = np.zeros((n, n), order="F"), np.zeros(n)
        at_once = max(1, BLOCK // max(1, n * outputs))
        self.J = None
        for first in range(0, len(e), at_once):
            block = slice(first, first + at_once)
            J = self.jacobian(self.X[block])
            J *= self.root[block, :, None]
            if not self.counts:
                J[self.root[block] == 0] = 0  # also what is not finite
            J = J.reshape(-1, n)  # (rows · outputs, n)
            H = dsyrk(1.0, J.T, beta=1.0, c=H, lower=1, overwrite_c=1)
            g += e[block].reshape(-1) @ J
            self.J = J if at_once >= len(e) else None
        return H, g

    def pulled_back(self, r: FloatArray, O: FloatArray) -> FloatArray:
        """Jᵀ S r/Σs at the `w` of the last normal equations, whose outputs are O: the gradient for targets O − r."""
        if self.J is not None:
            return self.weighted(r).reshape(-1) @ self.J
        r = self.total * self.root * self.weighted(r)
        _, g = self.compute.gradient(self.architecture, self.w, self.X, O - r, None, 0.0, self.threads)
        return g * (len(O) / self.total)


def factored(H: FloatArray, damping: FloatArray) -> FloatArray | None:
    """The Cholesky factor of H + diag(damping), of which the lower triangle counts; None if there is none."""
    from scipy.linalg.lapack import dpotrf

    A = H.copy(order="F")
    A.ravel(order="K")[:: len(A) + 1] += damping
    L, info = dpotrf(A, lower=1, clean=0, overwrite_a=1)
    return None if info else L


def solved(L: FloatArray, b: FloatArray) -> FloatArray:
    """The solution x of L Lᵀ x = b."""
    from scipy.linalg.lapack import dpotrs

    x: FloatArray = dpotrs(L, b, lower=1)[0]
    return x


class LeastSquares:
    """A training run by least squares, with what `fit` asks of an engine's Trainer. An epoch is a step.

    Parameters
    ----------
    compute : engine
        What computes outputs and derivatives.
    architecture : Architecture
        What is trained; `check` has let it through.
    parameters : ndarray of shape (n_parameters,)
        The flat vector, in the network's precision; brought up to date at the end of each step.
    method : LevenbergMarquardt
        How.
    threads : int
        At most as many.
    history : History
        Where the numbers of each epoch are noted, and from where the run goes on; why it has ended.

    Attributes
    ----------
    failure : Failure or None
        That the loss is not finite before the first step.
    """

    seed = 0  # nothing is random

    def __init__(
        self,
        compute: Engine,
        architecture: Architecture,
        parameters: FloatArray,
        method: LevenbergMarquardt,
        threads: int,
        history: History,
    ) -> None:
        self.compute, self.architecture, self.parameters = compute, architecture, parameters
        self.method, self.threads, self.history = method, threads, history
        self.failure: Failure | None = None
        self._at: Residuals | None = None

    def progress(self, into: ResumePoint | None = None) -> ResumePoint:
        """How far it has come; all else is in the history."""
        return ResumePoint(self.history.epochs, self.history.epochs, ())

    def go_on_from(self, progress: ResumePoint) -> None:
        """Nothing: the history says it."""

    def run(
        self,
        X: FloatArray | SparseRows,
        T: FloatArray | IntArray,
        sample_weight: FloatArray | None,
        *,
        epochs: int,
        l2: float,
        output_weights: FloatArray | None = None,
        **_: Any,
    ) -> list[float]:
        """Make some steps on rows that are the same in every call; return E after each, fewer where the run ends."""
        n = self.architecture.n_parameters
        alone = n * n * (T.size + n // 3) <= ALONE
        with np.errstate(all="ignore"), engine.one_blas_thread() if alone else nullcontext():
            if self._at is None:
                self._begin(X, T, sample_weight, output_weights, l2)
            losses: list[float] = []
            if not isfinite(self.E):
                self.failure = Failure(1, "loss")
                return [self.E]
            while len(losses) < epochs and self.history.stopped is None:
                self._epoch()
                losses.append(self.E)
            return losses

    @property
    def _mu(self) -> float:
        noted = self.history.state.get("mu")
        return noted[-1] if noted else self.method.mu

    def _begin(
        self,
        X: FloatArray | SparseRows,
        T: FloatArray | IntArray,
        sample_weight: FloatArray | None,
        output_weights: FloatArray | None,
        l2: float,
    ) -> None:
        weights = sample_weight, output_weights
        at = self._at = Residuals(self.compute, self.architecture, X, T, *weights, self.threads)
        at.w[...] = self.parameters
        self.O = at.outputs()
        self.e = at.errors(self.O)
        self.E = 0.5 * float(np.vdot(self.e, self.e))
        self.rho = np.zeros_like(at.w)
        if l2:
            for views, here in zip(self.architecture.views(self.rho), self.architecture.places, strict=True):
                for name, view in views.items():
                    view[...] = l2 / at.total if here[name][1].penalised else 0
        self._evidence = Evidence(at, self.history) if isinstance(self.method, BayesianRegularization) else None

    def _epoch(self) -> None:
        """One step, and what is noted of it."""
        at, method = self._at, self.method
        assert at is not None
        H, g = at.normal_equations(self.e)
        if self._evidence is not None:
            self.rho[...] = self._evidence.ridge(H, self.E)
        g += self.rho * at.w
        size, mu = float(np.linalg.norm(g)), self._mu
        if size <= method.min_grad:
            self.history.stopped = "min_grad"
        else:
            mu = self._step(H, g, mu)
        self.parameters[...] = at.w
        if method.goal >= self.E:
            self.history.stopped = "goal"
        for name, value in (("mu", mu), ("gradient", size)):
            self.history.state.setdefault(name, []).append(value)

    def _step(self, H: FloatArray, g: FloatArray, mu: float) -> float:
        """Lower F by a step, or end the run; return the next μ."""
        at, method = self._at, self.method
        assert at is not None
        w = at.w.copy()
        F = self.E + 0.5 * float(self.rho @ (w * w))
        while mu <= method.mu_max:
            L = factored(H, self.rho + mu)
            if L is not None:
                d = -solved(L, g)
                promised = 0.5 * float(mu * d @ d - g @ d)
                if promised <= INVISIBLE * F or np.array_equal(self._rounded(w + d), w):
                    break  # shorter ones promise less, or change nothing either
                if promised > WORTH_IT * F:
                    d = d + self._acceleration(L, w, d)
                if self._goes_to(w, d, 0.0):
                    return max(mu * method.mu_dec, SMALLEST_MU)
            mu *= method.mu_inc
        at.w[...] = w
        self.history.stopped = "mu_max"
        if self.parameters.dtype == np.float64:
            E = self.E
            self._settle(H, g)
            self.E = min(E, self.E)  # but for rounding they are the same
        return min(mu, method.mu_max)

    def _rounded(self, w: FloatArray) -> FloatArray:
        """The nearest parameters of the network's precision."""
        return w if self.parameters.dtype == w.dtype else w.astype(self.parameters.dtype).astype(np.float64)

    def _goes_to(self, w: FloatArray, d: FloatArray, most: float) -> bool:
        """Go from w to w + d if that changes F by less than `most`, and say whether it does.

        The difference of squares is summed as a product, whose rounding is that of the difference and not of F.
        """
        at = self._at
        assert at is not None
        at.w[...] = new = self._rounded(w + d)
        O = at.outputs()
        e = at.errors(O)
        E = 0.5 * float(np.vdot(e, e))
        change = 0.5 * float(np.vdot(e - self.e, e + self.e) + self.rho @ ((new - w) * (new + w)))
        if isfinite(E) and change < most:
            self.O, self.e, self.E = O, e, E
            return True
        at.w[...] = w
        return False

    def _acceleration(self, L: FloatArray, w: FloatArray, d: FloatArray) -> FloatArray | float:
        """What bends a step d from w along the geodesic, −½ (H + ρ + μ)⁻¹ Jᵀ S r/Σs; 0 where that is not small.

        r is the second derivative of the outputs in the direction d.
        """
        at = self._at
        assert at is not None
        O = []
        for side in (PROBE, -PROBE):
            at.w[...] = w + side * d
            O.append(at.outputs())
        at.w[...] = w
        r = (O[0] - 2 * self.O + O[1]) / PROBE**2
        if not np.isfinite(r).all():
            return 0.0
        a = -0.5 * solved(L, at.pulled_back(r, self.O))
        return a if 2 * np.linalg.norm(a) <= ACCELERATION * np.linalg.norm(d) else 0.0

    def _settle(self, H: FloatArray, g: FloatArray) -> None:
        """Go on to the minimum where F no longer tells the way to it."""
        at, before = self._at, SETTLED
        assert at is not None
        for _ in range(LAST_STEPS):
            L = factored(H, self.rho + SMALLEST_MU)
            if L is None:
                return
            d = -solved(L, g)
            F = self.E + 0.5 * float(self.rho @ (at.w * at.w))
            promised = -0.5 * float(g @ d)
            w = at.w.copy()
            is_last = 0 < promised < before * F and np.linalg.norm(d) <= SHORT * np.linalg.norm(w)
            rounding = ROUNDING * F + 2 * EPSILON * float(np.linalg.norm(at.weighted(self.O)) * np.linalg.norm(self.e))
            if not (is_last and self._goes_to(w, d, rounding)):
                return
            before = 0.8 * promised / F
            H, g = at.normal_equations(self.e)
            g += self.rho * at.w


class Evidence:
    """α and β of Bayesian regularisation, from epoch to epoch (MacKay 1992; Foresee and Hagan 1997).

    It begins with next to no α, and ρ grows by no more than `GROWTH` in an epoch. With the α of the first weights,
    before they have learnt anything, the network would often be drawn to a constant, and stay there.

    Parameters
    ----------
    at : Residuals
        The rows, and the parameters as they are.
    history : History
        Where "gamma", "alpha" and "beta" are noted, and from where they go on.
    """

    def __init__(self, at: Residuals, history: History) -> None:
        self.at, self.noted = at, [history.state.setdefault(name, []) for name in ("gamma", "alpha", "beta")]

    def ridge(self, H: FloatArray, E: float) -> float:
        """ρ = α/(β Σs) at the parameters as they are, with the H and the E that they have."""
        from scipy.linalg import eigvalsh

        at, (gammas, alphas, betas) = self.at, self.noted
        n, N, E_W, E_D = at.w.size, at.counted, 0.5 * float(at.w @ at.w), min(E * at.total, LARGEST)
        if not gammas:
            gamma, rho = float(n), FIRST_RIDGE * float(np.trace(H)) / max(1, n)
            beta = N / (2 * E_D) if E_D > 0 else 1.0
        else:
            rho, beta = alphas[-1] / (betas[-1] * at.total), betas[-1]
            eigenvalues = np.maximum(eigvalsh(H, lower=True), 0)
            gamma = float(np.where(eigenvalues > 0, eigenvalues / (eigenvalues + rho), 0).sum())
            if E_D > 0 and gamma < N:
                beta = (N - gamma) / (2 * E_D)
            if E_W > 0:
                rho = min(gamma / (2 * E_W) / (beta * at.total), GROWTH * rho)
        for values, value in zip(self.noted, (gamma, rho * beta * at.total, beta), strict=True):
            values.append(value)
        return rho
