"""What each column of a table is, and how it becomes the numbers that the network eats.

A column is first *recognised* (`recognise`: all of its cells are looked at), then *fitted* (`fit`:
medians, scales and levels, from the training rows only). The result is a frozen description, one of
the classes in `KINDS`: plain numbers and strings, kept in the model file as JSON, and enough to
encode any other table:

- number: missing -> median; z = asinh((x - median) / scale), kept between -limit and limit; then a
  0/1 input "is missing" if values were missing at training;
- boolean: 0 or 1, missing -> mean; the same last input;
- category: one 0/1 input per level, then one for the rare levels together, then one for missing; a
  level never seen gives the input of the rare ones, or all zeros if there are none;
- date: the days since the origin as a number, and the sine and cosine of the time of year, week and
  day that vary; a time of day is a part of one day;
- free text: what the pieces of its words say of the target (see `reseau.tables.columns.text`), then one input for
  missing;
- left out: identifiers, constants, text that tells nothing and the like give no input, and say why.

Numbers are scaled by what the many in the middle say, not by mean and deviation, which a single 1e6
among thousands decides; asinh is z itself near 0, and grows like a logarithm far from it, so that
what is far out is neither cut off nor loud.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import accumulate
from typing import Any

import numpy as np
import numpy.typing as npt

from reseau.errors import DataError, ParameterError
from reseau.formulas.words import Words
from reseau.tables.columns.category import Category
from reseau.tables.columns.description import X32, Description, Rows, Scalar, Scaled, Values
from reseau.tables.columns.left_out import LeftOut
from reseau.tables.columns.text import Text
from reseau.tables.columns.words import CIRCULAR, DAYS, MEASURED, OF_CYCLES, PART_OF_DAY, say
from reseau.tables.reading import cells as read
from reseau.tables.reading import dates, numerals
from reseau.tables.reading.cells import Codes, Floats, Mask
from reseau.tables.reading.dialect import SPACE
from reseau.tables.reading.frames import name_of
from reseau.tables.reading.table import Column, Table, did_you_mean, listed
from reseau.visible import plural

LEAST_ANGLE = 0.01  # of a cycle, from which its dates differ in it: half a day of the year, two minutes of the day
TRUE_OR_FALSE = next(iter(read.WORDS))
CYCLES = {"year": 365.2425, "week": 7.0, "day": 1.0}  # in days
EPOCH_WEEKDAY = 3.0  # 1970-01-01, day 0, was a Thursday; weeks start on Monday


@dataclass(frozen=True)
class Number(Scaled):
    """A number, scaled.

    `decimal` and `unit` are the decimal mark and the unit of numbers in text; "" where none was decided. `grouped` says
    whether points or commas grouped the digits of some.
    """

    kind = "number"
    decimal: str = ""
    unit: str = ""
    grouped: bool = False

    @property
    def sentinels(self) -> tuple[float, ...]:
        """The numbers that count as missing in this column."""
        return tuple(read.as_numbers(self.also_missing, self.decimal, self.unit)) if self.also_missing else ()

    def read(self, column: Column) -> Floats:
        """Read the cells."""
        mark = f" with decimal {numerals.MARKS[self.decimal]}s" if self.decimal else ""
        is_not = (
            f"is not a number, and this column held numbers{mark} at training; correct it, or leave the cell empty for "
            "a missing value."
        )
        return read.quantities(column, self.also_missing, self.decimal, self.unit, self.grouped, is_not)

    def encode(self, values: Floats, X: X32) -> None:
        """Write the inputs into X."""
        self._place(self._filled(values, X), X)

    def inputs_in(self, lang: str) -> list[str]:
        """Return the names of the inputs."""
        return [*self.placed_in(lang), *self.is_missing_in(lang)]

    def slopes(self, values: Floats) -> tuple[Floats, Floats]:
        """The first and second derivatives of all of its inputs but the last, whether it is missing."""
        return self._slopes(values)

    @property
    def summary(self) -> str:
        """Say what was learned."""
        if self.still:
            return f"always {self.fill:.6g}, but for rounding and missing values"
        centre, scale = ("median", "spread") if self.squash else ("mean", "deviation")
        return f"{centre} {self.centre:.6g}, {scale} {self.scale:.6g}"


@dataclass(frozen=True)
class Boolean(Scalar):
    """Yes or no, as 0 or 1. `fill` is the mean; `words` are those for yes and no, "" where they are the usual ones."""

    kind = "boolean"
    words: str = ""

    @property
    def typical(self) -> str:
        """What stands for a missing value, in words."""
        return f"the mean, {self.fill:.2g}"

    def read(self, column: Column) -> Floats:
        """Read the cells."""
        column = replace(column, cells=read.without(column.cells, self.marks))
        values, odd = read.booleans(column.cells, self.words)
        words = " ({})".format(self.words.replace("/", " or ")) if self.words else ""
        read.refuse_odd(
            column,
            odd,
            f"is neither true nor false{words}, and this column held such values at training; correct it, or leave the "
            "cell empty for a missing value.",
        )
        return values

    def fit(self, values: Floats, rows: Rows) -> Boolean:
        """Return the description with the statistics of these rows."""
        values = values[rows]
        present = values[~np.isnan(values)]
        fill = float(present.mean()) if len(present) else 0.0
        return replace(self, fill=fill, missing=len(present) < len(values))

    def encode(self, values: Floats, X: X32) -> None:
        """Write the inputs into X."""
        X[:, 0] = self._filled(values, X)

    def grid(self, values: Floats, most: int) -> Floats:
        """No and yes."""
        return np.array([0.0, 1.0])

    def shown(self, values: Floats) -> npt.NDArray[Any]:
        """Their words."""
        yes, no = (self.words or TRUE_OR_FALSE).split("/")
        return np.where(values == 1, yes, no)

    @property
    def summary(self) -> str:
        """Say what was learned."""
        return f"true in {self.fill:.0%}"


@dataclass(frozen=True)
class Date(Scaled):
    """A date: the days since 1970, scaled, and its place in the year, week and day.

    `order` is how it is written in text; of a "time of day" the days are the part of one that is over. `cycles` are
    those of year, week and day in which the place varies.
    """

    kind = "date"
    order: str = "year-month-day"
    cycles: tuple[str, ...] = ()

    def inputs_in(self, lang: str) -> list[str]:
        """Return the names of the inputs."""
        circular = [
            say(CIRCULAR, lang, name=self.name, part=part, cycle=OF_CYCLES[cycle].in_(lang))
            for cycle in self.cycles
            for part in ("sin", "cos")
        ]
        return [*self.placed_in(lang), *circular, *self.is_missing_in(lang)]

    def measured_in(self, lang: str) -> str:
        """What the number is, in a language."""
        return say(MEASURED, lang, name=self.name, measure=self._measure.in_(lang))

    @property
    def typical(self) -> str:
        """What stands for a missing value, in words."""
        when = np.datetime64(0, "s") + np.timedelta64(round(self.fill * 86400), "s")
        return f"the median, {str(when).partition('T')[2] if self.order == dates.TIME_OF_DAY else when}"

    @property
    def sentinels(self) -> tuple[float, ...]:
        """No number does."""
        return ()

    @property
    def cell_kind(self) -> str:
        """Dates, or times of day."""
        return dates.TIME_OF_DAY if self.order == dates.TIME_OF_DAY else self.kind

    @property
    def measure(self) -> str:
        """What the first input is of."""
        return self._measure.in_("en")

    @property
    def _measure(self) -> Words:
        return PART_OF_DAY if self.order == dates.TIME_OF_DAY else DAYS

    def read(self, column: Column) -> Floats:
        """Read the cells."""
        column = replace(column, cells=read.without(column.cells, self.marks))
        seconds, odd = dates.read(column.cells, self.order)
        read.refuse_odd(
            column,
            odd,
            f"is not a date ({self.order}), and this column held dates at training; correct it, or leave the cell "
            "empty for a missing value.",
        )
        return seconds / 86400.0

    def fit(self, values: Floats, rows: Rows) -> Date:
        """Return the description with the statistics of these rows."""
        values = values[rows]
        angles = _angles(values[~np.isnan(values)])
        cycles = tuple(cycle for cycle, angle in angles.items() if len(angle) and np.ptp(angle) > LEAST_ANGLE)
        return replace(super().fit(values, np.arange(len(values))), cycles=cycles)

    def encode(self, values: Floats, X: X32) -> None:
        """Write the inputs into X."""
        days = self._filled(values, X)
        self._place(days, X)
        angles, start = _angles(days), len(self.placed)
        for i, cycle in enumerate(self.cycles):
            X[:, start + 2 * i] = np.sin(angles[cycle])
            X[:, start + 1 + 2 * i] = np.cos(angles[cycle])

    def shown(self, values: Floats) -> npt.NDArray[Any]:
        """Dates to the second; of times of day the hours."""
        if self.order == dates.TIME_OF_DAY:
            return values * 24
        return np.round(values * 86400).astype("datetime64[s]")

    @property
    def summary(self) -> str:
        """Say what was learned."""
        parts = [self.measure, *(f"time of {cycle}" for cycle in self.cycles)]
        return f"{self.order}; used as {', '.join(parts)}"


KINDS: dict[str, type[Description]] = {cls.kind: cls for cls in (Number, Boolean, Category, Date, Text, LeftOut)}


# --------------------------------------------------------------------------------------------------
# Whole tables


def _read(read: Callable[[Column], Values], column: Column) -> Values:
    return read(column)


def read_columns(
    descriptions: Sequence[Description],
    table: Table,
    reader: Callable[[Callable[[Column], Values], Column], Values] = _read,
) -> list[Values]:
    """Read the cells that the descriptions need, each column by `reader`; a `DataError` names the columns missing."""
    used = [d.name for d in descriptions if not isinstance(d, LeftOut)]
    missing = [name for name in used if name not in table.columns]
    if missing:
        hints = "; ".join(f"{name!r}{did_you_mean(name, table.columns)}" for name in missing[:12])
        raise DataError(
            f"{table.name} lacks {plural(len(missing), 'column')} that the model was trained on: {hints}. It has "
            f"{listed(table.columns)}.{table.hint}"
        )
    return [np.empty(0) if isinstance(d, LeftOut) else reader(d.read, table.columns[d.name]) for d in descriptions]


def encode(descriptions: Sequence[Description], values: Sequence[Values], rows: int) -> X32:
    """Encode columns that were read to X, (rows, number of features) in float32."""
    X = np.empty((rows, sum(len(d.features) for d in descriptions)), np.float32)
    start = 0
    for description, column_values in zip(descriptions, values, strict=True):
        stop = start + len(description.features)
        if stop > start:
            description.encode(column_values, X[:, start:stop])
        start = stop
    return X


def inputs_of(descriptions: Sequence[Description]) -> dict[str, slice]:
    """Which inputs each column gives, by its name; columns that give none are not among them."""
    stops = accumulate(len(d.features) for d in descriptions)
    places = ((d, slice(stop - len(d.features), stop)) for d, stop in zip(descriptions, stops, strict=True))
    return {d.name: inputs for d, inputs in places if d.features}


def used_column(descriptions: Sequence[Description], name: Any) -> str:
    """The name of a column that gives inputs; a ParameterError for one that does not, or is none."""
    given = name_of(name).strip(SPACE)
    for description in descriptions:
        if description.name == given and not description.features:
            raise ParameterError(f"the column {given!r} is not used by the model: {description.told}.")
    inputs = inputs_of(descriptions)
    if given not in inputs:
        raise ParameterError(
            f"the model uses no column {name!r}{did_you_mean(name, inputs)}; its columns are {listed(inputs)}."
        )
    return given


def refuse_nothing(descriptions: Sequence[Description], table: Table, target: str) -> None:
    """Raise a DataError, with the reasons, where all columns are left out."""
    if all(isinstance(d, LeftOut) for d in descriptions):
        why = "; ".join(f"{d.name!r} {d.reason}" for d in descriptions if isinstance(d, LeftOut))
        raise DataError(f"{table.name} has no column to learn {target!r} from" + (f": {why}." if why else "."))


def encode_out_of_fold(
    descriptions: Sequence[Description], values: Sequence[Values], X: X32, rows: Rows, folds: Codes, out: int, T: Floats
) -> None:
    """Write into X what columns that follow the target make of training rows, as a member is to see them.

    What it is told of a row comes from the rows of other folds; and nothing comes from the fold `out`, which it does
    not learn from.
    """
    start = 0
    for description, column_values in zip(descriptions, values, strict=True):
        stop = start + len(description.features)
        if description.follows_target:
            description.encode_out_of_fold(column_values, X[:, start:stop], rows, folds, out, T)
        start = stop


def without_unused(descriptions: Sequence[Description], used: Mask, rows: int) -> tuple[tuple[Description, ...], Mask]:
    """Leave out the columns of which no input is used; return also the inputs that are left, of those there were."""
    kept, left = np.zeros(len(used), np.bool_), []
    start = 0
    for description in descriptions:
        inputs = slice(start, start + len(description.features))
        kept[inputs] = used[inputs].any()
        if description.features and not used[inputs].any():
            why = f"nothing that goes with the target in {plural(rows, 'row')}"
            description = LeftOut(description.name, "unrelated", why)
        left.append(description)
        start = inputs.stop
    return tuple(left), kept


def to_json(description: Description) -> dict[str, Any]:
    """Return the description as the model file holds it."""
    return {"name": description.name, "kind": description.kind, **asdict(description)}


def from_json(entry: dict[str, Any]) -> Description:
    """The inverse of `to_json`, of an entry as the schema of model files has it."""
    fields: dict[str, Any] = {key: _from_json(value) for key, value in entry.items() if key != "kind"}
    if "mean" in fields:  # in files of older releases
        fields["centre"] = fields.pop("mean")
    description = KINDS[entry["kind"]](**fields)
    description.check()
    return description


def _from_json(value: Any) -> Any:
    """A field: JSON has lists for tuples, and other writers of it may have 0 for 0.0."""
    return tuple(value) if isinstance(value, list) else float(value) if type(value) is int else value


# --------------------------------------------------------------------------------------------------


def _angles(days: Floats) -> dict[str, Floats]:
    """The angle of each day in the year, the week (from Monday) and the day."""
    whole = np.floor(days)
    years = whole.astype("datetime64[D]").astype("datetime64[Y]").astype("datetime64[D]")
    of_year = whole - years.astype(np.int64)
    positions = {"year": of_year, "week": np.mod(whole + EPOCH_WEEKDAY, 7.0), "day": days - whole}
    return {cycle: 2 * np.pi * positions[cycle] / CYCLES[cycle] for cycle in CYCLES}
