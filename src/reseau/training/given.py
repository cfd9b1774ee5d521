"""What a fit is given becomes what is learnt: samples in memory, or rows on disk, checked against the network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

import numpy as np

from reseau import data
from reseau.array_likes import NumberArray
from reseau.arrays import FloatArray, IntArray, Slopes, SparseRows
from reseau.engine.door import Engine, Trainer
from reseau.errors import DataError, ParameterError, ReseauError
from reseau.stored.rows import StoredRows
from reseau.training.checkpoints import digest
from reseau.training.loop import Samples
from reseau.training.windows import Windows
from reseau.vocabulary.layers import Architecture
from reseau.vocabulary.losses import NO_BOUNDS, Bounds
from reseau.vocabulary.optimizers import Optimizer
from reseau.vocabulary.treatment import Treatment

Given: TypeAlias = Samples | Windows


class Trainable(Protocol):
    """What is asked of a network that is trained; see `reseau.Network`."""

    generator_state: dict[str, Any]
    seed: int | None

    @property
    def built(self) -> bool:
        """Whether the inputs are known and the parameters drawn."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """The precision of parameters and arithmetic."""

    @property
    def architecture(self) -> Architecture:
        """Inputs, layers and loss."""

    @property
    def parameters(self) -> FloatArray:
        """The flat vector."""

    @property
    def compute(self) -> Engine:
        """The engine in force."""

    def architecture_on(self, inputs: int) -> Architecture:
        """What the architecture would be on so many inputs."""

    def check_fits(self, architecture: Architecture) -> None:
        """Refuse an architecture whose parameters don't fit in memory."""

    def build_as(self, architecture: Architecture) -> None:
        """Have this architecture, one of `architecture_on`, and draw the parameters."""

    def own_parameters(self) -> None:
        """Have parameters that can be changed."""

    def tensors(self) -> dict[str, FloatArray]:
        """Views of the parameters by name."""

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
        """A trainer of the engine in force."""


class Found(dict[object, Any]):
    """What checks have found, so that networks which share data or an architecture also share the looking.

    Arrays are told apart by their identity, and so have to outlive it.
    """

    def once(self, key: object, find: Callable[[], Any]) -> Any:
        """What was found before under this key, else what `find` finds now."""
        if key not in self:
            self[key] = find()
        return self[key]


def checked(
    network: Trainable,
    X: object,
    y: object,
    sample_weight: object,
    validation_data: object,
    dy: object,
    masked: bool,
    found: Found,
    names: tuple[str, str],
    digested: bool,
) -> tuple[Architecture, Given, Given | None]:
    """The architecture on such samples, and samples and validation samples as the engines take them."""
    dtype, built = network.dtype, network.built
    inputs = network.architecture.inputs if built else None
    if isinstance(X, StoredRows):
        _check_alone(X, y, sample_weight, dy, names)
        shape = (X.rows, len(X.inputs))
        if inputs not in (None, shape[1]):
            raise DataError(f"{names[0]} has {shape[1]} columns, but the network has {inputs} inputs.")
        rows: Any = X
    else:
        rows = found.once((id(X), dtype, inputs), lambda: data.rows(X, names[0], dtype, columns=inputs, learnt=True))
        shape = rows.shape
    architecture = network.architecture if built else network.architecture_on(shape[1])
    architecture = found.setdefault(architecture, architecture)  # one of those that are equal
    if built:
        _check_finite(network)
    else:
        network.check_fits(architecture)
    key = (id(X), id(y), id(sample_weight), id(validation_data), id(dy), masked, dtype, architecture, digested)
    samples, validation = found.once(
        key, lambda: _samples(rows, y, sample_weight, validation_data, dy, masked, architecture, dtype, names, digested)
    )
    return architecture, samples, validation


def _check_alone(X: StoredRows, y: object, sample_weight: object, dy: object, names: tuple[str, str]) -> None:
    """Refuse what is given beside rows on disk, whose targets stand with them."""
    for name, given in ((names[1], y), ("sample_weight", sample_weight), ("dy", dy)):
        if given is not None:
            way_out = "leave it out" if name == names[1] else "give arrays, or leave it out"
            raise ParameterError(f"{name} is given beside {X!r}, which takes none; {way_out}.")


def _samples(
    rows: FloatArray | SparseRows,
    y: object,
    sample_weight: object,
    validation_data: object,
    dy: object,
    masked: bool,
    architecture: Architecture,
    dtype: np.dtype[Any],
    names: tuple[str, str],
    digested: bool,
) -> tuple[Given, Given | None]:
    """Samples and validation samples, checked rows being there."""
    name_of_X, name_of_y = names
    samples: Given
    validation: Given | None = None
    if isinstance(rows, StoredRows):
        samples = _windows(rows, name_of_y, masked, architecture, dtype, digested)
        some = samples.looked_at.X
        assert isinstance(some, np.ndarray)
        data.matrix(rows.frame(some), name_of_X, dtype, learnt=True)  # warns of columns
        T, name_of_y = samples.looked_at.T, f"a sample of {name_of_y}"
    else:
        data.check_sparse(rows, name_of_X, architecture)
        T = data.targets(y, name_of_y, architecture, rows.shape[0], dtype, masked=masked)
        data.check_measured(T, name_of_y)
        s = None if sample_weight is None else data.weights(sample_weight, rows.shape[0])
        slopes = None if dy is None else Slopes(data.slopes(dy, "dy", rows, T, architecture, dtype, masked=masked), 1.0)
        samples = Samples(rows, T, s, slopes)
    if isinstance(validation_data, StoredRows):
        if len(validation_data.inputs) != architecture.inputs:
            raise DataError(
                f"validation X has {len(validation_data.inputs)} columns, but the network has {architecture.inputs} "
                "inputs."
            )
        validation = _windows(validation_data, "validation y", masked, architecture, dtype, digested)
    elif validation_data is not None:
        if not isinstance(validation_data, tuple | list) or len(validation_data) not in (2, 3):
            found = type(validation_data).__name__
            found += f" of {len(validation_data)}" if isinstance(validation_data, tuple | list) else ""
            raise ParameterError(f"validation_data must be (X, y), or (X, y, sample_weight), but is of type {found}.")
        X_val, y_val, s_val = (*validation_data, None)[:3]
        held = data.rows(X_val, "validation X", dtype, columns=architecture.inputs)
        data.check_sparse(held, "validation X", architecture)
        held_T = data.targets(y_val, "validation y", architecture, held.shape[0], dtype, masked=masked)
        data.check_measured(held_T, "validation y")
        held_s = None if s_val is None else data.weights(s_val, held.shape[0], "validation sample_weight")
        validation = Samples(held, held_T, held_s)
    if not data.warn_of_unreachable(T, name_of_y, architecture) and validation is not None:
        data.warn_of_unreachable(validation.looked_at.T, "validation y", architecture)
    return samples, validation


def _windows(
    rows: StoredRows, name: str, masked: bool, architecture: Architecture, dtype: np.dtype[Any], digested: bool
) -> Windows:
    """Rows on disk that have been looked through; `name` is what their targets are called."""

    def targets(y: NumberArray) -> FloatArray | IntArray:
        return data.targets(y, name, architecture, len(y), dtype, masked=masked)

    windows = Windows(rows, targets, dtype, digested)
    if not windows.any_target:
        data.check_measured(windows.looked_at.T, name)
    return windows


def digest_of(samples: Given, validation: Given | None) -> str:
    """What tells these data from others."""
    slopes = samples.looked_at.slopes
    learnt: Any = samples[:3] if isinstance(samples, Samples) else (samples.fingerprint,)
    held: Any = ()
    if isinstance(validation, Samples):  # and their weights, where they have any
        held = validation[: 2 if validation.s is None else 3]
    elif validation is not None:
        held = (validation.fingerprint,)
    return digest(*learnt, *held, *(slopes[:1] if slopes else ()))


def _check_finite(network: Trainable) -> None:
    """Refuse to train from weights that are not finite."""
    with np.errstate(over="ignore", invalid="ignore"):
        # One pass without a temporary; a sum that overflows is looked at closely.
        if np.isfinite(network.parameters.sum()):
            return
    for name, tensor in network.tensors().items():
        wrong = ~np.isfinite(tensor)
        if wrong.any():
            raise ReseauError(
                f"The network's {name} holds {tensor[wrong][0]}, from where no training leads back; give it other "
                "weights, or build a new network."
            )
