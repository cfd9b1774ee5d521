"""Checks of single parameter values, so that every refusal reads alike: the name, the value, what it must be."""

from __future__ import annotations

import difflib
import numbers
import os
import re
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from math import inf, isfinite, nan
from pathlib import Path
from typing import Any

import numpy as np

from reseau.errors import ParameterError, ReseauError

DTYPES = ("float32", "float64")
LONGEST_SHOWN = 60  # characters of a value in a message
_LONG_ALIAS = 5  # letters from which on a slip in one is told from another
_NOT_THE_USER_S = ("reseau", "sklearn", "contextlib")  # the last runs what in_memory decorates


def shown(value: object) -> str:
    """A value for a message, cut where it is long."""
    try:
        text = str(value) if isinstance(value, numbers.Number) else repr(value)
    except ValueError:  # Python writes no whole number of more than 4,300 digits
        text = "a number too long to write"
    return text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 1] + "…"


def integer(name: str, value: object, *, low: int | None = None, high: int | None = None, also: str = "") -> int:
    """Return `value` as an int, or raise ParameterError unless it is a whole number between `low` and `high`.

    What else is allowed, and was looked for before, is told by `also`.
    """
    # First the usual case: asking numbers.Integral takes a microsecond.
    if type(value) is int and (low is None or value >= low) and (high is None or value <= high):
        return value
    ends = [f"at least {low}"] * (low is not None) + [f"at most {high}"] * (high is not None)
    wanted = "a whole number" + (f" of {' and '.join(ends)}" if ends else "") + (f", or {also}" if also else "")
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise ParameterError(f"{name} is {shown(value)}, but must be {wanted}.")
    if (low is not None and int(value) < low) or (high is not None and int(value) > high):
        raise ParameterError(f"{name} is {shown(value)}, but must be {wanted}.")
    return int(value)


def whole_numbers(text: str, between: str) -> list[int] | None:
    """Read "2-2-1" or "3,7" as whole numbers, or return None: for no digits, and for more than anything counted has."""
    parts = [part.strip() for part in text.split(between)]
    return [int(part) for part in parts] if all(re.fullmatch(r"\d{1,9}", part) for part in parts) else None


def boolean(name: str, value: object) -> bool:
    """Return `value` as a bool, or raise ParameterError unless it is True or False, Python's or NumPy's."""
    if value is True or value is False:  # the usual case first, as above
        return value
    if not isinstance(value, np.bool_):
        raise ParameterError(f"{name} is {value!r}, but must be True or False.")
    return bool(value)


def real(
    name: str,
    value: object,
    *,
    low: float = -inf,
    high: float = inf,
    includes_low: bool = True,
    includes_high: bool = True,
) -> float:
    """Return `value` as a float, or raise ParameterError unless it is a finite number in the given interval."""
    if type(value) is float and low < value < high:  # the usual case first, as above
        return value
    ends = []
    if low != -inf:
        ends.append(f"{'at least' if includes_low else 'above'} {low:g}")
    if high != inf:
        ends.append(f"{'at most' if includes_high else 'below'} {high:g}")
    wanted = "a finite number" + (" " + " and ".join(ends) if ends else "")
    try:
        number = nan if isinstance(value, bool) or not isinstance(value, numbers.Real) else float(value)
    except OverflowError:  # a whole number or fraction beyond the largest float
        number = inf
    if not isfinite(number):
        raise ParameterError(f"{name} is {shown(value)}, but must be {wanted}.")
    if number < low or number > high or (number == low and not includes_low) or (number == high and not includes_high):
        raise ParameterError(f"{name} is {shown(value)}, but must be {wanted}.")
    return number


def output_weights(value: object, targets: int | None = None, classes: int | None = None) -> tuple[float, ...] | None:
    """Weights of outputs as floats, or ParameterError unless none is negative and one is above 0.

    Where it is known how many targets the outputs are compared with, there must be one for each; of columns of classes
    there may be one for each of so many classes too.
    """
    if value is None:
        return None
    try:
        array = np.asarray(value, dtype=object)
    except Exception:  # an object that will be no array says so as it likes
        array = np.empty(())
    if array.ndim != 1:
        raise ParameterError(f"output_weights is {shown(value)}, but must be a list of one number for each output.")
    weights = tuple(real(f"output_weights[{j}]", c, low=0) for j, c in enumerate(array.tolist()))
    if targets is not None and len(weights) not in (targets, classes):
        raise ParameterError(
            f"output_weights has {len(weights)} numbers, but the network has outputs for {targets} target(s); give one "
            f"for each{'' if classes is None else f', or for each of their {classes} classes'}."
        )
    if not any(weights):
        raise ParameterError(f"output_weights is {shown(value)}, but at least one output needs a weight above 0.")
    return weights


def interval(name: str, value: object) -> tuple[float, float]:
    """Return `value` as (low, high), or raise ParameterError unless it is two numbers, ascending; ±∞ is no end."""
    low = high = nan
    value = value.tolist() if hasattr(value, "tolist") else value  # an array
    pair = value if isinstance(value, tuple | list) and len(value) == 2 else ()
    if pair and all(isinstance(end, numbers.Real) and not isinstance(end, bool) for end in pair):
        with suppress(OverflowError):  # a whole number beyond the largest float
            low, high = (float(end) for end in pair)
    if not low <= high:
        raise ParameterError(f"{name} is {value!r}, but must be two numbers (low, high), the first at most the second.")
    return low, high


def known(name: str, value: object, table: Iterable[str]) -> str:
    """Return `value` if it is a name of the table, or raise ParameterError with the nearest name and the list."""
    names = list(table)
    if isinstance(value, str) and value in names:
        return value
    raise ParameterError(f"{name} is {shown(value)}, which is unknown.{_hint(value, table)} Known: {', '.join(names)}.")


def _hint(value: object, table: Iterable[str]) -> str:
    """Return " Did you mean 'silu' (swish)?" with the nearest names of a table, or nothing.

    An entry of the table is also found by what other libraries call it, its `aliases`, and by its `words`.
    """
    text = value if isinstance(value, str) else getattr(value, "__name__", None)  # of a function or a class
    if not isinstance(text, str) or len(text) >= LONGEST_SHOWN:
        return ""
    spellings: dict[str, dict[str, str]] = {_plain(name): {name: ""} for name in table}
    of_names = set(spellings)
    seen: set[tuple[str, int]] = set()  # an entry may have two names; the first of them is told
    for name, entry in table.items() if isinstance(table, Mapping) else ():
        for alias in (*getattr(entry, "aliases", ()), *getattr(entry, "words", ())):
            plain = _plain(alias)
            if plain not in of_names and (plain, id(entry)) not in seen:
                seen.add((plain, id(entry)))
                spellings.setdefault(plain, {})[name] = f" ({alias})"
    spellings.pop("", None)
    asked = _plain(text)
    if asked not in spellings:  # of short aliases one is too near the next: mae and mse
        long = [plain for plain in spellings if plain in of_names or len(plain) >= _LONG_ALIAS]
        asked = next(iter(difflib.get_close_matches(asked, long, n=1)), "")
    found = spellings.get(asked)
    if found is None:
        return ""
    return f" Did you mean {' or '.join(map(repr, found))}{next(iter(found.values()))}?"


def _plain(text: str) -> str:
    """The letters and digits of a name, without case or accents: LeakyReLU and leaky_relu are the same."""
    return "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if c.isalnum())


def frames_within() -> int:
    """How many calls lie between the warning of the function that asks and the user's line: its stacklevel.

    What runs between our calls, or calls us as it calls any estimator, is no line of the user's.
    """
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] in _NOT_THE_USER_S:
        level, frame = level + 1, frame.f_back
    return level


def precision_of(dtype: Any) -> np.dtype[Any]:
    """The type that a name, NumPy's type or Python's float stands for; only the precisions are let through."""
    if isinstance(dtype, str) and dtype in DTYPES:  # the usual case first, as above
        return np.dtype(dtype)
    name = dtype if isinstance(dtype, str) else getattr(dtype, "name", getattr(dtype, "__name__", dtype))
    with suppress(TypeError, ValueError, SyntaxError):
        if dtype is not None and np.dtype(dtype).name in DTYPES:  # NumPy takes None for float64
            name = np.dtype(dtype).name
    return np.dtype(known("dtype", name, DTYPES))


@contextmanager
def in_memory(what: str) -> Iterator[None]:
    """Say what did not fit where memory runs out within; also a decorator."""
    try:
        yield
    except MemoryError as error:
        size = f" ({error})" if str(error).startswith("Unable to allocate") else ""  # NumPy knows it, C++ does not
        raise ReseauError(
            f"There is not enough memory for {what}{size}; give fewer rows at once, or a smaller network."
        ) from None


def tensor(name: str, value: Any, shape: tuple[int, ...], dtype: Any) -> None:
    """Raise ReseauError unless a tensor of a model file is there and is what it must be."""
    if value is None or value.shape != shape or value.dtype != dtype:
        found = "missing" if value is None else f"{value.dtype} of shape {value.shape}"
        raise ReseauError(f"Tensor {name!r} is {found}, but must be {dtype} of shape {shape}.")


def as_path(value: object, others: str = "") -> Path:
    """Return `value` as a path, or raise ParameterError for what is none; `others` is what it may be besides."""
    name = os.fspath(value) if isinstance(value, str | os.PathLike) else None
    if isinstance(name, str) and name and "\0" not in name:
        try:
            os.fsencode(name)
        except UnicodeEncodeError:
            raise ParameterError(
                f"path is {name!r}, with half of a pair of UTF-16, which no file's name has."
            ) from None
        return Path(name)
    raise ParameterError(f"path is {shown(value)}, but must be the path of a file{others}.")


def finite_layers(layers: Iterable[Mapping[str, Any]], dtype: Any = None) -> None:
    """Raise ReseauError unless all numbers of each layer's tensors, by name, are finite in a precision."""
    import numpy as np

    for place, tensors in enumerate(layers, start=1):
        for letter, values in tensors.items():
            kind = values.dtype if dtype is None else np.dtype(dtype)
            with np.errstate(over="ignore"):
                odd = ~np.isfinite(values.astype(kind, copy=False))
            if odd.any():
                first = np.unravel_index(int(odd.argmax()), odd.shape)
                raise ReseauError(
                    f"layer {place} has parameters that are not finite in {kind}, the first being "
                    f"{letter}[{', '.join(map(str, first))}] = {values[first]}; train the network again, with a "
                    "smaller learning rate."
                )


def file_to_read(path: Path) -> None:
    """Raise ParameterError for a name that the libraries below cannot take, and for what can be read only once."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise ParameterError(f"{path}: the name of this file is not UTF-8 text; rename it.") from None
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise ParameterError(f"{path} is not a regular file; save what it gives to a file, and name that.")
