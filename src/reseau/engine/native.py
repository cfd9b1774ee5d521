"""The native engine: the same face as `reseau.engine.reference`, computed by the C++ kernels.

The kernels number activations, losses and optimizers by their place in the C++ tables, whose names are those of the
Python tables.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from itertools import accumulate
from typing import Any, Literal

import numpy as np
import threadpoolctl  # type: ignore[import-untyped]

from reseau import _native
from reseau.arrays import Failure, FloatArray, Guard, IntArray, Predictor, ResumePoint, Slopes, SparseRows, are_labels
from reseau.checks import known
from reseau.engine.machine import threads
from reseau.errors import ReseauError
from reseau.version import __version__
from reseau.vocabulary.layers import Architecture
from reseau.vocabulary.losses import NO_BOUNDS, Bounds, OwnLoss
from reseau.vocabulary.optimizers import Optimizer
from reseau.vocabulary.treatment import Treatment

NAME = "native"
stop = _native.Stop

_ACTIVATIONS = {name: place for place, name in enumerate(_native.activations())}
_KINDS = frozenset(_native.kinds())
_LOSSES = {name: place for place, name in enumerate(_native.losses())}
_OPTIMIZERS = {name: place for place, name in enumerate(_native.optimizers())}
# A call of the kernels makes room for the losses of all its epochs beforehand; "until Ctrl-C" may be 10⁹ epochs.
_EPOCHS_AT_ONCE = 10_000
_MOST_BATCHES = 2**62  # more than there can be, and no overflow
_PARTS = ("loss", "state", "growth")  # of a failure, in the order of Part
_MODELS: dict[str, Any] = {"float32": _native.ModelFloat32, "float64": _native.ModelFloat64}
_CALLERS: dict[str, Any] = {"float32": _native.CallerFloat32, "float64": _native.CallerFloat64}
_TRAINERS: dict[str, Any] = {"float32": _native.TrainerFloat32, "float64": _native.TrainerFloat64}


@cache
def instruction_set() -> str:
    """The kernels in use: RESEAU_ISA, else the best that was built and that the processor has."""
    available = _native.instruction_sets()
    wanted = os.environ.get("RESEAU_ISA")
    if wanted:
        return known("The environment variable RESEAU_ISA", wanted, available)
    return available[-1]


class ThreadLimit(threadpoolctl.LibController):  # type: ignore[misc]
    """What threadpoolctl knows of the native engine: `threadpool_limits(1)` and `threadpool_info()` count it in.

    It is an API of its own, neither "blas" nor "openmp". scikit-learn limits "blas" in passing, inside KMeans for one,
    and for the whole process: a fit in another thread would now and then find itself on one thread.
    """

    user_api = internal_api = "reseau"
    filename_prefixes = ("_native.",)  # as other packages' libraries may be called too; hence
    check_symbols = ("reseau_set_num_threads",)

    def get_num_threads(self) -> int:
        return threads()

    def set_num_threads(self, num_threads: int) -> None:
        # threadpoolctl restores what it has found. Without a limit, that is what there is without one.
        self.dynlib.reseau_set_num_threads(0)
        if num_threads != self.get_num_threads():
            self.dynlib.reseau_set_num_threads(num_threads)

    def get_version(self) -> str:
        return __version__

    def set_additional_attributes(self) -> None:
        self.instruction_set = instruction_set()


threadpoolctl.register(ThreadLimit)


def _place(places: dict[str, int], what: str, name: str) -> int:
    """Where the native engine has an entry of a table that may have been added to in Python."""
    if name not in places:
        raise _only_in_python(what, name)
    return places[name]


def _only_in_python(what: str, name: str) -> ReseauError:
    return ReseauError(
        f"The native engine has no {what} {name!r}, which is in the Python table alone; give the network "
        "engine='reference'."
    )


def _layers(
    architecture: Architecture,
) -> list[tuple[str, int, int, int, int, int, float, float, int, list[int]]]:
    layers = []
    widths = architecture.widths
    for l, (layer, here) in enumerate(zip(architecture.layers, architecture.places, strict=True), start=1):
        if layer.kind not in _KINDS:
            raise _only_in_python("kind of layer", layer.kind)
        sigma = _place(_ACTIVATIONS, "activation", layer.sigma.name)
        places = [here[name][0] if name in here else -1 for name in layer.letters]
        first, second = [*places, *[-1] * (2 - len(places))]  # the kernels know two tensors of a layer; more fail here
        plus = l - layer.residual if layer.residual else -1
        numbers = (widths[l - 1], widths[l], sigma, first, second, layer.dropout, layer.epsilon, plus)
        layers.append((layer.kind, *numbers, list(accumulate(layer.groups))))
    return layers


def _precision(name: str | None) -> _native.Precision:
    found: _native.Precision = getattr(_native.Precision, name or "full")
    return found


def _model(
    architecture: Architecture,
    dtype: np.dtype[Any],
    purpose: _native.Purpose,
    precision: str | None = None,
    bounds: Bounds = NO_BOUNDS,
    sparse: bool = False,
) -> Any:
    error, simplifies = architecture.error, architecture.simplifies
    loss = 0 if error.own else _place(_LOSSES, "loss", error.name)  # the kernels need none of one's own
    numbers = error.for_kernels(architecture.outputs)
    return _MODELS[dtype.name](
        instruction_set(),
        _layers(architecture),
        loss,
        numbers,
        simplifies,
        purpose,
        sparse,
        _precision(precision),
        bounds,
    )


def _packed(
    architecture: Architecture,
    parameters: FloatArray,
    purpose: _native.Purpose,
    bounds: Bounds = NO_BOUNDS,
    sparse: bool = False,
    precision: str | None = None,
) -> Any:
    model = _model(architecture, parameters.dtype, purpose, precision, bounds, sparse)
    model.pack(parameters)
    return model


def _targets(T: FloatArray | IntArray) -> tuple[FloatArray | None, IntArray | None]:
    """Targets as the kernels take them: rows, or labels."""
    return (None, T.reshape(-1)) if are_labels(T) else (T, None)  # type: ignore[return-value]


def _counted(
    T: FloatArray | IntArray, output_weights: FloatArray | None = None, dtype: np.dtype[Any] | None = None
) -> dict[str, Any]:
    """What of the errors counts, as the kernels take it: whether targets are missing, and how much outputs count."""
    shares = None if output_weights is None else output_weights.astype(dtype)
    return {"masked": not T.min() >= (0 if are_labels(T) else -np.inf), "shares": shares}


def _compared(
    architecture: Architecture,
    T: FloatArray | IntArray,
    output_weights: FloatArray | None,
    batch: int,
    dtype: np.dtype[Any],
) -> tuple[tuple[FloatArray | None, IntArray | None], dict[str, Any]]:
    """The targets as the kernels take them, and by name what of the errors counts.

    With a loss of one's own the targets stay here. For each batch, of at most so many rows, the kernels give the
    outputs O and the rows' places, and take the errors of the rows and their ∂E/∂O, G.
    """
    loss = architecture.error
    if not isinstance(loss, OwnLoss):
        c = None if output_weights is None else architecture.of_outputs(output_weights)
        return _targets(T), _counted(T, c, dtype)
    O, G = (np.empty((batch, architecture.outputs), dtype=dtype) for _ in range(2))
    places, errors = np.empty(batch, dtype=np.int64), np.empty(batch, dtype=dtype)

    @np.errstate(over="ignore", invalid="ignore")  # as in the reference engine
    def call(rows: int) -> None:
        e, G[:rows] = loss.evaluate(O[:rows], T[places[:rows]], output_weights)
        errors[:rows] = e.sum(axis=1) if e.shape[1] > 1 else e[:, 0]

    shares = None if output_weights is None else output_weights.astype(dtype)  # of slopes
    return (None, None), {"own": (O, places, errors, G, call), "shares": shares}


def _rows(X: FloatArray | SparseRows) -> tuple[FloatArray, dict[str, Any]]:
    """X as the kernels take it: a matrix; of sparse rows a column of their numbers, and where these belong."""
    if isinstance(X, SparseRows):
        return X.numbers.reshape(-1, 1), {"starts": X.starts, "columns": X.columns}
    return X, {"starts": None, "columns": None}


def predictor(
    architecture: Architecture, parameters: FloatArray, threads: Callable[[], int], precision: str | None = None
) -> Predictor:
    """O of (X, threads), as `reseau.engine.reference.predictor`; for a few rows it takes about a microsecond."""
    predict: Predictor = _CALLERS[parameters.dtype.name](
        instruction_set(), _layers(architecture), parameters, threads, _precision(precision)
    )
    return predict


def errors(
    architecture: Architecture,
    parameters: FloatArray,
    X: FloatArray | SparseRows,
    T: FloatArray | IntArray,
    threads: int,
) -> FloatArray:
    """e_j, the error of each output neuron, (rows, outputs)."""
    if architecture.error.own:
        with np.errstate(over="ignore", invalid="ignore"):
            return np.asarray(architecture.error.value(_outputs(architecture, parameters, X, threads), T))
    e = np.empty((X.shape[0], architecture.outputs), dtype=parameters.dtype)
    model = _packed(architecture, parameters, _native.Purpose.errors, sparse=isinstance(X, SparseRows))
    numbers, places = _rows(X)
    masked = _counted(T)["masked"]
    model.errors(numbers, *_targets(T), e, threads, **(places if isinstance(X, SparseRows) else {}), masked=masked)
    return e


def gradient(
    architecture: Architecture,
    parameters: FloatArray,
    X: FloatArray | SparseRows,
    T: FloatArray | IntArray,
    sample_weight: FloatArray | None,
    l2: float,
    threads: int,
    bounds: Bounds = NO_BOUNDS,
    output_weights: FloatArray | None = None,
    slopes: Slopes | None = None,
) -> tuple[float, FloatArray]:
    """E and ∂E/∂w, as `reseau.engine.equations.value_and_gradient`."""
    g = np.empty_like(parameters)
    purpose = _native.Purpose.backward if slopes is None else _native.Purpose.directions
    model = _packed(architecture, parameters, purpose, bounds, isinstance(X, SparseRows))
    numbers, places = _rows(X)
    targets, counted = _compared(architecture, T, output_weights, X.shape[0], parameters.dtype)
    E = model.gradient(numbers, *targets, sample_weight, l2, g, threads, **places, **counted, **_wanted(slopes))
    return E, g


def _wanted(slopes: Slopes | None) -> dict[str, Any]:
    """Slopes as the kernels take them."""
    return {} if slopes is None else {"slopes": slopes.wanted, "slope_weight": slopes.weight}


def _outputs(
    architecture: Architecture, parameters: FloatArray, X: FloatArray | SparseRows, threads: int
) -> FloatArray:
    if isinstance(X, SparseRows):
        return outputs(architecture, parameters, X, threads)
    found = predictor(architecture, parameters, lambda: threads)(X, threads)
    assert found is not None
    return found


def outputs(
    architecture: Architecture, parameters: FloatArray, X: SparseRows, threads: int, precision: str | None = None
) -> FloatArray:
    """O of sparse rows, (rows, outputs)."""
    O = np.empty((len(X), architecture.outputs), dtype=parameters.dtype)
    model = _packed(architecture, parameters, _native.Purpose.forward, sparse=True, precision=precision)
    numbers, places = _rows(X)
    model.outputs(numbers, O=O, threads=threads, **places)
    return O


def jacobian(architecture: Architecture, parameters: FloatArray, X: FloatArray, threads: int) -> FloatArray:
    """∂O/∂X, (rows, outputs, inputs)."""
    J = np.empty((X.shape[0], architecture.outputs, architecture.inputs), dtype=parameters.dtype)
    _packed(architecture, parameters, _native.Purpose.inputs).jacobian(X, J, threads)
    return J


def _product(
    which: _native.Product,
    purpose: _native.Purpose,
    architecture: Architecture,
    parameters: FloatArray,
    X: FloatArray,
    vectors: FloatArray,
    shape: tuple[int, ...],
    threads: int,
) -> FloatArray:
    products = np.empty(shape, dtype=parameters.dtype)
    _packed(architecture, parameters, purpose).product(which, X, vectors, products.reshape(-1), threads)
    return products


def jvp(architecture: Architecture, parameters: FloatArray, X: FloatArray, v: FloatArray, threads: int) -> FloatArray:
    """J v of each row, (rows, outputs); of vectors v (rows, inputs), or (1, inputs) for all rows."""
    which, purpose, shape = _native.Product.jvp, _native.Purpose.directions, (X.shape[0], architecture.outputs)
    return _product(which, purpose, architecture, parameters, X, v, shape, threads)


def vjp(architecture: Architecture, parameters: FloatArray, X: FloatArray, u: FloatArray, threads: int) -> FloatArray:
    """uᵀ J of each row, (rows, inputs); of vectors u (rows, outputs), or (1, outputs) for all rows."""
    which, purpose, shape = _native.Product.vjp, _native.Purpose.inputs, (X.shape[0], architecture.inputs)
    return _product(which, purpose, architecture, parameters, X, u, shape, threads)


def hessian_vector(
    architecture: Architecture, parameters: FloatArray, X: FloatArray, v: FloatArray, threads: int
) -> FloatArray:
    """∂²o_j/∂x² v of each row and output, (rows, outputs, inputs); of vectors v as in `jvp`."""
    which, purpose = _native.Product.hessian_vector, _native.Purpose.directions
    shape = (X.shape[0], architecture.outputs, architecture.inputs)
    return _product(which, purpose, architecture, parameters, X, v, shape, threads)


def _inside(
    what: _native.Inside,
    architecture: Architecture,
    parameters: FloatArray,
    X: FloatArray,
    T: FloatArray | IntArray | None,
    threads: int,
) -> list[FloatArray]:
    """One matrix for all layers, and of each its columns."""
    ends = np.cumsum(architecture.widths[1:])
    numbers = np.empty((X.shape[0], ends[-1]), dtype=parameters.dtype)
    targets = (None, None) if T is None else _targets(T)
    _packed(architecture, parameters, _native.Purpose.directions).inside(what, X, *targets, numbers, threads)
    return np.split(numbers, ends[:-1], axis=1)


def inside(
    architecture: Architecture, parameters: FloatArray, X: FloatArray, scores: bool, threads: int
) -> list[FloatArray]:
    """A_1..A_L of the rows, or Z_1..Z_L, each (rows, n_l)."""
    what = _native.Inside.scores if scores else _native.Inside.values
    return _inside(what, architecture, parameters, X, None, threads)


def layer_gradients(
    architecture: Architecture, parameters: FloatArray, X: FloatArray, T: FloatArray | IntArray, threads: int
) -> list[FloatArray]:
    """∂E/∂A_1..∂E/∂A_L, each (rows, n_l), where E is the row's own error."""
    if not architecture.error.own:
        return _inside(_native.Inside.gradients, architecture, parameters, X, T, threads)
    with np.errstate(over="ignore", invalid="ignore"):
        G = architecture.error.derivative(_outputs(architecture, parameters, X, threads), T)
    return _inside(_native.Inside.gradients_of_own, architecture, parameters, X, np.ascontiguousarray(G), threads)


def parameter_jacobian(architecture: Architecture, parameters: FloatArray, X: FloatArray, threads: int) -> FloatArray:
    """∂O/∂w, (rows, outputs, n_parameters)."""
    J = np.empty((X.shape[0], architecture.outputs, parameters.size), dtype=parameters.dtype)
    _packed(architecture, parameters, _native.Purpose.backward).parameter_jacobian(X, J, threads)
    return J


def _treatment(treatment: Treatment | None, architecture: Architecture) -> tuple[Any, ...] | None:
    """As the kernels take it."""
    if treatment is None:
        return None
    tensors = [
        (start, *((1, tensor.size) if len(tensor.shape) == 1 else tensor.shape), tensor.penalised, treatment.factor(l))
        for l, here in enumerate(architecture.places)
        for start, tensor in here.values()
    ]
    how = treatment
    numbers = [how.clip_norm, how.clip_value, how.l1, how.max_norm, how.average]
    return *(number or 0.0 for number in numbers), min(how.accumulate, _MOST_BATCHES), tensors


def parameter_jacobians(
    architecture: Architecture, parameters: FloatArray, threads: int
) -> Callable[[FloatArray], FloatArray]:
    """∂O/∂w of X, at the parameters as they are at each call, in one place for as many rows as before."""
    model = _model(architecture, parameters.dtype, _native.Purpose.backward)
    J = np.empty((0, architecture.outputs, parameters.size), dtype=parameters.dtype)

    def of(X: FloatArray) -> FloatArray:
        nonlocal J
        if len(J) != len(X):
            J = np.empty((len(X), *J.shape[1:]), dtype=J.dtype)
        model.pack(parameters)
        model.parameter_jacobian(X, J, threads)
        return J

    return of


class Trainer:
    """A training run, as `reseau.engine.reference.Trainer`; the optimizer's state stays in the kernels' layout."""

    leaves = True

    def __init__(
        self,
        architecture: Architecture,
        parameters: FloatArray,
        optimizer: Optimizer,
        seed: int,
        threads: int,
        precision: str | None = None,
        bounds: Bounds = NO_BOUNDS,
        sparse: bool = False,
        treatment: Treatment | None = None,
        by_slopes: bool = False,
    ) -> None:
        self.architecture = architecture
        self.parameters = parameters
        self.optimizer = optimizer
        self.seed = seed
        self.threads = threads
        self.precision = precision
        purpose = _native.Purpose.directions if by_slopes else _native.Purpose.backward
        model = _model(architecture, parameters.dtype, purpose, precision, bounds, sparse)
        self.sparse = sparse
        self._newest: Literal["vector", "kernels", "both"] = "vector"  # who has the newest parameters
        place = _place(_OPTIMIZERS, "optimizer", optimizer.name)
        self._trainer = _TRAINERS[parameters.dtype.name](model, place, _treatment(treatment, architecture))
        # Of the weights besides, where the flat vector gets their average.
        self._states = optimizer.states + (treatment is not None and treatment.average is not None)

    def run(
        self,
        X: FloatArray | SparseRows,
        T: FloatArray | IntArray,
        sample_weight: FloatArray | None,
        *,
        epochs: int,
        batch_size: int,
        shuffle: bool,
        l2: float,
        order: IntArray | None = None,
        record: FloatArray | None = None,
        leave: bool = False,
        guard: Guard | None = None,
        rates: FloatArray | None = None,
        output_weights: FloatArray | None = None,
        slopes: Slopes | None = None,
    ) -> list[float]:
        """Train for some epochs, as `reseau.engine.reference.Trainer.run`."""
        if isinstance(X, SparseRows) and not self.sparse:
            X = X[:]
        elif self.sparse and not isinstance(X, SparseRows):
            X = SparseRows.of(X)
        resume = self._newest != "vector"
        self._newest = "kernels" if leave else "vector"
        hyperparameters = {name: float(value) for name, value in self.optimizer.hyperparameters().items()}
        losses: list[float] = []
        numbers, places = _rows(X)
        an_epoch = 0 if rates is None else len(rates) // epochs
        targets, counted = _compared(self.architecture, T, output_weights, batch_size, self.parameters.dtype)
        while len(losses) < epochs:
            made = len(losses)
            now = min(epochs - made, _EPOCHS_AT_ONCE)
            losses += self._trainer.run(
                self.parameters,
                numbers,
                *targets,
                sample_weight,
                hyperparameters=hyperparameters,
                epochs=now,
                batch_size=batch_size,
                shuffle=shuffle,
                seed=self.seed,
                l2=l2,
                threads=self.threads,
                order=order,
                record=record,
                resume=resume,
                leave=leave,
                guard=guard,
                rates=None if rates is None else rates[made * an_epoch : (made + now) * an_epoch],
                **places,
                **counted,
                **_wanted(slopes),
            )
            resume = leave
            if self.failure is not None:
                break
        self._newest = "kernels" if leave else "vector"  # once more: another thread may have taken back what there was
        return losses

    @property
    def failure(self) -> Failure | None:
        """Where the last run failed, if it was guarded and did."""
        found = self._trainer.failure()
        if found is None:
            return None
        step, part = found
        what = _PARTS[part]
        return Failure(step, "weights" if what == "state" and not self._trainer.finite() else what)

    def take_back(self, to_change: bool = True) -> None:
        """Bring the flat vector up to date."""
        if self._newest == "kernels":
            self._trainer.unpack(self.parameters)
            self._newest = "both"
        if to_change:
            self._newest = "vector"

    def progress(self, into: ResumePoint | None = None) -> ResumePoint:
        """How far it has come; the state goes into the vectors of an earlier answer, if one is given."""
        fresh = (np.empty_like(self.parameters) for _ in range(self._states))
        state = tuple(fresh) if into is None else into.state
        for place, vector in enumerate(state):
            self._trainer.state(place, vector)
        steps, epochs = self._trainer.counts()
        return ResumePoint(steps, epochs, state)

    def go_on_from(self, progress: ResumePoint) -> None:
        """Take up what `progress` gave; the parameters are again those of the flat vector."""
        self._newest = "vector"
        for place, vector in enumerate(progress.state):
            self._trainer.set_state(place, vector)
        self._trainer.set_counts(progress.steps, progress.epochs)

    def finite(self) -> bool:
        """Whether all parameters are, whether they were left or not; after a guarded run that failed they are not."""
        return self.failure is None and bool(self._trainer.finite())
