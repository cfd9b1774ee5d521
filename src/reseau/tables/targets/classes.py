"""A target of classes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from reseau.checks import known
from reseau.errors import DataError, ParameterError, ReseauError
from reseau.export import c_text as c
from reseau.export import numpy_code
from reseau.export.onnx_graph import Graph, tensor
from reseau.export.onnx_labels import labels
from reseau.export.onnx_layers import layers
from reseau.names import ActivationName
from reseau.tables.code.c_rows import Answer
from reseau.tables.reading import cells as read
from reseau.tables.reading import numerals
from reseau.tables.reading.cells import Codes
from reseau.tables.reading.table import listed
from reseau.tables.targets.scores import log_loss, score_classes
from reseau.tables.targets.target import Said, Target, Values
from reseau.visible import plural, short, visible
from reseau.vocabulary.losses import NamedLoss

if TYPE_CHECKING:
    from reseau.ensemble import Ensemble
    from reseau.export.c_code import File
    from reseau.network import Network
    from reseau.tables.reading.table import Column
    from reseau.tables.targets.scores import Scores

TYPES: dict[str, Any] = {
    "text": pa.large_string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
}
WHOLE = re.compile(r"[+-]?\d+")
MISSING, UNKNOWN = -1, -2
MOST_SIGNALS = 12  # classes of which effects are taken


@dataclass(frozen=True)
class Classes(Target):
    """A target of classes, given back as they came: text as text, whole numbers as such.

    Parameters
    ----------
    name : str
        Of the column.
    type : str
        "text", "integer", "number" or "boolean".
    classes : tuple
        Sorted, at least two; `y` is the place in it.
    also_missing : tuple of str
        Texts that count as missing beside the usual marks; a class never does.
    """

    name: str
    type: str
    classes: tuple[Any, ...]
    also_missing: tuple[str, ...] = ()
    loss: NamedLoss = "cross_entropy"
    task = "classification"
    activation = "softmax"
    # Together -0.7 % log loss on benchmarks/tables; of numbers it was the same.
    hidden: ClassVar[tuple[ActivationName, ...]] = ("relu", "tanh")
    losses: ClassVar[tuple[str, ...]] = ("cross_entropy", "focal")
    metrics_of = "classes"
    measured = "log loss"

    def encode(self, column: Column) -> Codes:
        """Return the class of each row, (rows,); -1 where it is missing, -2 where unknown."""
        labels = read.labels_of(column)
        if self.type == "text":
            labels = read.as_written(labels, self.classes, read.is_typed(column))
        place = {label: i for i, label in enumerate(self.classes)}
        missing = {*read.MISSING, *self.also_missing}
        values = values_of(labels.levels, self.type)
        table = [
            place.get(value, MISSING if level in missing else UNKNOWN)
            for level, value in zip(labels.levels, values, strict=True)
        ]
        return np.array([*table, MISSING], np.int64)[labels.codes]

    def decode(self, codes: Codes) -> pa.Array:
        """Return the classes themselves, (rows,)."""
        return pa.array(self.classes, TYPES[self.type]).take(pa.array(codes))

    @property
    def labels(self) -> list[str]:
        """The classes as text, all different."""
        if self.type == "number":
            short = [f"{label:.15g}" for label in self.classes]
            return short if len(set(short)) == len(short) else [repr(label) for label in self.classes]
        return [str(label) for label in self.classes]

    @property
    def outputs(self) -> int:
        """A neuron for each class."""
        return len(self.classes)

    @property
    def names(self) -> list[str]:
        """The classes."""
        return self.labels

    @property
    def answers(self) -> list[str]:
        """The probabilities of the classes."""
        return [f"{self.name}={label}" for label in self.labels]

    def place(self, label: Any) -> int:
        """Which of the classes that is, given itself or its text."""
        return place_of(label, self.classes, self.labels)

    def known(self, y: Values) -> npt.NDArray[np.bool_]:
        """Where y is one of the classes."""
        return np.asarray(y >= 0)

    def unknown(self, y: Values) -> list[str]:
        """Tell of rows of other classes."""
        count = int((y == UNKNOWN).sum())
        return [f"{plural(count, 'row')} of classes unknown to the model not scored"] * (count > 0)

    def strata(self, y: Values) -> Codes:
        """Return the class of each row."""
        return y

    def learned_by(self, loss: NamedLoss) -> Classes:
        """Return the target with this loss, which is one over distributions."""
        self.check_loss(loss)
        return replace(self, loss=loss)

    def fitted(self, y: Values) -> Classes:
        """Return the target; a `DataError` if the training rows are all of one class."""
        if len(np.unique(y)) == 1:
            raise DataError(
                f"all {plural(len(y), 'training row')} have the same value in {self.name!r}; the others are too "
                "rare to learn from. Give more rows, or a smaller test size."
            )
        return self

    def taught(self, y: Values) -> Values:
        """Return y: the place of the class."""
        return y

    def signals(self, y: Values) -> npt.NDArray[np.float64]:
        """Return 1 for the rows of each class, of two classes the second, of many the commonest."""
        counts = np.bincount(y, minlength=len(self.classes))
        commonest = np.sort(np.argsort(-counts, kind="stable")[:MOST_SIGNALS])
        chosen = commonest[1:] if len(self.classes) == 2 else commonest
        return np.asarray(y[:, None] == chosen, np.float64)

    def facts(self, y: Values) -> dict[str, Any]:
        """How many training rows each class has."""
        return {"class_counts": np.bincount(y.astype(np.int64), minlength=len(self.classes)).tolist()}

    def check(self, facts: Mapping[str, Any]) -> None:
        """Refuse another number of counts than classes."""
        super().check(facts)
        if len(facts.get("class_counts", ())) != len(self.classes):
            raise ReseauError(f"class_counts is not of {len(self.classes)} classes.")

    def answer(self, O: Values) -> Said:
        """The likeliest class, and the probability of each."""
        probabilities = O.astype(np.float32, copy=False)
        columns = {name: pa.array(probabilities[:, i]) for i, name in enumerate(self.answers)}
        return Said(self.decode(O.argmax(axis=1)), probabilities, columns)

    def misfit(self, O: Values, y: Values) -> float:
        """The log loss."""
        return log_loss(O, y)

    def error(self, O: Values, y: Values) -> float:
        """The log loss."""
        return log_loss(O, y)

    def predicted(self, O: Values) -> npt.NDArray[np.float64]:
        """The probability of each class."""
        return O.astype(np.float64)

    def interval(self, O: Values, coverage: float) -> NoReturn:
        """Refuse: there are no classes between others."""
        raise ParameterError(
            f"interval is {coverage:g}, but {self.name!r} is of classes, each of which has a probability; leave it out."
        )

    def score(self, O: Values, y: Values, facts: Mapping[str, Any]) -> Scores:
        """Score probabilities beside the frequencies of the training rows."""
        frequencies = np.array(facts["class_counts"], np.float64)
        return score_classes(y, O, frequencies / frequencies.sum(), self.labels, facts.get("metrics", ()))

    def told(self, facts: Mapping[str, Any]) -> str:
        """The classes, and how common each was."""
        counts = facts["class_counts"]
        total = sum(counts)
        by_size = sorted(zip(counts, self.labels, strict=True), key=lambda pair: -pair[0])
        shown = ", ".join(f"{short(label, 24)} {count / total:.1%}" for count, label in by_size[:8])
        rest = f" and {plural(len(by_size) - 8, 'other')}" if len(by_size) > 8 else ""
        return f"Predicts {visible(self.name)}: {plural(len(by_size), 'class', 'classes')} ({shown}{rest})"

    def lesson(self, y: Values, row: int, cell: Any, lang: str) -> tuple[Values, list[str]]:
        """The class itself, and what each output neuron stands for."""
        if y[0] < 0:
            what = f"{cell!r}, which is none of {listed(self.labels)}" if y[0] == UNKNOWN else "none"
            raise DataError(
                f"the target {self.name!r} of row {row + 1} is {what}; choose another row, or give a target (--target)."
            )
        return y.astype(np.int64), [f"{self.name} = {label}" for label in self.labels]

    def in_c(self, file: File) -> Answer:
        """The probability of each class."""
        array = f"probabilities[{file.upper}_OUTPUTS]"
        return Answer(
            what=f"the probability of each class of {c.plain(self.name)}",
            of_a_row=f"The probability of each class of a row, in the order of {file.name}_class_names.",
            names="class_names",
            meanings=self.labels,
            result=f"{file.kind} {array}",
            outputs="probabilities",
            test_array=f", {array}",
            test_result="probabilities",
            test_checks=(
                f"for (int k = 0; k < {file.upper}_OUTPUTS; k++)",
                '    check("probability", k, (double)probabilities[k], (double)o[k], test_o_rounding[t][k]);',
            ),
        )

    def in_numpy(self, outputs: int) -> numpy_code.Code:
        """The classes, and which of them outputs say."""
        answers = """    O = predict(encode(rows))
    for label, o in zip(labels(O), O):
        print(label, {str(name): round(float(p), 3) for name, p in zip(classes, o)})"""
        return numpy_code.Code(
            behind=tuple(numpy_code.labels(np.array(self.classes), len(self.classes))), answers=answers
        )

    def in_onnx(self, g: Graph, network: Network | Ensemble, X: str) -> tuple[list[Any], dict[str, Any]]:
        """The likeliest class, and the probability of each."""
        place = g("ArgMax", layers(g, network, X, "probabilities"), axis=1, keepdims=0)
        classes = np.array(self.classes, dtype=object if self.type == "text" else None)
        outputs = [labels(g, place, classes, "prediction"), tensor("probabilities", g.dtype, "N", len(self.classes))]
        return outputs, {"target": self.name, "classes": list(self.classes)}

    def to_json(self) -> dict[str, Any]:
        """Return the target as the model file holds it."""
        fields = asdict(self)
        del fields["loss"]  # the network has it
        return {"task": self.task, **fields}

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> Classes:
        """The inverse of `to_json`, of an entry as the schema of model files has it."""
        return cls(entry["name"], entry["type"], tuple(entry["classes"]), tuple(entry.get("also_missing", ())))


def place_of(label: Any, classes: Sequence[Any], texts: Sequence[str]) -> int:
    """The place of a class, given itself or its text; a ParameterError with the nearest for what is none."""
    alone = isinstance(label, str | int | float | np.generic)  # others may be equal to several
    if alone and label in classes:
        return classes.index(label)
    return texts.index(known("the class", str(label) if alone else label, texts))


def values_of(levels: list[str], kind: str) -> list[Any]:
    """The classes that labels stand for, whole numbers exactly; None for a label that is none of this kind."""
    if kind == "text":
        return list(levels)
    texts = pa.chunked_array([pa.array(levels, pa.large_string())])
    numbers, odd = read.booleans(texts) if kind == "boolean" else numerals.read(texts, ".")
    to = {"integer": float, "number": float, "boolean": bool}[kind]
    values: list[Any] = [None if not_one else to(number) for number, not_one in zip(numbers, odd, strict=True)]
    if kind != "integer":
        return values
    return [
        int(level) if WHOLE.fullmatch(level) else int(value) if value is not None and value.is_integer() else value
        for level, value in zip(levels, values, strict=True)
    ]
