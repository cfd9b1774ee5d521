"""Frames: the numbers that the page draws, as named arrays behind a header of JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

from reseau import data as checked
from reseau.arrays import FloatArray
from reseau.engine.equations import backward, output_delta, trace
from reseau.engine.reference import dense_targets

if TYPE_CHECKING:
    from reseau.network import Network
    from reseau.studio.data import Data

GRID, MAP = 60, 24  # places on each axis of the boundary, and of what hidden neurons say
CURVE = 200  # places of a curve over one axis
MOST_MAPPED = 256  # hidden neurons that have a map
MOST_POINTS, MOST_PREDICTED = 5000, 2000
DTYPES = {"float32": np.float32, "int32": np.int32, "uint8": np.uint8}

Arrays = dict[str, np.ndarray[Any, Any]]


def packed(header: Mapping[str, Any], arrays: Mapping[str, np.ndarray[Any, Any]]) -> bytes:
    """A frame as it is sent: the length of the header, the header, and the arrays, each at a multiple of 8."""
    told, blocks, offset = [], [], 0
    for name, array in arrays.items():
        content = np.ascontiguousarray(array).tobytes()
        told.append({"name": name, "dtype": array.dtype.name, "shape": list(array.shape), "offset": offset})
        filled = content + bytes(-len(content) % 8)
        blocks.append(filled)
        offset += len(filled)
    text = json.dumps({**header, "arrays": told}, allow_nan=False).encode()
    start = len(text).to_bytes(4, "little") + text
    return b"".join([start, bytes(-len(start) % 8), *blocks])


def unpacked(frame: bytes) -> tuple[dict[str, Any], Arrays]:
    """The header and the arrays of a frame."""
    n = int.from_bytes(frame[:4], "little")
    header = json.loads(frame[4 : 4 + n])
    first = 4 + n + -(4 + n) % 8
    arrays = {}
    for told in header["arrays"]:
        count = int(np.prod(told["shape"], dtype=np.int64))
        array = np.frombuffer(frame, DTYPES[told["dtype"]], count, first + told["offset"])
        arrays[told["name"]] = array.reshape(told["shape"])
    return header, arrays


class Painter:
    """What frames of some data and axes are made of, as far as it stays the same.

    Parameters
    ----------
    data : Data
    axes : (int, int) or None
        Places among the data's axes; None takes the first two, or the first twice where there is one.
    """

    def __init__(self, data: Data, axes: tuple[int, int] | None) -> None:
        self.data = data
        there = len(data.axes)
        if axes is None or max(axes) >= there:
            axes = (0, min(1, there - 1)) if there else None
        self.axes = axes
        self._grid = self._map = np.empty((0, len(data.inputs)), np.float32)
        if axes is not None:
            one = axes[0] == axes[1]
            self._grid = self._line(axes[0], CURVE) if one else self._square(axes, GRID)
            self._map = self._line(axes[0], MAP) if one else self._square(axes, MAP)

    def _line(self, axis: int, places: int) -> FloatArray:
        return self.data.on({axis: self.data.axes[axis].places(places)})

    def _square(self, axes: tuple[int, int], places: int) -> FloatArray:
        across, upwards = (self.data.axes[axis].places(places) for axis in axes)
        x, y = np.meshgrid(across, upwards)  # rows go upwards
        return self.data.on({axes[0]: x.ravel(), axes[1]: y.ravel()})

    def picture(self, network: Network) -> Arrays:
        """What the network says all over the axes, and what its hidden neurons do."""
        if self.axes is None:
            return {}
        O = self.data.predicted(network, network(self._grid)).astype(np.float32)
        one = self.axes[0] == self.axes[1]
        found: Arrays = {"curve_of_inputs": O} if one else {"boundary": O.reshape(GRID, GRID, -1)}
        hidden = sum(network.architecture.widths[1:-1])
        if 0 < hidden <= MOST_MAPPED:
            A = np.hstack(network.activations(self._map)[:-1])  # (places, neurons)
            low, high = A.min(axis=0), A.max(axis=0)
            scale = np.where(high > low, 255 / np.where(high > low, high - low, 1), 0)
            shades = ((A - low) * scale + 0.5).astype(np.uint8).T
            maps = np.repeat(shades[:, None, :], MAP, axis=1) if one else shades.reshape(hidden, MAP, MAP)
            found |= {"maps": maps, "ranges": np.column_stack([low, high]).astype(np.float32)}
        return found

    def points(self) -> Arrays:
        """Where the samples lie, what they are, and which are held out."""
        data = self.data
        n, n_val = data.size
        kept = [thinned(n, MOST_POINTS * n // (n + n_val)), thinned(n_val, MOST_POINTS * n_val // (n + n_val))]
        rows = []
        for validation, places in enumerate(kept):
            if len(places):
                labels = data.labels(bool(validation))[places]
                across = [data.across(axis, bool(validation))[places] for axis in self.axes or ()] or [labels * 0.0] * 2
                rows.append(np.column_stack([*across, labels, np.full(len(places), validation)]))
        return {"points": np.concatenate(rows).astype(np.float32), "places": np.concatenate(kept).astype(np.int32)}


def thinned(n: int, most: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    """So many places of n at most, evenly spaced."""
    return np.arange(n) if n <= most else np.linspace(0, n - 1, max(most, 1)).astype(np.int64)


def scored(data: Data, network: Network) -> tuple[list[float | None], Arrays]:
    """The score on the samples learned from and on those held out: accuracy, or R²; and what it is made of."""
    scores: list[float | None] = []
    tables, pairs = [], []
    for validation, X in enumerate((data.X, data.X_val)):
        if not len(X):
            scores.append(None)
            tables.append(np.zeros((len(data.classes),) * 2, np.int32))
            continue
        truth, said = data.labels(bool(validation)), data.predicted(network, network(X))
        if data.task == "classification":
            k = len(data.classes)
            chosen = said.argmax(axis=1)
            tables.append(np.bincount(truth * k + chosen, minlength=k * k).reshape(k, k).astype(np.int32))
            scores.append(float((chosen == truth).mean()))
        else:
            said = said[:, 0]
            spread = float(((truth - truth.mean()) ** 2).sum())
            scores.append(finite(1 - float(((truth - said) ** 2).sum()) / spread) if spread else None)
            pairs.append(np.column_stack([truth, said])[thinned(len(truth), MOST_PREDICTED // 2)])
    if data.task == "classification":
        return scores, {"confusion": np.stack(tables)}
    return scores, {"predicted": np.concatenate(pairs).astype(np.float32)}


def mean_errors(data: Data, network: Network) -> list[float | None]:
    """E of the samples learned from, and of those held out."""
    found: list[float | None] = []
    for validation, X in enumerate((data.X, data.X_val)):
        y = data.taught(str(network.loss), bool(validation))
        found.append(finite(float(network.errors(X, y).sum(axis=1, dtype=np.float64).mean())) if len(X) else None)
    return found


def followed(data: Data, network: Network, validation: bool, row: int) -> Arrays:
    """The numbers of a sample on its way forward, and of its error on the way back."""
    architecture, dtype = network.architecture, network.dtype
    X = (data.X_val if validation else data.X)[row : row + 1]
    y = data.taught(str(network.loss), validation)[row : row + 1]
    T = dense_targets(architecture, checked.targets(y, "y", architecture, 1, dtype), dtype)
    forward = trace(architecture, network.parameters, X)
    delta, G = output_delta(architecture, forward, T)
    if G is None:  # which a residual link into the last layer asks for
        G = architecture.error.derivative(forward.O, T)
    deltas, _ = backward(architecture, network.parameters, forward, delta, G)
    _, gradient = network.value_and_gradient(X, y)
    found: Arrays = {f"forward.A.{l}": A[0] for l, A in enumerate(forward.A)}
    found |= {f"forward.Z.{l}": Z[0] for l, Z in enumerate(forward.Z, start=1)}
    found |= {f"backward.delta.{l}": delta[0] for l, delta in enumerate(deltas, start=1)}
    found |= {"gradient": gradient, "target": T[0]}
    return {name: np.asarray(array, np.float32) for name, array in found.items()}


def finite(x: float) -> float | None:
    """A number as JSON has it; None for what is none."""
    return x if isfinite(x) else None
