"""The libraries that networks come from, where they are installed."""

from __future__ import annotations

import importlib.util
import os
from typing import Any

import pytest


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch")


@pytest.fixture(scope="module")
def keras() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        found = [name for name in ("tensorflow", "jax", "torch") if importlib.util.find_spec(name) is not None]
        if found and "KERAS_BACKEND" not in os.environ:
            patch.setenv("KERAS_BACKEND", found[0])
        return pytest.importorskip("keras")
