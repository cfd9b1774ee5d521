"""Loggers: callbacks that write the numbers of each epoch to a CSV file, for TensorBoard, or to MLflow."""

from __future__ import annotations

import csv
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from reseau.checks import as_path, shown
from reseau.errors import MissingPackageError, ParameterError, ReseauError
from reseau.packages import how_to_install
from reseau.training.callbacks import Callback
from reseau.training.history import History

if TYPE_CHECKING:
    from reseau.network import Network


class CSVLogger(Callback):
    """Writes the numbers of each epoch to a CSV file as they come: losses, metrics, the learning rate.

    The file is written anew by each fit. One that is taken up from a checkpoint writes its earlier epochs too.

    Parameters
    ----------
    path : path
        The file, in a folder that is there.

    Raises
    ------
    ParameterError
        For what is no path of a file.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> import reseau as rs
    >>> path = pathlib.Path(tempfile.mkdtemp(), "log.csv")
    >>> net = rs.Network(rs.Dense(1), seed=0)
    >>> history = net.fit([[0.0], [1.0]], [0.0, 1.0], epochs=2, metrics="mae", callback=rs.CSVLogger(path))
    >>> path.read_text().splitlines()[0]
    'epoch,loss,mae,learning_rate'
    >>> [float(row.split(",")[1]) for row in path.read_text().splitlines()[1:]] == history.loss
    True
    """

    def __init__(self, path: str | Path) -> None:
        self.path: Path = as_path(path)
        if self.path.is_dir():
            raise ParameterError(f"path is {shown(str(path))}, which is a folder; name a file in it.")
        if not self.path.parent.is_dir():
            raise ParameterError(f"path is {shown(str(path))}, but there is no folder {str(self.path.parent)!r}.")
        self._file: TextIO | None = None
        self._written = 0

    def on_fit_begin(self, network: Network, history: History) -> None:
        _check_free(self, self._file)
        self._file, self._written = self.path.open("w", encoding="utf-8", newline=""), 0
        self.on_epoch_end(history)

    def on_epoch_end(self, history: History) -> None:
        assert self._file is not None
        rows = csv.writer(self._file, lineterminator="\n")
        for epoch in range(self._written + 1, history.epochs + 1):
            if epoch == 1:
                rows.writerow(["epoch", *history.columns])
            rows.writerow([epoch, *_numbers(history, epoch).values()])
        self._written = history.epochs
        self._file.flush()

    def on_fit_end(self, history: History) -> None:
        assert self._file is not None
        self._file.close()
        self._file = None


class TensorBoardLogger(Callback):
    """Writes the numbers of each epoch for TensorBoard, as scalars "loss", "validation_loss" and each metric's name.

    It needs tensorboardX, the extra `tensorboard`. A fit that is taken up from a checkpoint goes on in the same folder.

    Parameters
    ----------
    folder : path
        Where TensorBoard looks, ``tensorboard --logdir``; made if it is not there. Each fit has a folder of its own.

    Raises
    ------
    ParameterError
        For what is no path of a folder.
    ReseauError
        If tensorboardX is not installed.

    Examples
    --------
    >>> import reseau as rs
    >>> logger = rs.TensorBoardLogger("runs")  # doctest: +SKIP
    >>> rs.Network(rs.Dense(1)).fit([[0.0], [1.0]], [0.0, 1.0], epochs=2, callback=logger)  # doctest: +SKIP
    """

    def __init__(self, folder: str | Path) -> None:
        _require("tensorboardX", self)
        self.folder: Path = as_path(folder)
        if self.folder.exists() and not self.folder.is_dir():
            raise ParameterError(f"folder is {shown(str(folder))}, which is a file; name a folder.")
        self._writer: Any = None

    def on_fit_begin(self, network: Network, history: History) -> None:
        from tensorboardX import SummaryWriter

        _check_free(self, self._writer)
        # What an interrupted run wrote after its checkpoint, TensorBoard is to forget.
        self._writer = SummaryWriter(str(self.folder), purge_step=history.epochs + 1 if history.epochs else None)

    def on_epoch_end(self, history: History) -> None:
        for name, value in _numbers(history, history.epochs).items():
            self._writer.add_scalar(name, value, history.epochs)

    def on_fit_end(self, history: History) -> None:
        self._writer.close()
        self._writer = None


class MLflowLogger(Callback):
    """Writes the numbers of each epoch to an MLflow run, as metrics by the names of `History.columns`.

    The run is the active one. Where there is none, one is begun, with the network as its tag, and ended with the fit:
    as failed where training diverged, as killed where an exception or Ctrl-C ended it. It needs mlflow, the extra of
    that name.

    Parameters
    ----------
    run_name : str or None
        What to call a run that is begun; None lets MLflow choose.

    Raises
    ------
    ParameterError
        For a name that is no text.
    ReseauError
        If mlflow is not installed.

    Examples
    --------
    >>> import reseau as rs
    >>> logger = rs.MLflowLogger("a first try")  # doctest: +SKIP
    >>> rs.Network(rs.Dense(1)).fit([[0.0], [1.0]], [0.0, 1.0], epochs=2, callback=logger)  # doctest: +SKIP
    """

    def __init__(self, run_name: str | None = None) -> None:
        _require("mlflow", self)
        if run_name is not None and not isinstance(run_name, str):
            raise ParameterError(f"run_name is {shown(run_name)}, but must be text or None.")
        self.run_name = run_name
        self._run: Any = None
        self._begun = False

    def on_fit_begin(self, network: Network, history: History) -> None:
        import mlflow

        _check_free(self, self._run)
        active = mlflow.active_run()
        self._begun = active is None
        self._run = mlflow.start_run(run_name=self.run_name, tags={"network": repr(network)}) if self._begun else active

    def on_epoch_end(self, history: History) -> None:
        import mlflow

        mlflow.log_metrics(_numbers(history, history.epochs), step=history.epochs, run_id=self._run.info.run_id)

    def on_fit_end(self, history: History) -> None:
        import mlflow

        self._run = None
        if self._begun:
            complete = history.epochs >= history.planned or history.stopped_early
            mlflow.end_run("FAILED" if history.diverged else "FINISHED" if complete else "KILLED")


def _numbers(history: History, epoch: int) -> dict[str, float]:
    """What there is of an epoch, counted from 1, by name."""
    return {name: values[epoch - 1] for name, values in history.columns.items()}


def _check_free(logger: Callback, log: object) -> None:
    if log is not None:
        raise ReseauError(f"This {type(logger).__name__} is logging another fit; give each a logger of its own.")


def _require(package: str, logger: Callback) -> None:
    if importlib.util.find_spec(package) is None:
        raise MissingPackageError(
            f"{type(logger).__name__} needs {package}; install it with: {how_to_install(package)}."
        )
