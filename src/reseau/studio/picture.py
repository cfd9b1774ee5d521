"""A small picture of what a network says all over the axes, as a data address."""

from __future__ import annotations

import struct
import zlib
from base64 import b64encode
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from reseau.network import Network
    from reseau.studio.data import Data
    from reseau.studio.frames import Painter

# Of classes, told apart by those who see red and green alike too (Okabe and Ito 2008); of numbers the first two.
COLOURS = np.array([(230, 145, 56), (0, 114, 178), (0, 158, 115), (204, 121, 167), (86, 180, 233)], np.float64)
WHITE = np.array((255.0, 255.0, 255.0))


def boundary_png(data: Data, network: Network, painter: Painter) -> str:
    """What the network says, mixed of colours; empty where it is drawn over no two axes."""
    O = painter.picture(network).get("boundary")
    if O is None:
        return ""
    O = np.nan_to_num(O.astype(np.float64))[::-1]  # a picture begins at the top
    if data.classes:
        colours = COLOURS[np.arange(O.shape[2]) % len(COLOURS)]
        mixed = O @ colours
    else:
        low, high = float(O.min()), float(O.max())
        place = 2 * (O - low) / ((high - low) or 1.0) - 1  # from -1 to 1
        mixed = WHITE + np.abs(place) * (np.where(place < 0, COLOURS[0], COLOURS[1]) - WHITE)
    return f"data:image/png;base64,{b64encode(png(np.clip(mixed, 0, 255).astype(np.uint8))).decode()}"


def png(pixels: npt.NDArray[Any]) -> bytes:
    """Pixels (rows, columns, 3) of uint8 as a PNG (W3C 2003, 'Portable Network Graphics')."""
    height, width, _ = pixels.shape
    rows = np.hstack([np.zeros((height, 1), np.uint8), pixels.reshape(height, -1)])  # each unfiltered
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in chunks
    )
