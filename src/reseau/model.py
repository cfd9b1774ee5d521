"""What every model has, of whatever kind: it can be saved and exported."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reseau.files.model_file import Tensors
    from reseau.files.writing import Place


class Model(ABC):
    """A model that knows what a file says of it."""

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
