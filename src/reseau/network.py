"""Network: layers, one flat parameter vector with named views, and everything one can ask of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from reseau import data, engine
from reseau.arrays import ArrayLike, DtypeLike, FloatArray, Predictor, RowsLike, ValidationData
from reseau.checks import finite_layers, in_memory, integer, known, precision_of, real, shown
from reseau.checks import tensor as check_tensor
from reseau.engine import NAMES as ENGINES
from reseau.errors import ParameterError, ReseauError
from reseau.inside import Inspectable
from reseau.layer_view import STAYS, Layers, LayerView
from reseau.model import Model
from reseau.names import EngineName, Language, LeastSquaresName, OptimizerName, PrecisionName
from reseau.prediction import Predictive
from reseau.vocabulary.layers import Architecture, Layer, Residual, architecture_from_description, check_network
from reseau.vocabulary.layers.summary import summary
from reseau.vocabulary.losses import LOSSES, NO_BOUNDS, Bounds, LossLike, NamedLoss, loss_of

if TYPE_CHECKING:
    from reseau.blackboard import Blackboard, Names
    from reseau.engine.door import Engine, Trainer
    from reseau.parts import Parts
    from reseau.stored.arrow_rows import ArrowRows
    from reseau.training.callbacks import Hooks
    from reseau.training.history import History
    from reseau.training.metrics import MetricLike
    from reseau.vocabulary.least_squares import LevenbergMarquardt
    from reseau.vocabulary.optimizers import Optimizer
    from reseau.vocabulary.treatment import Treatment

LECTURE_RATE = 0.1  # the learning rate of a blackboard that is given none


def _one_by_one(layers: tuple[Any, ...]) -> tuple[Any, ...]:
    """The layers of a network, which may be given as one list, tuple or generator."""
    alone = layers[0] if len(layers) == 1 else None
    return tuple(alone) if isinstance(alone, list | tuple | Iterator) else layers


def _too_large(architecture: Architecture) -> ParameterError:
    return ParameterError(
        f"The network has {architecture.n_parameters:,} parameters, more than fit in memory; give it fewer neurons."
    )


class Network(Predictive, Inspectable, Model):
    """A feed-forward network: A_0 = X, A_l = σ_l(Z_l) with Z_l of A_{l−1}, A_{l−1} W_l + b_l in a dense layer, O = A_L.

    Parameters
    ----------
    *layers : Dense, LayerNorm, PReLU, Dropout or Residual
        The layers, from the inputs to the outputs; or one list of them. Where a layer is given no activation, a hidden
        one has ReLU and the last the one that the loss goes with, such as identity, softmax or exponential. Where the
        loss has several outputs for each target, as for several quantiles, a last `Dense(1)` stands for all of them.
    loss : str, loss or callable
        The error of an output neuron, a name of `reseau.vocabulary.losses.LOSSES`: "squared_error" (the lecture's ½(t
        − o)²), "absolute_error", "huber", "log_cosh", "quantile", "binary_cross_entropy", "cross_entropy",
        "binary_focal", "focal", "poisson", "gamma", "tweedie", "negative_binomial", "gaussian" or "student_t". With
        numbers of its own it is an object: `Huber(1.5)`, `Quantile([0.1, 0.5, 0.9])`, `Tweedie(1.7)`,
        `CrossEntropy(label_smoothing=0.1)`; see the documentation's page of losses. Or a function of outputs and
        targets that returns value and derivative, see `reseau.OwnLoss`.
    inputs : int or None
        d, the number of columns of X; None takes it from the first `fit`.
    dtype : {"float32", "float64"}
        The precision of parameters and arithmetic.
    seed : int or None
        Fixes the initial weights and, in `fit`, the order of rows and what is dropped; None draws a fresh seed.
    engine : {"native", "reference"} or None
        Which engine computes; None takes the native one where it was built.

    Raises
    ------
    ParameterError
        For no layers, names that are not in their table, or an output activation whose values the loss is not defined
        for; for more parameters than fit in memory.

    Examples
    --------
    >>> import numpy as np
    >>> import reseau as rs
    >>> net = rs.Network(rs.Dense(2, "sigmoid", bias=False), loss="squared_error", inputs=3, dtype="float64", seed=0)
    >>> net.layers[0].W[...] = [[1, 0], [0, 1], [1, 1]]
    >>> net(np.array([[0.0, 0.0, 0.0]]))
    array([[0.5, 0.5]])
    """

    def __init__(
        self,
        *layers: Layer | Residual | Sequence[Layer | Residual],
        loss: LossLike = "squared_error",
        inputs: int | None = None,
        dtype: DtypeLike = "float32",
        seed: int | None = None,
        engine: EngineName | None = None,
    ) -> None:
        chain, loss = check_network(_one_by_one(layers), loss)
        if seed is not None:
            seed = integer("seed", seed, low=0)
        if engine is not None:
            known("engine", engine, ENGINES)
        self._begin(chain, loss, precision_of(dtype), seed, engine)
        if inputs is not None:
            self.build(inputs)

    def _begin(
        self, layers: tuple[Layer, ...], loss: NamedLoss, dtype: np.dtype[Any], seed: int | None, engine: str | None
    ) -> None:
        """Become a network without parameters, of values that have been checked, but not in the precision."""
        for layer in layers:
            layer.check_precision(dtype)
        self._layers, self._loss, self._dtype = layers, loss, dtype
        self.seed = seed
        self._rng = np.random.default_rng(seed)
        self._engine_name = engine
        self._become(None, None)

    def _become(self, architecture: Architecture | None, parameters: FloatArray | None) -> None:
        """Have these parameters; nothing that was made of earlier ones stays."""
        self._architecture = architecture
        self._parameters = parameters
        self._predictors: dict[str | None, Predictor] = {}  # by precision, each made at its first call

    def own_parameters(self) -> None:
        """Have parameters that can be changed: those of a file that joblib has mapped read-only are copied."""
        if not self.parameters.flags.writeable:
            self._become(self._architecture, np.array(self.parameters))

    # --- what it is ---------------------------------------------------------------------------------------------------

    @property
    def architecture(self) -> Architecture:
        """Inputs, layers and loss, without the numbers."""
        if self._architecture is None:
            raise ReseauError("The network does not know its inputs yet; fit it, or give inputs= when constructing it.")
        return self._architecture

    @property
    def parameters(self) -> FloatArray:
        """All parameters as one writable vector (n_parameters,): W by rows, then b, layer after layer."""
        if self._parameters is None:
            raise ReseauError("The network has no parameters yet; fit it, or give inputs= when constructing it.")
        return self._parameters

    @property
    def networks(self) -> tuple[Network]:
        """The networks whose mean the outputs are, as of a `reseau.Ensemble`: itself alone."""
        return (self,)

    @property
    def inputs(self) -> int:
        """How many columns X has."""
        return self.architecture.inputs

    @property
    def outputs(self) -> int:
        """How many columns O has."""
        return self.architecture.outputs

    @property
    def n_parameters(self) -> int:
        """The number of weights and biases."""
        return self.architecture.n_parameters

    @property
    def generator_state(self) -> dict[str, Any]:
        """The state of the generator from which initial weights, orders of rows and what is dropped are drawn."""
        state: dict[str, Any] = self._rng.bit_generator.state  # type: ignore[assignment]
        return state

    @generator_state.setter
    def generator_state(self, state: dict[str, Any]) -> None:
        rng = np.random.default_rng(0)
        try:
            rng.bit_generator.state = state
        except (KeyError, TypeError, ValueError, OverflowError):
            raise ParameterError(
                f"generator_state is {shown(state)}, but must be what the generator_state of a network gave."
            ) from None
        self._rng = rng

    @property
    def built(self) -> bool:
        """Whether the inputs are known and the parameters drawn."""
        return self._architecture is not None

    @property
    def loss(self) -> NamedLoss:
        """The name of the loss, or a loss of one's own; another may be given, if it goes with the outputs."""
        return self._loss

    @loss.setter
    def loss(self, loss: LossLike) -> None:
        layers, loss = check_network(self._layers, loss)
        if self._architecture is not None:
            if layers != self._layers:
                raise ParameterError(
                    f"loss={loss_of(loss).shown} has {loss_of(loss).per_target} outputs for each target, but the last "
                    "layer has the weights of one; make a new network with this loss."
                )
            self._become(Architecture(self._architecture.inputs, layers, loss), self._parameters)
        self._layers, self._loss = layers, loss

    @property
    def dtype(self) -> np.dtype[Any]:
        """The precision of parameters and arithmetic."""
        return self._dtype

    @property
    def layers(self) -> tuple[LayerView, ...]:
        """Each layer with writable views of its tensors, such as W and b."""
        views = self.architecture.views(self.parameters)
        return Layers(LayerView(layer, tensors) for layer, tensors in zip(self._layers, views, strict=True))

    @layers.setter
    def layers(self, layers: NoReturn) -> None:
        raise ParameterError(f"net.layers cannot be set: {STAYS}")

    def architecture_on(self, inputs: int) -> Architecture:
        """What the architecture would be on so many inputs."""
        return Architecture(inputs, self._layers, self._loss)

    def build(self, inputs: int) -> None:
        """Fix the number of inputs and draw the parameters, or draw them anew; `fit` does so if it has not been done.

        Parameters
        ----------
        inputs : int
            d ≥ 1, the number of columns of X.

        Raises
        ------
        ParameterError
            For no such number, and for more parameters than fit in memory; the network then stays as it was.
        """
        self.build_as(self.architecture_on(integer("inputs", inputs, low=1)))

    def build_as(self, architecture: Architecture) -> None:
        """Do as `build`, the architecture on so many inputs being there."""
        self.check_fits(architecture)
        state = self.generator_state
        try:
            parameters = np.zeros(architecture.n_parameters, dtype=self._dtype)
            for here, views in zip(architecture.places, architecture.views(parameters), strict=True):
                for name, (_, tensor) in here.items():
                    tensor.draw(self._rng, views[name])
        except MemoryError:
            self.generator_state = state
            raise _too_large(architecture) from None
        self._become(architecture, parameters)

    def with_output(self, activation: str) -> Network:
        """The network of the same parameters, in the same vector, with an activation of one group in the last layer."""
        other = type(self).__new__(type(self))
        last = self._layers[-1]
        layers = (*self._layers[:-1], last.but(activation=activation, **({"groups": ()} if last.groups else {})))
        other._begin(layers, "squared_error", self._dtype, self.seed, self._engine_name)
        other._become(other.architecture_on(self.architecture.inputs), self.parameters)
        return other

    def check_fits(self, architecture: Architecture) -> None:
        """Refuse an architecture whose parameters don't fit in memory."""
        if not engine.fits_in_memory(architecture.n_parameters * self._dtype.itemsize):
            raise _too_large(architecture)

    # --- what it computes ---------------------------------------------------------------------------------------------

    def step(self, X: RowsLike, y: ArrayLike, *, learning_rate: float, masked_targets: bool = False) -> float:
        """One update of the lecture, Δw = −γ ∂E/∂w.

        Parameters
        ----------
        X, y, masked_targets
            As in `errors`.
        learning_rate : float
            γ > 0.

        Returns
        -------
        float
            E, averaged over the rows, before the update.

        Raises
        ------
        DataError
            For samples or targets that `errors` would refuse.
        ParameterError
            For a learning rate that is not above 0, or with which a parameter would no longer be finite; the network
            then stays as it was.
        ReseauError
            For a network whose parameters are not all finite.
        """
        gamma = real("learning_rate", learning_rate, low=0, includes_low=False)
        E, g = self.value_and_gradient(X, y, masked_targets=masked_targets)
        with np.errstate(all="ignore"):
            changed = self.parameters - gamma * g
        if not np.isfinite(changed).all():
            finite_layers(self.architecture.views(self.parameters))
            raise ParameterError(
                f"learning_rate is {gamma:g}, with which {self._first_not_finite(changed)} after this step, whose "
                f"error is {E:g}; use a smaller one, or scale the inputs and targets."
            )
        self.own_parameters()
        self.parameters[...] = changed
        return E

    def _first_not_finite(self, parameters: FloatArray) -> str:
        """Which parameter that is, in words."""
        for l, views in enumerate(self.architecture.views(parameters), start=1):
            for letter, values in views.items():
                if not (finite := np.isfinite(values)).all():
                    place = np.unravel_index(int(np.argmin(finite)), finite.shape)
                    return f"{letter}[{', '.join(map(str, place))}] of layer {l} would be {values[place]}"
        raise AssertionError("all parameters are finite")

    def blackboard(
        self,
        X: RowsLike,
        y: ArrayLike,
        *,
        learning_rate: float | None = None,
        optimizer: Optimizer | OptimizerName | None = None,
        steps: int = 1,
        lang: Language = "en",
        digits: int = 4,
        exact: bool = False,
        focus: Mapping[str | int, int | Sequence[int]] | None = None,
        names: Names | None = None,
    ) -> Blackboard:
        """Work out a learning step as on a blackboard: symbols, the numbers in their place, the result.

        The network stays as it is. Everything is computed by the reference engine in float64, whatever the network's
        precision; parameters in float32 are read as the shortest decimals that stand for them. Dropout is left out.

        Parameters
        ----------
        X : array-like of shape (rows, inputs)
            A sample, or a small batch.
        y : array-like of shape (rows, n_outputs), or (rows,)
            Targets; integer labels for "cross_entropy", or (rows, columns) of them for groups of outputs, see `Dense`.
        learning_rate : float or None
            γ > 0 of the lecture's update Δw = −γ ∂E/∂w; 0.1 unless an optimizer is given.
        optimizer : Optimizer, str or None
            Another update, such as rs.Adam(0.01), shown with its state, from its first step on; a name as for `fit`.
        steps : int
            How many steps in a row, all on these rows.
        lang : {"en", "fr"}
            The language of the words; French also has decimal commas.
        digits : int
            To how many significant digits numbers are rounded when they are shown, 1 to 15.
        exact : bool
            Whether to compute with fractions: every number is read as the simplest fraction that its precision cannot
            tell from it, and stays one as long as the functions give rational numbers.
        focus : mapping or None
            Which places of long axes are shown besides their ends, and worked out number by number: lists of places,
            from 0, by "rows", "inputs", "neurons" (of every hidden layer), "outputs", or the number of a layer from 1.
        names : Names or None
            What the inputs and outputs mean, to be told with the sample.

        Returns
        -------
        Blackboard
            The numbers by name, ``board["dW1"]``, and as ``str(board)``, ``board.to_html()``, ``board.to_latex()``,
            ``board.to_markdown()``, ``board.to_ipynb()`` and ``board.plot()``.

        Raises
        ------
        DataError
            For samples or targets that `errors` would refuse.
        ParameterError
            For a parameter outside its range, or both a learning rate and an optimizer.

        Examples
        --------
        >>> import reseau as rs
        >>> net = rs.Network(rs.Dense(1, "identity", bias=False), inputs=2, dtype="float64")
        >>> net.layers[0].W[...] = [[0.5], [0.25]]
        >>> board = net.blackboard([[1, 2]], [[3]], learning_rate=0.5, exact=True)
        >>> board.dW1.tolist()
        [[Fraction(-2, 1)], [Fraction(-4, 1)]]
        """
        from reseau.blackboard.board import work_out
        from reseau.vocabulary.optimizers import SGD, check_optimizer

        if self.architecture.error.own:
            raise ParameterError(
                f"The network has the loss {self._loss}, of which no formula is known; a blackboard needs one of "
                f"{', '.join(LOSSES)}."
            )

        if optimizer is None:
            optimizer = SGD(LECTURE_RATE if learning_rate is None else learning_rate)
        elif learning_rate is not None:
            raise ParameterError(
                f"learning_rate is {learning_rate!r} and optimizer is {optimizer!r}; give one of them, as an optimizer "
                "has its own learning rate."
            )
        optimizer = check_optimizer(optimizer)
        samples, T = self._samples(data.matrix(X, "X", self._dtype, columns=self.architecture.inputs), y)
        return work_out(
            self.architecture,
            self.parameters,
            samples,
            T,
            optimizer,
            steps=steps,
            exact=exact,
            lang=lang,
            digits=digits,
            focus=focus,
            names=names,
        )

    def fit(
        self,
        X: RowsLike | ArrowRows,
        y: ArrayLike | None = None,
        *,
        optimizer: Optimizer | LevenbergMarquardt | OptimizerName | LeastSquaresName | None = None,
        epochs: int | None = None,
        batch_size: int = 32,
        validation_data: ValidationData | ArrowRows | None = None,
        sample_weight: ArrayLike | None = None,
        output_weights: ArrayLike | None = None,
        masked_targets: bool = False,
        l2: float = 0.0,
        l1: float = 0.0,
        clip_norm: float | None = None,
        clip_value: float | None = None,
        max_norm: float | None = None,
        average: float | None = None,
        accumulate: int = 1,
        layer_rates: Sequence[float] | None = None,
        shuffle: bool = True,
        precision: PrecisionName | None = None,
        dy: ArrayLike | None = None,
        dy_weight: float = 1.0,
        keep_best: bool = False,
        patience: int | None = None,
        min_delta: float = 0.0,
        metrics: MetricLike | Sequence[MetricLike] | None = (),
        checkpoint: str | Path | None = None,
        checkpoint_every: int = 1,
        callback: Hooks = None,
        verbose: bool | int = False,
        threads: int | None = None,
    ) -> History:
        """Train on (X, y), from the parameters as they are.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (rows, inputs), or ArrowRows
            Samples; float32 or float64 in C order is read in place, without a copy. A SciPy sparse matrix, or a pandas
            frame of sparse columns, stays sparse. More rows than fit in memory come as a `reseau.ArrowRows`.
        y : array-like of shape (rows, n_outputs), or (rows,), or None
            Targets; integer labels for "cross_entropy", or (rows, columns) of them for groups of outputs, see `Dense`.
            None where X is a `reseau.ArrowRows`, which has them.
        optimizer : Optimizer, LevenbergMarquardt, BayesianRegularization, str or None
            How the parameters follow the gradient; None takes Adam(). A name, "sgd", "adam", "adamw", "rmsprop",
            "amsgrad", "nadam", "radam", "lion" or "adagrad", takes that optimizer as it is by default. Its learning
            rate may be a schedule, such as rs.Adam(rs.Cosine(1e-3, warmup=0.05)), or a function of the progress.
            "lm" and "br" are the methods of least squares.
        epochs : int or None
            How many times to go through the rows; None is 10, and 1,000 for the methods of least squares, which mostly
            end earlier.
        batch_size : int
            Rows per step; the last batch of an epoch may be smaller. The methods of least squares take all rows
            at once, so that `batch_size` and `shuffle` mean nothing to them.
        validation_data : (X, y), (X, y, sample_weight), ArrowRows or None
            Samples whose mean error is recorded after each epoch: a tuple or a list. Metrics are measured with the
            weights too.
        sample_weight : array-like of shape (rows,) or None
            How much each row counts; numbers below 2.2e-308 count nothing, and the largest is at least 1e-292.
        output_weights : array-like of shape (n_outputs,) or None
            c_j ≥ 0, how much the error of each output counts: E = Σ_j c_j e_j of a row, where it is Σ_j e_j without.
            Where the loss has several outputs for each target, (n_targets,): all of a target's have its weight. So it
            may be where groups of outputs each have a column of classes.
        masked_targets : bool
            Whether targets may be missing: NaN, None, or what pandas and polars have for it; of labels also -1. What is
            missing counts nothing, e_j = 0 and ∂e_j/∂o_j = 0; a row with missing targets stays one of the rows over
            which E is averaged. This holds for the validation data too. Of a loss over distributions all targets of a
            row, or of a group of outputs, are missing, or none.
        l2 : float
            λ ≥ 0: adds ½ λ Σ W² to the sum of a batch's errors before it is averaged over the rows.
        l1 : float
            λ₁ ≥ 0: adds λ₁ Σ |W| to the sum of a batch's errors, biases left out, as `l2` does with ½ λ Σ W².
        clip_norm : float or None
            The longest gradient: that of all parameters together, with the penalties, is made as short where it is
            longer.
        clip_value : float or None
            The largest number of a gradient, whichever its sign; larger ones become it, before `clip_norm`.
        max_norm : float or None
            The longest vector of the weights into a neuron, a column of W; after each step longer ones are made as
            short.
        average : float or None
            β in (0, 1), such as 0.999: what validates and comes back are the weights averaged over the steps, the last
            weighing 1 and each before it β times as much as the next.
        accumulate : int
            How many batches make a step, whose gradient is that of all their rows; the last step of an epoch may have
            fewer. It is what a batch as many times as large would do, in the memory of one.
        layer_rates : list of float or None
            For each layer a factor of its learning rate, such as [0, 0.1, 1]; a layer with 0 stays as it is.
        shuffle : bool
            Whether each epoch takes the rows in a new order (which depends on the seed alone).
        precision : {"bf16", "bf16x3", "bf16x6"} or None
            How the matrix products of dense layers are computed; None keeps the network's dtype. "bf16" rounds their
            factors to bfloat16, which keeps 8 of float32's 24 bits; "bf16x3" takes each as a sum of two bfloat16, and
            three products of these, with a relative error of some 5e-6 instead of 2e-3; "bf16x6" a sum of
            three, and six products, which is at least as exact as float32. Sums, weights, activations, loss and
            optimizer stay float32, and so does everything after the fit.

            They are meant for processors with matrix instructions (Intel since 2023, the instruction set avx512_amx)
            and layers of at least some hundred neurons; with AVX-512 BF16 alone (AMD since Zen 4) "bf16" trains larger
            networks 1.6 to 1.8 times as fast. On others they give the same bytes, in more time than without: "bf16x3"
            in some three times, "bf16x6" in some six times that of the products. "bf16" sums in another order with
            matrix instructions than without, and the weights then differ in their last digits; the environment
            variable RESEAU_ISA=avx512_bf16 takes the other. What is not finite in a factor of "bf16x3" or "bf16x6"
            makes NaN of a product, and of numbers below 1e-33 the last digits count as zeros.
        dy : array-like of shape (rows, n_outputs, inputs), or (rows, inputs) for one output, or None
            ∂y/∂X, the derivatives of the targets by the inputs at each sample, to be learnt beside the targets (Sobolev
            training; Czarnecki et al. 2017, 'Sobolev training for neural networks'): the error of a row is E +
            ½ w Σ_ji (∂o_j/∂x_i − dy_ji)². A simulation that gives them with its values (by adjoints or automatic
            differentiation) so needs fewer samples. The activations should be smooth, such as tanh or silu: the
            derivatives of ReLU's lines are steps. A step costs some 1 + 2 n_outputs times that without. Where inputs
            and targets are standardised, dy is to be multiplied by the inputs' scales and divided by the targets'.
            With `output_weights`, the term of output j is weighed as its error is. With `masked_targets`, NaN is a
            derivative that was not measured, and those of a missing target count nothing.
        dy_weight : float
            w ≥ 0.
        keep_best : bool
            Whether the parameters of the epoch with the smallest validation loss, the first of equal ones, come back at
            the end; needs `validation_data`.
        patience : int or None
            Early stopping: training ends when the validation loss has not fallen for so many epochs in a row, at least
            1, and the best parameters come back, as with `keep_best`; needs `validation_data`. `History.stopped_early`
            and `History.best_epoch` tell of it. None goes through all epochs.
        min_delta : float
            For patience, the validation loss has fallen only if it is lower by more than this, at least 0.
        metrics : str, callable, or a sequence of these
            What is measured after each epoch, into `History.metrics`: on the validation data if there are any, else on
            (X, y). For classes "accuracy", "log_loss" and "auc"; for numbers "mse", "rmse", "mae" and "r2"; computed as
            by scikit-learn, of several outputs the mean over them. A function gets the targets, (rows, n_outputs) or
            integer labels (rows,), and the outputs, and returns a number that is kept by the function's name.
        checkpoint : path or None
            A folder where the run is kept as it stands, in one file. A later call with the same data and settings, on a
            network of the same seed, takes it up from there and ends with the same bytes as if it had never stopped;
            with the file of another run it is refused.
        checkpoint_every : int
            After how many epochs the file is written, besides at the end. Each writing waits for the disk: give more
            where epochs are short.
        callback : callable, Callback, a list of these, or None
            Called with the History after each epoch; training stops when it returns True, Python's or NumPy's, and goes
            on whatever else it returns. An exception it raises ends the fit and reaches the caller, with the parameters
            of the epochs so far. A `reseau.Callback`, such as a `reseau.CSVLogger`, is also told when the fit begins
            and when it has ended.
        verbose : bool or int
            Whether the progress is shown: on stderr by a bar, or some plain lines if that is no terminal, or below a
            notebook's cell.
        threads : int or None
            At most as many threads; the result is the same for any number.

        Returns
        -------
        History
            The loss of each epoch.

        Raises
        ------
        DataError
            For data that is not finite, not numeric, or not of matching shapes.
        ParameterError
            For a parameter outside its range.
        ReseauError
            For a network whose parameters are not all finite.

        Warns
        -----
        RuntimeWarning
            When training diverges: the loss, a parameter or the optimizer's state is no longer finite, or the loss of
            an epoch, or a parameter, is above 10⁶ times what it was at the start, which counts as at least the loss of
            constant outputs, and as a parameter of 1. The run ends there, with the parameters of the epoch before (or
            of the best one, with `keep_best`), and `History.diverged` is set; the warning names the epoch, the step and
            the likely cause. Also when a validation loss is not finite.
        UserWarning
            For the first target, of training or else of validation, that the last layer's activation cannot come near.
        UserWarning
            When the network's precision cannot tell the values of a column of X apart; or else when columns spread more
            than a thousand times as much as others: once, with their names and what to do.
        UserWarning
            When training of some length ends with a loss that is no better than that of constant outputs, and the
            outputs or the scales of the data say that it isn't for want of anything to learn; with the likely cause.

        Notes
        -----
        Ctrl-C ends the fit with the parameters of the last complete epoch. Many networks at once are trained by
        `reseau.fit_many`, one on each core.

        In the native engine's fits, numbers too small for the normal range (below 1.2e-38 in float32, 2.2e-308 in
        float64) count as zeros: a weight or a state of the optimizer that small becomes zero. Nothing else does so, and
        the floating-point state of the calling thread is afterwards what it was.

        Examples
        --------
        >>> import numpy as np
        >>> import reseau as rs
        >>> X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
        >>> net = rs.Network(rs.Dense(8, "tanh"), rs.Dense(1, "sigmoid"), loss="binary_cross_entropy", seed=1)
        >>> history = net.fit(X, [0, 1, 1, 0], optimizer=rs.Adam(0.1), epochs=200, batch_size=4)
        >>> (net(X) > 0.5).astype(int).ravel().tolist()
        [0, 1, 1, 0]
        """
        from reseau.training.fit import fit
        from reseau.training.settings import Settings

        settings = Settings.of(
            optimizer=optimizer,
            epochs=epochs,
            batch_size=batch_size,
            l2=l2,
            l1=l1,
            clip_norm=clip_norm,
            clip_value=clip_value,
            max_norm=max_norm,
            average=average,
            accumulate=accumulate,
            layer_rates=layer_rates,
            shuffle=shuffle,
            precision=precision,
            dy_weight=dy_weight,
            keep_best=keep_best,
            patience=patience,
            min_delta=min_delta,
            metrics=metrics,
            checkpoint_every=checkpoint_every,
            output_weights=output_weights,
        )
        with in_memory("training on these rows"):
            return fit(
                self,
                X,
                y,
                settings,
                dy=dy,
                validation_data=validation_data,
                sample_weight=sample_weight,
                masked_targets=masked_targets,
                checkpoint=checkpoint,
                callback=callback,
                verbose=verbose,
                threads=threads,
            )

    @property
    def compute(self) -> Engine:
        """The engine in force, see `reseau.engine`."""
        return engine.get(self._engine_name)

    def __getstate__(self) -> dict[str, Any]:
        """What copies and pickles take: all but the engine's own."""
        return {**self.__dict__, "_predictors": {}}

    def trainer(
        self,
        optimizer: Optimizer,
        *,
        inputs: int,
        threads: int,
        seed: int | None = None,
        precision: str | None = None,
        bounds: Bounds = NO_BOUNDS,
        sparse: bool = False,
        treatment: Treatment | None = None,
        by_slopes: bool = False,
    ) -> Trainer:
        """A training run on the engine in force, drawing the parameters first if that has not been done.

        Without a seed for what is random in it one is drawn from the network's generator.
        `precision`, `bounds`, `sparse`, `treatment` and `by_slopes` are those of the engine's Trainer.
        """
        if not self.built:
            self.build(inputs)
        self.own_parameters()
        if seed is None:
            seed = int(self._rng.integers(2**63))
        return self.compute.Trainer(
            self.architecture,
            self.parameters,
            optimizer,
            seed,
            threads,
            precision,
            bounds,
            sparse,
            treatment,
            by_slopes,
        )

    # --- how it is kept and shown -------------------------------------------------------------------------------------

    def describe(self) -> dict[str, Any]:
        """The network without its numbers, as JSON-able values."""
        return {"dtype": self._dtype.name, **self.architecture.describe()}

    def tensors(self) -> dict[str, FloatArray]:
        """Each layer's tensors by name: "layers.0.W", "layers.0.b", ..."""
        return self.architecture.named(self.parameters)

    @classmethod
    def from_description(cls, description: dict[str, Any], tensors: dict[str, FloatArray] | None) -> Network:
        """Rebuild a network from what `describe` and `tensors` gave; without tensors it can be shown, not called.

        Raises
        ------
        ReseauError
            When a value is out of range, or a tensor is missing or of another shape.
        """
        architecture = architecture_from_description(description)
        net = cls.__new__(cls)
        net._begin(architecture.layers, architecture.loss, precision_of(description["dtype"]), None, None)
        if tensors is None:
            net._become(architecture, None)
            return net
        expected = architecture.n_parameters
        if sum(tensor.size for tensor in tensors.values()) != expected:
            raise ReseauError(f"The description has {expected} parameters, but the tensors hold another number.")
        net._become(architecture, np.empty(expected, dtype=net._dtype))
        for name, view in net.tensors().items():
            check_tensor(name, tensors.get(name), view.shape, view.dtype)
            view[...] = tensors[name]
        return net

    @classmethod
    def from_flat(cls, description: dict[str, Any], parameters: FloatArray) -> Network:
        """Rebuild a network from what `describe` gave and its flat vector of parameters."""
        return cls.from_description(description, architecture_from_description(description).named(parameters))

    def parts(self) -> Parts:
        """Nothing stands around the network."""
        from reseau.export.plain import Inputs, Outputs
        from reseau.parts import Parts

        return Parts(Inputs(), self, Outputs())

    def described(self) -> tuple[dict[str, Any], dict[str, FloatArray]]:
        """What a model file holds of it: the description and the tensors."""
        return {"kind": "network", "network": self.describe()}, self.tensors()

    def summary(self, X: ArrayLike | None = None) -> str:
        """A table of the layers: shapes, activations with their formula, dropout, numbers of parameters.

        Parameters
        ----------
        X : array-like of shape (rows, inputs) or None
            Samples on which to look for neurons that do not learn. Two columns then tell of each layer how large a
            share of its numbers is `flat`, the slope |σ'| being less than a twentieth of what it is at its steepest (or
            of 1), and how many neurons are `stuck`, being so on every row; below stands what to do about these. Half of
            a layer of ReLUs may well be flat. Of the last layer nothing is told where its activation goes with the loss
            so that the slope does not count.

        Returns
        -------
        str
            The table.

        Examples
        --------
        >>> import reseau as rs
        >>> print(rs.Network(rs.Dense(2, "tanh"), rs.Dense(1, "identity"), inputs=3).summary())
        layer  W       b  activation                           parameters
        1      (3, 2)  2  tanh        (1 − e^−2z)/(1 + e^−2z)           8
        2      (2, 1)  1  identity    z                                 3
        3 inputs, 1 output, loss squared_error ½ (o*_j − o_j)², float32, 11 parameters
        """
        return summary(self.architecture, self._dtype, None if X is None else self._flatness(X))

    def _repr_html_(self) -> str:
        """The picture and the table of the layers, for notebooks."""
        from reseau.notebook.diagram import diagram
        from reseau.notebook.page import block, paragraph, table
        from reseau.vocabulary.layers import summary as words

        if self._architecture is None:
            rows = [("layer", ""), *((place, layer) for place, layer in enumerate(self._layers, start=1))]
            return block(table(rows), paragraph(f"inputs not known yet, loss {self._loss}, {self._dtype.name}"))
        architecture = self._architecture
        tensors = None if self._parameters is None else architecture.views(self._parameters)
        return block(
            diagram(architecture, tensors),
            table(words.table(architecture)),
            paragraph(words.whole(architecture, self._dtype)),
        )

    def __repr__(self) -> str:
        parts = [str(layer) for layer in self._layers]
        parts.append(f"loss={self._loss!r}")
        if self._architecture is not None:
            parts.append(f"inputs={self._architecture.inputs}")
        parts.append(f"dtype={self._dtype.name!r}")
        return f"Network({', '.join(parts)})"
