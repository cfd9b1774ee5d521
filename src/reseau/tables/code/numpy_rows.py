"""Columns in NumPy: how the cells of rows, a dict each, become inputs; and a program that tries it out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any

from reseau.export import c_text
from reseau.tables.code.samples import Cell, rows
from reseau.tables.columns import ngrams
from reseau.tables.columns.category import Category
from reseau.tables.columns.description import NO_LIMIT, Description
from reseau.tables.columns.kinds import CYCLES, EPOCH_WEEKDAY, Date, Number
from reseau.tables.columns.text import Text
from reseau.tables.reading.cells import MISSING
from reseau.tables.reading.dates import TIME_OF_DAY

TEXTS = """def texts(cells):
    return [None if cell is None else str(cell) for cell in cells]"""


def encoding(descriptions: Sequence[Description]) -> Iterator[str]:
    """The functions from rows, a dict each, to the inputs X."""
    columns = [COLUMNS[d.kind](d, _cells(d)) for d in descriptions]
    yield f"""# Texts that stand for a missing cell, but in columns that have them as levels.
marks = {{
{c_text.filled((repr(mark) for mark in MISSING if mark), "    ")},
}}


def column(name, rows, marks=()):
    # The cells of a column; None stands for a missing one, as empty text, NaN and marks do.
    cells = (row.get(name) for row in rows)
    return [None if cell is None or cell == "" or cell != cell or cell in marks else cell for cell in cells]


def numbers(cells, missing=()):
    v = np.array([np.nan if cell is None else float(cell) for cell in cells])
    return np.where(np.isin(v, missing), np.nan, v)"""
    yield from dict.fromkeys(helper for column in columns for helper in column.helpers())
    lines = [line for column in columns for line in column.statements()]
    body = "\n".join(f"    {line}" if line else "" for line in lines)
    yield f"""def encode(rows):
    # The inputs X of rows, each of which is a dict with a cell for each column.
    inputs = []
{body}
    return np.stack(inputs, axis=1).astype(np.float32)"""


def program(descriptions: Sequence[Description], answers: str) -> str:
    """The body of a program that predicts a few rows; `answers` are its last statements."""
    lines = []
    for row in rows(descriptions):
        entries = (f"{d.name!r}: {_literal(cell)}" for d, cell in zip(descriptions, row, strict=True))
        lines.append(f"        {{{c_text.filled(entries, '         ').lstrip()}}},")
    cells = "\n".join(lines)
    return f"""    rows = [
{cells}
    ]
{answers}"""


def _literal(cell: Cell) -> str:
    return repr(cell.isoformat()) if isinstance(cell, datetime | time) else repr(cell)


def _cells(description: Any) -> str:
    """The expression of a column's cells."""
    usual = [mark for mark in MISSING if mark]
    own = [mark for mark in description.marks if mark not in MISSING]
    others = [mark for mark in usual if mark not in description.marks]
    sets = ["marks" + f" - {_set(others)}" * bool(others)] * (others != usual) + [_set(own)] * bool(own)
    return f"column({', '.join([repr(description.name), 'rows', *filter(None, [' | '.join(sets)])])})"


def _set(texts: list[str]) -> str:
    return f"{{{', '.join(map(repr, texts))}}}"


@dataclass(frozen=True)
class _Column(ABC):
    """How a column becomes inputs, in Python: `cells` is the expression of its cells."""

    description: Any
    cells: str

    @abstractmethod
    def statements(self) -> list[str]:
        """What adds its inputs."""

    def helpers(self) -> Iterator[str]:
        """The functions that are called."""
        return iter(())

    def title(self) -> list[str]:
        """What separates it from the column before."""
        features = self.description.features
        return ["", f"# The input{'s' * (len(features) > 1)} {c_text.listed(features)}"]

    def filled(self) -> str:
        """The value, or what stands for a missing one."""
        return f"np.where(np.isnan(v), {self.description.fill!r}, v)"

    def numbers(self) -> str:
        """The expression of its numbers."""
        sentinels = self.description.sentinels
        return f"numbers({self.cells}{f', {list(sentinels)!r}' if sentinels else ''})"

    def missing(self) -> list[str]:
        """What adds the input "is missing", if there is one."""
        return ["inputs.append(np.isnan(v))"] if self.description.missing else []


class _ScaledColumn(_Column):
    """What numbers and dates share."""

    def scaled(self, value: str) -> list[str]:
        """What adds the input for a value."""
        d: Number | Date = self.description
        z = f"({value} - {d.centre!r}) / {d.scale!r}"
        if d.squash:
            z = f"np.arcsinh({z})"
        if d.limit == NO_LIMIT:
            return [f"inputs.append({z})"]
        return [f"z = {z}", f"inputs.append(np.clip(z, {-d.limit!r}, {d.limit!r}))"]

    def placed(self, value: str) -> list[str]:
        """What adds the inputs that say where a value lies."""
        d: Number | Date = self.description
        if not d.edges:
            return self.scaled(value)
        return [
            *(f"{name} = [\n{c_text.filled(map(repr, numbers), '    ')}\n]" for name, numbers in self.tables()),
            *self.scaled(value),
            f"inputs += in_bins({value}, edges, ranks)",
        ]

    def tables(self) -> list[tuple[str, tuple[float, ...]]]:
        """The edges of its bins, and their ranks."""
        return [("edges", self.description.edges), ("ranks", self.description.ranks)]

    def helpers(self) -> Iterator[str]:
        if self.description.edges:
            yield """def in_bins(v, edges, ranks):
    # Where numbers lie among edges: by rank, between those of the edges; then how much of each bin lies below them.
    shares = [np.clip((v - low) / (high - low), 0.0, 1.0) for low, high in zip(edges, edges[1:])]
    return [np.interp(v, edges, ranks), *shares]"""


class _NumberColumn(_ScaledColumn):
    def statements(self) -> list[str]:
        return [*self.title(), f"v = {self.numbers()}", *self.placed(self.filled()), *self.missing()]


class _BooleanColumn(_Column):
    def statements(self) -> list[str]:
        return [*self.title(), f"v = {self.numbers()}", f"inputs.append({self.filled()})", *self.missing()]


class _CategoryColumn(_Column):
    def helpers(self) -> Iterator[str]:
        yield TEXTS

    def statements(self) -> list[str]:
        d: Category = self.description
        levels = ", ".join(map(repr, d.levels))
        lines = [*self.title(), f"levels = [{levels}]"]
        if d.rarer:
            lines.append(f"rarer = [{', '.join(map(repr, d.rarer))}]")
        lines.append(f"v = texts({self.cells})")
        if d.levels:
            lines.append("inputs += [np.array([cell == level for cell in v], float) for level in levels]")
        if d.other:
            lines.append("inputs.append(np.array([cell is not None and cell not in levels for cell in v], float))")
        if d.missing:
            lines.append("inputs.append(np.array([cell is None for cell in v], float))")
        if d.effects:
            *known, missing, other = d.effect_table().tolist()
            rows = ",\n".join(f"    {row!r}" for row in known)
            lines += [
                f"effects = [\n{rows},\n]",
                f"known = dict(zip(levels{' + rarer' * bool(d.rarer)}, effects))",
                f"effects = [{missing!r} if cell is None else known.get(cell, {other!r}) for cell in v]",
                "inputs += list(np.array(effects).T)",
            ]
        return lines


class _TextColumn(_Column):
    def helpers(self) -> Iterator[str]:
        yield TEXTS
        yield f"""def counts_as(c):
    # What a character counts as: a small letter without accents, a blank if it is no part of a word, or nothing.
    if ord(c) >= {ngrams.END:#x}:
        return " " if any(a <= ord(c) <= b for a, b in {ngrams.SEPARATORS}) else c
    if unicodedata.combining(c):
        return ""
    if unicodedata.category(c)[0] not in "LNM":
        return " "
    plain = "".join(part for part in unicodedata.normalize("NFKD", c) if not unicodedata.combining(part))
    return next((form for form in (plain.casefold(), plain, c.casefold()) if len(form) == 1), c)


def effects_of_text(text, weights):
    # What the pieces of its words, of which {ngrams.LENGTHS[0]} to {ngrams.LENGTHS[-1]} characters in a row are one, \
add up to. A hash says whose
    # weights a piece has. What is met k times counts 1 + ln k, and all of it together 1.
    counts = np.zeros(len(weights))
    for word in "".join(map(counts_as, text or "")).split(" "):
        for length in {ngrams.LENGTHS} if word else ():
            for start in range(len(word) + 3 - length):
                h = {ngrams.OFFSET:#x}
                for c in f" {{word}} "[start : start + length]:
                    h = (h ^ ord(c)) * {ngrams.PRIME:#x} % 2**64
                h = (h ^ h >> 33) * {ngrams.MIXER:#x} % 2**64
                h ^= h >> 33
                counts[h % len(weights)] += -1 if h >> 63 else 1
    v = np.sign(counts) * (1.0 + np.log(np.maximum(np.abs(counts), 1.0)))
    return v @ weights / max(np.sqrt(v @ v), 1.0)  # of a text with pieces v is at least 1 long"""

    def statements(self) -> list[str]:
        d: Text = self.description
        lines = [
            *self.title(),
            f"weights = np.array([\n{c_text.filled(map(repr, d.weights), '    ')}\n]).reshape({ngrams.SLOTS}, -1)",
            f"v = texts({self.cells})",
            "inputs += list(np.array([effects_of_text(cell, weights) for cell in v]).T)",
        ]
        if d.missing:
            lines.append("inputs.append(np.array([cell is None for cell in v], float))")
        return lines


class _DateColumn(_ScaledColumn):
    def helpers(self) -> Iterator[str]:
        yield from super().helpers()
        if self.description.order == TIME_OF_DAY:
            yield """def part_of_day(cells):
    # That is over at times such as "08:30" or "08:30:00".
    def seconds(cell):
        hours, minutes, *rest = str(cell).replace(" ", "T").rpartition("T")[2].split(":")
        return 3600.0 * float(hours) + 60.0 * float(minutes) + (float(rest[0]) if rest else 0.0)

    return np.array([np.nan if cell is None else seconds(cell) / 86400.0 for cell in cells])"""
            return
        yield """def days_since_1970(cells):
    # Of dates such as "2024-05-31" or "2024-05-31T12:30:00", in UTC.
    dates = np.array([np.datetime64("NaT" if cell is None else cell, "us") for cell in cells])
    microseconds = dates.astype(np.int64).astype(float)
    return np.where(np.isnat(dates), np.nan, microseconds / 1e6 / 86400.0)"""
        if "year" in self.description.cycles:
            yield """def day_of_year(days):
    # 0 for the first of January.
    dates = np.floor(days).astype("datetime64[D]")
    return (dates - dates.astype("datetime64[Y]")).astype(float)"""

    def statements(self) -> list[str]:
        d: Date = self.description
        places = {
            "year": "day_of_year(days)",
            "week": f"np.mod(np.floor(days) + {EPOCH_WEEKDAY!r}, 7.0)",
            "day": "(days - np.floor(days))",
        }
        lines = [
            *self.title(),
            f"v = {'part_of_day' if d.order == TIME_OF_DAY else 'days_since_1970'}({self.cells})",
            f"days = {self.filled()}",
            *self.placed("days"),
        ]
        for cycle in d.cycles:
            lines.append(f"angle = 2 * np.pi * {places[cycle]} / {CYCLES[cycle]!r}")
            lines.append("inputs += [np.sin(angle), np.cos(angle)]")
        return [*lines, *self.missing()]


COLUMNS: dict[str, type[_Column]] = {
    "number": _NumberColumn,
    "boolean": _BooleanColumn,
    "category": _CategoryColumn,
    "date": _DateColumn,
    "text": _TextColumn,
}
"""By the kind of their description."""
