"""The sections of the page, each set from what was computed, in a language."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from reseau.formulas.words import Words
from reseau.tables.reading.stored_table import SampledTable
from reseau.tables.targets.scores import over_parts
from reseau.tables.understanding.page import charts
from reseau.tables.understanding.page import words as w
from reseau.tables.understanding.page.contents import Contents
from reseau.tables.understanding.page.findings import Counted, Finding, Share, Typed
from reseau.tables.understanding.page.markup import Html, Language, joined, name, tag
from reseau.tables.understanding.page.seen import ColumnSeen

if TYPE_CHECKING:
    from reseau.tables.model import TableModel

OPEN_COLUMNS = 40  # that are shown before one asks for the others
MOST_NOTES = 60
TARGETS = ("classification", "regression")  # what a target was taken for


@dataclass(frozen=True)
class Section:
    """A part of the page: what links to it call it, its title, and what it holds."""

    identity: str
    title: Html
    content: Html

    @classmethod
    def of(cls, identity: str, title: Html, *parts: str) -> Section:
        """A section of these parts."""
        return cls(identity, title, joined(*parts))

    @property
    def html(self) -> Html:
        """The whole."""
        return tag("section", tag("h2", self.title), self.content, id=self.identity)


def table(
    head: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: Sequence[int] = (), caption: str | None = None
) -> Html:
    """A table whose first cells name the rows; the columns in `numbers` are set right."""

    def cell(kind: str, place: int, content: str, scope: str | None = None) -> Html:
        return tag(kind, content, class_="n" if place in numbers else None, scope=scope)

    columns = tag("tr", *(cell("th", i, content, "col") for i, content in enumerate(head)))
    body = [
        tag("tr", *(cell("td" if i else "th", i, content, None if i else "row") for i, content in enumerate(row)))
        for row in rows
    ]
    above = [tag("caption", caption)] if caption else []
    return tag("div", tag("table", *above, tag("thead", columns), tag("tbody", *body)), class_="wide")


def folded(summary: str, *parts: str) -> Html:
    """What is shown to who asks for it, and on paper."""
    return tag("details", tag("summary", summary), *parts)


def counted(language: Language, count: int, noun: tuple[Words, Words]) -> Html:
    """A count with its noun."""
    return language(noun[count != 1], count=language.count(count))


def listed(language: Language, parts: Sequence[str]) -> Html:
    """Names as a list in a sentence."""
    if len(parts) < 2:
        return joined(*parts)
    between = [", "] * (len(parts) - 2) + [language(w.AND), ""]
    return joined(*(joined(part, mark) for part, mark in zip(parts, between, strict=True)))


def told(language: Language, part: Any) -> Html:
    """A part of a finding."""
    if isinstance(part, str):
        return tag("strong", name(part, 60))
    if isinstance(part, Words):
        return language(part)
    if isinstance(part, Counted):
        return counted(language, part.number, part.noun)
    if isinstance(part, Typed):
        return tag("code", part.text)
    if isinstance(part, Share):
        return joined(language.share(part))
    if isinstance(part, tuple):
        first, *others = (told(language, one) for one in part)
        return joined(first, " (", *others, ")")
    if isinstance(part, list):
        return listed(language, [told(language, one) for one in part])
    return joined(language.number(part, 4))


# --- the data ---------------------------------------------------------------------------------------------------------


def data(contents: Contents, language: Language) -> Section:
    """What the table is taken for."""
    seen, read = contents.seen, contents.evidence.table
    facts = language(
        w.DATA_TOLD,
        table=table_name(contents) or language(w.IN_MEMORY),
        rows=counted(language, contents.rows, w.ROWS),
        columns=counted(language, len(read.columns), w.COLUMNS),
    )
    shown = seen.columns[:OPEN_COLUMNS]
    if isinstance(read, SampledTable):
        some, whole = language.count(read.rows), counted(language, read.whole.rows, w.ROWS)
        facts = joined(facts, " ", language(w.SAMPLED, some=some, rows=whole))
    parts = [tag("p", facts), _columns([seen.target, *shown], read.rows, language)]
    rest = seen.columns[OPEN_COLUMNS:]
    if rest:
        more = language(w.ALL_COLUMNS, columns=counted(language, len(rest), w.COLUMNS))
        parts.append(folded(more, _columns(rest, read.rows, language)))
    if seen.more:
        kinds = [joined(language.count(count), " ", language(w.KINDS[kind])) for kind, count in seen.more]
        parts.append(tag("p", language(w.MORE_COLUMNS, kinds=listed(language, kinds))))
    return Section.of("data", language(w.DATA), *parts)


def table_name(contents: Contents) -> Html | None:
    """The name of the table's file; None where there is none."""
    return name(Path(contents.evidence.table.name).name) if contents.repeat.files else None


def _columns(columns: Sequence[ColumnSeen], rows: int, language: Language) -> Html:
    head = [language(words) for words in (w.COLUMN, w.TAKEN_FOR, w.MISSING, w.HOLDS, w.DISTRIBUTION)]
    body = []
    for column in columns:
        absent = ""
        if column.missing:
            absent = f"{language.count(column.missing)} ({language.share(column.missing / rows)})"
        bars: Html | str = ""
        if column.bars:
            bars = charts.spark(column.bars, language(w.BARS, column=name(column.name, 60)))
        called = name(column.name)
        if column.taken_for in TARGETS:
            called = language(w.PREDICTED, target=called)
        body.append([called, language(w.KINDS[column.taken_for]), absent, _holds(column, language), bars])
    return table(head, body, numbers=(2,))


def _holds(column: ColumnSeen, language: Language) -> Html:
    if not column.used:
        return language(w.REASONS[column.taken_for], only=name(column.only or "", 40))
    if column.share is not None:
        return language(w.TRUE_IN, share=language.share(column.share))
    if column.ends:
        low, median, high = (end if isinstance(end, str) else language.number(end, 5) for end in column.ends)
        return language(w.ENDS, low=low, median=median, high=high)
    if not column.levels:
        return joined("")
    names = listed(language, [name(label, 32) for label, _ in column.common])
    if column.taken_for == "free text":
        texts = counted(language, column.levels, w.TEXTS)
        return language(w.SUCH_AS, texts=texts, text=name(column.common[0][0], 60))
    words = w.LEVELS_ARE if column.levels <= len(column.common) else w.COMMONEST
    noun = w.CLASSES if column.taken_for in TARGETS else w.LEVELS
    return language(words, levels=counted(language, column.levels, noun), names=names)


# --- what was noticed -------------------------------------------------------------------------------------------------


def noticed(contents: Contents, language: Language) -> Section:
    """What was noticed, and what the model noted when it read the table."""
    parts: list[Html] = []
    if contents.findings:
        parts.append(tag("ul", *(_finding(finding, language) for finding in contents.findings), class_="findings"))
    else:
        parts.append(tag("p", language(w.NOTHING_NOTICED)))
    notes = contents.notes
    if notes:
        lines = [tag("li", note, lang="en", dir="auto") for note in notes[:MOST_NOTES]]
        if len(notes) > MOST_NOTES:
            lines.append(tag("li", language(w.MORE_NOTES, count=language.count(len(notes) - MOST_NOTES))))
        parts.append(tag("h3", language(w.NOTES)))
        if language.lang != "en":
            parts.append(tag("p", language(w.NOTES_ARE_ENGLISH), class_="faint"))
        parts.append(tag("ul", *lines, class_="notes"))
    return Section.of("noticed", language(w.NOTICED), *parts)


def _finding(finding: Finding, language: Language) -> Html:
    kind = language(w.WARNING if finding.grave else w.NOTE)
    said = joined(" – ", sentence(finding, language))
    return tag("li", tag("strong", kind), said, class_="grave" if finding.grave else None)


def sentence(finding: Finding, language: Language) -> Html:
    """A finding in words."""
    return language(finding.words, **{key: told(language, part) for key, part in finding.parts.items()})


# --- scores -----------------------------------------------------------------------------------------------------------


def unseen(contents: Contents, language: Language) -> Html:
    """Which rows are scored, as the end of a sentence."""
    model, facts = contents.model, contents.model.training
    if contents.evidence is not model.evidence or "test" in facts:
        table = table_name(contents)
        return language(w.OF_ANOTHER) if table is None else language(w.OF_FILE, table=table)
    if "time" in facts and facts["held_out"]:
        return language(w.LATEST, time=name(facts["time"], 40))
    if facts["held_out"]:
        return language(w.HELD_OUT)
    return language(w.OUT_OF_FOLD if len(model.network.networks) > 1 else w.OF_EPOCHS)


def scores(contents: Contents, language: Language) -> Section:
    """Scores, their spread, and those of the simplest guess."""
    found, rows = contents.scores, counted(language, len(contents.evidence.rows), w.ROWS)
    folds = len(found[0].folds)

    def shown(value: float, is_share: bool) -> str:
        return language.share(value) if is_share else language.number(value)

    head = [language(w.SCORE), language(w.MODEL)]
    if folds:
        head += [language(w.OVER_FOLDS, folds=counted(language, folds, w.FOLDS)), language(w.FROM_TO)]
    head.append(language(w.SIMPLEST))
    body = []
    for score in found:
        value, error, simplest = score.of_all
        row = [language(score.words), _estimate(value, error, score.is_share, language)]
        if folds and len(score.folds) > 1:
            row.append(_estimate(score.mean, score.deviation, score.is_share, language))
            ends = (min(score.folds), max(score.folds))
            row.append(" – ".join(language.share(e) if score.is_share else language.number(e, 3) for e in ends))
        elif folds:
            row += ["", ""]
        row.append("" if simplest is None else shown(simplest, score.is_share))
        body.append(row)
    parts = [
        tag("p", language(w.SCORES_TOLD, rows=rows, unseen=unseen(contents, language))),
        table(head, body, numbers=range(1, len(head))),
    ]
    remarks = [_simplest(contents, language)]
    if folds:
        remarks.append(language(w.FOLDS_TOLD))
        if folds == len(contents.model.network.networks):
            remarks.append(language(w.MEAN_IS_BETTER))
    parts.append(tag("p", *(joined(remark, " ") for remark in remarks), class_="faint"))
    if folds:
        each = [
            [language.count(fold + 1)]
            + [shown(score.folds[fold], score.is_share) if len(score.folds) == folds else "" for score in found]
            for fold in range(folds)
        ]
        names = [language(w.FOLD), *(language(score.words) for score in found)]
        parts.append(folded(language(w.EACH_FOLD), table(names, each, numbers=range(1, len(names)))))
    return Section.of("scores", language(w.SCORES), *parts, *_cross_validation(contents, language))


def _cross_validation(contents: Contents, language: Language) -> list[Html]:
    parts = contents.model.training.get("cv", ())
    if not parts:
        return []
    head = [language(w.SCORE), language(w.OVER_PARTS, count=language.count(len(parts))), language(w.FROM_TO)]
    body = []
    for score, of in over_parts(parts).items():
        ends = " – ".join(language.number(end, 3) for end in (of.least, of.most))
        spread = _estimate(of.mean, of.deviation, False, language)
        body.append([language(w.NAMES[score]) if score in w.NAMES else name(score), spread, ends])
    return [tag("h3", language(w.CROSS_VALIDATION)), table(head, body, numbers=(1, 2))]


def _estimate(value: float, error: float, is_share: bool, language: Language) -> str:
    if np.isnan(error):
        return language.share(value) if is_share else language.number(value)
    return f"{language.share(value)} ± {language.share(error)}" if is_share else language.estimate(value, error)


def _simplest(contents: Contents, language: Language) -> Html:
    if contents.model.target.task != "classification":
        return language(w.SIMPLEST_QUANTITY)
    return language(w.SIMPLEST_CLASSES, label=tag("strong", name(commonest(contents.model), 60)))


def commonest(model: TableModel) -> str:
    """The class that most of the training rows have."""
    counts: list[int] = model.training["class_counts"]
    return model.target.names[counts.index(max(counts))]


# --- the rest ---------------------------------------------------------------------------------------------------------


def hardest(contents: Contents, language: Language) -> Section:
    """The rows that the model is farthest from."""
    rows = contents.hardest
    lines, of_classes = any(row.line is not None for row in rows), any(row.probability is not None for row in rows)
    several = len(contents.repeat.files) > 1  # files, of which each has such a line
    target = contents.model.target.name
    head = [language(w.ROW), *[language(w.LINE)] * lines]
    head += [language(w.ACTUAL_OF, target=name(target, 40)), language(w.PREDICTED_OF, target=name(target, 40))]
    head.append(language(w.PROBABILITY if of_classes else w.ERROR))
    columns = contents.importance.columns[: len(rows[0].cells)]
    head += [name(column, 40) for column in columns]
    body = []
    for row in rows:
        cells: list[str] = [language.count(row.row)]
        if lines:
            line = "" if row.line is None else language.count(row.line)
            cells.append(joined(name(row.file, 40), ", ", line) if several and line else line)
        for value in (row.actual, row.predicted):
            cells.append(name(value, 60) if isinstance(value, str) else language.number(value, 5))
        if of_classes:
            cells.append("" if row.probability is None else language.share(row.probability))
        else:
            cells.append(language.number(row.loss))
        for cell in row.cells:
            cells.append(tag("em", language(w.NOTHING_HERE)) if cell is None else name(cell, 60))
        body.append(cells)
    numbers = [place for place, text in enumerate(head) if place < len(head) - len(columns) and (place <= lines)]
    numbers += [len(head) - len(columns) - 1] + ([] if of_classes else [1 + lines, 2 + lines])
    return Section.of(
        "hardest", language(w.HARDEST), tag("p", language(w.HARDEST_TOLD)), table(head, body, numbers=numbers)
    )


def repeat(contents: Contents, language: Language) -> Section:
    """What repeats the training."""
    found = contents.repeat
    parts = [tag("p", language(w.REPEAT_TOLD if found.command else w.REPEAT_IN_PYTHON))]
    if found.command:
        parts.append(tag("pre", tag("code", found.command)))
    settings: list[list[str]] = [["reseau", found.version]]
    for key, value in found.settings:
        settings.append([key, name(value) if isinstance(value, str) else language.number(value, 6)])
    parts.append(table([language(w.SETTING), ""], settings, numbers=(1,)))
    if found.files:
        head = [language(w.FILE), language(w.SIZE), language(w.DIGEST)]
        files = [
            [
                name(file.name),
                language.count(file.nbytes),
                tag("code", file.digest) if file.digest else language(w.NO_DIGEST),
            ]
            for file in found.files
        ]
        parts.append(table(head, files, numbers=(1,)))
    if found.more:
        parts.append(tag("p", language(w.MORE_FILES, files=counted(language, found.more, w.FILES))))
    return Section.of("repeat", language(w.REPEAT), *parts)
