"""A C file that is to be written, and what an encoder and a decoder put into it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class File:
    """A C file: what its names begin with, "float" or "double", and how many inputs and outputs its network has."""

    name: str
    kind: str
    inputs: int
    outputs: int

    @property
    def upper(self) -> str:
        """What the names of its macros begin with."""
        return self.name.upper()


@dataclass(frozen=True)
class Code:
    """Code besides the network's, by its place in the header and the C file.

    Attributes
    ----------
    title : str
        What the file is; "" for a network and nothing else.
    x : str
        What the header says of the inputs x.
    about : tuple of str
        Paragraphs of the comment that begins the file.
    equations : tuple of str
        What is done to x before the first layer takes it, a line each, the results being x1, x2, ...
    unit : str
        What is done to the outputs, behind the equation of the last layer.
    includes : tuple of str
        Headers.
    functions, declarations, definitions : tuple of str
        What stands before the layers, in the header, and behind the network.
    scales : bool
        Whether there is a function ``name_scaled(x, a)`` that `predict` calls first.
    after : tuple of str
        The last statements of `predict`, on o.
    slopes : tuple of str
        What do_k/dx_i of the network has to be multiplied with.
    test_tables, test_checks : tuple of str
        Of the test: constants, and statements.
    """

    title: str = ""
    x: str = ""
    about: tuple[str, ...] = ()
    equations: tuple[str, ...] = ()
    unit: str = ""
    includes: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()
    declarations: tuple[str, ...] = ()
    definitions: tuple[str, ...] = ()
    scales: bool = False
    after: tuple[str, ...] = ()
    slopes: tuple[str, ...] = ()
    test_tables: tuple[str, ...] = ()
    test_checks: tuple[str, ...] = ()
