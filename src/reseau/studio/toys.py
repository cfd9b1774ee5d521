"""Samples made up, on which a network is seen to learn: each set is drawn by its seed alone, and needs NumPy alone.

Inputs deviate by about 1 from 0, as networks like them. `noise` is from 0, the shape itself, to 1, where little of it
is left; of classes, samples leave their places by it, of numbers the targets do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Inputs = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


# --- classes ----------------------------------------------------------------------------------------------------------


def circles(samples: int, *, noise: float = 0.0, seed: int = 0) -> tuple[Inputs, Labels]:
    """A disc, and a ring around it."""
    rng, y = _begin(samples, 2, seed)
    radius = np.where(y == 0, rng.uniform(0.0, 0.8, samples), rng.uniform(1.3, 2.0, samples))
    return _scattered(_polar(radius, rng.uniform(0, 2 * np.pi, samples)), 0.6 * noise, rng), y


def rings(samples: int, *, noise: float = 0.0, classes: int = 3, seed: int = 0) -> tuple[Inputs, Labels]:
    """Rings around one another, one for each class."""
    rng, y = _begin(samples, classes, seed)
    width = 2.0 / classes
    radius = width * (y + rng.uniform(0.2, 0.8, samples))
    return _scattered(_polar(radius, rng.uniform(0, 2 * np.pi, samples)), 1.2 * width * noise, rng), y


def spiral(samples: int, *, noise: float = 0.0, classes: int = 2, seed: int = 0) -> tuple[Inputs, Labels]:
    """Arms that wind around the middle, one for each class."""
    rng, y = _begin(samples, classes, seed)
    along = np.sqrt(rng.uniform(0.005, 1.0, samples))  # so that there are as many on each piece of an arm
    angle = 2 * np.pi * (3.5 / classes * along + y / classes)
    return _scattered(_polar(2.0 * along, angle), 0.5 * noise, rng), y


def moons(samples: int, *, noise: float = 0.0, seed: int = 0) -> tuple[Inputs, Labels]:
    """Two half moons, each of which reaches into the other."""
    rng, y = _begin(samples, 2, seed)
    angle = rng.uniform(0, np.pi, samples)
    x = np.where(y == 0, np.cos(angle), 1 - np.cos(angle)) - 0.5
    height = np.where(y == 0, np.sin(angle), 0.5 - np.sin(angle)) - 0.25
    return _scattered(1.3 * np.column_stack([x, height]), 0.05 + 0.6 * noise, rng), y


def blobs(samples: int, *, noise: float = 0.0, classes: int = 3, seed: int = 0) -> tuple[Inputs, Labels]:
    """Round clouds, one for each class."""
    rng, y = _begin(samples, classes, seed)
    centres = _polar(np.full(samples, 1.5), 2 * np.pi * (y / classes + 0.125))
    return _scattered(centres, 0.2 + 0.8 * noise, rng), y


def gaussians(samples: int, *, noise: float = 0.0, seed: int = 0) -> tuple[Inputs, Labels]:
    """Two clouds that a straight line tells apart, as long as there is little noise."""
    rng, y = _begin(samples, 2, seed)
    centres = np.where(y == 0, -1.0, 1.0)[:, None] * np.ones(2)
    return _scattered(centres, 0.4 + 0.8 * noise, rng), y


def xor(samples: int, *, noise: float = 0.0, seed: int = 0) -> tuple[Inputs, Labels]:
    """Four squares, of which those across from one another are of one class."""
    rng, y = _begin(samples, 2, seed)
    left = rng.integers(0, 2, samples)
    sides = np.column_stack([left, left ^ y]) * 2 - 1
    return _scattered(sides * rng.uniform(0.15, 1.8, (samples, 2)), 0.8 * noise, rng), y


def checkerboard(samples: int, *, noise: float = 0.0, seed: int = 0) -> tuple[Inputs, Labels]:
    """A board of four by four squares."""
    rng, y = _begin(samples, 2, seed)
    column, pair = rng.integers(0, 4, samples), rng.integers(0, 2, samples)
    corner = np.column_stack([column, 2 * pair + (column + y) % 2]) - 2.0
    return _scattered(corner + rng.uniform(0.06, 0.94, (samples, 2)), 0.6 * noise, rng), y


# --- numbers ----------------------------------------------------------------------------------------------------------


def sine(samples: int, *, noise: float = 0.0, seed: int = 0) -> tuple[Inputs, Inputs]:
    """One input: y = sin 2x."""
    rng = np.random.default_rng(seed)
    X = rng.uniform(-2.0, 2.0, (samples, 1))
    return _measured(X, np.sin(2 * X[:, 0]), noise, rng)


def plane(samples: int, *, noise: float = 0.0, seed: int = 0) -> tuple[Inputs, Inputs]:
    """Two inputs: y = (x₁ + x₂)/2."""
    rng, X = _square(samples, seed)
    return _measured(X, X.sum(axis=1) / 2, noise, rng)


def saddle(samples: int, *, noise: float = 0.0, seed: int = 0) -> tuple[Inputs, Inputs]:
    """Two inputs: y = (x₁² − x₂²)/2."""
    rng, X = _square(samples, seed)
    return _measured(X, (X[:, 0] ** 2 - X[:, 1] ** 2) / 2, noise, rng)


def waves(samples: int, *, noise: float = 0.0, seed: int = 0) -> tuple[Inputs, Inputs]:
    """Two inputs: y = sin 2x₁ cos 2x₂."""
    rng, X = _square(samples, seed)
    return _measured(X, np.sin(2 * X[:, 0]) * np.cos(2 * X[:, 1]), noise, rng)


# --- the table --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Toy:
    """A set of samples.

    Attributes
    ----------
    make : callable
        The function above, of samples, noise and seed.
    task : {"classification", "regression"}
        What is learnt.
    inputs : int
        How many there are.
    many_classes : bool
        Whether it has a number of `classes` to choose; it is else of two.
    """

    make: Callable[..., tuple[Inputs, Labels | Inputs]]
    task: str = "classification"
    inputs: int = 2
    many_classes: bool = False

    @property
    def name(self) -> str:
        return self.make.__name__

    def settings(self, noise: float, classes: int, seed: int) -> dict[str, float]:
        """What the function is given besides the number of samples."""
        return {"noise": noise, **({"classes": classes} if self.many_classes else {}), "seed": seed}


_ENTRIES = (
    Toy(circles),
    Toy(spiral, many_classes=True),
    Toy(moons),
    Toy(xor),
    Toy(blobs, many_classes=True),
    Toy(gaussians),
    Toy(rings, many_classes=True),
    Toy(checkerboard),
    Toy(sine, task="regression", inputs=1),
    Toy(plane, task="regression"),
    Toy(saddle, task="regression"),
    Toy(waves, task="regression"),
)
TOYS: dict[str, Toy] = {entry.name: entry for entry in _ENTRIES}
"""Every set by its name."""


def split(
    X: Inputs, y: Labels | Inputs, held_out: float, *, seed: int = 0
) -> tuple[Inputs, Labels | Inputs, Inputs, Labels | Inputs]:
    """Hold a share of the samples out, which the seed draws: X, y, X_val, y_val. One at least is learnt from."""
    order = np.random.default_rng([seed, 1]).permutation(len(X))
    n = min(round(held_out * len(X)), len(X) - 1)
    out, rest = np.sort(order[:n]), np.sort(order[n:])
    return X[rest], y[rest], X[out], y[out]


def _begin(samples: int, classes: int, seed: int) -> tuple[np.random.Generator, Labels]:
    """What draws, and the class of each sample: as many of each as can be."""
    rng = np.random.default_rng(seed)
    return rng, rng.permutation(np.arange(samples, dtype=np.int64) % classes)


def _square(samples: int, seed: int) -> tuple[np.random.Generator, Floats]:
    rng = np.random.default_rng(seed)
    return rng, rng.uniform(-2.0, 2.0, (samples, 2))


def _polar(radius: Floats, angle: Floats) -> Floats:
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])


def _scattered(X: Floats, spread: float, rng: np.random.Generator) -> Inputs:
    return (X + spread * rng.normal(size=X.shape)).astype(np.float32)


def _measured(X: Floats, y: Floats, noise: float, rng: np.random.Generator) -> tuple[Inputs, Inputs]:
    return X.astype(np.float32), (y + noise * rng.normal(size=len(y))).astype(np.float32)
