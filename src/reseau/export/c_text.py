"""How things are written in C: numbers, texts, names, comments and tables."""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import numpy as np

from reseau.errors import ParameterError
from reseau.visible import visible

WIDTH = 100
TYPES = {"float32": "float", "float64": "double"}
"""The type of C for each dtype."""

_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
# Functions of math.h, each of which has a version for float.
_MATHS = (
    "acos|acosh|asin|asinh|atan|atan2|atanh|cbrt|ceil|copysign|cos|cosh|erf|erfc|exp|exp2|expm1|fabs|fdim|floor|fma|fmax|"
    "fmin|fmod|hypot|log|log10|log1p|log2|nearbyint|pow|rint|round|sin|sinh|sqrt|tan|tanh|tgamma|trunc"
)
_MACRO = re.compile(r"[A-Z][A-Z0-9_]+|I|(PRI|SCN)[A-Za-z]+\d*")  # I is that of complex.h, PRId64 one of inttypes.h

# What cannot name the member of a struct in C or in C++, and macros in small letters: of compilers, libc, and systems.
_TAKEN = """
alignas alignof and and_eq asm auto bitand bitor bool break case catch char char16_t char32_t char8_t class co_await
co_return co_yield compl concept const const_cast consteval constexpr constinit continue contract_assert decltype
default delete do double dynamic_cast else enum explicit export extern false float for friend goto if inline int long
mutable namespace new noexcept not not_eq nullptr operator or or_eq private protected public register reinterpret_cast
requires restrict return short signed sizeof static static_assert static_cast struct switch template this thread_local
throw true try typedef typeid typename typeof typeof_unqual union unsigned using virtual void volatile wchar_t while
xor xor_eq assert complex imaginary noreturn errno h_errno environ math_errhandling stdin stdout stderr setjmp
offsetof isnan isinf isfinite isnormal signbit fpclassify isgreater isless isunordered va_start va_arg va_end va_copy
linux unix i386 arm mips sparc sun hpux sgi vax mc68000 m68k near far interface small hyper huge cdecl pascal min max
major minor makedev d_fileno h_addr s_addr sa_handler sa_sigaction st_atime st_ctime st_mtime pixel vector
"""


def number(value: float, kind: str) -> str:
    """A constant with enough digits to be read back as it was; `kind` is "float" or "double".

    Examples
    --------
    >>> number(0.1, "float"), number(2.0, "double"), number(1e-30, "float")
    ('0.100000001f', '2.0', '1e-30f')
    """
    text = f"{np.float32(value):.9g}" if kind == "float" else repr(float(value))
    if not re.search(r"[.en]", text):
        text += ".0"
    return text + ("f" if kind == "float" else "")


def cast(expression: str, kind: str) -> str:
    """An expression of double as a number of `kind`."""
    return expression if kind == "double" else f"({kind})({expression})"


def bracketed(value: float) -> str:
    """A constant of double, in brackets if it is negative."""
    text = number(value, "double")
    return f"({text})" if text.startswith("-") else text


def text(value: str) -> str:
    r"""A string literal in ASCII, whatever the encoding of sources is taken for.

    Examples
    --------
    >>> print(text('a "b" é??/'))
    "a \"b\" \303\251\?\?/"
    """
    if "\0" in value:
        raise ParameterError(f"the text {value!r} cannot be written in C, where texts end at the character NUL.")
    try:
        content = value.encode("utf-8", "surrogateescape")  # bytes that were no UTF-8 stand in texts as surrogates
    except UnicodeEncodeError:
        raise ParameterError(f"the text {value!r} cannot be written in C: it has half of a surrogate pair.") from None
    return '"' + "".join(map(_byte, content)) + '"'


def _byte(byte: int) -> str:
    character = chr(byte)
    if character in '"\\?':  # two question marks begin a trigraph
        return "\\" + character
    return character if 32 <= byte < 127 else f"\\{byte:03o}"


def text_and_meaning(value: str) -> str:
    """A string literal, with a comment that says it in plain text where the literal does not."""
    return text(value) if value.isascii() else f"{text(value)} /* {plain(value)} */"


def plain(value: str) -> str:
    r"""A text as it may stand in a comment: on one line, visible, and not ending the comment.

    Examples
    --------
    >>> print(plain("a*/b" + chr(10) + "c"))
    a* /b\nc
    """
    shown = visible(value)
    for sign in ("*/", "/*", "??"):
        shown = shown.replace(sign, f"{sign[0]} {sign[1]}")
    return shown


def quoted(value: str) -> str:
    """A text in quotes, for a comment."""
    return f'"{plain(value)}"'


def listed(values: Iterable[str], most: int = 8) -> str:
    """Texts in quotes, for a comment; no more than so many."""
    values = list(values)
    rest = len(values) - most
    return ", ".join(quoted(value) for value in values[:most]) + (f" and {rest} more" if rest > 0 else "")


def comment(*paragraphs: str, indent: str = "") -> str:
    """A comment of one or more lines; a paragraph that begins with spaces is set as it is."""
    lines: list[str] = []
    for paragraph in paragraphs:
        ragged = paragraph.startswith(" ") or not paragraph
        wrap = textwrap.TextWrapper(WIDTH - len(indent) - 6, break_long_words=False, break_on_hyphens=False).wrap
        lines += [paragraph] if ragged else wrap(paragraph)
    if len(lines) == 1:
        return f"{indent}/* {lines[0]} */"
    return "\n".join([f"{indent}/* {lines[0]}", *(f"{indent} * {line}".rstrip() for line in lines[1:]), f"{indent} */"])


def prefix(value: str, otherwise: str) -> str:
    """The nearest beginning of a name that C allows: letters without accents, digits and underscores."""
    letters = unicodedata.normalize("NFKD", value)
    letters = "".join(character for character in letters if not unicodedata.combining(character))
    name = re.sub(r"[^A-Za-z0-9]+", "_", letters).strip("_")
    if not name:
        return otherwise
    return name if name[0].isalpha() else f"{otherwise}_{name}"


def identifier(value: str, otherwise: str) -> str:
    """The nearest name of its own that C and C++ allow, and that is no macro.

    Macros are written in capitals, and no list has all that a program may include; so each such name ends in "_".

    Examples
    --------
    >>> identifier("Körper größe (cm)", "column"), identifier("2nd", "column"), identifier("int", "column")
    ('Korper_gro_e_cm', 'column_2nd', 'int_')
    >>> identifier("M_PI", "column"), identifier("Age", "column")
    ('M_PI_', 'Age')
    """
    name = prefix(value, otherwise)
    return f"{name}_" if name in _TAKEN.split() or _MACRO.fullmatch(name) else name


def identifiers(values: Iterable[str], otherwise: str) -> list[str]:
    """Different names for texts, in their order."""
    names: list[str] = []
    for value in values:
        first = name = identifier(value, otherwise)
        count = 1
        while name in names:
            count += 1
            name = f"{first}_{count}"
        names.append(name)
    return names


def check_identifier(value: object) -> str:
    """Return a name that was given, or raise ParameterError."""
    if isinstance(value, str) and _IDENTIFIER.fullmatch(value):
        return value
    raise ParameterError(
        f"name is {value!r}, but must be one that C allows: letters without accents, digits and underscores, "
        "beginning with a letter."
    )


def in_type(source: str, kind: str) -> str:
    """Source written for double, with its functions, constants and type those of `kind`.

    Examples
    --------
    >>> in_type("z > 0.0 ? z : expm1(z)", "float")
    'z > 0.0f ? z : expm1f(z)'
    >>> in_type("0.5 * (z + hypot(z, 2.0))", "float")
    '0.5f * (z + hypotf(z, 2.0f))'
    """
    if kind == "double":
        return source
    pieces = re.split(r"(/\*.*?\*/)", source, flags=re.DOTALL)  # comments stay as they are
    pieces[::2] = [re.sub(rf"\b({_MATHS})\(", r"\1f(", piece) for piece in pieces[::2]]
    pieces[::2] = [re.sub(r"(?<![\w.])(\d+\.\d*(?:e[-+]?\d+)?)", r"\1f", piece) for piece in pieces[::2]]
    pieces[::2] = [re.sub(r"\bdouble\b", kind, piece) for piece in pieces[::2]]
    return "".join(pieces)


def renamed(source: str, names: Iterable[str], name: str) -> str:
    """Source in which functions of these names begin with the model's name.

    Examples
    --------
    >>> renamed("tanh(softplus(z))", ["softplus"], "net")
    'tanh(net_softplus(z))'
    """
    return re.sub(rf"\b({'|'.join(names)})(?=\(|$)", rf"{name}_\1", source)


def calls(source: str, known: Iterable[str]) -> list[str]:
    """Which of the known functions a source names."""
    words = set(re.findall(r"\w+", source))
    return [name for name in known if name in words]


def functions_for(sources: Iterable[str], known: dict[str, str]) -> list[str]:
    """The known functions that sources call, and those that these call, in the order of `known`."""
    needed: set[str] = set()
    waiting = list(sources)
    while waiting:
        for name in calls(waiting.pop(), known):
            if name not in needed:
                needed.add(name)
                waiting.append(known[name])
    return [known[name] for name in known if name in needed]


def texts(declaration: str, values: Iterable[str]) -> str:
    """The definition of an array of texts."""
    return f"{declaration} = {{\n{filled(map(text_and_meaning, values), '    ')}\n}};"


def table(declaration: str, values: Any, kind: str) -> str:
    """A constant table: its declaration without brackets, and the numbers of an array of one or two axes."""
    array = np.asarray(values)
    brackets = "".join(f"[{n}]" for n in array.shape)
    if array.ndim == 1:
        body = _numbers(array, kind, "    ")
    else:
        body = ",\n".join(f"    {{{_numbers(row, kind, '     ').lstrip()}}}" for row in array)
    return f"static const {kind} {declaration}{brackets} = {{\n{body}\n}};"


def _numbers(values: np.ndarray[Any, Any], kind: str, indent: str) -> str:
    """The constants of a row of a table, in lines: as `number` gives them, all at once, since tables have millions."""
    if kind == "float":
        values = values.astype(np.float32)
        if (values == np.trunc(values)).any():  # "%.9g" has no point in a whole number
            return filled((number(value, kind) for value in values), indent)
    return _template(len(values), kind, indent) % tuple(values.tolist())


@lru_cache(maxsize=1)
def _template(count: int, kind: str, indent: str) -> str:
    word, most = ("%.9gf", 5) if kind == "float" else ("%r", 3)  # to a line
    full, rest = divmod(count, most)
    lines = [", ".join([word] * most)] * full + [", ".join([word] * rest)] * (rest > 0)
    return indent + f",\n{indent}".join(lines)


def filled(words: Iterable[str], indent: str) -> str:
    """Words with commas between them, in lines of the usual width."""
    lines, line = [], indent
    for word in words:
        if len(line) > len(indent):
            line += ","
            if len(line) + 1 + len(word) > WIDTH - 3:
                lines.append(line)
                line = indent
            else:
                line += " "
        line += word
    return "\n".join([*lines, line])
