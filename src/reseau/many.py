"""Many networks trained side by side, in one call: what each of them gets, and what is told of them together."""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Iterable, Iterator, Sequence, Sized
from contextlib import contextmanager, nullcontext
from itertools import repeat
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy.typing as npt

from reseau import engine
from reseau.arrays import ArrayLike, RowsLike, ValidationData
from reseau.checks import frames_within, in_memory, shown
from reseau.errors import ParameterError, ReseauError
from reseau.names import LeastSquaresName, OptimizerName, PrecisionName
from reseau.network import Network
from reseau.stored.rows import StoredRows
from reseau.training import in_tasks, side_by_side
from reseau.training.callbacks import Callback, Hooks, callbacks_of
from reseau.training.fit import Fit
from reseau.training.given import Found
from reseau.training.history import History
from reseau.training.metrics import MetricLike
from reseau.training.progress import is_verbose, shown_together
from reseau.training.settings import Settings
from reseau.vocabulary.least_squares import LevenbergMarquardt
from reseau.vocabulary.optimizers import Optimizer

if TYPE_CHECKING:
    from reseau.stored.arrow_rows import ArrowRows

Method: TypeAlias = Optimizer | LevenbergMarquardt | OptimizerName | LeastSquaresName | None


def fit_many(
    networks: Iterable[Network],
    X: RowsLike | ArrowRows | Sequence[RowsLike | ArrowRows],
    y: ArrayLike | Sequence[ArrayLike] | None = None,
    *,
    optimizer: Method | Sequence[Method] = None,
    epochs: npt.ArrayLike | Sequence[int | None] | None = None,
    batch_size: npt.ArrayLike = 32,
    validation_data: ValidationData | ArrowRows | Sequence[ValidationData | ArrowRows | None] | None = None,
    sample_weight: ArrayLike | Sequence[ArrayLike | None] | None = None,
    output_weights: ArrayLike | Sequence[ArrayLike | None] | None = None,
    masked_targets: npt.ArrayLike = False,
    l2: npt.ArrayLike = 0.0,
    l1: npt.ArrayLike = 0.0,
    clip_norm: npt.ArrayLike | None = None,
    clip_value: npt.ArrayLike | None = None,
    max_norm: npt.ArrayLike | None = None,
    average: npt.ArrayLike | None = None,
    accumulate: npt.ArrayLike = 1,
    layer_rates: Sequence[float] | Sequence[Sequence[float] | None] | None = None,
    shuffle: npt.ArrayLike = True,
    precision: PrecisionName | Sequence[PrecisionName | None] | None = None,
    dy: ArrayLike | Sequence[ArrayLike | None] | None = None,
    dy_weight: npt.ArrayLike = 1.0,
    keep_best: npt.ArrayLike = False,
    patience: int | Sequence[int | None] | None = None,
    min_delta: npt.ArrayLike = 0.0,
    metrics: MetricLike | Sequence[MetricLike] | Sequence[Sequence[MetricLike] | None] = (),
    checkpoint: str | Path | Sequence[str | Path | None] | None = None,
    checkpoint_every: npt.ArrayLike = 1,
    callback: Hooks | Sequence[Hooks] = None,
    verbose: bool | int = False,
    threads: int | None = None,
) -> list[History]:
    """Train many networks side by side, one in each thread; each ends with the bytes of a `Network.fit` of its own.

    What is given may be one thing for all networks, or a list of one thing for each.

    Parameters
    ----------
    networks : iterable of Network
        What is trained: of any shapes, losses and precisions, each another object.
    X : array-like or sparse matrix of shape (rows, inputs), ArrowRows, or list of them
        Samples. What several networks share is checked once, and never copied for each; an `ArrowRows` each network
        reads for itself.
    y : array-like of shape (rows, n_outputs), or (rows,), list of them, or None
        Targets; None where X is an `ArrowRows`.
    validation_data : (X, y) or (X, y, sample_weight), ArrowRows, list of them, or None
        As in `Network.fit`. In a list, None is for a network that has none.
    sample_weight : array-like of shape (rows,), list of them, or None
        As in `Network.fit`. In a list, None is for a network whose rows all count the same.
    output_weights : array-like of shape (n_outputs,), list of them, or None
        As in `Network.fit`, for all networks; or a list of one such for each.
    dy : array-like of shape (rows, n_outputs, inputs), list of them, or None
        As in `Network.fit`; a list or tuple of arrays has one, or None, for each network.
    optimizer, epochs, batch_size, masked_targets, l2, l1, clip_norm, clip_value, max_norm, average, accumulate, \
    shuffle, dy_weight, precision, keep_best, patience, min_delta, checkpoint_every
        As in `Network.fit`, or a list of such values; an array of one dimension will do.
    layer_rates : list of float, list of them, or None
        As in `Network.fit`.
    checkpoint : path, list of paths, or None
        As in `Network.fit`. In a folder that is given for all each network has one of its own, "0", "1", ...
    metrics : str, callable, a sequence of these, or a list of such sequences
        As in `Network.fit`; names in one sequence are for all networks.
    callback : callable, Callback, a list of them, or None
        As in `Network.fit`, called with the History of a network after each of its epochs, in the thread that trains
        it; no two calls at the same time. In a list, a list is for a network that has several.
    verbose : bool or int
        Whether the progress of all together is shown, as in `Network.fit`: their epochs, how many networks are trained,
        and the median over the networks of the last loss and of each metric.
    threads : int or None
        At most as many; None takes the processors there are. The results are the same for any number. Where there
        are at least twice as many threads as networks, each network gets several.

    Returns
    -------
    list of History
        What each fit did, in the order of the networks.

    Raises
    ------
    ParameterError
        For a list of another length, for a network that is there twice, and as in `Network.fit`.
    DataError, ReseauError
        As in `Network.fit`. Everything is checked before the first network is trained, and a refused call leaves all
        of them as they were.

    Warns
    -----
    RuntimeWarning
        Once, when some training diverges, with the place of the first network it happened to; the others go on, and
        `History.diverged` says which they are. Also when a validation loss is not finite.
    UserWarning
        As in `Network.fit`.

    Notes
    -----
    Ctrl-C ends the call: a network that is being trained keeps the parameters of its last complete epoch, and one
    whose turn has not come is as it was. An exception that a callback raises ends it likewise and reaches the caller.

    Where `joblib.parallel_config` has chosen a backend of processes, such as "loky", "dask" or "ray", each network is
    trained as one task of it, with the same bytes. `threads` are then those of each task; a callback or `verbose` is
    refused, checkpoints have to lie where all workers write, and networks change when all are trained.

    Most is gained where nothing has to be done between epochs, for which the threads wait for one another: without
    validation data, callback and checkpoints. Networks on the reference engine are trained one after the other.

    Examples
    --------
    >>> import numpy as np
    >>> import reseau as rs
    >>> X = np.linspace(-1, 1, 50).reshape(-1, 1)
    >>> nets = [rs.Network(rs.Dense(8, "tanh"), rs.Dense(1), seed=seed) for seed in range(3)]
    >>> histories = rs.fit_many(nets, X, [X**2, X**3, abs(X)], optimizer=rs.Adam(0.02), epochs=[50, 50, 80])
    >>> [history.epochs for history in histories]
    [50, 50, 80]
    >>> all(history.loss[-1] < history.loss[0] / 2 for history in histories)
    True
    """
    nets, n_threads, asked = _distinct(networks), engine.threads(threads), is_verbose(verbose)
    if not nets:
        return []
    n = len(nets)
    settings = _settings(
        n,
        _for_each("metrics", metrics, n, _depth(metrics) > 1),
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
        layer_rates=None if layer_rates is None else _for_each("layer_rates", layer_rates, n, _depth(layer_rates) > 1),
        shuffle=shuffle,
        precision=precision,
        dy_weight=dy_weight,
        keep_best=keep_best,
        patience=patience,
        min_delta=min_delta,
        checkpoint_every=checkpoint_every,
        output_weights=output_weights,
    )
    Xs = _for_each("X", X, n, _depth(X) > 2)
    ys = _for_each("y", y, n, _are_of_each(y, n, Xs[0]))
    weights = _for_each("sample_weight", sample_weight, n, _depth(sample_weight) > 1)
    validations = _for_each(
        "validation_data", validation_data, n, _depth(validation_data) > 3 or _holds_stored(validation_data)
    )
    masks = _for_each("masked_targets", masked_targets, n)
    dys = _for_each("dy", dy, n, _depth(dy) > 3 or _holds_arrays(dy))
    folders, callbacks = _folders(checkpoint, n), _one_at_a_time(_for_each("callback", callback, n))
    elsewhere = in_tasks.backend()
    if elsewhere and (asked or any(callbacks)):
        raise ParameterError(
            f"callback, progress and verbose cannot be heard from the processes in which joblib's {elsewhere} trains "
            "the networks; leave them out, or train outside of joblib.parallel_config."
        )
    names = zip(_names("X", X, Xs), _names("y", y, ys), strict=True)
    found, fits = Found(), []
    with in_memory("training on these rows"):
        columns = zip(nets, Xs, ys, dys, settings, weights, validations, masks, folders, callbacks, names, strict=True)
        for place, (net, X_n, y_n, dy_n, how, s, validation, masked, folder, call, called) in enumerate(columns):
            with _at(place):
                fits.append(
                    Fit(
                        net,
                        X_n,
                        y_n,
                        how,
                        dy=dy_n,
                        validation_data=validation,
                        sample_weight=s,
                        masked_targets=masked,
                        checkpoint=folder,
                        callback=call,
                        threads=max(1, n_threads // n),
                        found=found,
                        names=called,
                    )
                )
        _check_memory(fits)
        for place, fit in enumerate(fits):
            with _at(place):
                fit.look_for_a_checkpoint()
        if elsewhere:
            histories = in_tasks.complete(fits, threads)
        else:
            with shown_together(n, sum(how.epochs for how in settings)) if asked else nullcontext() as show:
                for fit in fits:
                    fit.showing = nullcontext(show)
                histories = side_by_side.complete(fits, n_threads)
    _warn(fits)
    return histories


def _distinct(networks: object) -> list[Network]:
    """The networks as a list; ParameterError for what is none, and for the same one twice."""
    try:
        nets: list[Any] = list(networks)  # type: ignore[call-overload]  # whether it can is the question
    except TypeError as error:
        raise ParameterError(f"networks is {shown(networks)}, but must be a list of networks.") from error
    places: dict[int, int] = {}
    for place, net in enumerate(nets):
        if not isinstance(net, Network):
            raise ParameterError(f"networks[{place}] is {shown(net)}, but must be a Network.")
        things = (net, net.parameters) if net.built else (net,)  # a shallow copy has the very parameters of the first
        for first in {places.setdefault(id(thing), place) for thing in things} - {place}:
            raise ParameterError(
                f"networks[{place}] is networks[{first}] once more; each must be a network of its own, such as "
                "copy.deepcopy makes."
            )
    return nets


def _for_each(name: str, value: Any, n: int, listed: bool | None = None) -> Sequence[Any]:
    """What each network gets of an argument; ParameterError for a list of another length.

    Unless that is said, it is a list of one for each where it is a list at all.
    """
    if not (_is_list(value) if listed is None else listed):
        return [value] * n
    values = list(value)
    if len(values) != n:
        raise ParameterError(
            f"{name} has {len(values)} entries, but there are {n} networks; give one for all of them, or a list of "
            "one for each."
        )
    return values


def _settings(n: int, metrics: Sequence[Any], **values: Any) -> Sequence[Settings]:
    """How each network is trained; of the metrics it has its own."""
    listed = {name: _depth(v) > 1 if name == "output_weights" else _is_list(v) for name, v in values.items()}
    if not any(listed.values()) and all(entry is metrics[0] for entry in metrics):
        return [Settings.of(metrics=metrics[0] or (), **values)] * n
    columns = [_for_each(name, value, n, listed[name]) for name, value in values.items()]
    columns.append([entry or () for entry in metrics])
    made: dict[tuple[int, ...], Settings] = {}
    rows = list(zip(*columns, strict=True))
    for place, row in enumerate(rows):
        with _at(place):
            key = tuple(map(id, row))
            made[key] = made.get(key) or Settings.of(**dict(zip([*values, "metrics"], row, strict=True)))
    return [made[tuple(map(id, row))] for row in rows]


def _folders(checkpoint: Any, n: int) -> Sequence[Any]:
    """The folder of each network's checkpoint; ParameterError for two of them in one."""

    def name_of(folder: object) -> str:  # "" for what is none, which is refused later
        name = os.fspath(folder) if isinstance(folder, str | os.PathLike) else ""
        return name if isinstance(name, str) else ""

    if name := name_of(checkpoint):
        return [Path(name, str(place)) for place in range(n)]
    folders = _for_each("checkpoint", checkpoint, n)
    places: dict[str, int] = {}
    for place, folder in enumerate(folders):
        name = name_of(folder)
        if name and (first := places.setdefault(os.path.abspath(name), place)) != place:
            raise ParameterError(
                f"checkpoint[{place}] is {name!r}, the folder of checkpoint[{first}]; give each network its own, or "
                "one folder for all, in which each has one."
            )
    return folders


class _Guarded(Callback):
    """A callback whose calls wait for those of others, in whichever thread."""

    def __init__(self, callback: Callback, lock: threading.Lock) -> None:
        self.callback, self.lock = callback, lock

    def on_fit_begin(self, network: Network, history: History) -> object:
        with self.lock:
            return self.callback.on_fit_begin(network, history)

    def on_epoch_end(self, history: History) -> object:
        with self.lock:
            return self.callback.on_epoch_end(history)

    def on_fit_end(self, history: History) -> object:
        with self.lock:
            return self.callback.on_fit_end(history)


def _one_at_a_time(hooks: Sequence[Hooks]) -> Sequence[list[Callback]]:
    """The callbacks of each network, of which no two are called at the same time."""
    lock = threading.Lock()
    found: list[list[Callback]] = []
    for place, hook in enumerate(hooks):
        with _at(place):
            found.append([_Guarded(callback, lock) for callback in callbacks_of(hook)])
    return found


def _is_list(value: object) -> bool:
    """Whether it is a list of values that could be one each."""
    return isinstance(value, list | tuple | range) or len(_shape(value)) == 1


def _depth(value: object) -> float:
    """How many dimensions an array-like seems to have, or lists and tuples of them, of which some may be None."""
    depth = 0
    while isinstance(value, list | tuple):
        there = [entry for entry in value if entry is not None]
        if value and not there:
            return inf
        depth, value = depth + 1, there[0] if there else None
    return depth + len(_shape(value))


def _holds_arrays(value: object) -> bool:
    """Whether it is a list or tuple of arrays, or of None."""
    return isinstance(value, list | tuple) and any(entry is None or len(_shape(entry)) > 0 for entry in value)


def _holds_stored(value: object) -> bool:
    """Whether it is a list or tuple of which some are rows on disk."""
    return isinstance(value, list | tuple) and any(isinstance(entry, StoredRows) for entry in value)


def _length(value: Any) -> int:
    """How many rows an array-like has."""
    shape = _shape(value)
    return shape[0] if shape else len(value) if isinstance(value, Sized) else 0


def _shape(value: object) -> Any:
    """The shape of an array-like; of what has none that of a single thing."""
    shape = getattr(value, "shape", ())
    return shape if isinstance(shape, Sized) else ()


def _are_of_each(y: Any, n: int, X: object) -> bool:
    """Whether these are targets for each of so many networks; X are the samples of the first.

    A list of as many numbers as there are samples may be one network's targets, or one sample's.
    """
    depth = _depth(y)
    if depth != 2 or not isinstance(y, list | tuple):
        return depth > 2
    rows = _length(X)
    for_all, for_each = len(y) == rows, _length(y[0]) == rows
    return len(y) == n if for_all == for_each else for_each


def _names(name: str, value: object, values: Sequence[object]) -> Iterable[str]:
    """What an array is called in an error: X, or X[3] if each network has its own."""
    if values[0] is value:
        return repeat(name, len(values))
    places: dict[int, int] = {}
    return [f"{name}[{places.setdefault(id(entry), place)}]" for place, entry in enumerate(values)]


def _check_memory(fits: Sequence[Fit]) -> None:
    """Refuse networks that cannot all be there at once."""
    drawn = [fit for fit in fits if not fit.network.built]
    if not engine.fits_in_memory(sum(fit.architecture.n_parameters * fit.network.dtype.itemsize for fit in drawn)):
        n_parameters = sum(fit.architecture.n_parameters for fit in drawn)
        raise ParameterError(
            f"The networks have {n_parameters:,} parameters together, more than fit in memory; train fewer at once, or "
            "give them fewer neurons."
        )


@contextmanager
def _at(place: int) -> Iterator[None]:
    """Say of which network it is that something is refused."""
    try:
        yield
    except ReseauError as error:
        raise type(error)(f"networks[{place}]: {error}") from None


def _warn(fits: Sequence[Fit]) -> None:
    """Say what went wrong first, and how often."""
    wrong = [(place, fit.warning) for place, fit in enumerate(fits) if fit.warning is not None]
    vain = [(place, fit.advice) for place, fit in enumerate(fits) if fit.advice is not None]
    for told, kind in ((wrong, RuntimeWarning), (vain, UserWarning)):
        if told:
            (place, words), more = told[0], len(told) - 1
            others = f" The same or the like befell {more} more, as each History tells." if more else ""
            warnings.warn(f"networks[{place}]: {words}{others}", kind, stacklevel=frames_within())
