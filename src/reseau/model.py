"""What every model has, of whatever kind: it is saved and exported."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from reseau.arrays import DtypeLike
    from reseau.files.model_file import Tensors
    from reseau.files.writing import Place
    from reseau.names import WeightsPlace
    from reseau.parts import Parts


class Model(ABC):
    """A model that knows its parts, and what a file says of it."""

    @abstractmethod
    def parts(self) -> Parts:
        """The encoder, the network and the decoder."""

    @abstractmethod
    def described(self) -> tuple[dict[str, Any], Tensors]:
        """What a model file holds of it: the description, JSON-able values of which "kind" is one, and the tensors."""

    def save(self, path: Place) -> None:
        """Write the model to a model file (safetensors with a described header); `reseau.load` reads it back.

        Nothing is pickled. An estimator that comes back has the same parameters, predictions and records, and its next
        `partial_fit` goes on from the same optimizer's state.

        Parameters
        ----------
        path : path or binary file object
            Where. A file at a path is complete or as it was: it is written beside its place and renamed.

        Raises
        ------
        ReseauError
            When a weight is not finite; for a subclass of an estimator, and for parameters or classes that a file has
            no place for.
        sklearn.exceptions.NotFittedError
            For an estimator before fit.
        OSError
            When the path cannot be written.
        """
        from reseau.files import model_file

        model_file.write(path, *self.described())

    def to_c(
        self,
        path: str | Path,
        *,
        name: str | None = None,
        dtype: DtypeLike | None = None,
        weights: WeightsPlace = "inside",
    ) -> None:
        """Write the model as one C99 file without dependencies, and its header beside it.

        `predict` gives the network's outputs, and `jacobian` their derivatives; `class` of an estimator gives the place
        of the class that outputs say, and `predict_row` of a table model goes from a row to what is predicted.

        Parameters
        ----------
        path : path
            Of the C file; it has to end in ".c".
        name : str or None
            What the names in it begin with, such as "digits" in ``digits_predict``; None takes it from the path.
        dtype : {"float32", "float64"} or None
            The precision to compute in; None takes the network's.
        weights : {"inside", "file"}
            Where the weights are: constants of the C file, or in a file beside it that ends in ".bin" and that the
            program loads, as compilers take long over millions of constants (see `reseau.to_c`).

        Raises
        ------
        ReseauError
            For another ending, a name that C does not allow, a network that does not know its inputs yet, and for
            weights that are not finite in the precision.
        sklearn.exceptions.NotFittedError
            For an estimator before fit.
        OSError
            When the files cannot be written.
        """
        from reseau.export import c

        c.write(self.parts(), path, name=name, dtype=dtype, weights=weights)

    def to_onnx(self, path: Place, *, dtype: DtypeLike | None = None, opset: int | None = None) -> None:
        """Write the model to an ONNX file, whose inputs and outputs `reseau.export.onnx` tells.

        Parameters are those of `reseau.to_onnx`; `reseau.from_onnx` reads a network back.

        Raises
        ------
        ReseauError
            Without the package onnx; for a network that does not know its inputs yet, for classes that ONNX has no
            place for, and for weights that are not finite in the precision.
        sklearn.exceptions.NotFittedError
            For an estimator before fit.
        OSError
            When the path cannot be written.
        """
        from reseau.export import onnx

        onnx.write(self.parts(), path, dtype=dtype, opset=opset)
