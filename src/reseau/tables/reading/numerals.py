"""Numbers as people write them in text: 1,234.50, 1.234,56, 1 234,56, $5, 12.5 %, (5.0), 1,5E+03.

A text is a number under a decimal mark, a point or a comma: "1.5" under the one, "1,5" under the other, "1234" under
both alike. "1,184" is one under both too, and not the same one: such a text is open. Which mark a column has follows
from its texts that are numbers under one mark only, then from other columns, then from what stands beside the open
ones (`found`). Whole columns are read at a time, by pyarrow, and each different text once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from reseau.tables.reading.cells import Floats, Mask

NEARLY_ALL = 0.9  # of a column's cells that are numbers or dates, from which it is one of these
# So many texts in a row of exactly three decimals are no decimals that drop their zeros: 0.9^30 = 4 %.
DROPPED_ZEROS = 30
RARE = 0.01  # of the open texts: fewer others say little of how these are meant
WHOLE = 2.0**53  # float64 merges whole numbers beyond
SAMPLE = 1000  # cells looked at for a proof of the decimal point before all are

MARKS = {".": "point", ",": "comma"}
SIGN = "[+\\-\u2212\u2013]"  # also the minus sign proper and the dash that word processors make of it
MINUS = "[\\-\u2212\u2013]"
SPACES = " \u00a0\u202f\u2009"  # also no-break, narrow no-break and thin
APOSTROPHES = "'\u2019"
CURRENCIES = "EUR USD GBP CHF JPY CAD AUD NZD SEK NOK DKK PLN CZK HUF INR CNY BRL MXN ZAR kr zł Kč"
UNIT = rf"(?:%|‰|[A-Z]{{0,2}}\p{{Sc}}|{CURRENCIES.replace(' ', '|')})"
WHOLE_NUMBER = rf"^\D*\d(?:[{SPACES}{APOSTROPHES}]?\d)*\D*$"  # among texts that are numbers
OPEN_POINT = r"^[+-]?[1-9]\d{0,2}\.\d{3}$"  # among texts that are numbers to a computer
LEADING_ZERO = r"^0\d+$"  # 01000 is a code (a postal code, a department), not the number 1000


def _number(decimal: str) -> str:
    """The texts that are numbers under a decimal mark, as a regular expression of RE2."""
    group = {".": ",", ",": "."}[decimal]
    separators = ["[.]" if mark == "." else mark for mark in (group, *SPACES, *APOSTROPHES)]
    groups = "|".join(rf"(?:{separator}\d{{3}})+" for separator in separators)
    indian = r"|[1-9]\d?(?:,\d{2})+,\d{3}" if group == "," else ""  # 12,34,567
    point = f"[{decimal}]"
    plain = rf"\d+(?:{point}\d*)?|{point}\d+"
    grouped = rf"(?:[1-9]\d{{0,2}}(?:{groups}){indian})(?:{point}\d*)?"
    number = rf"(?:(?:{plain})(?:[eE]{SIGN}?\d+)?|{grouped}|(?i:inf|infinity))"
    space = f"[{SPACES}]*"
    before, after = f"{UNIT}{space}", f"{space}{UNIT}"
    forms = (
        f"{SIGN}?(?:{space}{before})?{number}",
        f"{before}{SIGN}{number}",
        f"{SIGN}?{number}{after}",
        rf"\({space}(?:{before})?{number}{space}\)",  # in bookkeeping, what is in parentheses is negative
        rf"\({space}{number}{after}{space}\)",
        rf"{before}\({space}{number}{space}\)",
        rf"\({space}{number}{space}\){after}",
    )
    return f"^(?:{'|'.join(forms)})$"


MAY_BE_NUMBER = r"(?i)\d|inf"
NUMBER = {decimal: _number(decimal) for decimal in MARKS}


@dataclass(frozen=True)
class Evidence:
    """What the texts of a column say of how its numbers are written: how many cells are what.

    Attributes
    ----------
    cells : int
        Cells that hold a text.
    alike : int
        Numbers, the same ones under both decimal marks: 12, 1 234, 5e3.
    point, comma : int
        Numbers only with a decimal point (1.5, 1,234.50, 0.184, 1,184,000), or only with a decimal comma.
    open_point, open_comma : int
        Numbers under both, but not the same ones: 1.184, or 1,184.
    short, long : int
        Of those alike, the whole numbers of up to three digits, and of more, which no point or comma groups.
    examples : dict of str to str
        A text of each of these, under its attribute's name; under "bare" one without a unit.
    units : dict of str to int
        Numbers with each unit; the first met is first.
    bare : int
        Numbers without a unit.
    """

    cells: int
    alike: int
    point: int
    comma: int
    open_point: int
    open_comma: int
    short: int
    long: int
    examples: dict[str, str]
    units: dict[str, int]
    bare: int

    def numbers(self, decimal: str) -> int:
        """How many cells are numbers under a decimal mark."""
        return self.alike + self.open_point + self.open_comma + (self.comma if decimal == "," else self.point)

    def allows(self, decimal: str) -> bool:
        """Whether the column may have a decimal mark: not if its texts are numbers under the other one only."""
        least, other = NEARLY_ALL * self.cells, "," if decimal == "." else "."
        return self.numbers(decimal) >= least or self.numbers(other) < least

    @property
    def mark(self) -> str:
        """The decimal mark that the column proves for the table, or "": what is "1,5" among words is anything."""
        return self.proves if self.proves and self.numbers(self.proves) >= NEARLY_ALL * self.cells else ""

    @property
    def proves(self) -> str:
        """The decimal mark that more cells need than need the other, or ""."""
        return "." if self.point > self.comma else "," if self.comma > self.point else ""


@dataclass(frozen=True)
class Notation:
    """How the numbers of a column are written.

    Attributes
    ----------
    decimal : {".", ",", ""}
        "" if nothing says which.
    unit : str
        That of the numbers which have one; "" if none has.
    notes : tuple of str
        What is not obvious, with the option that changes it.
    """

    decimal: str = ""
    unit: str = ""
    notes: tuple[str, ...] = ()


def read(cells: pa.ChunkedArray, decimal: str = "", unit: str = "") -> tuple[Floats, Mask]:
    """Read text as numbers.

    Parameters
    ----------
    cells : chunked array of large_string
        Stripped of the spaces around; null where missing.
    decimal : {"", ".", ","}
        The decimal mark; "" finds it from these cells.
    unit : str
        The unit that a number may have ("%", "€", "EUR"); it need not. "" is the one that most of these cells have.

    Returns
    -------
    values : ndarray of shape (rows,), float64
        NaN where the cell is missing or odd. 12.5 % is 12.5.
    odd : ndarray of shape (rows,), bool
        Which cells are something else than a number with that decimal mark and unit.

    Examples
    --------
    >>> import pyarrow as pa
    >>> values, odd = read(pa.chunked_array([["$1,234.50", "($5)", None, "5 kg"]], pa.large_string()))
    >>> values.tolist(), odd.tolist()
    ([1234.5, -5.0, nan, nan], [False, False, False, True])
    """
    plain = as_computers_write(cells)
    if plain is not None and (decimal != "," or not plain[1]):
        return plain[0], np.zeros(len(cells), np.bool_)
    codes, levels = distinct(cells)
    counts = np.bincount(codes[codes >= 0], minlength=len(levels))
    values, units = _parse(levels, decimal or found(evidence(levels, counts)).decimal or ".")
    if not unit:
        numbers = ~np.isnan(values)
        unit = _commonest(_counted(units[numbers], counts[numbers]))
    values[(units != "") & (units != unit)] = np.nan
    values = np.append(values, np.nan)[codes]  # code -1, missing, is the last
    return values, np.isnan(values) & (codes >= 0)


def grouped(cells: pa.ChunkedArray, decimal: str) -> bool:
    """Whether points or commas group the digits of some numbers of a column, as they do in 1,184 under a decimal point.

    Examples
    --------
    >>> import pyarrow as pa
    >>> grouped(pa.chunked_array([["950", "1,184"]], pa.large_string()), ".")
    True
    """
    if not decimal:
        return False
    with_mark = cells.filter(pc.match_substring(cells, "," if decimal == "." else "."))
    return bool(_matches(with_mark.unique(), NUMBER[decimal]).any())


def undecidable(cells: pa.ChunkedArray, decimal: str, separator: str) -> Mask:
    """Which cells may be a thousand times as much, in a column that had no groups at training.

    Parameters
    ----------
    cells : chunked array of large_string
        Null where missing.
    decimal : {"", ".", ","}
        The decimal mark at training; "" if no number had one.
    separator : str
        Of the fields of the file the column comes from.

    Returns
    -------
    ndarray of shape (rows,), bool
        None if a cell proves the decimal mark (beside 2.5, and beside 1,184,000, 1,184 can be one thing only). Where no
        mark is known, 1.184 is what computers write, but where semicolons separate the fields.

    Examples
    --------
    >>> import pyarrow as pa
    >>> undecidable(pa.chunked_array([["1,184"]], pa.large_string()), ".", ";").tolist()
    [True]
    """
    among = {".": ",", ",": ".", "": ".," if separator == ";" else ","}[decimal]
    doubtful: Mask = np.any([_holds(cells, mark) for mark in among], axis=0)
    if not doubtful.any():
        return doubtful
    codes, levels = distinct(cells)
    said = evidence(levels, np.bincount(codes[codes >= 0], minlength=len(levels)))
    if said.proves and decimal in ("", said.proves):
        return np.zeros(len(cells), np.bool_)
    of_both = np.append(_matches(levels, NUMBER["."]) & _matches(levels, NUMBER[","]), False)
    return np.asarray(doubtful & of_both[codes], np.bool_)


def as_computers_write(cells: pa.ChunkedArray) -> tuple[Floats, str] | None:
    """Read text all of whose cells are numbers as computers write them, where nothing is left to decide.

    Parameters
    ----------
    cells : chunked array of large_string
        Null where missing.

    Returns
    -------
    values : ndarray of shape (rows,), float64
        NaN where the cell is missing.
    mark : str
        The decimal mark that they prove, "." or "" if none has any.
    None in place of both
        If a cell is something else, or all with points are open (1.184), or they may be codes (01000).
    """
    try:
        values = _floats(cells.cast(pa.float64()))
    except pa.ArrowInvalid:
        return None
    if np.isnan(values).sum() > cells.null_count:  # "nan" is a word
        return None
    with np.errstate(invalid="ignore"):
        if (np.abs(values) >= WHOLE).any() or pc.any(pc.match_substring_regex(cells, LEADING_ZERO)).as_py():
            return None
    points = pc.match_substring(cells, ".")
    if not pc.any(points).as_py():
        return values, ""
    head = cells.filter(points).slice(0, SAMPLE)
    return (values, ".") if not _matches(head, OPEN_POINT).all() else None


def plain(cells: pa.ChunkedArray, table_mark: str, decimal: str | None) -> tuple[Floats, Notation] | None:
    """Read text as `as_computers_write`, and say how it is written; None too if the user says another decimal mark."""
    found = as_computers_write(cells)
    if found is None or (found[1] and decimal not in (None, found[1])):
        return None
    return found[0], Notation(found[1] or table_mark)


def evidence(levels: pa.Array | Sequence[str], counts: npt.NDArray[np.int64] | Sequence[int]) -> Evidence:
    """Gather what the texts of a column say of how its numbers are written.

    Parameters
    ----------
    levels : array of large_string, or sequence of str
        The different texts, without those that mark a missing value.
    counts : array of int
        How many cells hold each.

    Returns
    -------
    Evidence
    """
    levels, counts = _texts(levels), np.asarray(counts, np.int64)
    as_point, as_comma = _are_numbers(levels, "."), _are_numbers(levels, ",")
    both = as_point & as_comma
    with_point, with_comma = _holds(levels, "."), _holds(levels, ",")
    alike = both & ~with_point & ~with_comma
    whole, short = alike & _matches(levels, WHOLE_NUMBER), _matches(levels, r"^\D*\d{1,3}\D*$")
    number = as_point | as_comma
    written = _units(levels)
    sorts = {
        "alike": alike,
        "point": as_point & ~as_comma,
        "comma": as_comma & ~as_point,
        "open_point": both & with_point,
        "open_comma": both & with_comma,
        "short": whole & short,
        "long": whole & ~short,
        "bare": number & (written == ""),
    }
    return Evidence(
        cells=int(counts.sum()),
        examples={sort: levels[int(which.argmax())].as_py() for sort, which in sorts.items() if which.any()},
        units=_counted(written[number], counts[number]),
        **{sort: int(counts[which].sum()) for sort, which in sorts.items()},
    )


def found(
    evidence: Evidence,
    table_mark: str = "",
    separator: str = "",
    decimal: str | None = None,
    thousands: str | None = None,
) -> Notation:
    """Decide how the numbers of a column are written.

    The first of these that says something decides on the decimal mark:

    1. the user, unless the texts are numbers under the other mark only;
    2. the texts that are numbers under one mark only (the more cells);
    3. the user, where spaces or apostrophes group digits: the open texts are decimals;
    4. the mark of the table;
    5. the open texts, all with commas or all with points (where there are both: those of more cells, else those with
       points; the others are then what these are not):

       - beside whole numbers of more than three digits, which would be grouped too: decimals (fewer than a hundredth
         of the open texts do not count);
       - commas: groups; but decimals where semicolons leave the comma free for that and no whole number of up to
         three digits stands beside, as small ones among grouped numbers would;
       - points: decimals; but groups where there are many, and whole numbers of up to three digits beside. (Of n
         decimals that drop their zeros, all have exactly three digits with a probability of 0.9^n.)

    Parameters
    ----------
    evidence : Evidence
        Of the column.
    table_mark : {"", ".", ","}
        What the columns of the table prove, all the same one; "" if they prove none.
    separator : str
        Of the fields of the file the column comes from.
    decimal : {None, "", ".", ","}
        What the user says it is.
    thousands : {None, ",", ".", " ", "'"}
        What the user says groups digits.

    Returns
    -------
    Notation
        Its decimal mark is "" if there is no choice to make; either will do.
    """
    unit = _commonest(evidence.units)
    notes = []
    if decimal:
        mark = decimal if evidence.allows(decimal) else evidence.proves
        if mark != decimal:
            proof = evidence.examples["point" if mark == "." else "comma"]
            notes.append(f"{proof!r} and others are read with decimal {MARKS[mark]}s, not {MARKS[decimal]}s as asked")
    elif thousands is not None and not evidence.proves and (evidence.open_comma or evidence.open_point):
        mark = "," if evidence.open_comma > evidence.open_point else "."
    else:
        mark, why = _mark(evidence, table_mark, separator)
        if why:
            notes.append(_choice(evidence, mark, why))
    if unit and evidence.bare:
        notes.append(f"{evidence.examples['bare']!r} has no {unit} and is read as if it had")
    return Notation(mark, unit, tuple(notes))


def code_among(levels: pa.Array | Sequence[str]) -> str:
    """Return a text that shows that whole numbers are codes rather than numbers, or "".

    That is one that begins with a zero ("01000"), or one beyond 2^53 ("3130000000000000123") where float64 merges some
    of the texts or half of the whole numbers are that long. But a code has no decimal mark: if a number among the texts
    has one, or an exponent, they are numbers.

    Parameters
    ----------
    levels : array of large_string, or sequence of str
        The different texts.

    Examples
    --------
    >>> code_among(["75001", "01000", "2A004", "unknown"])
    '01000'
    >>> code_among(["0123", "12.5"])
    ''
    """
    levels = _texts(levels)
    padded, whole = _matches(levels, LEADING_ZERO), _matches(levels, r"^[+-]?\d+$")
    values = _floats(levels.filter(pa.array(whole)).cast(pa.float64()))
    beyond = np.abs(values) >= WHOLE
    merged = len(np.unique(values[beyond])) < beyond.sum()
    long = beyond.any() and (merged or 2 * beyond.sum() >= len(values))
    if not padded.any() and not long:
        return ""
    marked = _matches(levels, rf"[.,]|\d[eE]{SIGN}?\d")
    if (marked & (_matches(levels, NUMBER["."]) | _matches(levels, NUMBER[","]))).any():
        return ""
    row = padded.argmax() if padded.any() else np.flatnonzero(whole)[beyond.argmax()]
    return str(levels[int(row)].as_py())


def distinct(cells: pa.ChunkedArray) -> tuple[npt.NDArray[np.int64], pa.Array]:
    """Return which of the different texts each cell holds, (rows,), -1 where it is missing; and these texts."""
    encoded = cells.combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):  # pyarrow < 18 kept no, one or many chunks
        encoded = encoded.unify_dictionaries().combine_chunks()
    return np.asarray(encoded.indices.fill_null(-1), dtype=np.int64), encoded.dictionary


# --------------------------------------------------------------------------------------------------


def _mark(evidence: Evidence, table_mark: str, separator: str) -> tuple[str, str]:
    """The decimal mark, and why if open texts are read by it and that is not obvious; else ""."""
    e = evidence
    commas = e.open_comma > e.open_point
    opens = e.open_comma if commas else e.open_point
    mark, other = (",", ".") if commas else (".", ",")
    if e.proves:
        proofs = e.point if mark == "." else e.comma
        rare = e.proves == mark and proofs < RARE * opens
        return e.proves, f"as in {e.examples[MARKS[mark]]!r}" if rare else ""
    if table_mark:
        grouped = e.open_comma if table_mark == "." else e.open_point
        return table_mark, f"other columns have decimal {MARKS[table_mark]}s" if grouped else ""
    if not opens:
        return "." if e.point else "", ""
    if e.long >= max(RARE * opens, 1):
        return mark, f"{e.examples['long']!r} beside is not grouped"
    groups = "groups of three digits throughout" + (f", beside {e.examples['short']!r}" if e.short else "")
    if commas:
        return (mark, "semicolons separate the fields") if separator == ";" and not e.short else (other, groups)
    return (other, groups) if opens >= DROPPED_ZEROS and e.short else (mark, "a point is mostly a decimal mark")


def _choice(evidence: Evidence, mark: str, why: str) -> str:
    """Say how open texts are read, and how they would be read otherwise."""
    text = evidence.examples["open_comma" if evidence.open_comma > evidence.open_point else "open_point"]
    other = "." if mark == "," else ","
    value, otherwise = (f"{_parse(_texts([text]), decimal)[0][0]:.15g}" for decimal in (mark, other))
    return f"{text!r} is read as {value} ({why}); --decimal {other} reads it as {otherwise}"


def _parse(levels: pa.Array, decimal: str) -> tuple[Floats, npt.NDArray[np.object_]]:
    """The value of each text under a decimal mark, NaN where it is no number, and its unit, or ""."""
    group = "," if decimal == "." else "."
    fits = pa.array(_are_numbers(levels, decimal))
    texts = pc.if_else(fits, levels, pa.scalar(None, levels.type))
    negative = _matches(texts, rf"^\D*(?:{MINUS}|\()")
    plain = pc.replace_substring_regex(texts, rf"{UNIT}|[{SPACES}{APOSTROPHES}()+{group}]", "")
    plain = pc.replace_substring_regex(plain, f"^{MINUS}", "")
    plain = pc.replace_substring_regex(plain, MINUS, "-")
    plain = pc.replace_substring(plain, ",", ".")
    values = _floats(plain.cast(pa.float64()))
    return np.where(negative, -values, values), _units(levels)


def _units(levels: pa.Array) -> npt.NDArray[np.object_]:
    """The unit in each text, "" where there is none."""
    unit = pc.struct_field(pc.extract_regex(levels, f"(?P<unit>{UNIT})"), "unit")
    return np.asarray(unit.fill_null("").to_numpy(zero_copy_only=False), dtype=np.object_)


def _counted(units: npt.NDArray[np.object_], counts: npt.NDArray[np.int64]) -> dict[str, int]:
    """How many cells have each unit, of the unit and the number of cells of each text."""
    return {unit: int(counts[units == unit].sum()) for unit in dict.fromkeys(units.tolist()) if unit}


def _commonest(units: dict[str, int]) -> str:
    return max(units, key=lambda unit: units[unit], default="")


def _texts(levels: pa.Array | Sequence[str]) -> pa.Array:
    return levels if isinstance(levels, pa.Array) else pa.array(levels, pa.large_string())


def _matches(texts: Any, pattern: str) -> Mask:
    found = pc.match_substring_regex(texts, pattern).fill_null(False)
    return np.asarray(found, dtype=np.bool_)


def _are_numbers(texts: Any, decimal: str) -> Mask:
    """Which texts are numbers under a decimal mark; words alone are told sooner than that pattern is compiled."""
    if not pc.any(pc.match_substring_regex(texts, MAY_BE_NUMBER)).as_py():
        return np.zeros(len(texts), np.bool_)
    return _matches(texts, NUMBER[decimal])


def _holds(texts: Any, part: str) -> Mask:
    return np.asarray(pc.match_substring(texts, part).fill_null(False), dtype=np.bool_)


def _floats(numbers: Any) -> Floats:
    return np.asarray(numbers, dtype=np.float64)
