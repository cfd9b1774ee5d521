"""The kinds of model that there are, and what is done with a model of any kind: it is saved and loaded.

A kind is one entry of `KINDS`, by the name that files have for it. What loads files, the commands and the messages read
that table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from reseau.files import model_file
from reseau.model import Model
from reseau.visible import visible

if TYPE_CHECKING:
    from reseau.files.model_file import Source, Tensors
    from reseau.files.writing import Place


class Form(Protocol):
    """How a kind of model stands in a file, by its description and its tensors."""

    def from_description(self, description: dict[str, Any], tensors: Tensors | None) -> Any:
        """The model; without tensors it has no numbers, and can only be shown."""

    def told(self, name: str, description: Mapping[str, Any], model: Any) -> list[str]:
        """The lines in which a terminal tells of a file of this name, its description and the model of that."""


@dataclass(frozen=True)
class Kind:
    """A kind of model.

    Parameters
    ----------
    form : callable
        Imports and gives its `Form`, a module or an object: nothing is imported before it is needed.
    classes : tuple of str
        What messages call its models, if no other kind has them: "a Network".
    reads_tables : bool
        Whether it predicts from the columns of a table, as the commands do.
    """

    form: Callable[[], Form]
    classes: tuple[str, ...] = ()
    reads_tables: bool = False


class _Networks:
    """A network alone."""

    def from_description(self, description: dict[str, Any], tensors: Tensors | None) -> Any:
        from reseau.network import Network

        return Network.from_description(description["network"], tensors)

    def told(self, name: str, description: Mapping[str, Any], model: Any) -> list[str]:
        return [f"{name}: a network", "", model.summary()]


class _Checkpoints:
    """A training as it stood, which loads as the network in it."""

    def from_description(self, description: dict[str, Any], tensors: Tensors | None) -> Any:
        from reseau.network import Network

        if tensors is None:
            return Network.from_description(description["network"], None)
        return Network.from_flat(description["network"], tensors[model_file.PARAMETERS])

    def told(self, name: str, description: Mapping[str, Any], model: Any) -> list[str]:
        from reseau.checks import shown

        epochs = f"{description['epochs']:,} of {shown(description['run'].get('epochs'))} epochs"
        return [
            f"{name}: the checkpoint of a training, {'finished' if description['finished'] else f'after {epochs}'}",
            "",
            model.summary(),
            "",
            f"Training: {description['steps']:,} steps in {description['seconds']:.3g} s, seed {description['seed']}",
        ]


def _table_models() -> Form:
    from reseau.tables import table_file

    return table_file


def _estimators() -> Form:
    from reseau.estimators import estimator_file

    return estimator_file


def _pipelines() -> Form:
    from reseau.estimators import pipeline_file

    return pipeline_file


KINDS: dict[str, Kind] = {
    "network": Kind(_Networks, ("a Network",)),
    "table_model": Kind(_table_models, ("a TableModel",), reads_tables=True),
    "estimator": Kind(_estimators, ("an MLPClassifier", "an MLPRegressor")),
    "pipeline": Kind(_pipelines),
    "checkpoint": Kind(_Checkpoints),
}


def names() -> str:
    """All that is a model, for messages: "a Network, a TableModel, an MLPClassifier or an MLPRegressor"."""
    *others, last = [name for kind in KINDS.values() for name in kind.classes]
    return f"{', '.join(others)} or {last}"


def save(model: Any, place: Place) -> None:
    """Write a model to a file that `load` reads: what has a `save` of its own, and pipelines of scikit-learn.

    Parameters
    ----------
    model : Network, TableModel, MLPClassifier, MLPRegressor, or sklearn.pipeline.Pipeline
        Built, trained or fitted. The steps of a pipeline before one of the estimators may be StandardScaler,
        MinMaxScaler, MaxAbsScaler, RobustScaler, "passthrough", and pipelines of them; nothing is pickled. Of a search
        its best_estimator_ is saved.
    place : path or binary file object
        Where; a file is complete, or as it was.

    Raises
    ------
    ReseauError
        For a step, a parameter or a class that a file has no place for.
    sklearn.exceptions.NotFittedError
        Before fit.
    OSError
        When the path cannot be written.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> import reseau as rs
    >>> X, y = load_iris(return_X_y=True)
    >>> pipeline = make_pipeline(StandardScaler(), rs.MLPClassifier((8,), max_iter=2000, random_state=0)).fit(X, y)
    >>> rs.save(pipeline, "iris.reseau")
    >>> bool((rs.load("iris.reseau").predict_proba(X) == pipeline.predict_proba(X)).all())
    True
    """
    if not isinstance(model, Model):
        from reseau.estimators import pipeline_file
        from reseau.estimators.pipelines import opened

        model = opened(model)
        if not isinstance(model, Model):
            model_file.write(place, *pipeline_file.described(model, names()))
            return
    model.save(place)


def load(path: Source) -> Any:
    """Load whatever a model file holds: a network (also of a checkpoint), an estimator, a pipeline, a table model.

    Parameters
    ----------
    path : path, bytes or binary file object
        The file; or what stands in it, as bytes; or a file that is open for reading, from where it stands to the
        model's end. The file is opened once: what loads is one model, also while another process saves to it.

    Returns
    -------
    Network, MLPClassifier, MLPRegressor, sklearn.pipeline.Pipeline or TableModel
        Ready to be called.

    Raises
    ------
    FileNotFoundError
        When there is no such file.
    ModelFileError
        When it is no model file, truncated, altered, or of a newer format version.
    ParameterError
        For what is neither a path nor bytes nor a binary file object, and for a pipe or a device.

    Examples
    --------
    >>> import io, tempfile, pathlib
    >>> import reseau as rs
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "small.reseau"
    >>> rs.Network(rs.Dense(1, "sigmoid"), inputs=2).save(path)
    >>> rs.load(path)
    Network(Dense(1, 'sigmoid'), loss='squared_error', inputs=2, dtype='float32')
    >>> rs.load(path.read_bytes()).n_parameters
    3
    """
    return build(path, *model_file.read(path))


def build(source: Source, description: dict[str, Any], tensors: Tensors | None) -> Any:
    """Make the model of what `model_file.read` gave; without tensors it has no numbers, and can only be shown.

    Raises
    ------
    ModelFileError
        For what the schema cannot say, such as widths that do not fit one another.
    """
    with model_file.describing_a_model(model_file.name_of(source)):
        return KINDS[description["kind"]].form().from_description(description, tensors)


def told(path: Path, description: dict[str, Any], model: Any) -> list[str]:
    """The lines in which a terminal tells of a file, given its description and the model of that."""
    return KINDS[description["kind"]].form().told(visible(str(path)), description, model)
