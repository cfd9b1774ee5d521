"""Looking inside a network: the numbers of every layer, how the error follows them, and neurons that do not learn."""

from __future__ import annotations

import numpy as np

from reseau import data, engine
from reseau.arrays import ArrayLike, FloatArray, RowsLike
from reseau.checks import boolean, in_memory
from reseau.derivatives import Differentiable
from reseau.vocabulary.layers.summary import Flatness

_BLOCK = 4096  # rows whose numbers are there at once


class Inspectable(Differentiable):
    """What a network shows of its layers."""

    @in_memory("the numbers of all layers on these rows")
    def activations(self, X: RowsLike, *, scores: bool = False, threads: int | None = None) -> list[FloatArray]:
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
    def layer_gradients(
        self, X: RowsLike, y: ArrayLike, *, masked_targets: bool = False, threads: int | None = None
    ) -> list[FloatArray]:
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
        masked_targets : bool
            As in `errors`; a missing target adds nothing.
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
        masked = boolean("masked_targets", masked_targets)
        T = data.targets(y, "y", self.architecture, samples.shape[0], self.dtype, masked=masked)
        return self.compute.layer_gradients(self.architecture, self.parameters, samples, T, engine.threads(threads))

    def _flatness(self, X: object) -> list[Flatness | None]:
        """Where each layer's activation passes next to nothing back on these rows; None where that cannot be said.

        The last layer is let be where output and loss simplify: there ∂E/∂Z = o − t, whatever the slope is.
        """
        samples = data.matrix(X, "X", self.dtype, columns=self.architecture.inputs)
        layers = self.architecture.layers
        flat_rows = [np.zeros(n, dtype=np.int64) for n in self.architecture.widths[1:]]
        level_rows = [np.zeros(n, dtype=np.int64) for n in self.architecture.widths[1:]]
        told = [not layer.sigma.row_wise for layer in layers]
        told[-1] = told[-1] and not self.architecture.simplifies
        for first in range(0, len(samples), _BLOCK):
            Zs = self.activations(samples[first : first + _BLOCK], scores=True)
            for place, (layer, Z) in enumerate(zip(layers, Zs, strict=True)):
                A = layer.sigma.value(Z)
                flat = layer.sigma.flat(Z, A)
                if flat is None:
                    continue
                flat_rows[place] += flat.sum(axis=0)
                level_rows[place] += (layer.sigma.slopes(Z, A) == 0).sum(axis=0)
        found: list[Flatness | None] = []
        for is_told, flat, level in zip(told, flat_rows, level_rows, strict=True):
            stuck, dead = flat == len(samples), level == len(samples)
            share = float(flat.mean()) / len(samples)
            found.append(Flatness(share, int(dead.sum()), int((stuck & ~dead).sum())) if is_told else None)
        return found
