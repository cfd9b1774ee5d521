"""Fixtures for all tests: the two engines, and a quiet hypothesis."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings

from reseau import engine as engines

settings.register_profile("reseau", deadline=None, derandomize=True, max_examples=60)
settings.load_profile("reseau")


def need_native() -> None:
    """Skip where the native engine was not built, or fail where RESEAU_REQUIRE_NATIVE=1 says that it must be there."""
    failure = engines.info()["native_missing_because"]
    if failure is None:
        return
    if os.environ.get("RESEAU_REQUIRE_NATIVE") == "1":
        pytest.fail(f"The native engine is missing: {failure}", pytrace=False)
    pytest.skip(f"no native engine: {failure}")


@pytest.fixture(params=sorted(engines.NAMES, reverse=True))
def engine(request: pytest.FixtureRequest) -> str:
    """The name of each engine in turn."""
    if request.param == "native":
        need_native()
    return str(request.param)


@pytest.fixture
def native() -> None:
    """What a test of the native engine alone asks for."""
    need_native()


@pytest.fixture
def interruptible() -> Iterator[None]:
    """What a test of Ctrl-C asks for: SIGINT is heard, here and in the processes started, in a background job too."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def permissions(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What a test of permissions asks for: that they hold for whoever runs it."""
    folder = tmp_path_factory.mktemp("closed")
    folder.chmod(0o500)
    if os.access(folder, os.W_OK):
        pytest.skip("permissions do not hold here, as for root")
