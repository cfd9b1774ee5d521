"""Model files: one safetensors file whose header describes what it holds, in JSON anybody can read.

The header's metadata has four entries: "format" (always "reseau"), "format_version", "description", JSON that says what
the tensors make (a network, a table model with its preprocessing, an estimator, a checkpoint), in the form that
model_file.schema.json lays down; and "sha256", the digest of the description and of every tensor's name, type, shape
and bytes, so that a changed file is not mistaken for a model. Nothing in a file is ever executed. The header is read
and checked before memory is taken for anything else: its length, its JSON (no key twice, no number that is not finite),
the form of the description, and that the tensors follow one another to the end of the file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from math import isfinite, prod
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from reseau.checks import file_to_read
from reseau.errors import ModelFileError
from reseau.files import write_bytes

FORMAT = "reseau"
FORMAT_VERSION = 1
LONGEST_HEADER = 8 << 20  # bytes; the JSON of the widest tables is a tenth of it
SCHEMA = Path(__file__).with_suffix(".schema.json")  # of descriptions
DTYPES = {"F32": 4, "F64": 8, "I64": 8}  # of tensors, with the bytes of a number
MOST_AXES = 8
MOST_COPIES = 4  # of the parameters: in a checkpoint the weights, the best ones, and two states of the optimizer
MOST_RECORDS = 10_000_000  # numbers besides: the loss of every epoch
LAYERS, STATE = "layers.", "state."  # begin the names of tensors: of layers, and of the optimizer's vectors
PARAMETERS = "parameters"  # all weights as one, in a checkpoint

RESTORE = "train it again or restore it from a copy"

Tensors = dict[str, np.ndarray[Any, Any]]


def _digest(description: str, tensors: Tensors) -> str:
    sha = hashlib.sha256(description.encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        sha.update(f"\n{name} {tensor.dtype.str} {tensor.shape}\n".encode())
        sha.update(np.ascontiguousarray(tensor).data)
    return sha.hexdigest()


def write(path: str | Path, description: dict[str, Any], tensors: Tensors) -> None:
    """Write a model file, complete or not at all.

    Parameters
    ----------
    path : path
        Where; an existing file is replaced in one move.
    description : dict
        JSON-able values; "kind" says what the file holds.
    tensors : dict of str to ndarray
        The numbers.

    Raises
    ------
    OSError
        When the folder is missing or cannot be written.
    """
    from safetensors.numpy import save

    text = json.dumps(description, ensure_ascii=False, allow_nan=False)
    contiguous = {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
    metadata = {
        "format": FORMAT,
        "format_version": str(FORMAT_VERSION),
        "description": text,
        "sha256": _digest(text, contiguous),
    }
    write_bytes(path, _in_order(save(contiguous, metadata=metadata)))


def _in_order(content: bytes) -> bytes:
    """Sort the metadata, which safetensors writes in a random order, so that equal models are equal files."""
    size = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + size])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # tensors begin at a multiple of 8
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
    """

    description: dict[str, Any]
    tensors: dict[str, dict[str, Any]]
    sha256: str
    format_version: int
    bytes: int


def read_header(path: str | Path) -> Header:
    """Read and check what a model file says of itself, without its numbers.

    Raises
    ------
    FileNotFoundError
        When there is no such file.
    ModelFileError
        When it is no model file, truncated, altered, or of a newer format version.
    """
    path = Path(path)
    file_to_read(path)
    if path.is_dir():
        raise ModelFileError(f"{path} is a folder, not a model file.")
    if not path.exists():
        raise FileNotFoundError(f"There is no model file {path}.")
    size = path.stat().st_size
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or length > size - 8:
            raise ModelFileError(f"{path} is not a model file of Réseau, or is damaged or cut short; {RESTORE}.")
        if length > LONGEST_HEADER:
            raise ModelFileError(
                f"{path} is not a model file of Réseau, or is damaged: its header would have {length:,} bytes, and may "
                f"have {LONGEST_HEADER:,} at most."
            )
        header = _json(path, file.read(length), "header")
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise ModelFileError(f"{path} has metadata that are no texts; the file is damaged.")
    version = _checked_version(path, metadata)
    _check_tensors(path, header, size - 8 - length)
    description = _json(path, metadata["description"].encode(), "description")
    _check_description(path, description)
    return Header(description, header, metadata["sha256"], version, size)


def _json(path: Path, content: bytes, what: str) -> dict[str, Any]:
    """An object of JSON, in which no key stands twice and every number is finite."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            twice = next(key for key, _ in pairs if sum(key == other for other, _ in pairs) > 1)
            raise ModelFileError(f"{path} has the key {twice[:40]!r} twice in its {what}; the file is damaged.")
        return found

    def finite(text: str) -> Any:
        raise ModelFileError(f"{path} has {text} in its {what}, which is no finite number; the file is damaged.")

    def number(text: str) -> float:
        return value if isfinite(value := float(text)) else finite(text[:40])

    try:
        found = json.loads(content, object_pairs_hook=once, parse_constant=finite, parse_float=number)
    except ModelFileError:
        raise
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError and JSONDecodeError are ValueErrors
        raise ModelFileError(
            f"{path} is not a model file of Réseau, or is damaged: its {what} is not JSON ({error})."
        ) from None
    if not isinstance(found, dict):
        raise ModelFileError(f"{path} has a {what} that is not an object.")
    return found


def _check_tensors(path: Path, tensors: dict[str, Any], size: int) -> None:
    """Refuse tensors that do not fill what follows the header, one after another."""
    places = []
    for name, entry in tensors.items():
        try:
            dtype, shape, (begin, end) = entry["dtype"], entry["shape"], entry["data_offsets"]
            plain = all(type(n) is int and n >= 0 for n in [*shape, begin, end]) and len(shape) <= MOST_AXES
        except (KeyError, TypeError, ValueError):
            plain = False
        if not plain or not isinstance(dtype, str):
            raise ModelFileError(f"{path} describes its tensor {name[:40]!r} in a way that is unknown; {RESTORE}.")
        if dtype not in DTYPES:
            raise ModelFileError(
                f"{path} has its tensor {name[:40]!r} in {dtype[:40]}, but this release of Réseau reads "
                f"{', '.join(DTYPES)}; {RESTORE}."
            )
        if end - begin != prod(shape) * DTYPES[dtype]:
            raise ModelFileError(
                f"{path} gives its tensor {name[:40]!r} {end - begin:,} bytes, but shape {shape} of {dtype} takes "
                f"{prod(shape) * DTYPES[dtype]:,}; {RESTORE}."
            )
        places.append((begin, end))
    reached = 0
    for begin, end in sorted(places):
        if begin != reached:
            raise ModelFileError(f"{path} has tensors that do not follow one another; {RESTORE}.")
        reached = end
    if reached != size:
        what = "is cut short" if reached > size else f"has {size - reached:,} bytes after its last tensor"
        raise ModelFileError(f"{path} {what}; {RESTORE}.")


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


def _check_description(path: Path, description: dict[str, Any]) -> None:
    """Refuse what the schema does not allow; what it cannot say is checked when the model is built."""
    from fastjsonschema import JsonSchemaValueException

    kind = description.get("kind")
    validate = _validator(kind) if isinstance(kind, str) else None
    if validate is None:
        raise ModelFileError(f"{path} holds {str(kind)[:40]!r}, which this release of Réseau does not know.")
    try:
        validate(description, name_prefix="description")
    except JsonSchemaValueException as error:
        raise ModelFileError(
            f"{path} does not describe a model that can be built: {error.message[:300]}; {RESTORE}."
        ) from None


def _check_size(path: str | Path, header: Header) -> None:
    """Refuse more numbers than a model like this has, before memory is taken for them."""
    from reseau.layers import architecture_from_description

    with _describing_a_model(path):
        parameters = architecture_from_description(header.description["network"]).n_parameters
    numbers = sum(prod(tensor["shape"]) for tensor in header.tensors.values())
    if numbers > MOST_COPIES * parameters + MOST_RECORDS:
        raise ModelFileError(
            f"{path} holds {numbers:,} numbers, but describes a network of {parameters:,} parameters; {RESTORE}."
        )


def _checked_version(path: Path, metadata: dict[str, str]) -> int:
    if metadata.get("format") != FORMAT:
        raise ModelFileError(f"{path} is a safetensors file, but was not written by Réseau.")
    version = metadata.get("format_version", "")
    if not (version.isascii() and version.isdecimal()) or len(version) > 9 or int(version) < 1:
        raise ModelFileError(f"{path} has format version {version[:40]!r}, which is no version; the file is damaged.")
    if int(version) > FORMAT_VERSION:
        raise ModelFileError(
            f"{path} has format version {version}, but this release of Réseau reads versions up to "
            f"{FORMAT_VERSION}; upgrade with pip install -U reseau."
        )
    for entry in ("description", "sha256"):
        if entry not in metadata:
            raise ModelFileError(f"{path} has no {entry} in its header; the file is damaged.")
    return int(version)


def read(path: str | Path) -> tuple[dict[str, Any], Tensors]:
    """Read and check a model file.

    Returns
    -------
    description : dict
        What `write` was given.
    tensors : dict of str to ndarray
        The numbers, writable copies.

    Raises
    ------
    FileNotFoundError
        When there is no such file.
    ModelFileError
        When it is no model file, truncated, altered, or of a newer format version.
    """
    from safetensors import SafetensorError, safe_open

    header = read_header(path)
    _check_size(path, header)
    try:
        with safe_open(path, framework="numpy") as file:
            text = (file.metadata() or {}).get("description", "")
            tensors = {name: file.get_tensor(name) for name in header.tensors}
    except SafetensorError as error:
        raise ModelFileError(f"{path} is not a model file of Réseau, or is damaged ({error}); {RESTORE}.") from None
    if _digest(text, tensors) != header.sha256:
        raise ModelFileError(
            f"{path} was altered after it was written: its checksum does not match; restore it from a copy."
        )
    return header.description, tensors


def load(path: str | Path) -> Any:
    """Load whatever a model file holds: a network (also of a checkpoint), an estimator, what `reseau train` wrote.

    Parameters
    ----------
    path : path
        The file.

    Returns
    -------
    Network, MLPClassifier, MLPRegressor or TableModel
        Ready to be called.

    Raises
    ------
    FileNotFoundError
        When there is no such file.
    ModelFileError
        When it is no model file, truncated, altered, or of a newer format version.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> import reseau as rs
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "small.reseau"
    >>> rs.Network(rs.Dense(1, "sigmoid"), inputs=2).save(path)
    >>> rs.load(path)
    Network(Dense(1, 'sigmoid'), loss='squared_error', inputs=2, dtype='float32')
    """
    return build(path, *read(path))


def build(path: str | Path, description: dict[str, Any], tensors: Tensors | None) -> Any:
    """Make the model of what `read` gave; without tensors it has no numbers, and can only be shown.

    Raises
    ------
    ModelFileError
        For what the schema cannot say, such as widths that do not fit one another.
    """
    with _describing_a_model(path):
        return _built(description, tensors)


@contextmanager
def _describing_a_model(path: str | Path) -> Iterator[None]:
    """Name the file where what its description says fits nothing."""
    try:
        yield
    except (ValueError, KeyError, TypeError, OverflowError) as error:  # a ReseauError is a ValueError
        raise ModelFileError(f"{path} does not describe a model that can be built: {error}") from error


def _built(description: dict[str, Any], tensors: Tensors | None) -> Any:
    kind = description["kind"]
    if kind == "table_model":
        from reseau.table_model import TableModel

        return TableModel.from_description(description, tensors)
    if kind == "estimator":
        from reseau import estimator_file

        return estimator_file.from_description(description, tensors)
    from reseau.network import Network

    if kind == "checkpoint" and tensors is not None:
        return Network.from_flat(description["network"], tensors[PARAMETERS])
    return Network.from_description(description["network"], tensors)
