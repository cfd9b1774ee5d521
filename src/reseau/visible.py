"""Text from strangers, made safe to show: what would steer a terminal, or turn or hide the text around it, is escaped.

Names of columns, labels and files come from anywhere. Printed as they are, control characters can write a terminal's
clipboard or clear its screen, and characters of direction or of no width can make a text read as another. Whatever of
them reaches a message, a terminal or a document goes through `visible`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

LABEL_WIDTH = 16

HIDDEN = (
    "\x00-\x1f\x7f-\x9f"  # control characters, of which the escape begins a terminal's commands
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # marks, overrides and isolates of direction
    "\u2028\u2029"  # separators of lines and paragraphs
    "\u00ad\u115f\u1160\u180e\u200b\u2060-\u2065\u206a-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff"  # of no width
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e00ff\U000e01f0-\U000e0fff"  # nor these, such as tags
    "\ud800-\udfff"  # halves of a pair, such as what Python makes of a file's name that is not UTF-8
)
NO_CELLS = ("Mn", "Me", "Cf")  # categories of characters that are set on others, or not at all
JOINERS = "\u200c\u200d"  # belong to emoji and to many scripts, and stay between two of their characters
NO_LATIN = f"[^\u0000-\u02ff\u2000-\u200f{HIDDEN}]"
PATTERN = re.compile(f"[{HIDDEN}]|(?<!{NO_LATIN})[{JOINERS}]|[{JOINERS}](?!{NO_LATIN})")
IN_LINES = re.compile(rf"(?![\n\t])(?:{PATTERN.pattern})")


def visible(text: str, *, lines: bool = False) -> str:
    r"""Text with its control, direction and hidden characters written as Python's escapes.

    Letters of every script, combining marks and emoji stay as they are.

    Parameters
    ----------
    text : str
        Any text.
    lines : bool
        Whether line feeds and tabs stay: of what is several lines by intention, not a name from outside.

    Returns
    -------
    str
        The text itself where there is nothing to escape.

    Examples
    --------
    >>> visible("length\x1b[2J"), visible("a\nb"), visible("longueur été 长度 👩‍🔬")
    ('length\\x1b[2J', 'a\\nb', 'longueur été 长度 👩‍🔬')
    >>> visible("a\nb", lines=True)
    'a\nb'
    """
    if text.isascii() and text.isprintable():
        return text
    return (IN_LINES if lines else PATTERN).sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode("ascii")


@lru_cache(maxsize=4096)
def cell_len(text: str) -> int:
    """How many cells of a terminal a text takes: two for a wide character, none for one that is set on another.

    Examples
    --------
    >>> cell_len("Δw"), cell_len("長さ")
    (2, 4)
    """
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.category(c) in NO_CELLS else 1 + (unicodedata.east_asian_width(c) in "WF") for c in text
    )


def plural(count: int, noun: str, nouns: str = "") -> str:
    """Return "1 row", "2 rows", "12,345 rows"."""
    return f"{count:,} " + (noun if count == 1 else nouns or f"{noun}s")


def aligned(rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> list[str]:
    """Set rows of text as a table, indented by two; the columns in `right` are set right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [
            cell.rjust(width) if i in right else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append(("  " + "  ".join(cells)).rstrip())
    return lines


def short(label: str, width: int = LABEL_WIDTH) -> str:
    """Cut a label to a width."""
    label = visible(label.replace("\n", " "))
    return label if len(label) <= width else label[: width - 1] + "…"
