"""The kinds of model that there are, and what is done with a model of any kind: it is saved, loaded and exported.

A kind is one entry of `KINDS`, by the name that files have for it. What loads files, the commands and the messages read
that table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from reseau.arrays import DtypeLike
from reseau.errors import MissingPackageError, ParameterError
from reseau.files import model_file
from reseau.model import Model
from reseau.names import WeightsPlace
from reseau.packages import how_to_install
from reseau.parts import Parts
from reseau.visible import visible

if TYPE_CHECKING:
    import onnx

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


class _Ensembles:
    """Several networks as one."""

    def from_description(self, description: dict[str, Any], tensors: Tensors | None) -> Any:
        from reseau.ensemble import Ensemble

        return Ensemble.from_description(description, tensors)

    def told(self, name: str, description: Mapping[str, Any], model: Any) -> list[str]:
        return [f"{name}: an ensemble", "", model.summary()]


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
    "ensemble": Kind(_Ensembles, ("an Ensemble",)),
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
    model : Network, Ensemble, TableModel, MLPClassifier, MLPRegressor, or sklearn.pipeline.Pipeline
        Built, trained or fitted. The steps of a pipeline before one of the estimators may be StandardScaler,
        MinMaxScaler, MaxAbsScaler, RobustScaler, "passthrough", and pipelines of them; nothing is pickled. Of a search
        its best_estimator_ is saved, of a TableClassifier or TableRegressor its model_, a TableModel.
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
    """Load whatever a file holds: a network (also of a checkpoint), an ensemble, an estimator, a pipeline, a table.

    Parameters
    ----------
    path : path, bytes or binary file object
        The file; or what stands in it, as bytes; or a file that is open for reading, from where it stands to the
        model's end. The file is opened once: what loads is one model, also while another process saves to it.

    Returns
    -------
    Network, Ensemble, MLPClassifier, MLPRegressor, sklearn.pipeline.Pipeline or TableModel
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


def to_c(
    model: object,
    path: str | Path,
    *,
    name: str | None = None,
    dtype: DtypeLike | None = None,
    weights: WeightsPlace = "inside",
) -> None:
    """Write a model as one C99 file without dependencies, and its header beside it; all complete, or none.

    Parameters
    ----------
    model : Network, Ensemble, TableModel, MLPClassifier, MLPRegressor, or sklearn.pipeline.Pipeline
        What to write; built, trained or fitted. The steps of a pipeline before one of the estimators may be
        StandardScaler, MinMaxScaler, MaxAbsScaler, RobustScaler, "passthrough", and pipelines of them; inputs are then
        scaled in double. Of a search its best_estimator_ is written, and a TransformedTargetRegressor with such a
        scaler gives predictions in the target's own unit.
    path : path
        Of the C file; it has to end in ".c", and the header then ends in ".h".
    name : str or None
        What the names in the files begin with, such as "digits" in ``digits_predict``; None takes it from the path.
    dtype : {"float32", "float64"} or None
        The precision to compute in; None takes the network's.
    weights : {"inside", "file"}
        Where the weights are. Those inside are constants to be read. A compiler takes a minute and gigabytes of memory
        for millions of them, so they may be in a file of their own, beside the others and ending in ".bin":
        ``digits_load("digits.bin")`` reads it, once, into memory that the program has from its start, and outputs are
        NaN until then. Reading at the start of the program works with every compiler, from any folder, and on machines
        of either byte order, unlike ``#embed`` and ``.incbin``; the file is known by its checksum.

    Raises
    ------
    ParameterError
        For another ending, a name that C does not allow, a dtype that is not one, or a step that cannot be written.
    ReseauError
        When the network has no parameters yet, or some that are not finite.
    sklearn.exceptions.NotFittedError
        Before fit.
    OSError
        When a file cannot be written.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> import reseau as rs
    >>> pipeline = make_pipeline(StandardScaler(), rs.MLPClassifier((8,), max_iter=2000, random_state=0))
    >>> rs.to_c(pipeline.fit(*load_iris(return_X_y=True)), "iris.c")
    """
    from reseau.export import c

    c.write(parts_of(model, "C"), path, name=name, dtype=dtype, weights=weights)


def to_python(model: object, path: str | Path, *, dtype: DtypeLike | None = None) -> None:
    """Write a model as a script that needs NumPy alone; complete, or not at all.

    Parameters
    ----------
    model : Network, Ensemble, TableModel, MLPClassifier, MLPRegressor, or sklearn.pipeline.Pipeline
        What to write; built, trained or fitted. What a pipeline may be is said at `reseau.to_c`.
    path : path
        Of the script; it has to end in ".py". More than 100,000 weights are in a file beside it, which has its name and
        ends in ".npz".
    dtype : {"float32", "float64"} or None
        The precision to compute in; None takes the network's.

    Raises
    ------
    ParameterError
        For another ending, a dtype that is not one, or a step that cannot be written.
    ReseauError
        When the network has no parameters yet, or some that are not finite; for classes that cannot be written.
    sklearn.exceptions.NotFittedError
        Before fit.
    OSError
        When a file cannot be written.

    Examples
    --------
    >>> import runpy
    >>> import reseau as rs
    >>> rs.to_python(rs.Network(rs.Dense(2, "softmax"), inputs=3, loss="cross_entropy", seed=0), "small.py")
    >>> runpy.run_path("small.py")["predict"]([[0.0, 0.0, 0.0]])
    array([[0.5, 0.5]], dtype=float32)
    """
    from reseau.export import numpy_script

    numpy_script.write(parts_of(model, "NumPy"), path, dtype=dtype)


def to_onnx(
    model: object,
    path: Place,
    *,
    sample: Any = None,
    dtype: DtypeLike | None = None,
    opset: int | None = None,
) -> None:
    """Write a model as one self-contained ONNX file, complete or not at all.

    Parameters
    ----------
    model : Network, Ensemble, TableModel, MLPClassifier, MLPRegressor, or what of scikit-learn has these in it
        Built, trained or fitted. A pipeline becomes one graph, from the raw columns on, and so do a search, a vote, a
        stack, a calibration and whatever else the package skl2onnx and we can write.
    path : path or binary file
        Where; an existing file is replaced in one move. To a file that is open for writing, the graph is written once
        it is whole.
    sample : data frame, array or None
        For what was fitted on a data frame: rows of it, of which the types of the columns are read; None where all are
        numbers. Where onnxruntime is installed, the graph also has to predict for them (the first hundred) what the
        model does.
    dtype : {"float32", "float64"} or None
        The precision to compute in. None takes the network's; of a pipeline in float64 for which there is no valid
        graph, all in float32, with a warning.
    opset : int or None
        The version of the operators, 13 or later; None takes 17.

    Raises
    ------
    ReseauError
        Without the package onnx; for a model that has no weights yet, or such as are not finite in the precision, or
        that ONNX has no place for; for a graph that onnx's checker or onnxruntime refuses.
    ParameterError
        For a value that is none of these.
    sklearn.exceptions.NotFittedError
        For an estimator before fit.
    OSError
        When the path cannot be written.

    Examples
    --------
    >>> import reseau as rs
    >>> net = rs.Network(rs.Dense(2, "softmax"), inputs=3, loss="cross_entropy")
    >>> rs.to_onnx(net, "small.onnx")
    >>> rs.from_onnx("small.onnx")
    Network(Dense(2, 'softmax'), loss='cross_entropy', inputs=3, dtype='float32')
    """
    from reseau.export import onnx

    onnx.write_model(to_onnx_model(model, sample=sample, dtype=dtype, opset=opset), path)


def to_onnx_model(
    model: object, *, sample: Any = None, dtype: DtypeLike | None = None, opset: int | None = None
) -> onnx.ModelProto:
    """The model in onnx's own form; parameters and errors are those of `to_onnx`."""
    from reseau.export.onnx import graph, version_of

    version = version_of(opset)
    inner: Any = model
    if not isinstance(model, Model):
        from sklearn.base import BaseEstimator
        from sklearn.utils.validation import check_is_fitted

        from reseau.composed.inside import innermost, networks

        if isinstance(model, BaseEstimator):
            check_is_fitted(model)
        inner = innermost(model)
        if not isinstance(inner, Model):
            if any(True for _ in networks(inner)):
                _needs_skl2onnx()
                from reseau.composed.pipeline import pipeline_model

                return pipeline_model(inner, sample, dtype, version)
            ends = f" that ends in a {type(model.steps[-1][1]).__name__}" if hasattr(model, "steps") else ""
            raise ParameterError(
                f"model is a {type(model).__name__}{ends}, but must be {names()} of Réseau, or an estimator of "
                "scikit-learn that has one of the latter in it."
            )
    return graph(inner.parts(), dtype, version)


def _needs_skl2onnx() -> None:
    try:
        import skl2onnx  # noqa: F401
    except ImportError:
        raise MissingPackageError(
            "What scikit-learn has around an estimator is written by the package skl2onnx, which is not installed; "
            f"install it with {how_to_install('skl2onnx')}."
        ) from None


def parts_of(model: object, language: str) -> Parts:
    """The parts of a model of any kind, or of a pipeline of scikit-learn around one.

    Raises
    ------
    ParameterError
        For what is no model of ours, and for a step that cannot be written, by its name.
    sklearn.exceptions.NotFittedError
        Before fit.
    """
    if isinstance(model, Model):
        return model.parts()
    from reseau.estimators.pipelines import unwrapped

    wrapped = unwrapped(model, "write it with reseau.to_onnx, which knows the steps of scikit-learn.")
    inner = wrapped.model
    if not isinstance(inner, Model):
        theirs = type(inner).__module__.startswith("sklearn.neural_network")
        raise ParameterError(
            f"a {type(inner).__name__} cannot be written as {language}; give {names()} of Réseau, or a Pipeline that "
            "ends in one." + (" reseau.from_sklearn takes over one of scikit-learn." if theirs else "")
        )
    parts = inner.parts()
    encoder, decoder = parts.encoder, parts.decoder
    if wrapped.scalings or wrapped.features is not None:
        encoder = encoder.behind(wrapped.scalings, wrapped.features)
    if wrapped.target is not None:
        decoder = decoder.in_unit_of(wrapped.target)
    return Parts(encoder, parts.network, decoder)


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
