"""What of a table may make the scores of a model wrong, for those who read no page."""

from __future__ import annotations

from html import unescape
from typing import TYPE_CHECKING

from reseau.tables.columns.kinds import read_columns
from reseau.tables.learning.evidence import Evidence
from reseau.tables.understanding.page.alike import alike
from reseau.tables.understanding.page.leaks import leaks, of_rows
from reseau.tables.understanding.page.markup import Language, plain
from reseau.tables.understanding.page.sections import sentence
from reseau.tables.understanding.page.seen import targets_of

if TYPE_CHECKING:
    from reseau.tables.model import TableModel


def warnings(model: TableModel, evidence: Evidence) -> list[str]:
    """Tell of columns that tell the target alone, and of rows that are copies of others."""
    rows, y = targets_of(model, evidence)
    values = read_columns(model.columns, evidence.table)
    used = [(d, of_rows(v, rows)) for d, v in zip(model.columns, values, strict=True) if d.features]
    about = used, y, model.target.task, model.target.name
    found = [*leaks(*about), *alike(*about, "groups" in model.training)]
    english = Language("en")
    return [unescape(plain(sentence(finding, english))) for finding in found if finding.grave]
