"""The one family of errors: every message names the value, its place and the way out."""

from reseau.visible import visible


class ReseauError(ValueError):
    """Anything Réseau refuses; the parent of the others."""

    def __str__(self) -> str:
        """The message, in which a name from outside cannot steer the terminal."""
        return visible(super().__str__(), lines=True)


class ParameterError(ReseauError):
    """A parameter has a value that cannot be used."""


class DataError(ReseauError):
    """An array or a table cannot be used as it is."""


class MissingError(DataError):
    """A number is missing that has to be there."""


class CellTypeError(DataError, TypeError):
    """A cell is of a type that stands for no number; what float() calls a TypeError is one here too."""


class MissingPackageError(ReseauError, ModuleNotFoundError):
    """A package that is used here is not installed; the message says how to have it."""


class ModelFileError(ReseauError):
    """A model file is damaged, foreign, or from a newer version."""
