"""Checkpoints: a training run on disk, from which it goes on as if it had never stopped.

A checkpoint is a model file (`reseau.load` reads the network in it). It also holds the optimizer's state, the counts of
steps and epochs, the state of the generator, the history so far and the best weights; and what run it is of: its
settings, and a digest of its data. The file is replaced in one move: whenever the process dies, one is whole.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import numpy as np

from reseau.arrays import Failure, FloatArray, ResumePoint, SparseRows
from reseau.checks import finite_layers, shown
from reseau.checks import tensor as check_tensor
from reseau.errors import ModelFileError, ParameterError
from reseau.files import model_file, writing
from reseau.files.model_file import PARAMETERS, STATE
from reseau.training.history import History
from reseau.vocabulary.layers import Architecture

KIND, NAME = "checkpoint", "checkpoint.reseau"
BEST = "best"
DATA = "data"  # of a run: the digest of its data
LOSS, VALIDATION_LOSS, METRIC = "history.loss", "history.validation_loss", "history.metrics."
RATES = "history.learning_rate"
NOTED = "history.state."  # begins the names of what a method of least squares notes


@dataclass
class Snapshot:
    """A run as it stands after an epoch.

    Attributes
    ----------
    seed : int
        The trainer's.
    generator : dict
        The state of the network's.
    progress : ResumePoint
        The trainer's.
    parameters : ndarray of shape (n_parameters,)
        Of the network.
    history : History
        So far.
    finished : bool
        Whether there is nothing more to do.
    best : ndarray of shape (n_parameters,) or None
        The weights of the best epoch, where they are kept.
    failure : Failure or None
        Where the last epoch diverged, if it did: then the run is finished, and the parameters are those before it.
    """

    seed: int
    generator: dict[str, Any]
    progress: ResumePoint
    parameters: FloatArray
    history: History
    finished: bool = False
    best: FloatArray | None = None
    failure: Failure | None = None


def _difference(name: str, there: Any, now: Any) -> str:
    """Where two descriptions differ first."""
    if isinstance(there, dict) and isinstance(now, dict):
        key = next(key for key in [*now, *there] if there.get(key) != now.get(key))
        return _difference(f"{name}.{key}", there.get(key), now.get(key))
    if isinstance(there, list) and isinstance(now, list):
        if len(there) != len(now):
            return f"its {name} are {len(there)}, but now they are {len(now)}"
        place = next(place for place, value in enumerate(now) if there[place] != value)
        return _difference(f"{name}[{place}]", there[place], now[place])
    return f"its {name} is {shown(there)}, but now it is {shown(now)}"


class Checkpoints:
    """The checkpoint of one run in a folder.

    Parameters
    ----------
    folder : path
        Made if it is not there.
    run : mapping of str to JSON-able values
        What the run is: everything that decides its result, its "network" among it.
    architecture : Architecture
        Of that network.

    Raises
    ------
    ParameterError
        If `folder` names none, or holds the checkpoint of another run.
    """

    def __init__(self, folder: object, run: Mapping[str, Any], architecture: Architecture) -> None:
        name = fspath(folder) if isinstance(folder, str | PathLike) else None
        if not isinstance(name, str) or not name or "\0" in name:
            raise ParameterError(f"checkpoint is {folder!r}, but must be the path of a folder, as text or a Path.")
        self.path: Path = Path(name) / NAME
        self.run, self.architecture = dict(run), architecture
        there = next(path for path in self.path.parents if path.exists())
        if not there.is_dir():
            which = "which" if there == self.path.parent else f"where {str(there)!r}"
            raise ParameterError(f"checkpoint is {str(folder)!r}, {which} is a file; name a folder.")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        writing.remove_leftovers(self.path)

    def read(self, dtype: np.dtype[Any], states: int) -> Snapshot | None:
        """The run where it stood; None if there is no checkpoint yet.

        `states` is how many vectors the optimizer keeps.
        """
        if not self.path.exists():
            return None
        try:
            description, tensors = model_file.read(self.path)
        except ModelFileError as error:
            raise self._damaged(str(error).rstrip(".")) from None
        if description.get("kind") != KIND:
            raise ParameterError(f"{self.path} is no checkpoint; choose another folder.")
        there = description["run"]
        for name in [*self.run, *there]:
            if there.get(name) != self.run.get(name):
                values = _difference(name, there.get(name), self.run.get(name))
                raise ParameterError(
                    f"{self.path} is of another training: {'its data are others' if name == DATA else values}. Choose "
                    "another folder, or delete that file to start afresh."
                )
        try:
            return _snapshot(description, tensors, self.architecture.n_parameters, dtype, states)
        except (KeyError, TypeError, ValueError) as error:
            raise self._damaged(f"it lacks {error}" if isinstance(error, KeyError) else str(error)) from error

    def _damaged(self, why: str) -> ModelFileError:
        return ModelFileError(
            f"{self.path} cannot be gone on from: {why}. Choose another folder, or delete that file to start afresh."
        )

    def write(self, snapshot: Snapshot) -> None:
        """Replace the checkpoint; ReseauError, and it stays as it was, for weights that are not finite."""
        for weights in (snapshot.parameters, snapshot.best):
            if weights is not None:
                finite_layers(self.architecture.views(weights))
        progress, history = snapshot.progress, snapshot.history
        tensors: dict[str, Any] = {
            PARAMETERS: snapshot.parameters,
            LOSS: np.array(history.loss),  # as numbers: JSON knows none that are not finite
            VALIDATION_LOSS: np.array(history.validation_loss),
            RATES: np.array(history.learning_rate),
        }
        tensors |= {f"{METRIC}{place}": np.array(values) for place, values in enumerate(history.metrics.values())}
        tensors |= {f"{NOTED}{name}": np.array(values) for name, values in history.state.items()}
        tensors |= {f"{STATE}{place}": vector for place, vector in enumerate(progress.state)}
        if snapshot.best is not None:
            tensors[BEST] = snapshot.best
        description = {
            "kind": KIND,
            "network": self.run["network"],
            "run": self.run,
            "generator": snapshot.generator,
            "steps": progress.steps,
            "epochs": progress.epochs,
            "seed": snapshot.seed,
            "seconds": history.seconds,
            "best_epoch": history.best_epoch,
            "finished": snapshot.finished,
        }
        if history.stopped is not None:
            description["stopped"] = history.stopped
        if snapshot.failure is not None:
            description["failure"] = snapshot.failure._asdict()
        model_file.write(self.path, description, tensors)


def digest(*arrays: Any) -> str:
    """The SHA-256 of some arrays, sparse rows, or Nones: of their types, shapes and bytes."""
    sha = hashlib.sha256()
    for array in arrays:
        if array is None:
            sha.update(b"none\n")
            continue
        if isinstance(array, SparseRows):
            inner = digest(array.starts, array.columns, array.numbers)
            sha.update(f"sparse {array.shape} {inner}\n".encode())
            continue
        sha.update(f"{array.dtype.str} {array.shape}\n".encode())
        sha.update(np.ascontiguousarray(array).data)
    return sha.hexdigest()


def _snapshot(
    description: Mapping[str, Any], tensors: Mapping[str, Any], n_parameters: int, dtype: np.dtype[Any], states: int
) -> Snapshot:
    """What a checkpoint holds; ValueError or KeyError if that is no run of a network with such parameters."""
    seed, steps, epochs = (int(description[name]) for name in ("seed", "steps", "epochs"))
    seconds, best_epoch, finished = (description[name] for name in ("seconds", "best_epoch", "finished"))
    if best_epoch is not None and best_epoch > epochs:
        raise ValueError(f"its best_epoch is {best_epoch}, of {epochs}")
    loss, validation_loss = tensors[LOSS], tensors[VALIDATION_LOSS]
    if loss.shape != (epochs,) or validation_loss.shape not in ((0,), (epochs,)):
        raise ValueError(f"its history is of shape {loss.shape}, but {epochs} epochs were made")
    names = description["run"].get("metrics") or []
    metrics = {name: tensors[f"{METRIC}{place}"] for place, name in enumerate(names)}
    for name, values in metrics.items():
        if values.shape != (epochs,):
            raise ValueError(f"its metric {name} is of shape {values.shape}, but {epochs} epochs were made")
    if tensors[RATES].shape != (epochs,):
        raise ValueError(f"its learning rates are of shape {tensors[RATES].shape}, but {epochs} epochs were made")
    noted = {name.removeprefix(NOTED): values for name, values in tensors.items() if name.startswith(NOTED)}
    for name, values in noted.items():
        check_tensor(f"{NOTED}{name}", values, (epochs,), np.dtype(np.float64))
        if not np.isfinite(values).all():
            raise ValueError(f"its {NOTED}{name} are not all finite")
    vectors = {name: tensors[name] for name in (PARAMETERS, *(f"{STATE}{place}" for place in range(states)))}
    vectors |= {BEST: tensors[BEST]} if BEST in tensors else {}
    for name, vector in vectors.items():
        check_tensor(name, vector, (n_parameters,), dtype)
        if not np.isfinite(vector).all():
            raise ValueError(f"its {name} are not all finite: the training had diverged")
    generator = description["generator"]
    np.random.default_rng().bit_generator.state = generator  # raises what the network's would
    failure = Failure(**description["failure"]) if "failure" in description else None
    state = tuple(vectors[f"{STATE}{place}"] for place in range(states))
    diverged = epochs if failure is not None else None
    history = History(
        loss.tolist(),
        validation_loss.tolist(),
        float(seconds),
        best_epoch,
        diverged,
        metrics={name: values.tolist() for name, values in metrics.items()},
        learning_rate=tensors[RATES].tolist(),
        stopped_early=finished and failure is None and epochs < description["run"]["epochs"],
        state={name: values.tolist() for name, values in noted.items()},
        stopped=description.get("stopped"),
    )
    progress, best = ResumePoint(steps, epochs, state), vectors.get(BEST)
    return Snapshot(seed, generator, progress, vectors[PARAMETERS], history, finished, best, failure)
