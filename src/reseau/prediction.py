"""What a network says of samples, and how far off that is."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from reseau import data, engine
from reseau.arrays import ArrayLike, FloatArray, Predictor, RowsLike, SparseRows
from reseau.checks import in_memory
from reseau.derivatives import Differentiable
from reseau.errors import ReseauError
from reseau.names import PrecisionName
from reseau.vocabulary.losses import NamedLoss, loss_of
from reseau.vocabulary.precisions import check_precision

if TYPE_CHECKING:
    from reseau.training.metrics import MetricLike


class Predictive(Differentiable):
    """What a network predicts."""

    _predictors: dict[str | None, Predictor]  # by precision, each made at its first call

    @property
    @abstractmethod
    def loss(self) -> NamedLoss:
        """The name of the loss, or a loss of one's own."""

    def __call__(
        self, X: RowsLike, *, precision: PrecisionName | None = None, threads: int | None = None
    ) -> FloatArray:
        """Forward: the outputs O of the samples X.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (rows, inputs)
            One sample a row.
        precision : {"bf16", "bf16x3", "bf16x6"} or None
            How the matrix products are computed, as in `fit`; None takes the network's dtype. It is meant for many rows
            on a processor with matrix instructions: each call splits all weights first, and few rows take longer than
            without. It does not matter how the network was trained.
        threads : int or None
            At most as many threads; None takes the processors there are.

        Returns
        -------
        ndarray of shape (rows, n_outputs)
            O, in the network's dtype. A row's outputs are the same bytes in any batch.

        Raises
        ------
        DataError
            For anything but a finite numeric matrix of the right width.
        ParameterError
            For another precision, or one of a network that is not of float32.
        """
        predict = self._predictors.get(None if precision is None else check_precision(precision, self.dtype))
        if predict is None:
            predict = self.compute.predictor(self.architecture, self.parameters, engine.threads, precision)
            self._predictors[precision] = predict
        n_threads = None if threads is None else engine.threads(threads)
        try:
            found = predict(X, n_threads)
        except MemoryError:  # which the second attempt tells
            found = None
        return self._converted(X, predict, precision, n_threads) if found is None else found

    def predict(self, X: RowsLike, *, precision: PrecisionName | None = None, threads: int | None = None) -> FloatArray:
        """The outputs O of the samples X: the same as calling the network, whose parameters are those of `__call__`.

        Examples
        --------
        >>> import reseau as rs
        >>> net = rs.Network(rs.Dense(1, "identity"), inputs=2, dtype="float64")
        >>> net.parameters[...] = [2.0, 3.0, 1.0]
        >>> net.predict([[1.0, 1.0], [0.0, 5.0]])
        array([[ 6.],
               [16.]])
        """
        return self(X, precision=precision, threads=threads)

    @in_memory("the outputs of these rows")
    def _converted(self, X: object, predict: Predictor, precision: str | None, threads: int | None) -> FloatArray:
        """O of what the predictor does not take as it is, or a refusal."""
        samples = data.rows(X, "X", self.dtype, columns=self.architecture.inputs, empty=True)
        data.check_sparse(samples, "X", self.architecture)
        if samples.shape[0] == 0:
            return np.empty((0, self.architecture.outputs), dtype=self.dtype)
        if isinstance(samples, SparseRows):
            n_threads = engine.threads(threads)
            return self.compute.outputs(self.architecture, self.parameters, samples, n_threads, precision)
        found = predict(samples, threads)
        assert found is not None
        return found

    def predict_std(self, X: RowsLike, *, threads: int | None = None) -> FloatArray:
        """The standard deviation of each target, of a loss that predicts it beside the mean.

        Parameters
        ----------
        X, threads
            As in calling.

        Returns
        -------
        ndarray of shape (rows, n_targets)
            With the loss "gaussian" the scale, of Student's t with ν degrees of freedom √(ν/(ν − 2)) times it.

        Raises
        ------
        ReseauError
            For a network of another loss.

        Examples
        --------
        >>> import reseau as rs
        >>> net = rs.Network(rs.Dense(1), loss="gaussian", inputs=1, dtype="float64")
        >>> net.parameters[...] = [1.0, 0.0, 0.0, 0.0]  # o = (x, e^0)
        >>> net.predict_std([[3.0]])
        array([[1.]])
        """
        deviation = loss_of(self.loss).deviation
        if deviation is None:
            raise ReseauError(
                f"loss={self.loss!r} predicts no standard deviation; train the network with loss='gaussian', or "
                "StudentT()."
            )
        return deviation * self(X, threads=threads)[:, 1::2]

    @in_memory("the errors of these rows")
    def errors(
        self, X: RowsLike, y: ArrayLike, *, masked_targets: bool = False, threads: int | None = None
    ) -> FloatArray:
        """The error e_j of each output neuron for each sample; their sum over j is the sample's E.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (rows, inputs)
            Samples.
        y : array-like of shape (rows, n_outputs), or (rows,)
            Targets; integer labels for "cross_entropy", or (rows, columns) of them for groups of outputs, see `Dense`.
        masked_targets : bool
            Whether targets may be missing: NaN, None, or what pandas and polars have for it; of labels also -1. What is
            missing counts nothing, e_j = 0 and ∂e_j/∂o_j = 0; a row with missing targets stays one of the rows over
            which E is averaged. Of a loss over distributions all targets of a row, or of a group of outputs, are
            missing, or none.
        threads : int or None
            As in calling.

        Returns
        -------
        ndarray of shape (rows, n_outputs)
            e, in the network's dtype.
        """
        samples, T = self._samples(X, y, masked_targets)
        return self.compute.errors(self.architecture, self.parameters, samples, T, engine.threads(threads))

    @in_memory("the errors of these rows")
    def evaluate(
        self,
        X: RowsLike,
        y: ArrayLike,
        *,
        metrics: MetricLike | Sequence[MetricLike] | None = (),
        sample_weight: ArrayLike | None = None,
        masked_targets: bool = False,
        threads: int | None = None,
    ) -> dict[str, float]:
        """The mean error of samples, and how good the outputs are in other numbers.

        Parameters
        ----------
        X, y, masked_targets, threads
            As in `errors`.
        metrics : str, callable, or a sequence of these
            What to measure, as in `fit`.
        sample_weight : array-like of shape (rows,) or None
            How much each row counts in the loss and in the metrics with a name; a function gets no weights.

        Returns
        -------
        dict of str to float
            "loss", E averaged over the rows, and each metric by its name; NaN for one that these rows do not define,
            such as the AUC of rows of one class.

        Raises
        ------
        DataError
            For samples, targets or weights that cannot be used, and for targets that a metric is not defined for.
        ParameterError
            For a metric that is unknown, or not defined for such a network.

        Examples
        --------
        >>> import reseau as rs
        >>> net = rs.Network(rs.Dense(1, "identity", bias=False), inputs=1, dtype="float64")
        >>> net.parameters[...] = [2.0]
        >>> net.evaluate([[1.0], [2.0]], [2.0, 6.0], metrics=("mae", "r2"))
        {'loss': 1.0, 'mae': 1.0, 'r2': 0.5}
        """
        from reseau.training.evaluation import evaluated
        from reseau.training.loop import Samples
        from reseau.training.metrics import metrics_of

        asked = metrics_of(metrics)
        samples, T = self._samples(X, y, masked_targets)
        s = None if sample_weight is None else data.weights(sample_weight, samples.shape[0])
        for metric in asked:
            metric.check(T, "y", self.architecture)
        n_threads = engine.threads(threads)
        return evaluated(self.compute, self.architecture, self.parameters, Samples(samples, T, s), asked, n_threads)
