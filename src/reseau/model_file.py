"""Model files: one safetensors file whose header describes what it holds, in JSON anybody can read.

The header's metadata has three entries: "format" (always "reseau"), "format_version", and "description", JSON that
says what the tensors make (a network, or a table model with its preprocessing); "sha256" is the digest of the
description and of every tensor's name, type, shape and bytes, so that a changed file is not mistaken for a model.
Nothing in a file is ever executed.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from reseau.checks import file_to_read
from reseau.errors import ModelFileError

FORMAT = "reseau"
FORMAT_VERSION = 1

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


def write_bytes(path: str | Path, content: bytes) -> None:
    """Write a file so that it is complete or as it was: to a neighbour, synced, then renamed."""
    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; name a file in it.")
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"The folder {path.parent} does not exist; create it, or choose another place for {path.name}."
        )
    # A link is followed, so that its target is replaced and not the link.
    target = Path(os.path.realpath(path))
    neighbour = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        with open(neighbour, "xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            shutil.copymode(target, neighbour)
        os.replace(neighbour, target)
    except BaseException as error:
        with contextlib.suppress(OSError):
            neighbour.unlink()
        if isinstance(error, OSError) and error.errno is not None:  # name what the user knows, not the neighbour
            raise OSError(error.errno, error.strerror, str(path)) from None
        raise


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

    path = Path(path)
    file_to_read(path)
    if path.is_dir():
        raise ModelFileError(f"{path} is a folder, not a model file.")
    if not path.exists():
        raise FileNotFoundError(f"There is no model file {path}.")
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            _check_header(path, metadata)
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    except SafetensorError as error:
        raise ModelFileError(
            f"{path} is not a model file of Réseau, or is damaged or cut short ({error}); train it again or "
            "restore it from a copy."
        ) from None
    text = metadata["description"]
    if _digest(text, tensors) != metadata["sha256"]:
        raise ModelFileError(
            f"{path} was altered after it was written: its checksum does not match; restore it from a copy."
        )
    try:
        description = json.loads(text)
    except json.JSONDecodeError as error:
        raise ModelFileError(f"{path} has a description that is not JSON: {error}.") from None
    if not isinstance(description, dict):
        raise ModelFileError(f"{path} has a description that is not an object.")
    return description, tensors


def _check_header(path: Path, metadata: dict[str, str]) -> None:
    if metadata.get("format") != FORMAT:
        raise ModelFileError(f"{path} is a safetensors file, but was not written by Réseau.")
    version = metadata.get("format_version", "")
    if not version.isdecimal() or int(version) < 1:
        raise ModelFileError(f"{path} has format version {version!r}, which is no version; the file is damaged.")
    if int(version) > FORMAT_VERSION:
        raise ModelFileError(
            f"{path} has format version {version}, but this release of Réseau reads versions up to "
            f"{FORMAT_VERSION}; upgrade with pip install -U reseau."
        )
    for entry in ("description", "sha256"):
        if entry not in metadata:
            raise ModelFileError(f"{path} has no {entry} in its header; the file is damaged.")


def load(path: str | Path) -> Any:
    """Load whatever a model file holds: a `Network`, also of a checkpoint, or a `TableModel` written by `reseau train`.

    Parameters
    ----------
    path : path
        The file.

    Returns
    -------
    Network or TableModel
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
    description, tensors = read(path)
    kind = description.get("kind")
    try:
        if kind == "network":
            from reseau.network import Network

            return Network.from_description(description["network"], tensors)
        if kind == "checkpoint":
            from reseau.network import Network

            return Network.from_flat(description["network"], tensors["parameters"])
        if kind == "table_model":
            from reseau.table_model import TableModel

            return TableModel.from_description(description, tensors)
    except (ValueError, KeyError, TypeError) as error:  # a ReseauError is a ValueError
        raise ModelFileError(f"{path} does not describe a model that can be built: {error}") from error
    raise ModelFileError(f"{path} holds {kind!r}, which this release of Réseau does not know.")
