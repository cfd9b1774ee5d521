"""Two frames that wait for the same tab become one, with what is newest of both."""

from __future__ import annotations

import json
from typing import Any

ALIGNMENT = 8


def answers(frame: bytes) -> bool:
    """Whether a frame answers a command."""
    return _header(frame)[0]["answer"] is not None


def merged(older: bytes, newer: bytes) -> bytes:
    """The newer frame with those arrays of the older that it lacks, as a frame has only what has changed.

    Parameters
    ----------
    older, newer : bytes
        Frames as the protocol's `FrameHeader` describes them, which answer nothing.

    Returns
    -------
    bytes
        One that has a page show what it would after both.
    """
    (before, old), (header, new) = _arrays(older), _arrays(newer)
    arrays = old | new
    if "curve" in old and "curve" in new:
        arrays["curve"], header["curve_from"] = _curve(
            (old["curve"], before["curve_from"]), (new["curve"], header["curve_from"])
        )
    elif "curve" in old:
        header["curve_from"] = before["curve_from"]
    return _frame(header, arrays)


Array = tuple[dict[str, Any], bytes]  # what the header says of it, and its numbers
Curve = tuple[Array, int]  # and how many epochs there are before it


def _curve(older: Curve, newer: Curve) -> Curve:
    """The curve after both: what is newer replaces all from its first epoch on."""
    (old, old_from), (new, new_from) = older, newer
    kept = new_from - old_from
    (rows, length), (_, newer_length) = old[0]["shape"], new[0]["shape"]
    if not 0 < kept <= length:
        return newer  # from before the older one on; or there is a gap between them, as after a return to the beginning
    row = len(old[1]) // rows // length
    joined = b"".join(
        old[1][line * length * row : (line * length + kept) * row]
        + new[1][line * newer_length * row : (line + 1) * newer_length * row]
        for line in range(rows)
    )
    return (old[0] | {"shape": [rows, kept + newer_length]}, joined), old_from


def _header(frame: bytes) -> tuple[dict[str, Any], int]:
    """The header, and where the arrays begin."""
    end = 4 + int.from_bytes(frame[:4], "little")
    return json.loads(frame[4:end]), _aligned(end)


def _arrays(frame: bytes) -> tuple[dict[str, Any], dict[str, Array]]:
    header, start = _header(frame)
    sizes = {"float32": 4, "int32": 4, "uint8": 1}
    arrays = {}
    for told in header["arrays"]:
        size = sizes[told["dtype"]]
        for extent in told["shape"]:
            size *= extent
        first = start + told["offset"]
        arrays[told["name"]] = (told, frame[first : first + size])
    return header, arrays


def _frame(header: dict[str, Any], arrays: dict[str, Array]) -> bytes:
    offset, told, content = 0, [], bytearray()
    for description, numbers in arrays.values():
        told.append(description | {"offset": offset})
        content += numbers
        offset = _aligned(len(content))
        content += bytes(offset - len(content))
    text = json.dumps(header | {"arrays": told}, allow_nan=False).encode()
    begin = len(text).to_bytes(4, "little") + text
    return begin + bytes(_aligned(len(begin)) - len(begin)) + bytes(content)


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT
