"""Two frames that wait for the same tab become one, with what is newest of both."""

from __future__ import annotations

import numpy as np

from reseau.studio.frames import packed, unpacked


def merged(older: bytes, newer: bytes) -> bytes:
    """The newer frame with those arrays of the older that it lacks, as a frame has only what has changed.

    Parameters
    ----------
    older, newer : bytes
        Frames that answer nothing.

    Returns
    -------
    bytes
        One that has a page show what it would after both.
    """
    (before, old), (header, new) = unpacked(older), unpacked(newer)
    arrays = old | new
    if "curve" in old:
        first = before["curve_from"]
        if "curve" not in new:
            header["curve_from"] = first
        elif 0 < (kept := header["curve_from"] - first) <= old["curve"].shape[1]:  # else the newer goes further back
            arrays["curve"] = np.concatenate([old["curve"][:, :kept], new["curve"]], axis=1)
            header["curve_from"] = first
    return packed(header, arrays)
