"""Model files: one safetensors file whose header describes what it holds, in JSON anybody can read.

The header's metadata has four entries: "format" (always "reseau"), "format_version", "description", JSON that says what
the tensors make (a network, an ensemble, a table model with its preprocessing, an estimator, a pipeline, a checkpoint),
in the form that model_file.schema.json lays down; and "sha256", the digest of the description and of every tensor's
name, type, shape and bytes, so that a changed file is not mistaken for a model. Nothing in a file is ever executed. The
header is read and checked before memory is taken for anything else: its length, its JSON (no key twice, no number that
is not finite), the form of the description, and that the tensors follow one another to the end of the file.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from io import BytesIO
from math import isfinite, prod
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np

from reseau.checks import as_path, finite_layers
from reseau.errors import ModelFileError, ParameterError, ReseauError
from reseau.files.writing import Place, refuse_text, write_bytes
from reseau.visible import visible
from reseau.vocabulary.layers import architecture_from_description

FORMAT = "reseau"
FORMAT_VERSION = 1
LONGEST_HEADER = 8 << 20  # bytes; the JSON of the widest tables is a tenth of it
SCHEMA = Path(__file__).with_suffix(".schema.json")  # of descriptions
DTYPES: dict[str, np.dtype[Any]] = {"F32": np.dtype("<f4"), "F64": np.dtype("<f8"), "I64": np.dtype("<i8")}
LONGEST_REASON = 300  # characters of what is wrong with a description, which may quote it
MOST_AXES = 8
MOST_BYTES = 1 << 62  # no file is longer, whatever it says of itself
MOST_AT_ONCE = 1 << 20  # bytes that are read from a file object
MOST_COPIES = 4  # of the parameters: in a checkpoint the weights, the best ones, and two states of the optimizer
MOST_RECORDS = 10_000_000  # numbers besides: the loss of every epoch
LAYERS, STATE = "layers.", "state."  # begin the names of tensors: of layers, and of the optimizer's vectors
PARAMETERS = "parameters"  # all weights as one, in a checkpoint
OF_A_LAYER = re.compile(rf"((?:\d+\.)?){re.escape(LAYERS)}(\d+)\.(.+)")  # of an ensemble behind the network's number

RESTORE = "train it again or restore it from a copy"

Tensors = dict[str, np.ndarray[Any, Any]]
Source = str | os.PathLike[str] | bytes | bytearray | memoryview | IO[bytes]  # a path, what stands there, a file object


def _digest(description: str, tensors: Tensors) -> str:
    sha = hashlib.sha256(description.encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        sha.update(f"\n{name} {tensor.dtype.str} {tensor.shape}\n".encode())
        sha.update(np.ascontiguousarray(tensor).data)
    return sha.hexdigest()


def write(place: Place, description: dict[str, Any], tensors: Tensors) -> None:
    """Write a model file, complete or not at all.

    Parameters
    ----------
    place : path or binary file object
        Where; an existing file is replaced in one move.
    description : dict
        JSON-able values; "kind" says what the file holds.
    tensors : dict of str to ndarray
        The numbers.

    Raises
    ------
    ReseauError
        For weights that are not finite, and for what a model file has no place for.
    OSError
        When the folder is missing or cannot be written.
    """
    from safetensors.numpy import save

    _check_weights(tensors)
    text = _json_of(description)
    contiguous = {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
    metadata = {
        "format": FORMAT,
        "format_version": str(FORMAT_VERSION),
        "description": text,
        "sha256": _digest(text, contiguous),
    }
    write_bytes(place, _in_order(save(contiguous, metadata=metadata)))


def _check_weights(tensors: Tensors) -> None:
    """Refuse layers with weights that are not finite, which no model has that is worth keeping."""
    networks: dict[str, dict[int, dict[str, Any]]] = {}
    for name, tensor in tensors.items():
        if found := OF_A_LAYER.fullmatch(name):
            network, place, letter = found.groups()
            networks.setdefault(network, {}).setdefault(int(place), {})[letter] = tensor
    for layers in networks.values():
        finite_layers(layers.get(place, {}) for place in range(max(layers) + 1))


def weights_of(tensors: Tensors) -> Tensors:
    """Those of the tensors that are weights, be they of layers or of a checkpoint."""
    return {
        name: tensor for name, tensor in tensors.items() if name.startswith(PARAMETERS) or OF_A_LAYER.fullmatch(name)
    }


def _json_of(description: dict[str, Any]) -> str:
    """A description as text, of which every letter can be written and every number read again."""
    text = json.dumps(description, ensure_ascii=False, allow_nan=False)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        around = text[max(error.start - 20, 0) : error.end + 20]
        raise ReseauError(
            f"{around!r} has half of a pair of UTF-16, which is no text that a file could keep; give it another name."
        ) from None
    return text


def _in_order(content: bytes) -> bytes:
    """Sort the metadata, which safetensors writes in a random order, so that equal models are equal files."""
    size = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + size])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # tensors begin at a multiple of 8
    if len(text) > LONGEST_HEADER:
        raise ReseauError(
            f"what this model says of itself would take {len(text):,} bytes of its file, and may take "
            f"{LONGEST_HEADER:,} at most; give fewer classes or columns, or shorter names."
        )
    return len(text).to_bytes(8, "little") + text + content[8 + size :]


class Header(NamedTuple):
    """What a model file says of itself.

    Attributes
    ----------
    description : dict
        What `write` was given.
    tensors : dict of str to dict
        Of each tensor "dtype", "shape" and "data_offsets", as in safetensors.
    sha256 : str
        The digest of the description and the tensors.
    format_version : int
        Of the file.
    bytes : int
        How long the file is.
    text : str
        The description as it is written.
    """

    description: dict[str, Any]
    tensors: dict[str, dict[str, Any]]
    sha256: str
    format_version: int
    bytes: int
    text: str


def read_header(source: Source) -> Header:
    """Read and check what a model file says of itself, without its numbers; the rest is as for `reseau.load`."""
    with _opened(source) as (name, file, size):
        return _header(name, file, size)


@contextmanager
def _opened(source: Any) -> Iterator[tuple[str, IO[bytes], int | None]]:
    """What messages call a source, the file to read it from, and how long it is, if that is known."""
    if isinstance(source, bytes | bytearray | memoryview):
        content = bytes(source)
        yield name_of(source), BytesIO(content), len(content)
    elif hasattr(source, "read"):
        refuse_text(source, "rb")
        yield name_of(source), source, None
    else:
        path, name = as_path(source, ", its content as bytes, or a binary file object"), name_of(source)
        if path.is_dir():
            raise ModelFileError(f"{name} is a folder, not a model file.")
        if path.exists() and not path.is_file():
            raise ParameterError(f"{name} is not a regular file; save what it gives to a file, and name that.")
        with open(path, "rb") as file:
            yield name, file, os.fstat(file.fileno()).st_size


def name_of(source: Any) -> str:
    """What messages call a source."""
    if isinstance(source, bytes | bytearray | memoryview):
        return "the content given"
    if hasattr(source, "read"):
        name = getattr(source, "name", None)  # a number where it was opened by its descriptor
        return visible(name) if isinstance(name, str) else "the file object"
    return visible(str(source))


def _take(name: str, file: IO[bytes], buffer: memoryview) -> None:
    """Fill a buffer from a file, which may give less than is asked for at a time."""
    place = 0
    try:
        while place < len(buffer):
            content = file.read(min(len(buffer) - place, MOST_AT_ONCE))
            if content is None:  # of a pipe that does not block
                raise BlockingIOError(errno.EAGAIN, f"{name} has nothing to read yet")
            if not content:
                raise ModelFileError(f"{name} is not a model file of Réseau, or is damaged or cut short; {RESTORE}.")
            buffer[place : place + len(content)] = content
            place += len(content)
    except (TypeError, ValueError) as error:  # open as text, or for writing, or closed
        if isinstance(error, ReseauError):
            raise
        raise ParameterError('path is a file object that gives no bytes; give one of open(name, "rb").') from error


def _header(name: str, file: IO[bytes], size: int | None) -> Header:
    """The header of a file that is open, which stands after it at the first tensor."""
    beginning = bytearray(8)
    _take(name, file, memoryview(beginning))
    length = int.from_bytes(beginning, "little")
    if size is not None and length > size - 8:
        raise ModelFileError(f"{name} is not a model file of Réseau, or is damaged or cut short; {RESTORE}.")
    if length > LONGEST_HEADER:
        raise ModelFileError(
            f"{name} is not a model file of Réseau, or is damaged: its header would have {length:,} bytes, and may "
            f"have {LONGEST_HEADER:,} at most."
        )
    text = bytearray(length)
    _take(name, file, memoryview(text))
    header = _json(name, text, "header")
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise ModelFileError(f"{name} has metadata that are no texts; the file is damaged.")
    version = _checked_version(name, metadata)
    length += 8 + _check_tensors(name, header, None if size is None else size - 8 - length)
    description = _json(name, metadata["description"], "description")
    _check_description(name, description)
    return Header(description, header, metadata["sha256"], version, length, metadata["description"])


def _json(name: str, content: str | bytes | bytearray, what: str) -> dict[str, Any]:
    """An object of JSON, in which no key stands twice, every number is finite and every text can be written."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            twice = next(key for key, count in Counter([key for key, _ in pairs]).items() if count > 1)
            raise ModelFileError(f"{name} has the key {twice[:40]!r} twice in its {what}; the file is damaged.")
        return found

    def finite(text: str) -> Any:
        raise ModelFileError(f"{name} has {text} in its {what}, which is no finite number; the file is damaged.")

    def number(text: str) -> float:
        return value if isfinite(value := float(text)) else finite(text[:40])

    try:
        text = content if isinstance(content, str) else content.decode()
        found = json.loads(text, object_pairs_hook=once, parse_constant=finite, parse_float=number)
        if "\\ud" in text.lower():
            json.dumps(found, ensure_ascii=False).encode()  # fails where half of a pair of UTF-16 stands
    except ModelFileError:
        raise
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError and JSONDecodeError are ValueErrors
        raise ModelFileError(
            f"{name} is not a model file of Réseau, or is damaged: its {what} is not JSON ({error})."
        ) from None
    if not isinstance(found, dict):
        raise ModelFileError(f"{name} has a {what} that is not an object.")
    return found


def _check_tensors(name: str, tensors: dict[str, Any], size: int | None) -> int:
    """Refuse tensors that do not fill what follows the header, one after another; return how much they fill."""
    places = []
    for tensor, entry in tensors.items():
        shown = repr(tensor[:40])
        try:
            dtype, shape, (begin, end) = entry["dtype"], entry["shape"], entry["data_offsets"]
            plain = (
                all(type(n) is int and 0 <= n < MOST_BYTES for n in [*shape, begin, end]) and len(shape) <= MOST_AXES
            )
        except (KeyError, TypeError, ValueError):
            plain = False
        if not plain or not isinstance(dtype, str):
            raise ModelFileError(f"{name} describes its tensor {shown} in a way that is unknown; {RESTORE}.")
        if dtype not in DTYPES:
            raise ModelFileError(
                f"{name} has its tensor {shown} in {dtype[:40]}, but this release of Réseau reads "
                f"{', '.join(DTYPES)}; {RESTORE}."
            )
        if end - begin != prod(shape) * DTYPES[dtype].itemsize:
            raise ModelFileError(
                f"{name} gives its tensor {shown} {end - begin:,} bytes, but shape {shape} of {dtype} takes "
                f"{prod(shape) * DTYPES[dtype].itemsize:,}; {RESTORE}."
            )
        places.append((begin, end))
    reached = 0
    for begin, end in sorted(places):
        if begin != reached:
            raise ModelFileError(f"{name} has tensors that do not follow one another; {RESTORE}.")
        reached = end
    if size is not None and reached != size:
        what = "is cut short" if reached > size else f"has {size - reached:,} bytes after its last tensor"
        raise ModelFileError(f"{name} {what}; {RESTORE}.")
    return reached


@cache
def _validator(kind: str) -> Callable[..., Any] | None:
    """What checks a description of this kind; None for a kind that is unknown."""
    import fastjsonschema

    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    if kind not in schema["properties"]["kind"]["enum"]:
        return None
    definition = {"$ref": f"#/definitions/{kind}", "definitions": schema["definitions"]}
    validator: Callable[..., Any] = fastjsonschema.compile(definition, use_default=False)
    return validator


def _check_description(name: str, description: dict[str, Any]) -> None:
    """Refuse what the schema does not allow; what it cannot say is checked when the model is built."""
    from fastjsonschema import JsonSchemaValueException

    kind = description.get("kind")
    validate = _validator(kind) if isinstance(kind, str) else None
    if validate is None:
        raise ModelFileError(f"{name} holds {str(kind)[:40]!r}, which this release of Réseau does not know.")
    try:
        validate(description, name_prefix="description")
    except JsonSchemaValueException as error:
        raise ModelFileError(
            f"{name} does not describe a model that can be built: {error.message[:LONGEST_REASON]}; {RESTORE}."
        ) from None


def _check_size(name: str, header: Header) -> None:
    """Refuse more numbers than a model like this has, before memory is taken for them."""
    with describing_a_model(name):
        parameters = sum(architecture_from_description(net).n_parameters for net in _networks(header.description))
    numbers = sum(prod(tensor["shape"]) for tensor in header.tensors.values())
    if numbers > MOST_COPIES * parameters + MOST_RECORDS:
        raise ModelFileError(
            f"{name} holds {numbers:,} numbers, but describes a network of {parameters:,} parameters; {RESTORE}."
        )


def _networks(description: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The networks that a description has: its own, and those of the descriptions in it, which have a kind too."""
    own = description.get("networks", [description["network"]] if "network" in description else [])
    yield from (network for network in own if "kind" not in network)
    for value in description.values():
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, dict) and "kind" in part:
                yield from _networks(part)


def _checked_version(name: str, metadata: dict[str, str]) -> int:
    if metadata.get("format") != FORMAT:
        raise ModelFileError(f"{name} is a safetensors file, but was not written by Réseau.")
    version = metadata.get("format_version", "")
    if not (version.isascii() and version.isdecimal()) or len(version) > 9 or int(version) < 1:
        raise ModelFileError(f"{name} has format version {version[:40]!r}, which is no version; the file is damaged.")
    if int(version) > FORMAT_VERSION:
        raise ModelFileError(
            f"{name} has format version {version}, but this release of Réseau reads versions up to "
            f"{FORMAT_VERSION}; upgrade with pip install -U reseau."
        )
    for entry in ("description", "sha256"):
        if entry not in metadata:
            raise ModelFileError(f"{name} has no {entry} in its header; the file is damaged.")
    if not re.fullmatch("[0-9a-f]{64}", metadata["sha256"]):
        raise ModelFileError(f"{name} has a sha256 that is none in its header; the file is damaged.")
    return int(version)


def read(source: Source) -> tuple[dict[str, Any], Tensors]:
    """Read and check a model file, opened once; parameters and errors as of `reseau.load`.

    Returns
    -------
    description : dict
        What `write` was given.
    tensors : dict of str to ndarray
        The numbers, writable.
    """
    with _opened(source) as (name, file, size):
        header = _header(name, file, size)
        _check_size(name, header)
        tensors = _tensors(name, file, header.tensors)
    if _digest(header.text, tensors) != header.sha256:
        raise ModelFileError(
            f"{name} was altered after it was written: its checksum does not match; restore it from a copy."
        )
    return header.description, tensors


def _tensors(name: str, file: IO[bytes], entries: dict[str, dict[str, Any]]) -> Tensors:
    """The tensors that follow a header, in the order in which they stand."""
    tensors: Tensors = {}
    for tensor, entry in sorted(entries.items(), key=lambda pair: pair[1]["data_offsets"]):
        numbers: np.ndarray[Any, Any] = np.empty(prod(entry["shape"]), DTYPES[entry["dtype"]])
        _take(name, file, numbers.view(np.uint8).data)
        tensors[tensor] = numbers.reshape(entry["shape"])
    return tensors


@contextmanager
def describing_a_model(name: str) -> Iterator[None]:
    """Name the file where what its description says fits nothing."""
    try:
        yield
    except (ValueError, KeyError, TypeError, OverflowError) as error:  # a ReseauError is a ValueError
        why = str(error)
        why = why if len(why) <= LONGEST_REASON else why[:LONGEST_REASON] + "…"
        raise ModelFileError(f"{name} does not describe a model that can be built: {why}") from None
