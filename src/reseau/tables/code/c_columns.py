"""Columns in C: how the cells of a row, members of its `struct`, become inputs.

Cells are given as follows, NAN or NULL where they are missing: numbers as they are, booleans as 1 and 0, dates as
seconds since 1970-01-01 00:00 UTC, times of day as seconds since midnight, all in double, and categories and texts in
UTF-8. As in `reseau.tables.columns.kinds`, the encoding is computed in double and rounded to float, so that the
network's inputs are those of Python.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any, ClassVar

import numpy as np

from reseau.export import c_text as c
from reseau.tables.code.samples import Cell, seconds
from reseau.tables.columns import ngrams
from reseau.tables.columns.category import Category
from reseau.tables.columns.description import NO_LIMIT
from reseau.tables.columns.kinds import CYCLES, EPOCH_WEEKDAY, Date, Number
from reseau.tables.reading.cells import MISSING
from reseau.tables.reading.dates import TIME_OF_DAY
from reseau.visible import plural

FARTHEST = 9e12  # seconds from 1970 to a date; microseconds in 64 bits, as tables hold them, go a little further

IS_MISSING = """\
/* Whether a number is missing: NaN, by its bits, since options such as -Ofast let compilers forget it. */
static int {name}_is_missing(double v)
{{
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    return (bits & 0x7fffffffffffffffu) > 0x7ff0000000000000u;
}}"""

WITHIN = """\
/* z, or the nearer end of -limit .. limit. */
static double {name}_within(double z, double limit)
{{
    return z < -limit ? -limit : z > limit ? limit : z;
}}"""

IN_BINS = """\
/* Where v lies among n + 1 edges: x[0] by rank, between those of the edges; then how much of each bin lies below v. */
static void {name}_in_bins(double v, const double edges[], const double ranks[], int n, {kind} x[])
{{
    double rank = ranks[0];
    for (int i = 0; i < n; i++) {{
        double width = edges[i + 1] - edges[i];
        double share = (v - edges[i]) / width;
        if (share >= 1.0)
            rank = ranks[i + 1];
        else if (share > 0.0)
            rank = (ranks[i + 1] - ranks[i]) / width * (v - edges[i]) + ranks[i];
        x[1 + i] = ({kind})(float)(share < 0.0 ? 0.0 : share > 1.0 ? 1.0 : share);
    }}
    x[0] = ({kind})(float)rank;
}}"""

PLACE_OF = """\
/* The place of a text among n levels; `other` if it is none of them, `missing` if there is no text or an empty one. */
static int {name}_place_of(const char *text, const char *const levels[], int n, int other, int missing)
{{
    if (text == NULL || text[0] == '\\0')
        return missing;
    for (int k = 0; k < n; k++)
        if (strcmp(text, levels[k]) == 0)
            return k;
    return other;
}}"""

IS_MARK = """\
/* Whether a text is one of n that stand for a missing one. */
static int {name}_is_mark(const char *text, const char *const marks[], int n)
{{
    for (int k = 0; k < n; k++)
        if (strcmp(text, marks[k]) == 0)
            return 1;
    return 0;
}}"""

TEXT_EFFECTS = """\
/* The next character of a text in UTF-8, and where the one after it begins. */
static const char *{name}_next_character(const char *text, uint32_t *character)
{{
    uint32_t c = (unsigned char)*text++;
    int more = c >= 0xf0u ? 3 : c >= 0xe0u ? 2 : c >= 0xc0u ? 1 : 0;
    c &= more ? 0x3fu >> more : 0xffu;
    for (; more > 0 && ((unsigned char)*text & 0xc0u) == 0x80u; more--)
        c = c << 6 | ((unsigned char)*text++ & 0x3fu);
    *character = c;
    return text;
}}

/* What a character counts as: ' ' if it is no part of a word, 0 for nothing. */
static uint32_t {name}_counts_as(uint32_t c)
{{
    if (c < @END@)
        return {name}_folded[c];
    return @SEPARATORS@ ? ' ' : c;
}}

/* What the pieces of a text's words, of which @LENGTHS@ characters in a row are one, add up to with n weights each.
 * A hash says whose weights a piece has. What is met k times counts 1 + ln k, and all of it together 1. */
static void {name}_effects_of_text(const char *text, const double weights[], int n, double effects[])
{{
    int counts[@SLOTS@] = {{0}};
    uint32_t last[@LONGEST@] = {{0}}; /* the characters read last, of which there are so many */
    int there = 1, ends = 0;
    double squares = 0.0;
    last[@LONGEST@ - 1] = ' ';
    while (!ends) {{
        uint32_t c = ' ';
        if (*text == '\\0')
            ends = 1;
        else {{
            text = {name}_next_character(text, &c);
            c = {name}_counts_as(c);
        }}
        if (c == 0 || (c == ' ' && last[@LONGEST@ - 1] == ' '))
            continue;
        for (int i = 1; i < @LONGEST@; i++)
            last[i - 1] = last[i];
        last[@LONGEST@ - 1] = c;
        there = there < @LONGEST@ ? there + 1 : @LONGEST@;
        for (int length = @SHORTEST@; length <= there && last[@LONGEST@ + 1 - length] != ' '; length++) {{
            uint64_t h = @OFFSET@u;
            for (int i = @LONGEST@ - length; i < @LONGEST@; i++)
                h = (h ^ last[i]) * @PRIME@u;
            h = (h ^ h >> 33) * @MIXER@u;
            h ^= h >> 33;
            counts[h % @SLOTS@u] += h >> 63 ? -1 : 1;
        }}
    }}
    for (int j = 0; j < n; j++)
        effects[j] = 0.0;
    for (int k = 0; k < @SLOTS@; k++) {{
        double v;
        if (counts[k] == 0)
            continue;
        v = 1.0 + log(fabs((double)counts[k]));
        v = counts[k] < 0 ? -v : v;
        squares += v * v;
        for (int j = 0; j < n; j++)
            effects[j] += v * weights[n * k + j];
    }}
    if (squares > 0.0)
        for (int j = 0; j < n; j++)
            effects[j] /= sqrt(squares);
}}"""
TEXT_EFFECTS = (
    TEXT_EFFECTS.replace("@END@", f"0x{ngrams.END:x}u")
    .replace("@SEPARATORS@", " || ".join(f"(c >= 0x{a:x}u && c <= 0x{b:x}u)" for a, b in ngrams.SEPARATORS))
    .replace("@LENGTHS@", f"{ngrams.LENGTHS[0]} to {ngrams.LENGTHS[-1]}")
    .replace("@SHORTEST@", str(ngrams.LENGTHS[0]))
    .replace("@LONGEST@", str(ngrams.LENGTHS[-1]))
    .replace("@SLOTS@", str(ngrams.SLOTS))
    .replace("@OFFSET@", f"0x{ngrams.OFFSET:x}")
    .replace("@PRIME@", f"0x{ngrams.PRIME:x}")
    .replace("@MIXER@", f"0x{ngrams.MIXER:x}")
)

DAY_OF_YEAR = """\
/* On which day since 1970-01-01 a year of the Gregorian calendar begins. */
static double {name}_first_day(double year)
{{
    double y = year - 1.0;
    return 365.0 * (year - 1970.0) + floor(y / 4.0) - floor(y / 100.0) + floor(y / 400.0) - 477.0;
}}

/* How many days of its year are over when a day since 1970-01-01 begins. */
static double {name}_day_of_year(double day)
{{
    double year = floor(1970.0 + day / 365.2425);
    while ({name}_first_day(year) > day)
        year -= 1.0;
    while ({name}_first_day(year + 1.0) <= day)
        year += 1.0;
    return day - {name}_first_day(year);
}}"""


@dataclass(frozen=True)
class Column(ABC):
    """A column as a member of the struct, and as the inputs from `start` on; `number` is its own, from 1.

    Whether a value is missing is asked before it is compared: programs that trap invalid operations, as many in Fortran
    do, would stop at a comparison with NaN.
    """

    description: Any
    member: str
    number: int
    start: int
    kind: str
    name: str  # of the model

    c_type: ClassVar[str] = "double "
    includes: ClassVar[tuple[str, ...]] = ()
    variables: ClassVar[tuple[str, ...]] = ("double v",)

    @abstractmethod
    def meaning(self) -> str:
        """What the member holds."""

    @abstractmethod
    def how(self) -> str:
        """What its inputs are."""

    @abstractmethod
    def statements(self) -> list[str]:
        """The statements that set them."""

    def tables(self) -> Iterator[str]:
        """Its constant tables."""
        return iter(())

    def helpers(self) -> Iterator[str]:
        """The functions that its statements call."""
        yield IS_MISSING

    def declaration(self) -> str:
        """The member, with what it holds."""
        name = c.plain(self.description.name)
        meaning = self.meaning() if name == self.member else f"{name}: {self.meaning()}"
        line = f"    {self.c_type}{self.member};"
        short = f"{line} /* {meaning} */"
        return short if len(short) <= c.WIDTH else f"{c.comment(meaning, indent='    ')}\n{line}"

    def constant(self, cell: Cell) -> str:
        """A cell in the initialiser of a row."""
        assert cell is None or isinstance(cell, float)
        return "(double)NAN" if cell is None else c.number(cell, "double")

    def x(self, offset: int = 0) -> str:
        """One of its inputs."""
        return f"x[{self.start + offset}]"

    def rounded(self, value: str) -> str:
        """A value as the input that Python has: a number of float."""
        return f"(float){value}" if self.kind == "float" else f"(double)(float){value}"

    def zero_or_one(self, condition: str) -> str:
        """An input that says whether something holds."""
        return f"{condition} ? {c.in_type('1.0 : 0.0', self.kind)}"

    @property
    def squashes(self) -> bool:
        """Whether an input is asinh of a number."""
        return False

    def is_missing(self, value: str) -> str:
        """The condition that a number is missing."""
        nan = f"{self.name}_is_missing({value})"
        sentinels = self.description.sentinels
        if not sentinels:
            return nan
        return f"({' || '.join([nan, *(f'{value} == {c.bracketed(number)}' for number in sentinels)])})"

    def if_missing(self) -> str:
        """The words for the numbers that say so."""
        return " or ".join(["NAN", *(f"{number:.17g}" for number in self.description.sentinels)]) + " if missing"

    def filled(self) -> str:
        """The value, or what stands for a missing one."""
        return f"{self.is_missing('v')} ? {c.number(self.description.fill, 'double')} : v"

    def missing(self, offset: int) -> list[str]:
        """The statement for the input "is missing", if there is one."""
        if not self.description.missing:
            return []
        return [f"{self.x(offset)} = {self.zero_or_one(self.is_missing('v'))};"]

    def and_missing(self) -> str:
        """The words for it."""
        return "; and whether it is missing" if self.description.missing else ""


class _ScaledColumn(Column):
    """What numbers and dates share."""

    @property
    def squashes(self) -> bool:
        return bool(self.description.squash)

    def scaled(self, value: str) -> str:
        """The input for a value."""
        d: Number | Date = self.description
        z = f"({value} - {c.bracketed(d.centre)}) / {c.bracketed(d.scale)}"
        if d.squash:
            z = f"asinh({z})"
        if d.limit == NO_LIMIT:
            return self.rounded(f"({z})")
        return self.rounded(f"{self.name}_within({z}, {c.bracketed(d.limit)})")

    @property
    def bins(self) -> int:
        """How many bins it has."""
        return max(len(self.description.edges) - 1, 0)

    def placed(self, value: str) -> list[str]:
        """The statements for the inputs that say where a value lies."""
        lines = [f"{self.x()} = {self.scaled(value)};"]
        if self.bins:
            tables = ", ".join(f"{self.name}_{what}_{self.member}" for what in ("edges", "ranks"))
            lines.append(f"{self.name}_in_bins({value}, {tables}, {self.bins}, x + {self.start + 1});")
        return lines

    def and_in_bins(self) -> str:
        """The words for them."""
        return f"; by rank and in {plural(self.bins, 'bin')}" if self.bins else ""

    def tables(self) -> Iterator[str]:
        if self.bins:
            for what in ("edges", "ranks"):
                yield c.table(f"{self.name}_{what}_{self.member}", getattr(self.description, what), "double")

    def helpers(self) -> Iterator[str]:
        yield IS_MISSING
        if self.description.limit != NO_LIMIT:
            yield WITHIN
        if self.bins:
            yield IN_BINS


class _NumberColumn(_ScaledColumn):
    includes = ("float.h",)

    def meaning(self) -> str:
        return f"a number; {self.if_missing()}"

    def how(self) -> str:
        scaled = "asinh of the scaled number" if self.description.squash else "standardised"
        return f"{scaled}{self.and_in_bins()}, the median if missing{self.and_missing()}"

    def statements(self) -> list[str]:
        return [
            f"v = row->{self.member};",
            f"if (!{self.is_missing('v')} && fabs(v) > (double)FLT_MAX)",
            f"    return {self.number};",
            *self.placed(f"({self.filled()})"),
            *self.missing(len(self.description.features) - 1),
        ]


class _BooleanColumn(Column):
    def meaning(self) -> str:
        return f"1 if true, 0 if false; {self.if_missing()}"

    def how(self) -> str:
        return f"1, 0, or the mean if missing{self.and_missing()}"

    def statements(self) -> list[str]:
        return [
            f"v = row->{self.member};",
            f"if (!({self.is_missing('v')} || v == 0.0 || v == 1.0))",
            f"    return {self.number};",
            f"{self.x()} = {self.rounded(f'({self.filled()})')};",
            *self.missing(1),
        ]


class _TextualColumn(Column):
    """What columns of text share."""

    c_type = "const char *"
    includes: ClassVar[tuple[str, ...]] = ("stddef.h", "string.h")

    def mark_tables(self) -> dict[str, list[str]]:
        """The texts that stand for a missing one, by the names of their tables; that of the usual ones is shared."""
        marks = [mark for mark in dict.fromkeys(self.description.marks) if mark]
        usual = [mark for mark in MISSING if mark]
        if not set(usual) <= set(marks):
            usual = []
        tables = {f"{self.name}_marks": usual, f"{self.name}_marks_{self.member}": [m for m in marks if m not in usual]}
        return {name: texts for name, texts in tables.items() if texts}

    def is_mark(self, tables: dict[str, list[str]]) -> list[str]:
        """The conditions of which one holds where the text is in one of the tables."""
        return [f"{self.name}_is_mark(row->{self.member}, {name}, {len(marks)})" for name, marks in tables.items()]

    def constant(self, cell: Cell) -> str:
        assert cell is None or isinstance(cell, str)
        return "NULL" if cell is None else c.text(cell)


class _CategoryColumn(_TextualColumn):
    variables = ("int k",)

    def meaning(self) -> str:
        d: Category = self.description
        like = f", as {c.listed(d.also_missing or d.marks[1:2])} and the like" if self.marks else ""
        return f"{c.listed(d.levels) if d.levels else 'a text'}; NULL if missing{like}"

    @property
    def marks(self) -> dict[str, list[str]]:
        """The `mark_tables`, of which there are none where they make no difference."""
        _, other, missing = self.description.places()
        if other == missing and not self.description.effects:
            return {}
        return self.mark_tables()

    @property
    def signals(self) -> int:
        """How many effects a level has."""
        return len(self.description.features) - len(self.description.marked)

    def how(self) -> str:
        d: Category = self.description
        n = len(d.levels)
        inputs = ([f"for each of its {plural(n, 'level')}"] if n > 1 else ["for its level"] * n) + (
            ["for rare and unknown ones"] * d.other + ["if it is missing"] * d.missing
        )
        effects = f"; and {plural(self.signals, 'effect')} of the level" if self.signals else ""
        return f"inputs of 1 or 0: {', '.join(f'one {which}' for which in inputs)}{effects}"

    def tables(self) -> Iterator[str]:
        d: Category = self.description
        levels = {f"{self.name}_levels_{self.member}": list(d.known)} if d.known else {}
        for name, texts in (levels | self.marks).items():
            yield c.texts(f"static const char *const {name}[{len(texts)}]", texts)
        if d.effects:
            yield c.table(f"{self.name}_effects_{self.member}", d.effects, "double")

    def helpers(self) -> Iterator[str]:
        yield PLACE_OF
        if self.marks:
            yield IS_MARK

    def statements(self) -> list[str]:
        d: Category = self.description
        n, n_known, width = len(d.levels), len(d.known), len(d.marked)
        levels = f"{self.name}_levels_{self.member}" if n_known else "NULL"
        places = d.places()[1:]
        other, missing = d.effect_places()[1:] if d.effects else (place if place < width else -1 for place in places)
        text = f"row->{self.member}"
        is_mark = self.is_mark(self.marks)
        condition = is_mark[0] if len(is_mark) == 1 else f"({' || '.join(is_mark)})"
        lines = [
            f"k = {self.name}_place_of({text}, {levels}, {n_known}, {other}, {missing});",
            *([f"if (k == {other} && {condition})", f"    k = {missing};"] if is_mark else []),
        ]
        if d.effects:
            start = f"{self.start + width} + i"
            effects = f"{self.name}_effects_{self.member}[{self.signals} * k + i]"
            rest, absent = (place if place < width else -1 for place in places)
            lines += [
                f"for (int i = 0; i < {self.signals}; i++)",
                f"    x[{start}] = {self.rounded(effects)};",
                f"k = k < {n} ? k : k == {missing} ? {absent} : {rest};",
            ]
        start = f"{self.start} + i" if self.start else "i"
        return [*lines, f"for (int i = 0; i < {width}; i++)", f"    x[{start}] = {self.zero_or_one('i == k')};"]


class _TextColumn(_TextualColumn):
    includes = (*_TextualColumn.includes, "math.h", "stdint.h")
    variables = ()

    @property
    def signals(self) -> int:
        """How many effects a text has."""
        return len(self.description.spread)

    def meaning(self) -> str:
        return "a text; NULL if missing"

    def how(self) -> str:
        return f"{plural(self.signals, 'effect')} of the pieces of its words{self.and_missing()}"

    def tables(self) -> Iterator[str]:
        yield c.table(f"{self.name}_folded", ngrams.folded(), "unsigned short")
        yield c.table(f"{self.name}_weights_{self.member}", self.description.weights, "double")
        for name, texts in self.mark_tables().items():
            yield c.texts(f"static const char *const {name}[{len(texts)}]", texts)

    def helpers(self) -> Iterator[str]:
        yield TEXT_EFFECTS
        if self.mark_tables():
            yield IS_MARK

    def statements(self) -> list[str]:
        text = f"row->{self.member}"
        missing = " || ".join([f"{text} == NULL", f"{text}[0] == '\\0'", *self.is_mark(self.mark_tables())])
        weights = f"{self.name}_weights_{self.member}"
        lines = [
            "{",
            f"    double effects[{self.signals}];",
            f"    int missing = {missing};",
            f'    {self.name}_effects_of_text(missing ? "" : {text}, {weights}, {self.signals}, effects);',
            f"    for (int i = 0; i < {self.signals}; i++)",
            f"        x[{self.start} + i] = {self.rounded('effects[i]')};",
        ]
        if self.description.missing:
            lines.append(f"    {self.x(self.signals)} = {self.zero_or_one('missing')};")
        return [*lines, "}"]


class _DateColumn(_ScaledColumn):
    variables = ("double v", "double days")

    @property
    def is_time(self) -> bool:
        """Whether it is a time of day."""
        return bool(self.description.order == TIME_OF_DAY)

    def meaning(self) -> str:
        return (
            "seconds since midnight; NAN if missing"
            if self.is_time
            else "seconds since 1970-01-01 00:00 UTC; NAN if missing"
        )

    def constant(self, cell: Cell) -> str:
        assert cell is None or isinstance(cell, datetime | time)
        return "(double)NAN" if cell is None else c.number(seconds(cell), "double")

    def how(self) -> str:
        d: Date = self.description
        cycles = "".join(f", sine and cosine of the time of {cycle}" for cycle in d.cycles)
        scaled = f"asinh of the scaled {d.measure}" if d.squash else f"{d.measure}, standardised"
        return f"{scaled}{self.and_in_bins()}{cycles}, those of the median if missing{self.and_missing()}"

    def helpers(self) -> Iterator[str]:
        yield from super().helpers()
        if "year" in self.description.cycles:
            yield DAY_OF_YEAR

    def statements(self) -> list[str]:
        d: Date = self.description
        places = {
            "year": f"{self.name}_day_of_year(floor(days))",
            "week": f"(floor(days) + {EPOCH_WEEKDAY}) - 7.0 * floor((floor(days) + {EPOCH_WEEKDAY}) / 7.0)",
            "day": "days - floor(days)",
        }
        outside = "(v < 0.0 || v > 86400.0)" if self.is_time else f"fabs(v) > {FARTHEST:.1e}"
        lines = [
            f"v = row->{self.member};",
            f"if (!{self.is_missing('v')} && {outside})",
            f"    return {self.number};",
            f"days = {self.is_missing('v')} ? {c.number(d.fill, 'double')} : v / 86400.0;",
            *self.placed("days"),
        ]
        start = len(d.placed)
        for i, cycle in enumerate(d.cycles):
            lines.append(
                f"v = {c.bracketed(2 * np.pi)} * ({places[cycle]}) / {c.bracketed(CYCLES[cycle])}; /* of the {cycle} */"
            )
            lines.append(f"{self.x(start + 2 * i)} = {self.rounded('sin(v)')};")
            lines.append(f"{self.x(start + 1 + 2 * i)} = {self.rounded('cos(v)')};")
        if d.missing:
            absent = self.zero_or_one(self.is_missing(f"row->{self.member}"))
            lines.append(f"{self.x(len(d.features) - 1)} = {absent};")
        return lines


COLUMNS: dict[str, type[Column]] = {
    "number": _NumberColumn,
    "boolean": _BooleanColumn,
    "category": _CategoryColumn,
    "date": _DateColumn,
    "text": _TextColumn,
}
"""By the kind of their description."""
