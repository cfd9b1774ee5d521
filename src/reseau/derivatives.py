"""Derivatives of a network: of its error by the parameters, of its outputs by these and by the inputs."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np

from reseau import data, engine
from reseau.arrays import ArrayLike, FloatArray, RowsLike, Slopes
from reseau.checks import boolean, in_memory, interval, real
from reseau.checks import output_weights as check_output_weights
from reseau.vocabulary.layers import Architecture
from reseau.vocabulary.losses import NO_BOUNDS, Bounds

if TYPE_CHECKING:
    from reseau.engine.door import Engine


class Differentiable(ABC):
    """What a network can tell of how its outputs follow its inputs, and these and its error its parameters."""

    @property
    @abstractmethod
    def architecture(self) -> Architecture:
        """Inputs, layers and loss, without the numbers."""

    @property
    @abstractmethod
    def parameters(self) -> FloatArray:
        """All parameters as one vector."""

    @property
    @abstractmethod
    def dtype(self) -> np.dtype[Any]:
        """The precision of parameters and arithmetic."""

    @property
    @abstractmethod
    def compute(self) -> Engine:
        """The engine in force."""

    def _samples(self, X: object, y: object, masked: object = None) -> tuple[Any, Any]:
        X = data.rows(X, "X", self.dtype, columns=self.architecture.inputs)
        data.check_sparse(X, "X", self.architecture)
        masked = None if masked is None else boolean("masked_targets", masked)
        return X, data.targets(y, "y", self.architecture, X.shape[0], self.dtype, masked=masked)

    def _rows_and(self, X: object, vector: object, name: str, n: int, each: str) -> tuple[FloatArray, FloatArray]:
        """Samples, and a vector of n numbers for each."""
        samples = data.matrix(X, "X", self.dtype, columns=self.architecture.inputs)
        return samples, data.vectors(vector, name, samples.shape[0], n, each, self.dtype)

    @in_memory("J v of these rows")
    def jvp(self, X: RowsLike, v: ArrayLike, *, threads: int | None = None) -> FloatArray:
        """J v for each sample: how the outputs change where the inputs move in the direction v.

        One pass forward along the direction, ȧ_l = σ'_l ∘ (ȧ_{l−1} W_l), whatever the number of inputs.

        Parameters
        ----------
        X : array-like of shape (rows, inputs)
            Samples.
        v : array-like of shape (rows, inputs), or (inputs,)
            The direction of each sample, or the same for all.
        threads : int or None
            At most as many threads; the numbers are the same for any.

        Returns
        -------
        ndarray of shape (rows, n_outputs)
            Σ_i ∂o_j/∂x_i v_i, in the network's dtype. A row's numbers are the same bytes in any batch.

        Raises
        ------
        DataError
            For samples or directions that are not finite numbers of the right shape.

        Examples
        --------
        >>> import reseau as rs
        >>> net = rs.Network(rs.Dense(1, "identity"), inputs=2, dtype="float64")
        >>> net.parameters[...] = [3.0, 5.0, 0.0]  # o = 3 x_0 + 5 x_1
        >>> net.jvp([[1.0, 1.0]], [1.0, 2.0])
        array([[13.]])
        """
        samples, vectors = self._rows_and(X, v, "v", self.architecture.inputs, "input")
        return self.compute.jvp(self.architecture, self.parameters, samples, vectors, engine.threads(threads))

    @in_memory("uᵀ J of these rows")
    def vjp(self, X: RowsLike, u: ArrayLike, *, threads: int | None = None) -> FloatArray:
        """uᵀ J for each sample: the gradient by the inputs of the outputs' sum with the weights u.

        One pass backward from u, whatever the number of outputs.

        Parameters
        ----------
        X : array-like of shape (rows, inputs)
            Samples.
        u : array-like of shape (rows, n_outputs), or (n_outputs,)
            The weights of each sample's outputs, or the same for all.
        threads : int or None
            As of `jvp`.

        Returns
        -------
        ndarray of shape (rows, inputs)
            Σ_j u_j ∂o_j/∂x_i, in the network's dtype. A row's numbers are the same bytes in any batch.

        Raises
        ------
        DataError
            For samples or weights that are not finite numbers of the right shape.

        Examples
        --------
        >>> import reseau as rs
        >>> net = rs.Network(rs.Dense(2, "identity", bias=False), inputs=1, dtype="float64")
        >>> net.parameters[...] = [3.0, 5.0]  # o = (3 x, 5 x)
        >>> net.vjp([[1.0]], [1.0, 2.0])
        array([[13.]])
        """
        samples, vectors = self._rows_and(X, u, "u", self.architecture.outputs, "output")
        return self.compute.vjp(self.architecture, self.parameters, samples, vectors, engine.threads(threads))

    @in_memory("the Hessian's products on these rows")
    def hessian_vector(self, X: RowsLike, v: ArrayLike, *, threads: int | None = None) -> FloatArray:
        """∂²o_j/∂x² v for each sample and output: how the row j of the Jacobian changes in the direction v.

        For each output a pass forward along the direction and one backward, and the derivative of the latter, for which
        each activation has its second derivative σ″. The Hessian itself is never held; v = (1, 0, ..., 0) gives its
        first column.

        Parameters
        ----------
        X, v, threads
            As of `jvp`.

        Returns
        -------
        ndarray of shape (rows, n_outputs, inputs)
            Σ_k ∂²o_j/∂x_i∂x_k v_k, in the network's dtype. At a kink, as of ReLU at 0, σ″ is taken for 0.

        Raises
        ------
        DataError
            For samples or directions that are not finite numbers of the right shape.

        Examples
        --------
        >>> import reseau as rs
        >>> net = rs.Network(rs.Dense(1, "exponential", bias=False), inputs=2, dtype="float64")
        >>> net.parameters[...] = [1.0, 2.0]  # o = e^(x_0 + 2 x_1), with the Hessian [[1, 2], [2, 4]] o
        >>> net.hessian_vector([[0.0, 0.0]], [1.0, 0.0])
        array([[[1., 2.]]])
        """
        samples, vectors = self._rows_and(X, v, "v", self.architecture.inputs, "input")
        architecture = self.architecture
        return self.compute.hessian_vector(architecture, self.parameters, samples, vectors, engine.threads(threads))

    @in_memory("the gradient on these rows")
    def value_and_gradient(
        self,
        X: RowsLike,
        y: ArrayLike,
        *,
        sample_weight: ArrayLike | None = None,
        output_weights: ArrayLike | None = None,
        masked_targets: bool = False,
        l2: float = 0.0,
        bounds: Bounds = NO_BOUNDS,
        dy: ArrayLike | None = None,
        dy_weight: float = 1.0,
        threads: int | None = None,
    ) -> tuple[float, FloatArray]:
        """E averaged over the rows, and its gradient as one vector in the layout of `parameters`.

        Parameters
        ----------
        X, y, masked_targets, threads
            As in `errors`.
        sample_weight : array-like of shape (rows,) or None
            Row r then counts s_r/Σs instead of 1/rows.
        output_weights : array-like of shape (n_outputs,) or None
            c_j ≥ 0, how much the error of each output counts: E = Σ_j c_j e_j of a row, where it is Σ_j e_j without.
            Where the loss has several outputs for each target, (n_targets,): all of a target's have its weight. So it
            may be where groups of outputs each have a column of classes.
        l2 : float
            λ ≥ 0: the gradient is that of E + ½ λ Σ W²/rows, biases left out; the returned E is without the penalty.
        bounds : (float, float)
            (low, high), between what a cross-entropy's e_j for a target of 1 is kept in E, as if probabilities were;
            not in the gradient.
        dy : array-like of shape (rows, n_outputs, inputs) or None
            As in `fit`.
        dy_weight : float
            As in `fit`.

        Returns
        -------
        E : float
            The mean error; with `dy` that of values and derivatives.
        g : ndarray of shape (n_parameters,)
            ∂E/∂w.

        Raises
        ------
        DataError
            For samples, targets, derivatives or weights that cannot be used.
        ParameterError
            For an l2 or a dy_weight below 0, bounds that are not two numbers in ascending order, or weights that are
            not one number for each output.
        """
        l2, bounds, dy_weight = real("l2", l2, low=0), interval("bounds", bounds), real("dy_weight", dy_weight, low=0)
        weights = check_output_weights(output_weights, *self.architecture.weighable)
        c = None if weights is None else np.array(weights)
        samples, T = self._samples(X, y, masked_targets)
        s = None if sample_weight is None else data.weights(sample_weight, samples.shape[0])
        slopes = None
        if dy is not None:
            wanted = data.slopes(dy, "dy", samples, T, self.architecture, self.dtype, masked=masked_targets)
            slopes = Slopes(wanted, dy_weight)
        n_threads = engine.threads(threads)
        return self.compute.gradient(
            self.architecture, self.parameters, samples, T, s, l2, n_threads, bounds, c, slopes
        )

    def gradient(
        self,
        X: RowsLike,
        y: ArrayLike,
        *,
        sample_weight: ArrayLike | None = None,
        output_weights: ArrayLike | None = None,
        masked_targets: bool = False,
        l2: float = 0.0,
        threads: int | None = None,
    ) -> list[tuple[FloatArray | None, ...]]:
        """(dW, db) = (∂E/∂W, ∂E/∂b) of each layer, E averaged over the rows; db is None without bias.

        Of a layer of another kind they are those of its tensors: of a layer normalisation (dgamma, dbeta), of a
        parametric ReLU (dalpha,), of dropout (). Parameters are those of `value_and_gradient`.

        Examples
        --------
        >>> import reseau as rs
        >>> net = rs.Network(rs.Dense(1, "identity"), inputs=1, dtype="float64")
        >>> net.parameters[...] = [2.0, 0.0]
        >>> net.gradient([[3.0]], [5.0])  # o = 6, ∂E/∂W = x (o − t) = 3 (6 − 5)
        [(array([[3.]]), array([1.]))]
        """
        _, g = self.value_and_gradient(
            X,
            y,
            sample_weight=sample_weight,
            output_weights=output_weights,
            masked_targets=masked_targets,
            l2=l2,
            threads=threads,
        )
        layers, views = self.architecture.layers, self.architecture.views(g)
        return [tuple(view.get(letter) for letter in layer.letters) for layer, view in zip(layers, views, strict=True)]

    @in_memory("the Jacobian of these rows")
    def jacobian(self, X: RowsLike, *, threads: int | None = None) -> FloatArray:
        """∂O/∂X for each sample.

        Parameters
        ----------
        X : array-like of shape (rows, inputs)
            Samples.
        threads : int or None
            As in calling.

        Returns
        -------
        ndarray of shape (rows, n_outputs, inputs)
            J[r, j, i] = ∂o_j/∂x_i at sample r.
        """
        X = data.matrix(X, "X", self.dtype, columns=self.architecture.inputs)
        return self.compute.jacobian(self.architecture, self.parameters, X, engine.threads(threads))

    @in_memory("the Jacobian of the parameters on these rows")
    def parameter_jacobian(self, X: RowsLike, *, threads: int | None = None) -> FloatArray:
        """∂O/∂w for each sample: how each output follows each weight and bias.

        For every output neuron j a backward pass from δ_L = ∂o_j/∂Z_L, through the full Jacobian of softmax where that
        is the activation; then of each row ∂o_j/∂W_l = a_{l−1}ᵀ δ_l and ∂o_j/∂b_l = δ_l. It is the matrix of
        least-squares methods: with residuals r = o − t, the gradient of ½ Σ r² is Jᵀ r, and Gauss and Newton's step
        solves (Jᵀ J) Δw = −Jᵀ r.

        Parameters
        ----------
        X : array-like of shape (rows, inputs)
            Samples.
        threads : int or None
            As in calling; the numbers are the same for any.

        Returns
        -------
        ndarray of shape (rows, n_outputs, n_parameters)
            J[r, j, k] = ∂o_j/∂w_k at sample r, w being `parameters`; in the network's dtype.

        Raises
        ------
        DataError
            For anything but a finite numeric matrix of the right width.
        ReseauError
            When the result does not fit in memory.

        Examples
        --------
        >>> import reseau as rs
        >>> net = rs.Network(rs.Dense(2, "identity"), inputs=2, dtype="float64")
        >>> net.parameter_jacobian([[3.0, 5.0]])  # o = x W + b, and w is W by rows, then b
        array([[[3., 0., 5., 0., 1., 0.],
                [0., 3., 0., 5., 0., 1.]]])
        """
        architecture = self.architecture
        samples = data.matrix(X, "X", self.dtype, columns=architecture.inputs)
        shape = (samples.shape[0], architecture.outputs, architecture.n_parameters)
        n_bytes = math.prod(shape) * self.dtype.itemsize
        if not engine.fits_in_memory(n_bytes):
            raise MemoryError(f"Unable to allocate {n_bytes / 1e9:,.1f} GB for an array of shape {shape}")
        return self.compute.parameter_jacobian(architecture, self.parameters, samples, engine.threads(threads))
