"""Products of a network's derivatives by its inputs with vectors, which never hold the whole Jacobian or Hessian."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np

from reseau import data, engine
from reseau.arrays import FloatArray
from reseau.checks import in_memory
from reseau.vocabulary.layers import Architecture

if TYPE_CHECKING:
    from reseau.engine.door import Engine


class Differentiable(ABC):
    """What a network can tell of how its outputs follow its inputs."""

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

    def _rows_and(self, X: object, vector: object, name: str, n: int, each: str) -> tuple[FloatArray, FloatArray]:
        """Samples, and a vector of n numbers for each."""
        samples = data.matrix(X, "X", self.dtype, columns=self.architecture.inputs)
        return samples, data.vectors(vector, name, samples.shape[0], n, each, self.dtype)

    @in_memory("J v of these rows")
    def jvp(self, X: object, v: object, *, threads: int | None = None) -> FloatArray:
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
    def vjp(self, X: object, u: object, *, threads: int | None = None) -> FloatArray:
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
    def hessian_vector(self, X: object, v: object, *, threads: int | None = None) -> FloatArray:
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
