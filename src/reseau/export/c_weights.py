"""The weights of a C file in a file of their own, and the function that loads them.

The file holds the tables one after another in the order of the layers and their tensors, row after row, each
number in IEEE 754 with its lowest byte first. The source knows it by its length and checksum (Adler-32, RFC 1950).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence

import numpy as np

from reseau.export import c_text as c
from reseau.export.c_layers import Layer

LOAD = """\
static int {name}_loaded = 0;

/* Read a table, in which the lowest byte of each number comes first, and go on with the checksum of all (Adler-32). */
static int {name}_read(FILE *file, void *table, size_t size, size_t count, uint32_t sum[2])
{{
    const uint16_t one = 1;
    const int lowest_first = *(const unsigned char *)&one == 1;
    unsigned char *bytes = (unsigned char *)table;
    if (fread(table, size, count, file) != count)
        return 0;
    for (size_t i = 0; i < size * count; i++) {{
        sum[0] = (sum[0] + bytes[i]) % 65521u;
        sum[1] = (sum[1] + sum[0]) % 65521u;
    }}
    for (size_t i = 0; !lowest_first && i < size * count; i += size)
        for (size_t low = 0; low < size / 2; low++) {{
            unsigned char byte = bytes[i + low];
            bytes[i + low] = bytes[i + size - 1 - low];
            bytes[i + size - 1 - low] = byte;
        }}
    return 1;
}}

int {name}_load(const char *path)
{{
    uint32_t sum[2] = {{1u, 0u}};
    int whole;
    FILE *file = fopen(path, "rb");
    {name}_loaded = 0;
    if (file == NULL)
        return 1;
    whole = {reads}
            && fgetc(file) == EOF;
    fclose(file);
    if (!whole || sum[0] != {low}u || sum[1] != {high}u)
        return 2;
    {name}_loaded = 1;
    return 0;
}}"""


class Weights:
    """The tables of layers as bytes, and the C that loads them."""

    def __init__(self, name: str, layers: Sequence[Layer]) -> None:
        self.name = name
        self.layers = layers
        self.includes = ("stddef.h", "stdio.h") if layers else ()

    @property
    def content(self) -> bytes:
        """The content of the file."""
        return b"".join(numbers for *_, numbers in self._tables())

    def _tables(self) -> Iterator[tuple[str, str, bytes]]:
        for layer in self.layers:
            kind = "<f8" if layer.sum_kind == "double" else "<f4"
            for table, numbers in layer.tables().items():
                yield layer.sum_kind, table, np.ascontiguousarray(numbers, kind).tobytes()

    def declaration(self) -> str:
        """What the header says of it."""
        what = (
            "Read the weights from a file, before anything is predicted; outputs are NaN without them. Returns 0; 1 if "
            "the file cannot be opened, 2 if it is not the one that was written with this source."
        )
        return f"{c.comment(what)}\nint {self.name}_load(const char *path);"

    def definition(self) -> str:
        """The function itself."""
        reads, checksum = [], 1
        for kind, table, numbers in self._tables():
            checksum = zlib.adler32(numbers, checksum)
            reads.append(f"{self.name}_read(file, {table}, sizeof({kind}), sizeof {table} / sizeof({kind}), sum)")
        low, high = checksum & 0xFFFF, checksum >> 16
        return LOAD.format(name=self.name, reads="\n            && ".join(reads), low=low, high=high)

    def test(self, file_name: str) -> list[str]:
        """How the test begins: it reads the file that it is given, or the one in its folder."""
        return [
            f"    if ({self.name}_load(argc > 1 ? argv[1] : {c.text(file_name)})) {{",
            f'        printf("{self.name}: FAILED; the weights cannot be read, give their file\\n");',
            "        return 1;",
            "    }",
        ]
