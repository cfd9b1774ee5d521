"""A fuzzer of the loader: python tests/fuzz_model_file.py [libFuzzer's options] (after pip install atheris).

An hour, as it was run: python tests/fuzz_model_file.py -max_total_time=3600 -timeout=10 -rss_limit_mb=512

Every input is a model file, changed in its bytes or behind its checksum. It is read from its header alone, as by
`reseau show`, then loaded, and what loads has to predict. Anything but a ModelFileError is a crash. The limit on memory
counts what is there before the first input, 260 MB of libraries, so that 512 MB leave less than 256 MB for the files.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from pathlib import Path
from random import Random
from typing import Any

import atheris
import numpy as np
import pyarrow as pa

sys.path.insert(0, str(Path(__file__).parent))
from mutations import mutated

import reseau as rs
from reseau import models
from reseau.cli.show import lines
from reseau.files import model_file

SEEDS = [path.read_bytes() for path in sorted((Path(__file__).parent / "corpus").glob("v*/*.reseau"))]
LONGEST = 20_000  # bytes of an input


def mutate(data: bytes, largest: int, seed: int) -> bytes:
    """Change an input: its bytes, or what it says behind the checksum; now and then begin with a whole file."""
    random = Random(seed)
    if random.random() < 0.1:
        data = random.choice(SEEDS)
    try:
        changed = mutated(data, random) if random.random() < 0.8 else atheris.Mutate(data, largest)
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):  # it is no model file
        changed = atheris.Mutate(data, largest)
    return changed if len(changed) <= largest else random.choice(SEEDS)


def use(model: Any) -> None:
    """Predict with a model, as whoever loads it will."""
    if isinstance(model, rs.TableModel):
        used = [d for d in model.columns if d.features]
        with contextlib.suppress(rs.DataError):  # of a cell that is no value of its column
            model.predict(pa.table({d.name: pa.array(["2024-01-01" if d.kind == "date" else "1"]) for d in used}))
        return
    if isinstance(model, rs.Network):
        model(np.zeros((2, model.architecture.inputs), model.dtype), threads=1)
        return
    with contextlib.suppress(rs.DataError):  # of what a pipeline's scaler makes of 0
        model.predict(np.zeros((2, model.n_features_in_)))


def test_one_input(data: bytes) -> None:
    """Show, load and use a file of these bytes."""
    try:
        header = model_file.read_header(data)
        lines(Path("fuzzed.reseau"), header, models.build(data, header.description, None))
        model = rs.load(data)
    except rs.ModelFileError:
        return
    with np.errstate(all="ignore"):
        use(model)


if __name__ == "__main__":
    corpus = Path(tempfile.mkdtemp())
    for place, content in enumerate(SEEDS):
        test_one_input(content)  # loads all that will be needed
        (corpus / f"seed-{place}").write_bytes(content)
    atheris.instrument_all()
    os.environ.setdefault("RESEAU_THREADS", "1")
    atheris.Setup(
        [sys.argv[0], *sys.argv[1:], f"-max_len={LONGEST}", str(corpus)], test_one_input, custom_mutator=mutate
    )
    atheris.Fuzz()
