"""What an encoder and a decoder put into a script, and how scripts write arrays and labels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from reseau.errors import ReseauError
from reseau.export import c_text


@dataclass(frozen=True)
class Code:
    """Code besides the network's, by its place in the script.

    Attributes
    ----------
    title : str
        What the script is; "" for a network and nothing else.
    before, behind : tuple of str
        Functions before `predict`, and behind it.
    given : str
        The expression of what the first layer takes, of X.
    after : tuple of str
        The last statements of `predict`, on a, the outputs.
    tables : tuple of str
        Arrays and lists.
    program : str
        The body of the program that tries it out; "" leaves that to any numbers X.
    answers : str
        In such a body, what it does with the rows that `encode` takes.
    """

    title: str = ""
    before: tuple[str, ...] = ()
    behind: tuple[str, ...] = ()
    given: str = "np.asarray(X, dtype)"
    after: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    program: str = ""
    answers: str = ""


def in_docstring(text: str) -> str:
    """Text that may stand in a docstring."""
    return c_text.plain(text).replace('"', "'").replace("\\", "/")


def array(name: str, values: np.ndarray[Any, Any], dtype: str = "dtype") -> str:
    """An assignment with the shortest decimals that stand for the numbers."""
    if values.ndim == 1:
        body = c_text.filled(map(str, values), "    ")
        return f"{name} = np.array([\n{body},\n], {dtype})"
    rows = (f"    [{c_text.filled(map(str, row), '     ').lstrip()}]," for row in values)
    return "\n".join([f"{name} = np.array([", *rows, f"], {dtype})"])


def labels(classes: np.ndarray[Any, Any], outputs: int) -> Iterator[str]:
    """The classes, of the type that they have, and which of them outputs say."""
    values = [label(value) for value in classes.tolist()]
    dtype = {"U": f"U{classes.dtype.itemsize // 4}", "O": "object"}.get(classes.dtype.kind, classes.dtype.name)
    if classes.dtype.kind not in "UObiuf":
        raise ReseauError(
            f"The classes are {classes.dtype}, which a script has no place for; make them text or numbers."
        )
    yield f'classes = np.array([\n{c_text.filled(values, "    ")},\n], "{dtype}")'
    if outputs == 1:
        said, places = f"the probability of {values[1]}", "(O[:, 0] > 0.5).astype(int)"
    else:
        said, places = "the probability of each class", "O.argmax(axis=1)"
    yield f"""def labels(O):
    # The classes that outputs say, (rows,); an output is {said}.
    return classes[{places}]"""


def label(value: Any) -> str:
    """A label as Python writes it."""
    if isinstance(value, float) and not np.isfinite(value):
        return f"float('{value}')"
    if value is None or isinstance(value, str | bool | int | float | np.generic):
        return repr(value)
    raise ReseauError(
        f"The class {value!r} is of type {type(value).__name__}, which a script has no place for; make the classes "
        "text or numbers."
    )
