"""Model files changed behind the checksum: with another description or other tensors, signed as if it were meant."""

from __future__ import annotations

import hashlib
import json
from random import Random
from typing import Any

ODD: list[Any] = [
    *(None, True, False, 0, 1, -1, 2, 3, 7, 0.5, -0.0, 1e-300, 1e300, 2**31, 2**63, 2**64, 10**30),
    *("", "a", "nan", "inf", "relu", "softmax", "float64", "int8", "é\0", "x" * 300),
    *([], [[]], {}, {"a": 1}, [1], ["a"]),
]
KEYS = ["kind", "name", "classes", "network", "layers", "dropout", "key", "rate_factor", "extra"]


def parts(content: bytes) -> tuple[dict[str, Any], bytes]:
    """The header of a safetensors file, and the bytes after it."""
    length = int.from_bytes(content[:8], "little")
    return json.loads(content[8 : 8 + length]), content[8 + length :]


def signed(header: dict[str, Any], data: bytes) -> bytes:
    """A file of such a header and bytes, with the digest that they have."""
    metadata = header["__metadata__"]
    sha = hashlib.sha256(metadata["description"].encode(errors="replace"))
    kinds = {"F32": "<f4", "F64": "<f8", "I64": "<i8"}
    for name in sorted(set(header) - {"__metadata__"}):
        entry = header[name]
        try:
            begin, end = entry["data_offsets"]
            shape = tuple(entry["shape"])
            sha.update(f"\n{name} {kinds[entry['dtype']]} {shape}\n".encode(errors="replace") + data[begin:end])
        except (KeyError, TypeError, ValueError):
            pass  # refused before its digest is asked for
    metadata["sha256"] = sha.hexdigest()
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) in a JSON value."""
    found: list[tuple[Any, Any]] = []
    if isinstance(value, dict | list):
        for key in list(value) if isinstance(value, dict) else range(len(value)):
            found += [(value, key), *places(value[key])]
    return found


def mutated_json(value: Any, random: Random) -> None:
    """Change a JSON value somewhere, in place."""
    found = places(value)
    if not found:
        return
    container, key = random.choice(found)
    other, other_key = random.choice(found)
    way = random.randrange(6)
    if way == 0:
        del container[key]
    elif way == 1:
        container[key] = json.loads(json.dumps(other[other_key]))  # a copy, so that nothing contains itself
    elif way == 2 and isinstance(container, list):
        container.insert(random.randrange(len(container) + 1), json.loads(json.dumps(container[key])))
    elif way == 3 and isinstance(container, dict):
        container[random.choice(KEYS)] = container[key]
    elif way == 4 and isinstance(container[key], int | float) and not isinstance(container[key], bool):
        container[key] += random.choice([-1, 1, 0.5, 1000])
    else:
        container[key] = random.choice(ODD)


def mutated(content: bytes, random: Random) -> bytes:
    """A model file with a few changes of its description or its tensors, signed."""
    header, data = parts(content)
    description = json.loads(header["__metadata__"]["description"])
    for _ in range(random.randint(1, 3)):
        if random.random() < 0.8:
            mutated_json(description, random)
            continue
        names = sorted(set(header) - {"__metadata__"})
        if not names:
            break
        name = random.choice(names)
        way = random.randrange(4)
        if way == 0:
            header[random.choice(["layers.0.W", "layers.9.b", "state.1", "loss_curve_", "t"])] = header.pop(name)
        elif way == 1 and isinstance(header[name]["shape"], list):
            header[name]["shape"] = header[name]["shape"][::-1]
        elif way == 2 and data:
            begin = random.randrange(len(data))
            data = data[:begin] + random.randbytes(min(8, len(data) - begin)) + data[begin + 8 :]
        else:
            mutated_json(header[name], random)
    header["__metadata__"]["description"] = json.dumps(description)
    return signed(header, data)
