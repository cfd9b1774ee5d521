"""Fits as tasks of joblib, in other processes or on other machines, where the user has chosen such."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias, TypeVar

from reseau import engine
from reseau.arrays import FloatArray
from reseau.training.fit import Fit
from reseau.training.history import History

T = TypeVar("T")
_Done: TypeAlias = tuple[History, FloatArray, dict[str, Any], str | None, str | None]


def backend() -> str:
    """The backend of other processes that `joblib.parallel_config` has chosen, by its class; "" without one.

    Whoever has chosen one has imported joblib; and only such a choice outweighs that threads are preferred. Within the
    tasks there is none, unless joblib has one for tasks in tasks.
    """
    if "joblib" not in sys.modules:
        return ""
    from joblib import parallel  # type: ignore[import-untyped]

    chosen, _ = parallel.get_active_backend(prefer="threads")
    return "" if getattr(chosen, "uses_threads", False) else type(chosen).__name__


def run(function: Callable[..., T], calls: Iterable[tuple[Any, ...]]) -> list[T]:
    """What a function returns of each call, each as one task where the user has chosen such, else one after another."""
    if not backend():
        return [function(*arguments) for arguments in calls]
    import joblib
    from joblib import parallel

    _, jobs = parallel.get_active_backend(prefer="threads")
    tasks = (joblib.delayed(function)(*arguments) for arguments in calls)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Sending large graph", UserWarning)  # Dask's of what tasks have with them
        return list(joblib.Parallel(n_jobs=-1 if jobs is None else jobs, prefer="threads", batch_size=1)(tasks))


def complete(fits: Sequence[Fit], threads: int | None) -> list[History]:
    """Complete all fits, each as one task; networks change when all tasks are done.

    A task has all that it needs with it, rather than data that were sent to a worker before: so it is done again by
    another, where a worker is lost, and ends with the same bytes, or goes on from the fit's checkpoint.

    Parameters
    ----------
    fits : sequence of Fit
        Checked, each of a network of its own, without callbacks.
    threads : int or None
        Of each task at most as many; None takes what its process may have.

    Returns
    -------
    list of History
        One for each, in order.
    """
    done: list[_Done] = run(_complete, [(fit, threads) for fit in fits])
    for fit, (_, parameters, state, warning, advice) in zip(fits, done, strict=True):
        fit.warning, fit.advice = warning, advice
        if not fit.network.built:
            fit.network.build_as(fit.architecture)
        fit.network.own_parameters()
        fit.network.parameters[...] = parameters
        fit.network.generator_state = state
    return [history for history, *_ in done]


def _complete(fit: Fit, threads: int | None) -> _Done:
    """Complete a fit here; what has become of its network."""
    fit.threads = engine.threads(threads)
    if fit.network.built:
        fit.network.own_parameters()
    fit.look_for_a_checkpoint()
    history = fit.completed()
    network = fit.network
    return history, network.parameters, network.generator_state, fit.warning, fit.advice
