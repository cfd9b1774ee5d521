"""Looking inside a network: the numbers of every layer, how the error follows them, and neurons that do not learn."""

from __future__ import annotations

from reseau import data, engine
from reseau.arrays import FloatArray
from reseau.checks import boolean, in_memory
from reseau.derivatives import Differentiable


class Inspectable(Differentiable):
    """What a network shows of its layers."""

    @in_memory("the numbers of all layers on these rows")
    def activations(self, X: object, *, scores: bool = False, threads: int | None = None) -> list[FloatArray]:
        """A_1, ..., A_L, the numbers that each layer gives; the last are the outputs.

        Parameters
        ----------
        X : array-like of shape (rows, inputs)
            Samples.
        scores : bool
            Whether Z_l is wanted in place of A_l: what the activation is applied to, such as A_{l−1} W_l + b_l.
        threads : int or None
            At most as many threads; the numbers are the same for any.

        Returns
        -------
        list of ndarray of shape (rows, n_l)
            Of each layer, in the network's dtype; with a residual link's sum, and without dropout.

        Raises
        ------
        DataError
            For anything but a finite numeric matrix of the right width.

        Examples
        --------
        >>> import reseau as rs
        >>> net = rs.Network(rs.Dense(2, "relu"), rs.Dense(1, "identity"), inputs=1, dtype="float64")
        >>> net.parameters[...] = [1.0, -1.0, 0.0, 0.0, 2.0, 3.0, 0.5]
        >>> net.activations([[4.0]])
        [array([[4., 0.]]), array([[8.5]])]
        >>> net.activations([[4.0]], scores=True)[0]
        array([[ 4., -4.]])
        """
        scores = boolean("scores", scores)
        samples = data.matrix(X, "X", self.dtype, columns=self.architecture.inputs)
        return self.compute.inside(self.architecture, self.parameters, samples, scores, engine.threads(threads))

    @in_memory("the gradients of all layers on these rows")
    def layer_gradients(self, X: object, y: object, *, threads: int | None = None) -> list[FloatArray]:
        """∂E/∂A_1, ..., ∂E/∂A_L: how the error of each sample follows the numbers that each layer gives.

        Where they shrink by orders of magnitude from the last layer to the first, the first ones hardly learn
        (vanishing gradients); where they grow so, training diverges (exploding ones). The gradients of the weights are
        those of `gradient`.

        Parameters
        ----------
        X : array-like of shape (rows, inputs)
            Samples.
        y : array-like of shape (rows, n_outputs), or (rows,)
            Targets, as in `errors`.
        threads : int or None
            As of `activations`.

        Returns
        -------
        list of ndarray of shape (rows, n_l)
            Of each layer, in the network's dtype. E is the row's own error, not averaged over the rows.

        Raises
        ------
        DataError
            For samples or targets that `errors` would refuse.

        Examples
        --------
        >>> import reseau as rs
        >>> net = rs.Network(rs.Dense(2, "relu"), rs.Dense(1, "identity"), inputs=1, dtype="float64")
        >>> net.parameters[...] = [1.0, -1.0, 0.0, 0.0, 2.0, 3.0, 0.5]
        >>> net.layer_gradients([[4.0]], [8.0])  # o = 8.5, and ∂E/∂A_1 = (o − t) W_2ᵀ
        [array([[1. , 1.5]]), array([[0.5]])]
        """
        samples = data.matrix(X, "X", self.dtype, columns=self.architecture.inputs)
        T = data.targets(y, "y", self.architecture, samples.shape[0], self.dtype)
        return self.compute.layer_gradients(self.architecture, self.parameters, samples, T, engine.threads(threads))
