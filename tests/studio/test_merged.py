"""Two frames that wait become one, which shows a page what both would have shown it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from studio_stand_in import frame, parts

from reseau.studio.merged import merged


def numbers(*values: float) -> tuple[str, list[int], bytes]:
    return "float32", [len(values)], np.array(values, np.float32).tobytes()


def curve(first: int, last: int, shift: float) -> tuple[str, list[int], bytes]:
    """Losses of the epochs after first, up to last."""
    epochs = np.arange(first + 1, last + 1, dtype=np.float32)
    return "float32", [2, last - first], np.stack([epochs + shift, -epochs - shift]).tobytes()


def shown(curves: list[tuple[dict[str, Any], bytes]]) -> list[float]:
    """What a page has of the losses after frames with these pieces of a curve."""
    page: list[float] = []
    for header, piece in curves:
        length = next(told["shape"][1] for told in header["arrays"] if told["name"] == "curve")
        losses = np.frombuffer(piece, np.float32).reshape(2, length)[0]
        page[header["curve_from"] :] = losses.tolist()
    return page


def test_arrays_that_the_newer_lacks_are_kept_of_the_older() -> None:
    older = frame(None, 1, {"points": numbers(1, 2, 3), "boundary": numbers(4)})
    newer = frame(None, 2, {"boundary": numbers(5), "maps": ("uint8", [3], b"abc")})
    header, arrays = parts(merged(older, newer))
    assert header["epoch"] == 2
    assert arrays == {"points": numbers(1, 2, 3)[2], "boundary": numbers(5)[2], "maps": b"abc"}


@given(st.integers(0, 30), st.integers(1, 10), st.integers(0, 30), st.integers(1, 10))
def test_a_page_has_the_same_curve_as_after_both(first: int, length: int, again: int, more: int) -> None:
    again = min(again, first + length)  # the newer begins where the older ends, or before
    older = frame(None, 1, {"curve": curve(first, first + length, 0.25)}, curve_from=first)
    newer = frame(None, 2, {"curve": curve(again, again + more, 0.5)}, curve_from=again)
    beginning = frame(None, 0, {"curve": curve(0, 40, 0.0)}, curve_from=0)
    both, one = (
        [(header, arrays["curve"]) for header, arrays in map(parts, frames)]
        for frames in ([beginning, older, newer], [beginning, merged(older, newer)])
    )
    assert shown(one) == shown(both)


def test_a_curve_that_only_the_older_has_keeps_its_place() -> None:
    older = frame(None, 7, {"curve": curve(3, 7, 0.0)}, curve_from=3)
    header, arrays = parts(merged(older, frame(None, 7, {})))
    assert (header["curve_from"], arrays["curve"]) == (3, curve(3, 7, 0.0)[2])


@pytest.mark.parametrize("bits", [0x7FC00000, 0x7F800001, 0xFF800000, 0x80000000])
def test_no_number_is_changed_on_the_way(bits: int) -> None:
    content = bits.to_bytes(4, "little")
    older = frame(None, 1, {"parameters": ("float32", [1], content)})
    assert parts(merged(older, frame(None, 2, {})))[1] == {"parameters": content}
