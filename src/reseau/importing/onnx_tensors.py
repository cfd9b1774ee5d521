"""Numbers of an ONNX file: in the file itself, or in others beside it.

A file may say anything of its tensors. So dimensions are compared with the numbers there are before memory is taken for
any, and another file is read only if it lies in the model's own folder, is a regular file, and no link leads there.
"""

from __future__ import annotations

import io
import math
import os
import stat
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np

from reseau.checks import file_to_read
from reseau.errors import ModelFileError, ParameterError
from reseau.importing.chain import Array

if TYPE_CHECKING:
    import onnx


def read_model(model: Any) -> tuple[str, onnx.ModelProto, Path | None]:
    """What to call a model, the model, and the folder that it lies in, if it is a file.

    Parameters
    ----------
    model : path, bytes, binary file or onnx.ModelProto
        As `from_onnx` takes it.
    """
    import onnx
    from google.protobuf.message import DecodeError

    if isinstance(model, onnx.ModelProto):
        return "the ONNX model", model, None
    folder = None
    if isinstance(model, bytes | bytearray | memoryview):
        source, content = "the ONNX model", bytes(model)
    elif isinstance(model, str | os.PathLike) and isinstance(os.fspath(model), str):
        path = Path(model)
        file_to_read(path)
        if path.is_dir():
            raise ModelFileError(f"{path} is a folder, not an ONNX file.")
        if not path.exists():
            raise FileNotFoundError(f"There is no ONNX file {path}.")
        source, content, folder = str(path), path.read_bytes(), path.parent
    elif hasattr(model, "read") and not isinstance(model, io.TextIOBase):
        source, content = "the ONNX model", model.read()
    else:
        what = (
            f"the class {model.__name__}"
            if isinstance(model, type)
            else "a file opened as text"
            if hasattr(model, "read")
            else f"of type {type(model).__name__}"
        )
        raise ParameterError(
            f"model is {what}, but must be the path of an ONNX file, its bytes, a file opened with 'rb', or an "
            "onnx.ModelProto."
        )
    try:
        return source, onnx.load_model_from_string(content), folder
    except (DecodeError, TypeError):  # TypeError: a file object that gives no bytes
        raise ModelFileError(f"{source} is not an ONNX file, or is damaged; export it again.") from None


class Tensors:
    """The arrays of a model's tensors.

    Parameters
    ----------
    source : str
        What to call the model.
    folder : Path or None
        Where it lies; None lets it hold all its numbers itself.
    """

    def __init__(self, source: str, folder: Path | None) -> None:
        self._source = source
        self._folder = folder
        self._left: dict[str, int] = {}  # of each other file, how many bytes no tensor has had yet

    def array(self, tensor: Any, what: str) -> Array:
        """The numbers of a tensor; `what` names it in messages."""
        from onnx import TensorProto, helper, numpy_helper

        shape = tuple(tensor.dims)
        if any(length < 0 for length in shape):
            raise self._error(f"{what} has the shape {shape}, in which a length is negative.")
        try:
            dtype = helper.tensor_dtype_to_np_dtype(tensor.data_type)
            if tensor.data_location == TensorProto.EXTERNAL or tensor.external_data:
                return self._beside(tensor, np.dtype(dtype), shape, what)
            if tensor.HasField("raw_data"):
                self._compare(shape, np.dtype(dtype), len(tensor.raw_data), what)
            array: Array = numpy_helper.to_array(tensor)
        except (ValueError, TypeError, KeyError, OverflowError) as error:
            if isinstance(error, ModelFileError):
                raise
            raise self._error(f"{what} cannot be read: {error}.") from None
        return array

    def _error(self, message: str) -> ModelFileError:
        return ModelFileError(f"{self._source}: {message}")

    def _compare(self, shape: tuple[int, ...], dtype: np.dtype[Any], there: int, what: str) -> None:
        wanted = math.prod(shape) * dtype.itemsize
        if wanted != there and dtype.itemsize >= 1 and dtype.kind in "fiub":
            raise self._error(
                f"{what} has the shape {shape}, which takes {wanted:,} bytes of {dtype}, but there are {there:,}; the "
                "file is damaged, export it again."
            )

    def _beside(self, tensor: Any, dtype: np.dtype[Any], shape: tuple[int, ...], what: str) -> Array:
        """Numbers that lie in another file of the folder."""
        entries = {entry.key: entry.value for entry in tensor.external_data}
        name = entries.get("location", "")
        where = f"{what} lies in another file, {name!r}"
        if self._folder is None:
            raise self._error(
                f"{where}, and what was given says nothing of where that is; give the path of the model's file."
            )
        if dtype.kind not in "fiub":
            raise self._error(f"{where}, and holds {dtype}, but Réseau computes in float32 or float64.")
        try:
            offset, length = int(entries.get("offset", 0)), int(entries.get("length", -1))
        except ValueError:
            raise self._error(f"{where}, at a place that is no number.") from None
        with self._open(name, where) as file:
            size = os.fstat(file.fileno()).st_size
            length = size - offset if length == -1 else length
            if offset < 0 or length < 0 or offset + length > size:
                raise self._error(f"{where}, at byte {offset:,}, but that file has {size:,} bytes; copy it again.")
            self._compare(shape, dtype, length, what)
            left = self._left.setdefault(name, size) - length
            if left < 0:
                raise self._error(f"{where}, from which more numbers are taken than it has.")
            self._left[name] = left
            file.seek(offset)
            try:
                array = np.frombuffer(file.read(length), dtype.newbyteorder("<"))
            except MemoryError:
                raise self._error(f"{where}, with {length:,} bytes, more than fit in memory.") from None
        if array.nbytes != length:
            raise self._error(f"{where}, which changed while it was read; read it again.")
        return array.astype(dtype, copy=False).reshape(shape)

    def _open(self, name: str, where: str) -> Any:
        """Open a file of the folder, or of one in it, to which no link leads."""
        assert self._folder is not None
        place = PurePosixPath(name)
        if not place.parts or "\0" in name or "\\" in name or place.is_absolute() or ".." in place.parts:
            raise self._error(f"{where}, which is not the name of one in the model's own folder.")
        path = self._folder
        for part in place.parts:
            path = path / part
            try:
                mode = path.lstat().st_mode
            except OSError:
                raise self._error(f"{where}, which is not there; put it beside the model's file.") from None
            if stat.S_ISLNK(mode):
                raise self._error(f"{where}, to which a link leads; put the file itself there.")
        if not stat.S_ISREG(mode):
            raise self._error(f"{where}, which is not a regular file.")
        return os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb")
