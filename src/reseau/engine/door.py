"""What an engine is, for those who call one and for mypy, which holds both against it.

All arrays have been checked by `reseau.data`: X is a matrix of finite numbers, or sparse rows, in float32 or float64
whatever the parameters are in; T holds rows (rows, outputs) in the parameters' precision, or class labels (rows,) in
int64; weights of rows and of outputs are in float64.

What is missing in T, NaN among rows and -1 among labels, counts nothing: e_j = 0 and ∂e_j/∂o_j = 0 there. A row stays
one of the rows over which E is averaged.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from reseau.arrays import Failure, FloatArray, Guard, IntArray, Predictor, ResumePoint, Slopes, SparseRows
from reseau.vocabulary.layers import Architecture
from reseau.vocabulary.losses import NO_BOUNDS, Bounds
from reseau.vocabulary.optimizers import Optimizer
from reseau.vocabulary.treatment import Treatment


class Training(Protocol):
    """What makes the epochs of a training run, which change the flat vector of parameters."""

    seed: int
    parameters: FloatArray

    @property
    def failure(self) -> Failure | None:
        """Where the last run failed, if it was guarded and did."""

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
        """Train for some epochs; return the mean error of the rows in each."""

    def progress(self, into: ResumePoint | None = None) -> ResumePoint:
        """How far it has come."""

    def go_on_from(self, progress: ResumePoint) -> None:
        """Take up what `progress` gave."""


class Trainer(Training, Protocol):
    """A training run of an optimizer in progress; `reseau.engine.reference.Trainer` says what its methods do.

    Who holds the newest parameters: the flat vector, the engine (in a layout of its own), or both. At first it is the
    vector, and it is again after each run, whether it failed or was interrupted, and after `go_on_from`. Only a run
    with `leave` leaves them to the engine, and the vector as it was before; an engine that has no other layout, whose
    `leaves` is False, never does. `take_back` copies them to the vector: then both hold them, and the vector must not
    be changed, or with `to_change` the vector alone. The next run begins with what is newest.
    """

    optimizer: Optimizer
    precision: str | None
    leaves: bool

    def take_back(self, to_change: bool = True) -> None:
        """Bring the flat vector up to date; unless `to_change`, it must stay as it then is."""

    def finite(self) -> bool:
        """Whether all parameters are."""


class Stop(Protocol):
    """What ends calls of the engine from another thread, as Ctrl-C ends those of the main thread.

    A thread's calls hear it that are made in a with block of its own. They then raise KeyboardInterrupt.
    """

    def set(self) -> None:
        """End them, and those to come."""

    def is_set(self) -> bool:
        """Whether that was done."""

    def __enter__(self) -> object:
        """From now on this thread's calls hear it."""

    def __exit__(self, *error: object) -> None:
        """They no longer do."""


class Engine(Protocol):
    """A module that computes; `reseau.engine.reference` says what its functions do."""

    NAME: str

    @property
    def stop(self) -> Callable[[], Stop] | None:
        """Makes a Stop; None where calls keep Python's lock, so that several at once would gain nothing."""

    def instruction_set(self) -> str:
        """What it computes with."""

    def predictor(
        self,
        architecture: Architecture,
        parameters: FloatArray,
        threads: Callable[[], int],
        precision: str | None = None,
    ) -> Predictor:
        """O of (X, threads); the one that looks at its X itself."""

    def outputs(
        self,
        architecture: Architecture,
        parameters: FloatArray,
        X: SparseRows,
        threads: int,
        precision: str | None = None,
    ) -> FloatArray:
        """O of sparse rows, (rows, outputs)."""

    def errors(
        self,
        architecture: Architecture,
        parameters: FloatArray,
        X: FloatArray | SparseRows,
        T: FloatArray | IntArray,
        threads: int,
    ) -> FloatArray:
        """e_j, the error of each output neuron, (rows, outputs)."""

    def gradient(
        self,
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
        """E, the mean error of the rows, and ∂E/∂w, (n_parameters,)."""

    def jacobian(self, architecture: Architecture, parameters: FloatArray, X: FloatArray, threads: int) -> FloatArray:
        """∂O/∂X, (rows, outputs, inputs)."""

    def jvp(
        self, architecture: Architecture, parameters: FloatArray, X: FloatArray, v: FloatArray, threads: int
    ) -> FloatArray:
        """J v of each row, (rows, outputs); of vectors v (rows, inputs), or (1, inputs) for all rows."""

    def vjp(
        self, architecture: Architecture, parameters: FloatArray, X: FloatArray, u: FloatArray, threads: int
    ) -> FloatArray:
        """uᵀ J of each row, (rows, inputs); of vectors u (rows, outputs), or (1, outputs) for all rows."""

    def hessian_vector(
        self, architecture: Architecture, parameters: FloatArray, X: FloatArray, v: FloatArray, threads: int
    ) -> FloatArray:
        """∂²o_j/∂x² v of each row and output, (rows, outputs, inputs); of vectors v as in `jvp`."""

    def inside(
        self, architecture: Architecture, parameters: FloatArray, X: FloatArray, scores: bool, threads: int
    ) -> list[FloatArray]:
        """A_1..A_L of the rows, or Z_1..Z_L, each (rows, n_l)."""

    def layer_gradients(
        self,
        architecture: Architecture,
        parameters: FloatArray,
        X: FloatArray,
        T: FloatArray | IntArray,
        threads: int,
    ) -> list[FloatArray]:
        """∂E/∂A_1..∂E/∂A_L, each (rows, n_l), where E is the row's own error."""

    def parameter_jacobian(
        self, architecture: Architecture, parameters: FloatArray, X: FloatArray, threads: int
    ) -> FloatArray:
        """∂O/∂w, (rows, outputs, n_parameters)."""

    def parameter_jacobians(
        self, architecture: Architecture, parameters: FloatArray, threads: int
    ) -> Callable[[FloatArray], FloatArray]:
        """∂O/∂w of X, at the parameters as they are at each call; who calls may change what it gives until the next."""

    def Trainer(
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
    ) -> Trainer:
        """Begin a training run."""
