"""Short pieces of texts, counted by a hash: what a text is made of, in a fixed number of slots.

A text is read by these rules, which generated code follows too:

- below U+2000 `folded` says which character a character counts as: the small letter without its accents, " " for what
  is no part of a word, and none at all for an accent of its own; from there on all are parts of words but the blocks of
  punctuation and symbols in `SEPARATORS`;
- a word is what stands between such blanks, and its pieces are 3, 4 and 5 characters in a row of " word ";
- the hash of a piece is FNV-1a [1] over its code points, mixed by the first half of MurmurHash3's finaliser [2]; its
  lowest bits are the slot, its highest says whether the piece counts as +1 or as -1, so that pieces that share a slot
  cancel out in the mean [3].

[1] G. Fowler, L. C. Noll, K.-P. Vo, D. Eastlake, The FNV Non-Cryptographic Hash Algorithm.
[2] A. Appleby, MurmurHash3, 2011.
[3] K. Weinberger, A. Dasgupta, J. Langford, A. Smola, J. Attenberg, Feature Hashing for Large Scale Multitask
Learning, 2009.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from scipy import sparse

SLOTS = 2048  # a power of two
LENGTHS = (3, 4, 5)
BLANK, NOTHING = 0x20, 0
END = 0x2000  # of `folded`
SEPARATORS = (
    (0x2000, 0x2BFF),
    (0x2E00, 0x2E7F),
    (0x3000, 0x3020),
    (0xFE10, 0xFE1F),
    (0xFE30, 0xFE6F),
    (0xFF00, 0xFF0F),
)
OFFSET, PRIME = 0xCBF29CE484222325, 0x100000001B3  # of FNV-1a
MIXER = 0xFF51AFD7ED558CCD
AT_ONCE = 1 << 20  # characters


def _folded(character: str) -> int:
    if unicodedata.combining(character):
        return NOTHING
    if unicodedata.category(character)[0] not in "LNM":
        return BLANK
    plain = "".join(part for part in unicodedata.normalize("NFKD", character) if not unicodedata.combining(part))
    for form in (plain.casefold(), plain, character.casefold()):
        if len(form) == 1:
            return ord(form)
    return ord(character)


@cache
def folded() -> npt.NDArray[np.uint32]:
    """The character that each below `END` counts as, (END,)."""
    return np.array([_folded(chr(code)) for code in range(END)], np.uint32)


def counted(texts: pa.Array) -> sparse.csr_array:
    """How often each text has the pieces of each slot, with their signs: (texts, SLOTS) in float64."""
    from scipy import sparse

    parts = [sparse.csr_array((0, SLOTS))]
    for part in _parts(texts):
        text, slot, sign = _pieces(part)
        if len(part) * SLOTS < len(text):  # long texts, which have pieces for most slots
            dense = np.bincount(text.astype(np.int64) * SLOTS + slot, sign, len(part) * SLOTS)
            counts = sparse.csr_array(dense.reshape(len(part), SLOTS))
        else:
            counts = sparse.coo_array((sign, (text, slot)), (len(part), SLOTS)).tocsr()
            counts.eliminate_zeros()
        parts.append(counts)
    return sparse.csr_array(sparse.vstack(parts, format="csr"))


def _parts(texts: pa.Array) -> Iterator[pa.Array]:
    """The texts, so many at a time as have not many characters together."""
    ends = np.cumsum(np.asarray(pc.utf8_length(texts), np.int64))
    start = 0
    while start < len(texts):
        before = ends[start - 1] if start else 0
        stop = max(int(np.searchsorted(ends, before + AT_ONCE)), start + 1)
        yield texts.slice(start, stop - start)
        start = stop


def _pieces(texts: pa.Array) -> tuple[Any, Any, Any]:
    """The text, the slot and the sign of each piece."""
    each = texts.to_pylist()
    codes = np.frombuffer(" ".join(each).encode("utf-32-le", "surrogatepass"), np.uint32)
    text = np.repeat(np.arange(len(each), dtype=np.int32), np.fromiter((len(t) + 1 for t in each), np.int64))[:-1]
    characters = np.where(codes < END, folded()[np.minimum(codes, END - 1)], codes)
    for first, last in SEPARATORS:
        characters[(codes >= first) & (codes <= last)] = BLANK
    characters, text = characters[characters != NOTHING], text[characters != NOTHING]
    blank = characters == BLANK
    kept = np.diff(blank, prepend=True) | ~blank  # one blank between two words
    edge = np.array([BLANK], np.uint32)
    characters = np.concatenate([edge, characters[kept], edge]).astype(np.uint64)
    text = np.concatenate([text[:1], text[kept], text[-1:]])
    blank = characters == BLANK
    places, slots, signs = [], [], []
    for length in LENGTHS:
        n = max(len(characters) - length + 1, 0)
        there = ~np.logical_or.reduce([blank[k : k + n] for k in range(1, length - 1)])
        h = np.full(n, OFFSET, np.uint64)
        for k in range(length):
            h ^= characters[k : k + n]
            h *= np.uint64(PRIME)
        h = h[there]
        h ^= h >> np.uint64(33)
        h *= np.uint64(MIXER)
        h ^= h >> np.uint64(33)
        places.append(text[1 : 1 + n][there])
        slots.append((h & np.uint64(SLOTS - 1)).astype(np.int32))
        signs.append(np.where(h >> np.uint64(63), np.int8(-1), np.int8(1)))
    return np.concatenate(places), np.concatenate(slots), np.concatenate(signs)
