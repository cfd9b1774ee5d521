"""The page as one file, which needs no other, no script and no network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from reseau.tables.learning.evidence import Evidence
from reseau.tables.understanding.page import answers, columns, sections
from reseau.tables.understanding.page import words as w
from reseau.tables.understanding.page.contents import Contents
from reseau.tables.understanding.page.markup import Html, Language, name, plain, tag
from reseau.tables.understanding.page.of_classes import ClassesSeen
from reseau.tables.understanding.page.sections import commonest, counted, table_name, unseen
from reseau.tables.understanding.page.style import STYLE

if TYPE_CHECKING:
    from reseau.tables.model import TableModel


def page(
    model: TableModel,
    evidence: Evidence,
    *,
    lang: str = "en",
    command: str = "",
    tables: Sequence[str] | None = None,
    threads: int | None = None,
) -> bytes:
    """Make the page of a model, in UTF-8.

    Parameters
    ----------
    model : TableModel
    evidence : Evidence
        Rows that it has not learned from.
    lang : {"en", "fr"}
        Of its words and numbers.
    command : str
        What was typed to train it; "" for a training in Python.
    tables : sequence of str or None
        Of what files it was read, of which there are digests; None is the table of the evidence.
    threads : int or None
        At most as many threads; the page is the same for any number.
    """
    return written(Contents.of(model, evidence, command, tables or [evidence.table.name], threads), Language(lang))


def written(contents: Contents, language: Language) -> bytes:
    """Set the page of what was computed."""
    parts = [
        sections.data(contents, language),
        sections.noticed(contents, language),
        sections.scores(contents, language),
        *answers.curves(contents, language),
        *answers.said(contents, language),
        *columns.importance(contents, language),
        *columns.effects(contents, language),
        sections.hardest(contents, language),
        sections.repeat(contents, language),
    ]
    target, table = name(contents.model.target.name, 60), table_name(contents)
    title = language(w.TITLE_ALONE, target=target) if table is None else language(w.TITLE, target=target, table=table)
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="generator", content=f"reseau {contents.repeat.version}"),
        tag("title", plain(title)),
        tag("style", Html(STYLE)),
    )
    links = tag("ol", *(tag("li", tag("a", plain(part.title), href=f"#{part.identity}")) for part in parts))
    body = tag(
        "body",
        tag("header", tag("p", language(w.EYEBROW), class_="over"), tag("h1", title), *_in_short(contents, language)),
        tag("nav", links, aria_label=language(w.CONTENTS)),
        tag("main", *(part.html for part in parts)),
    )
    return f"<!DOCTYPE html>\n{tag('html', head, body, lang=language.lang)}\n".encode()


def _in_short(contents: Contents, language: Language) -> list[Html]:
    """The main score in a sentence, and the figures that one asks for first."""
    model, scores = contents.model, contents.scores
    first, rows = scores[0], counted(language, len(contents.evidence.rows), w.ROWS)
    parts = {"rows": rows, "unseen": unseen(contents, language)}
    if isinstance(contents.answers, ClassesSeen):
        accuracy, simplest = (language.share(value) for value in (first.of_all.value, first.of_all.simplest or 0.0))
        label = tag("strong", name(commonest(model), 60))
        told = language(w.IN_SHORT_CLASSES, accuracy=accuracy, simplest=simplest, label=label, **parts)
    else:
        off = next(score.of_all for score in scores if score.words is w.MAE)
        mae, simplest = language.number(off.value), language.number(off.simplest or float("nan"))
        told = language(w.IN_SHORT_QUANTITY, mae=mae, simplest=simplest, **parts)
    shown = language.share(first.of_all.value) if first.is_share else language.number(first.of_all.value, 3)
    used = sum(bool(d.features) for d in model.columns)
    of_all = language(w.COLUMNS_USED, all=language.count(len(model.columns)))
    warnings = sum(finding.grave for finding in contents.findings)
    keys = [
        (shown, language(first.words)),
        (language.count(contents.rows), language(w.ROWS_READ)),
        (language.count(used), of_all),
        (language.count(warnings), language(w.WARNINGS)),
    ]
    out = [tag("p", told, class_="lead")]
    if contents.evidence is model.evidence and model.scores is not None and not model.scores.useful:
        out.append(tag("p", tag("strong", language(w.USELESS))))
    figures = (tag("div", tag("b", value), tag("span", what), class_="key") for value, what in keys)
    return [*out, tag("div", *figures, class_="keys")]
