"""The one family of errors: every message names the value, its place and the way out."""

from reseau.visible import visible


class ReseauError(ValueError):
    """Anything Réseau refuses; the parent of the others.

    Examples
    --------
    >>> import reseau as rs
    >>> try:
    ...     rs.Dense(0)
    ... except rs.ReseauError as error:
    ...     print(type(error).__name__)
    ParameterError
    """

    def __str__(self) -> str:
        """The message, in which a name from outside cannot steer the terminal."""
        return visible(super().__str__(), lines=True)


class ParameterError(ReseauError):
    """A parameter has a value that cannot be used.

    Examples
    --------
    >>> import reseau as rs
    >>> rs.Dense(0)
    Traceback (most recent call last):
    reseau.errors.ParameterError: neurons is 0, but must be a whole number of at least 1.
    """


class DataError(ReseauError):
    """An array or a table cannot be used as it is.

    Examples
    --------
    >>> import reseau as rs
    >>> rs.Network(rs.Dense(1), inputs=2)([[1.0]])
    Traceback (most recent call last):
    reseau.errors.DataError: X has 1 columns, but the network has 2 inputs.
    """


class MissingError(DataError):
    """A number is missing that has to be there."""


class CellTypeError(DataError, TypeError):
    """A cell is of a type that stands for no number; what float() calls a TypeError is one here too."""


class MissingPackageError(ReseauError, ModuleNotFoundError):
    """A package that is used here is not installed; the message says how to have it."""


class ModelFileError(ReseauError):
    """A model file is damaged, foreign, or from a newer version.

    Examples
    --------
    >>> import reseau as rs
    >>> rs.load(b"something else")
    Traceback (most recent call last):
    reseau.errors.ModelFileError: the content given is not a model file of Réseau, or is damaged or cut short; ...
    """
