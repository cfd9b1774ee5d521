"""What each column of a table is, from all of its cells: the rules are here and nowhere else.

Cells that mark a missing value (`cells.MISSING`, and what the user names) come first; what is left decides.

- Nothing left: left out as empty. Always the same value: left out as constant.
- A type that says so (a categorical of pandas, a dictionary of Parquet): a category.
- Whole numbers that begin with a zero, or that float64 cannot tell apart: codes, so text.
- Words for true and for false, both of one pair: a boolean.
- All cells numbers: a number, however few different ones there are. Nearly all, or half of them where
  many are different: a number too, where the few other texts count as missing; but texts such as 4+ or
  2A, met again and again beside few whole numbers, are labels as these are.
- Nearly all cells dates of one order, but for a few words: a date, unless the order of day and month is open.
- Other text: a category; but where more than half of the rows have texts of their own, they are free text, or an
  identifier if every row has another and few of them are words.
- Whole numbers that count the rows, or that differ in every row and are named like a key: an
  identifier.

Whatever of it is not obvious is told in a note, with the option that would change it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from reseau.tables.columns.asked import LEFT_OUT, NOTHING, Asked, option
from reseau.tables.columns.category import Category
from reseau.tables.columns.description import Description
from reseau.tables.columns.kinds import Boolean, Date, Number, refuse_nothing
from reseau.tables.columns.left_out import LeftOut
from reseau.tables.columns.sentinels import sentinels
from reseau.tables.columns.statistics import mean_and_deviation
from reseau.tables.columns.text import Text
from reseau.tables.reading import cells as read
from reseau.tables.reading import dates, numerals
from reseau.tables.reading.cells import Labels
from reseau.tables.reading.table import Column, Table, listed, quoted
from reseau.visible import plural

if TYPE_CHECKING:
    from reseau.tables.reading.cells import Floats, Mask

ODD_SPELLINGS = 5  # so many different texts, at most, count as missing beside numbers or dates
MOSTLY = 0.5  # of the cells that are numbers or dates, from which it is said that the column is labels nevertheless
MOST_LABELS = 100  # different whole numbers beside which a text such as 4+ or 2A makes labels of them all
KEY_NAME = re.compile(
    r"(__index_level_\d+__|column 1|index|key|rownames?|row|unnamed: \d+|nr|no|obs|case|serial"
    r"|(id|uuid|guid|n°|nº|num[eé]ro|identifiant)([_\W].*)?"
    r"|(.*[_\W])?(id|uuid|guid|num[eé]ro|identifiant))",
    re.IGNORECASE,
)
KEY_CAMEL = re.compile(r".*[a-z](Id|ID)|id[A-Z].*")
OBVIOUS = ("NA", "N/A", "NaN", "nan", "NULL", "null", "<NA>", "#N/A", "n/a", "na", "NaT", "?")
IDENTIFIER_LENGTH = 40  # characters on average; longer distinct texts are free text, and so are several words
WORDS = r"\p{L}{2,}\P{L}*\s\P{L}*\p{L}{2,}|[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}]{4,}"  # two of them, or a sentence
PLUSES = ("+", "++", "+++")  # beside which - and -- are no marks of missing values, but negative


def recognise_all(table: Table, target: str, asked: Asked, mark: str) -> tuple[list[Description], list[str]]:
    """Recognise every column but the target, in order, with notes for the report.

    Raises
    ------
    DataError
        When nothing is left to learn from, or a column is not what it is said to be.
    """
    notes: list[str] = []
    recognised: list[Description] = []
    candidates = [name for name in table.columns if name != target and asked.kinds.get(name) != LEFT_OUT]
    commas: list[str] = []
    for name, column in table.columns.items():
        if name == target:
            continue
        if asked.kinds.get(name) == LEFT_OUT:
            recognised.append(LeftOut(name, "ignored", "as asked"))
            continue
        description, told = recognise(column, asked, mark, alone=len(candidates) == 1)
        recognised.append(description)
        notes += [f"{name}: {note}" for note in told]
        if isinstance(description, Number) and description.decimal == "," and _has_commas(column.cells):
            commas.append(name)
    if commas:
        notes.insert(0, f"decimal commas are read as such in {listed(commas)}")
    refuse_nothing(recognised, table, target)
    return recognised, notes


def decimal_mark(table: Table, asked: Asked) -> str:
    """The decimal mark that the table's columns of text prove, all the same one; "" if they prove none."""
    if asked.decimal is not None:
        return asked.decimal
    marks = set()
    for name, column in table.columns.items():
        if read.is_text(column.cells) and name not in asked.kinds:
            cells = read.without(column.cells, (*read.MISSING, *asked.missing))
            if not pc.any(pc.match_substring_regex(cells, "[.,]")).as_py():
                continue
            plain = numerals.as_computers_write(cells)
            marks.add(_evidence(read.label_codes(cells)).mark if plain is None else plain[1])
    marks.discard("")
    return marks.pop() if len(marks) == 1 else ""


def recognise(
    column: Column, asked: Asked = NOTHING, mark: str = "", alone: bool = False
) -> tuple[Description, list[str]]:
    """Say what a column is, from all of its cells.

    Parameters
    ----------
    column : Column
    asked : Asked
        What the user says.
    mark : str
        The decimal mark that the table proves, "" if it proves none.
    alone : bool
        Whether it is the only one to learn from: then even a column that counts its rows is kept.

    Returns
    -------
    description : Description
        Not fitted yet.
    notes : list of str
        What the user should know of how the column was taken.

    Raises
    ------
    DataError
        If a number is infinite or too large for float32, or the column is not what the user says.
    """
    kind = asked.kinds.get(column.name, column.declared)
    usual: tuple[str, ...] = () if kind == "text" else read.MISSING
    if column.declared:  # all that is there is a label
        usual = tuple(mark for mark in usual if mark not in read.marks_met(column.cells, usual))
    if usual and read.marks_met(column.cells, PLUSES):
        usual = tuple(mark for mark in usual if mark.strip("-"))
    cells = read.without(column.cells, (*usual, *asked.missing))
    met = read.marks_met(column.cells, usual)
    return _Recognition(replace(column, cells=cells), asked, mark, alone, kind, usual, met).result()


@dataclass(frozen=True)
class _Recognition:
    """A column without the cells that are missing, and what is known beside it."""

    column: Column
    asked: Asked
    mark: str
    alone: bool
    kind: str  # that the user or the column's type says; "" for none
    usual_marks: tuple[str, ...]  # of missing values, that are such marks in this column too
    marks_met: tuple[str, ...]  # those of them that there were

    @property
    def name(self) -> str:
        return self.column.name

    @property
    def cells(self) -> pa.ChunkedArray:
        return self.column.cells

    def result(self) -> tuple[Description, list[str]]:
        cells, name = self.cells, self.name
        if cells.null_count == len(cells):
            return LeftOut(name, "empty", "all values are missing"), []
        plain = read.is_text(cells) or read.is_number(cells) or read.is_date(cells) or pa.types.is_boolean(cells.type)
        if not plain:
            return LeftOut(name, "unsupported", f"cells of type {cells.type} cannot be used"), []
        if self.kind == "number":
            return self._number_as_asked()
        if self.kind == "date":
            return self._date_as_asked()
        if self.kind or read.is_text(cells):
            return self._of_labels() if self.kind else self._of_text()
        if pa.types.is_boolean(cells.type):
            return self._unless_constant(Boolean(name)), []
        if read.is_date(cells):
            return self._unless_constant(self._typed_date()), []
        return self._typed_number()

    # --- as the user says -----------------------------------------------------------------------------------------

    def _number_as_asked(self) -> tuple[Description, list[str]]:
        notation = self._notation(read.label_codes(self.cells)) if read.is_text(self.cells) else numerals.Notation()
        values, odd = read.numbers(self.cells, notation.decimal, notation.unit)
        if np.isnan(values).all():
            read.refuse_odd(self.column, odd, "is not a number, nor is any other cell of the column.")
        return self._number(values, odd, notation)

    def _date_as_asked(self) -> tuple[Description, list[str]]:
        if read.is_date(self.cells):
            return self._typed_date(), []
        labels = read.label_codes(self.cells)
        order, notes = self.asked.orders.get(self.name), []
        if order is None:
            found = dates.find(labels.column, labels.counts())
            if found is not None:
                order = found.order or found.ambiguous[0]
            else:  # few of the cells are dates: the order of most of these
                order = min(dates.ORDERS, key=lambda order: int(dates.read(self.cells, order)[1].sum()))
            other = found.ambiguous[1] if found is not None and found.order is None else ""
            otherwise = f"; {option('date', f'{self.name}={other}')} reads them otherwise" if other else ""
            notes = [f"dates are read as {order}{otherwise}"]
        _, odd = dates.read(self.cells, order)
        if int(odd.sum()) == len(self.cells) - self.cells.null_count:
            read.refuse_odd(self.column, odd, f"is not a date ({order}), nor is any other cell of the column.")
        return self._date(order, odd, notes)

    def _typed_date(self) -> Date:
        order = dates.TIME_OF_DAY if pa.types.is_time(self.cells.type) else dates.ORDERS[0]
        return Date(self.name, order=order, also_missing=self.asked.missing)

    # --- text -------------------------------------------------------------------------------------------------------

    def _of_text(self) -> tuple[Description, list[str]]:
        plain = numerals.plain(self.cells, self.mark, self.asked.decimal)
        if plain is None or _digits_of_dates(self.cells):
            return self._of_labels()
        values, notation = plain
        return self._number(values, np.zeros(len(values), np.bool_), notation)

    def _of_labels(self) -> tuple[Description, list[str]]:
        labels = read.label_codes(self.cells)
        if self.kind == "text":
            return self._category(labels, [], self.alone)
        if self.kind:
            return self._category(labels, [], True)
        if len(labels.texts) == 1 and not self.column.cells.null_count:
            return self._constant(), []
        words = read.pair_of_words(labels)
        if words:
            return Boolean(self.name, also_missing=self.asked.missing, words=words), []
        levels, counts = labels.texts, labels.counts()
        notation = self._notation(labels)
        values, odd_level = numerals.read(labels.column, notation.decimal, notation.unit)
        n_odd = int(counts[odd_level].sum())
        code = numerals.code_among(levels)
        digits = _digits_of_dates(self.cells)
        if digits and (code or not n_odd):  # 00000000 makes no codes of dates
            found = _dates(labels)
            if found is not None and found.order is not None:
                return self._date(found.order, dates.read(self.cells, found.order)[1], self._with_options(found))
        if code:
            reads = f"{option('number', self.name)} reads numbers"
            note = f"{quoted(code)} and others are taken for codes, not numbers; {reads}"
            return self._category(labels, [note] * bool(2 * n_odd < counts.sum()), self.alone)
        if n_odd == 0:
            values, odd = read.numbers(self.cells, notation.decimal, notation.unit)
            return self._number(values, odd, notation)
        return self._of_mixed_labels(labels, notation, odd_level, n_odd)

    def _of_mixed_labels(
        self, labels: Labels, notation: numerals.Notation, odd_level: Mask, n_odd: int
    ) -> tuple[Description, list[str]]:
        """Text that is not all numbers: dates, numbers with a few other texts, or labels."""
        present = int(labels.counts().sum())
        found = _dates(labels)
        if found is not None and found.order is not None:
            _, odd = dates.read(self.cells, found.order)
            if len(self.cells.filter(pa.array(odd)).unique()) <= ODD_SPELLINGS:
                return self._date(found.order, odd, self._with_options(found))
        values, odd = read.numbers(self.cells, notation.decimal, notation.unit)
        notes: list[str] = []
        # many different numbers are no labels, even if many cells are "unknown"
        most = 0.5 if (~odd_level).sum() > MOST_LABELS else 1 - numerals.NEARLY_ALL
        few = n_odd <= most * present and odd_level.sum() <= ODD_SPELLINGS
        if few and not (n_odd and _of_one_set(labels, values, odd_level)):
            return self._number(values, odd, notation)
        found = found or dates.find(labels.column, labels.counts(), MOSTLY)
        if found is not None and found.order is None:
            first, second = found.ambiguous[:2]
            notes.append(
                f"dates with day or month first, undecidable; {option('date', f'{self.name}={first}')} or ={second} "
                "reads them"
            )
        elif found is not None and found.order is not None:
            row = int(dates.read(self.cells, found.order)[1].argmax())
            notes.append(
                f"mostly dates, but {quoted(self.cells[row].as_py())} ({self.column.place(row)}) and others are not; "
                f"{option('date', self.name)} counts them as missing"
            )
        elif 0 < n_odd < (1 - MOSTLY) * present:
            row = int(odd.argmax())
            notes.append(
                f"mostly numbers, but {quoted(self.cells[row].as_py())} ({self.column.place(row)}) and others are not; "
                f"{option('number', self.name)} counts them as missing"
            )
        return self._category(labels, notes, self.alone)

    def _category(self, labels: Labels, notes: list[str], kept: bool) -> tuple[Description, list[str]]:
        """Labels, or free text where nearly every row has another; `kept` keeps labels unless every row has another."""
        present, n_levels = int((labels.codes >= 0).sum()), len(labels.texts)
        if n_levels == 1 and not self.column.cells.null_count:
            return self._constant(), notes
        free = n_levels > max(0.5 * present, 2) and self._is_free(labels, n_levels == present, kept)
        if n_levels == present > 2 and not free:
            return LeftOut(self.name, "identifier", "a different text in every row"), notes
        unusual = [mark for mark in self.marks_met if mark not in OBVIOUS]
        if unusual:
            written = f"{option('text', self.name)} keeps labels as written"
            notes = [*notes, f"{listed(unusual)} {'is' if len(unusual) == 1 else 'are'} read as missing; {written}"]
        verbatim = self.usual_marks != read.MISSING
        also_missing = (*(self.usual_marks if verbatim else self.marks_met), *self.asked.missing)
        if free:
            asked = self.alone or self.kind == "text"
            return Text(self.name, also_missing=also_missing, verbatim=verbatim, kept=asked), notes
        return Category(self.name, also_missing=also_missing, verbatim=verbatim), notes

    def _is_free(self, labels: Labels, different: bool, kept: bool) -> bool:
        """Whether texts, of which there are nearly as many as rows, are free text: neither labels nor identifiers."""
        if self.kind:
            return self.kind == "text"
        several = 2 * pc.sum(pc.match_substring_regex(labels.texts, WORDS)).as_py() >= len(labels.texts)
        long = pc.mean(pc.utf8_length(labels.texts)).as_py() > IDENTIFIER_LENGTH
        return several or long or not (different or kept)

    # --- numbers and dates ------------------------------------------------------------------------------------------

    def _notation(self, labels: Labels) -> numerals.Notation:
        asked = self.asked
        return numerals.found(_evidence(labels), self.mark, self.column.separator, asked.decimal, asked.thousands)

    def _typed_number(self) -> tuple[Description, list[str]]:
        values, odd = read.numbers(self.cells)
        plain = pa.types.is_integer(self.cells.type) or pa.types.is_floating(self.cells.type)
        if plain and _may_be_digits_of_dates(values):  # as frames hold what files have as text
            labels = read.label_codes(self.cells.cast(pa.int64(), safe=False))
            found = dates.find(labels.column, labels.counts())
            if found is not None and found.order is not None:
                return self._date(found.order, dates.read(self.cells, found.order)[1], self._with_options(found))
        if pa.types.is_integer(self.cells.type) or pa.types.is_decimal(self.cells.type):
            exact = self.cells.drop_null().unique()
            if len(exact) > len(np.unique(values[~np.isnan(values)])):
                note = (
                    f"whole numbers such as {exact[0].as_py()}, which float64 cannot tell apart, are taken for codes; "
                    f"{option('number', self.name)} reads numbers"
                )
                return self._category(read.label_codes(self.cells), [note], self.alone)
        return self._number(values, odd, numerals.Notation())

    def _number(self, values: Floats, odd: Mask, notation: numerals.Notation) -> tuple[Description, list[str]]:
        name = self.name
        also = read.spelled(self.asked.missing, notation.decimal)
        values = read.blank(values, read.as_numbers(also, notation.decimal, notation.unit))
        read.refuse_too_large(self.column, values)
        present = values[~np.isnan(values)]
        if not len(present):
            return LeftOut(name, "empty", "all values are missing"), []
        notes = list(notation.notes)
        grouped = self.asked.groups(notation.decimal)
        grouped = grouped or (read.is_text(self.cells) and numerals.grouped(self.cells, notation.decimal))
        number = Number(name, also_missing=also, decimal=notation.decimal, unit=notation.unit, grouped=grouped)
        if odd.any():
            spellings, note = self._odd(odd, "a number", "numbers")
            return replace(number, also_missing=(*also, *spellings)), [
                *notes,
                note,
                *sentinels(self.cells, values),
            ]
        whole = len(present) == len(values) and not np.mod(present, 1.0).any()
        if len(values) > 1 and len(present) == len(values) and not mean_and_deviation(present)[1]:
            alike = (present == present[0]).all()
            return self._constant("" if alike else ", but for rounding"), []
        kept = self.alone or self.kind == "number"
        if whole and not kept and len(present) > 2 and len(np.unique(present)) == len(present):
            counting = present[0] in (0.0, 1.0) and (np.diff(present) == 1.0).all()
            key = bool(KEY_NAME.fullmatch(name) or KEY_CAMEL.fullmatch(name))
            if counting:
                kept_by = "" if key else f"; {option('number', name)} keeps it"
                return LeftOut(name, "identifier", f"counts the rows{kept_by}"), []
            if key:
                return LeftOut(name, "identifier", "a different whole number in every row"), []
        return number, [*notes, *sentinels(self.cells, values)]

    def _date(self, order: str, odd: Mask, notes: list[str]) -> tuple[Description, list[str]]:
        also = self.asked.missing
        if odd.any():
            spellings, note = self._odd(odd, "a date", "dates")
            also, notes = (*also, *spellings), [*notes, note]
        return self._unless_constant(Date(self.name, order=order, also_missing=also)), notes

    def _with_options(self, found: dates.Found) -> list[str]:
        """The notes on dates that were found, with the option that reads them otherwise."""
        notes = list(found.notes)
        if found.order == dates.DIGITS:
            notes[0] += f"; {option('number', self.name)} reads numbers"
        elif found.ambiguous:
            notes[0] += f"; {option('date', f'{self.name}={found.ambiguous[0]}')} reads the year first"
        return notes

    def _odd(self, odd: Mask, what: str, several: str) -> tuple[list[str], str]:
        """The texts that are not what the column is, and the note that they count as missing."""
        count = int(odd.sum())
        spellings = read.label_codes(self.cells.filter(pa.array(odd))).levels
        verb = f"is not {what} and counts" if count == 1 else f"are not {several} and count"
        which = f"{listed(spellings)}, first at {self.column.place(int(odd.argmax()))}"
        note = (
            f"{plural(count, 'cell')} {verb} as missing: {which}; {option('category', self.name)} keeps all as labels"
        )
        return spellings, note

    def _unless_constant(self, description: Description) -> Description:
        cells = self.cells
        if cells.null_count or len(cells) == 1 or len(cells.unique()) > 1:
            return description
        return self._constant()

    def _constant(self, but: str = "") -> LeftOut:
        return LeftOut(self.name, "constant", f"always {quoted(self.cells[0].as_py())}{but}")


def _of_one_set(labels: Labels, values: Floats, odd_level: Mask) -> bool:
    """Whether texts beside numbers are labels as the numbers are: 4+ beside 1, 2, 3, or 2A beside 1 to 95.

    So they are where the numbers are few and whole, and each of the texts holds a digit and is met again; a slip of
    the pen is met once.
    """
    numbers = np.unique(values[~np.isnan(values)])
    if not 0 < len(numbers) <= MOST_LABELS or np.mod(numbers, 1.0).any():
        return False
    counts = labels.counts()
    return all(counts[i] > 1 and re.search(r"\d", labels.levels[i]) is not None for i in np.nonzero(odd_level)[0])


def _dates(labels: Labels) -> dates.Found | None:
    """The dates that labels are; up to half of the cells may be words such as "unknown"."""
    levels, counts = labels.column, labels.counts()
    found = dates.find(levels, counts)
    words = ~read.mask(pc.match_substring_regex(levels, r"\d"))
    if found is None and 0 < words.sum() <= ODD_SPELLINGS and 2 * counts[words].sum() < counts.sum():
        return dates.find(levels, np.where(words, 0, counts))
    return found


def _evidence(labels: Labels) -> numerals.Evidence:
    return numerals.evidence(labels.texts, labels.counts())


def _digits_of_dates(cells: pa.ChunkedArray) -> bool:
    """Whether one of the first texts is digits alone that may be a date: 20240131, 20240131120000."""
    first = cells.drop_null().slice(0, 100)
    return bool(pc.any(pc.match_substring_regex(first, r"^(19|20)\d{6}(\d{6})?$")).as_py())


def _has_commas(cells: pa.ChunkedArray) -> bool:
    return read.is_text(cells) and bool(pc.any(pc.match_substring(cells, ",")).as_py())


def _may_be_digits_of_dates(values: Floats) -> bool:
    """Whether all numbers are whole, and of eight digits that begin as years of our times do, or 0 for no date."""
    present = values[~np.isnan(values) & (values != 0.0)]
    return bool(((present >= 19e6) & (present < 1e8)).all() and not np.mod(present, 1.0).any())
