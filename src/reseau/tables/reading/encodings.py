"""Text in other encodings than UTF-8: named by the user, or by the mark of byte order with which it begins."""

from __future__ import annotations

import codecs
from dataclasses import replace

from reseau.checks import shown
from reseau.errors import DataError, ParameterError
from reseau.tables.reading.sources import Source, replaced

MARKS = {  # the longer ones first
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
    codecs.BOM_UTF8: "utf-8",
}
UTF_8 = "utf-8"


def encoding_given(encoding: object) -> str:
    """The encoding that a parameter names, "" for None and for UTF-8, which is expected anyway."""
    if encoding is None:
        return ""
    try:
        if not isinstance(encoding, str):
            raise LookupError
        "a".encode(encoding)  # refuses what is no encoding of text, such as hex
        name = codecs.lookup(encoding).name
    except (LookupError, UnicodeError, ValueError):
        raise ParameterError(
            f"encoding is {shown(encoding)}, but must be the name of an encoding of text that Python knows, such as "
            "'utf-8', 'latin-1', 'cp1252' or 'utf-16'."
        ) from None
    return "" if name == UTF_8 else name


def marked(head: bytes) -> str:
    """The encoding that a mark of byte order tells, "" without one."""
    return next((encoding for mark, encoding in MARKS.items() if head.startswith(mark)), "")


def in_utf_8(source: Source, encoding: str) -> Source:
    """The same text in UTF-8; a `DataError` names the first byte that the encoding has no character for."""
    content = source.read()
    try:
        text = content.decode(encoding)
    except UnicodeError as error:
        start = error.start if isinstance(error, UnicodeDecodeError) else 0
        line = content[:start].decode(encoding, "replace").count("\n") + 1
        byte = f"byte {start + 1} of the file (0x{content[start]:02x})"
        raise DataError(
            f"{source.name}, line {line}: {byte} is not {encoding} text; name another encoding (--encoding), or save "
            "the file as UTF-8."
        ) from None
    return replace(replaced(source, text.encode("utf-8", "surrogatepass")), decoded=True)
