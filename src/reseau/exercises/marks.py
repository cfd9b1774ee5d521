"""The marks of a class: a row for each file of answers, and which mistakes were made how often."""

from __future__ import annotations

import csv
import io
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import ascii_uppercase

from reseau.blackboard.forms import check_ending, set_lines
from reseau.blackboard.sheet import Line, Prose, Table, Title
from reseau.checks import as_path
from reseau.errors import ReseauError
from reseau.exercises import words
from reseau.exercises.answers import label_of, refusal, text_of
from reseau.exercises.exercise import Checked, Exercise
from reseau.exercises.mistakes import DIGITS
from reseau.exercises.report import place_in_words, transposed
from reseau.files.writing import write_bytes
from reseau.formulas.typesetting import TextSetter
from reseau.visible import visible

CSV = ".csv"
ENDINGS = (CSV, ".html", ".tex", ".md", ".txt")
FORMULA = tuple("=+-@\t\r")  # what a spreadsheet would compute


def mark(exercises: Sequence[Exercise], path: Path, lang: str) -> Checked:
    """Check one file, against the variant to which it belongs."""
    text = text_of(path, lang)
    return variant_of(exercises, text, path, lang).check_text(text, str(path), lang)


def variant_of(exercises: Sequence[Exercise], text: str, path: Path, lang: str) -> Exercise:
    """The variant to which a file of answers belongs, by a line in it or by its name."""
    if len(exercises) == 1:
        return exercises[0]
    by_name = {_plain(exercise.variant): exercise for exercise in exercises}
    said = label_of(text, str(path), lang).variant
    if said:
        found = by_name.get(_plain(said))
        if found is None:
            known = f"{exercises[0].variant}–{exercises[-1].variant}"
            raise refusal(words.NOT_A_VARIANT, lang, where=path, word=said, known=known)
        return found
    in_name = re.findall(r"-(\w+)-answers", path.stem) or re.findall(r"\d+", path.stem)
    fitting = {name: by_name[name] for name in map(_plain, in_name) if name in by_name}
    if len(fitting) == 1:
        return next(iter(fitting.values()))
    key, last = words.VARIANT_KEY.in_(lang), exercises[-1].variant
    raise refusal(words.WHICH_VARIANT, lang, place=path, example=f"{key},,,{last}", name=f"exercise-{last}-answers.csv")


def _plain(variant: str) -> str:
    """A variant's name without the zeros before its number, which spreadsheets leave out."""
    return variant.strip().lstrip("0").casefold() or "0"


@dataclass(frozen=True)
class Mark:
    """One file of answers.

    Attributes
    ----------
    file : Path
        Its name.
    student, variant : str
        Whose it is, as far as the file says, and which variant it belongs to.
    checked : Checked or None
        What is to be said of it; None where it could not be read.
    reason : str
        Why it could not be read.
    """

    file: Path
    student: str = ""
    variant: str = ""
    checked: Checked | None = None
    reason: str = ""

    @property
    def mark(self) -> float:
        """The share of the numbers asked for that are right; 0 where nothing could be read."""
        return 0.0 if self.checked is None else self.checked.mark

    def mistake(self, lang: str) -> str:
        """The kind of the likeliest mistake; "" where all is right or nothing was read."""
        if self.checked is None or self.checked.all_right:
            return ""
        if self.checked.verdict.transposed is not None:
            return words.EXCHANGED.in_(lang)
        likely = self.checked.verdict.mistakes
        return likely[0].words.in_(lang) if likely else words.SLIP.in_(lang)

    def first_wrong(self, lang: str) -> str:
        """Where it first went wrong."""
        if self.checked is None:
            return ""
        tasks, verdict, setter = self.checked.exercise.tasks, self.checked.verdict, TextSetter(lang, DIGITS)
        if verdict.transposed is not None:
            return "{symbol} ({name})".format(**transposed(tasks, verdict.transposed, setter))
        return "" if verdict.first is None else place_in_words(tasks, verdict.first, setter)


@dataclass(frozen=True)
class Marks:
    """The marks of a class, a `Mark` for each file; printed, they are a table.

    Attributes
    ----------
    rows : tuple of Mark
        In the order of the files.
    lang : str
        The language of the table.
    """

    rows: tuple[Mark, ...]
    lang: str

    @classmethod
    def of(cls, exercises: Sequence[Exercise], files: Sequence[Path], lang: str) -> Marks:
        """Check files of answers; one that cannot be read is a row too."""
        return cls(tuple(_row(exercises, file, lang) for file in files), lang)

    @property
    def all_right(self) -> bool:
        """Whether every file was read, and none has a number that is wrong."""
        return all(row.checked is not None and row.checked.all_right for row in self.rows)

    @property
    def mistakes(self) -> dict[str, int]:
        """How often each kind of mistake was the likeliest, the most frequent first."""
        found = Counter(row.mistake(self.lang) for row in self.rows)
        found.pop("", None)
        return dict(found.most_common())

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the table: as .csv for a spreadsheet, or as .html, .md, .tex or .txt."""
        place = as_path(path)
        write_bytes(place, self.in_form(place))

    def in_form(self, path: Path, option: str = "path") -> bytes:
        """The table in the form of a file's ending."""
        check_ending(path, option, *ENDINGS)
        if path.suffix.lower() == CSV:
            return self.to_csv().encode("utf-8-sig")
        return set_lines(self.lines(), path.suffix, self.lang, DIGITS).encode()

    def __str__(self) -> str:
        return set_lines(self.lines(), ".txt", self.lang, DIGITS).rstrip("\n")

    def lines(self) -> Iterator[Line]:
        """The table, and below it the mistakes by kind."""
        lang = self.lang
        yield Title(words.MARKS.in_(lang), 1)
        read = [row for row in self.rows if row.checked is not None]
        if read:
            mean = self._percent(sum(row.mark for row in read) / len(read))
            said = words.MEAN_OF_ONE if len(read) == 1 else words.MEAN_MARK
            yield Prose(said.in_(lang).format(count=len(read), mean=mean))
        letters = {kind: _letter(place) for place, kind in enumerate(self.mistakes)}
        header = [words.STUDENT, words.VARIANT, words.RIGHT, words.MARK, words.MISTAKE, words.FIRST]
        columns = [i for i, what in enumerate(header) if what is not words.VARIANT or any(r.variant for r in self.rows)]
        rows = []
        for row in self.rows:
            cells = self._cells(row, letters)
            rows.append(tuple(cells[i] for i in columns))
        yield Table(tuple(header[i].in_(lang) for i in columns), tuple(rows))
        if letters:
            yield Title(words.MISTAKES.in_(lang), 2)
            kinds = tuple((letters[kind], kind, str(count)) for kind, count in self.mistakes.items())
            yield Table(("", words.LIKELY_MISTAKE.in_(lang), words.HOW_OFTEN.in_(lang)), kinds)
        yield Prose(words.WHAT_A_MARK_IS.in_(lang))

    def _cells(self, row: Mark, letters: dict[str, str]) -> tuple[str, ...]:
        who = row.student or row.file.name
        if row.checked is None:
            return who, row.variant, "–", "–", "", row.reason
        right = words.RIGHT_OF.in_(self.lang).format(right=row.checked.right, asked=row.checked.asked)
        kind = row.mistake(self.lang)
        return who, row.variant, right, self._percent(row.mark), letters.get(kind, ""), row.first_wrong(self.lang)

    def _percent(self, share: float) -> str:
        return words.PERCENT.in_(self.lang).format(number=_rounded_down(share))

    def to_csv(self) -> str:
        """The same for a spreadsheet: a line for each file."""
        out = io.StringIO()
        writer = csv.writer(out, delimiter=";" if self.lang == "fr" else ",")
        writer.writerow(words.COLUMNS_OF_MARKS.in_(self.lang).split())
        for row in self.rows:
            numbers: tuple[object, ...] = ("", "", "", "")
            if row.checked is not None:
                percent = f"{100 * row.mark:.1f}".replace(".", "," if self.lang == "fr" else ".")
                numbers = (row.checked.right, row.checked.answered, row.checked.asked, percent)
            texts = (row.first_wrong(self.lang), row.mistake(self.lang), row.reason)
            writer.writerow([*map(_cell, (row.file.name, row.student, row.variant)), *numbers, *map(_cell, texts)])
        return out.getvalue()


def _rounded_down(share: float) -> int:
    """Per cent, so that 100 is all of them."""
    return int(100 * share + 1e-9)


def _letter(place: int) -> str:
    """A, B, ..., Z, A2, B2, ..."""
    again, letter = divmod(place, len(ascii_uppercase))
    return ascii_uppercase[letter] + (str(again + 1) if again else "")


def _cell(text: str) -> str:
    """A text from outside, which a spreadsheet takes for no formula."""
    return f"'{text}" if text.startswith(FORMULA) else visible(text)


def _row(exercises: Sequence[Exercise], file: Path, lang: str) -> Mark:
    student = variant = ""
    try:
        text = text_of(file, lang)
        student = label_of(text, str(file.name), lang).student
        exercise = variant_of(exercises, text, Path(file.name), lang)
        variant = exercise.variant
        return Mark(file, student, variant, exercise.check_text(text, file.name, lang))
    except ReseauError as error:
        reason = str(error).removeprefix(str(file)).removeprefix(file.name).lstrip(",: \N{NO-BREAK SPACE}")
        return Mark(file, student, variant, reason=reason[:1].upper() + reason[1:])
    except FileNotFoundError:
        return Mark(file, student, variant, reason=words.NO_FILE.in_(lang))
    except OSError as error:
        return Mark(file, student, variant, reason=error.strerror or str(error))
