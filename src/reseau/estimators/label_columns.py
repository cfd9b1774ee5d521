"""Several columns of labels: of each row a class of every column, by scikit-learn's rules for such.

`classes_` is a list of arrays, one for each column, and the places of a row's labels among them are (rows, columns).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NoReturn

import numpy as np

from reseau.arrays import IntArray
from reseau.checks import shown
from reseau.errors import DataError, ParameterError, ReseauError
from reseau.estimators import labels
from reseau.export import c_code, numpy_code
from reseau.export.onnx_graph import Graph
from reseau.parts import Decoder

Columns = list[Any]  # of labels, or of classes


def distinct(columns: Columns) -> Columns:
    """The classes of each column, sorted; where a column has but one, there must be others that have more."""
    found = [labels.distinct(column) for column in columns]
    if all(len(classes) == 1 for classes in found):
        raise DataError(
            f"y has {len(found)} columns with a single class each, {', '.join(map(labels.shown, found))}, of which "
            "nothing can be learnt; give rows of at least two classes in one of them."
        )
    for column, classes in zip(columns, found, strict=True):
        labels.warn_of_many(column, classes)
    return found


def are_declared(classes: Any) -> bool:
    """Whether `partial_fit` was told of the labels of each column, and not of one."""
    if not isinstance(classes, list | tuple | np.ndarray) or getattr(classes, "shape", (1,)) == ():
        return False
    return any(
        isinstance(part, Iterable) and not isinstance(part, str | bytes) and getattr(part, "shape", (1,)) != ()
        for part in classes
    )


def declared(classes: Any, columns: int) -> Columns:
    """The labels of each column that `partial_fit` was told of, sorted, each once."""
    listed = list(classes) if isinstance(classes, Sequence | np.ndarray) and not isinstance(classes, str) else None
    if listed is None or len(listed) != columns:
        raise ParameterError(
            f"classes is {shown(classes)}, but y has {columns} columns of labels; give a list of "
            f"{columns} lists, for each column all labels that will ever occur."
        )
    found = []
    for k, of_column in enumerate(listed):
        try:
            found.append(labels.declared(of_column))
        except ParameterError as error:
            raise ParameterError(f"classes[{k}], of column {k}: {error}") from None
    return found


def number(columns: Columns, classes: Columns, name: str) -> IntArray:
    """The place of each label among its column's classes, (rows, columns); −1 for one that is none."""
    for k, (column, known) in enumerate(zip(columns, classes, strict=True)):
        labels.check_kind(column, known, f"{name}[:, {k}]")
    return np.column_stack([labels.number(*both) for both in zip(columns, classes, strict=True)])


def beside(columns: Columns) -> Any:
    """Columns as one array (rows, columns): of their own type, or of objects where their types differ."""
    if len({column.dtype.kind for column in columns}) == 1:
        return np.column_stack(columns)
    found = np.empty((len(columns[0]), len(columns)), dtype=object)
    for k, column in enumerate(columns):
        found[:, k] = column.astype(object)
    return found


def sizes(classes: Columns) -> tuple[int, ...]:
    """How many classes each column has."""
    return tuple(map(len, classes))


def split(O: Any, classes: Columns) -> list[Any]:
    """What outputs say of each column, (rows, classes of the column)."""
    return np.split(O, np.cumsum(sizes(classes))[:-1], axis=1)


def described(classes: Columns) -> dict[str, Any]:
    """Classes as JSON-able values."""
    return {"columns": [labels.described(of_column) for of_column in classes]}


def from_description(entry: Mapping[str, Any]) -> Columns:
    """The classes that `described` wrote; a ReseauError for what are none."""
    return [labels.from_description(of_column["dtype"], of_column["values"]) for of_column in entry["columns"]]


def refuse(classes: Columns, language: str) -> NoReturn:
    """Say that exports have no form for several columns of labels."""
    raise ReseauError(
        f"A classifier of {len(classes)} columns of classes has no form in {language}; export its network_, which "
        "gives the probabilities of the classes of all columns side by side."
    )


@dataclass(frozen=True, eq=False)
class LabelColumns(Decoder):
    """The outputs are probabilities of classes, those of one column after those of the other."""

    kind = "classifier"
    onnx_outputs: ClassVar[tuple[str, ...]] = ("probabilities",)
    classes: Columns

    @property
    def names(self) -> list[str]:
        """What the neurons give the probability of."""
        return [f"{k}: {label}" for k, of_column in enumerate(self.classes) for label in of_column.tolist()]

    def in_c(self, file: c_code.File) -> NoReturn:
        """Nothing: there is no form for several columns of labels."""
        refuse(self.classes, "C")

    def in_numpy(self, outputs: int) -> numpy_code.Code:
        """As in C."""
        refuse(self.classes, "NumPy")

    def in_onnx(self, g: Graph, network: Any, X: str) -> NoReturn:
        """As in C."""
        refuse(self.classes, "ONNX")
