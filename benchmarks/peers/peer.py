"""The face that everything measured has."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from importlib.metadata import version

from cases import Array, Case, Problem


@dataclass(frozen=True)
class Setting:
    """A way of running a peer; each case takes the one that is fastest there.

    Attributes
    ----------
    threads : int
        How many it may use.
    way : str
        What the peer calls its way of computing, as "eager" or "compiled"; "" where there is no choice.
    """

    threads: int
    way: str = ""

    def __str__(self) -> str:
        return f"{self.threads} thread{'s' if self.threads > 1 else ''}" + (f", {self.way}" if self.way else "")


class Peer(ABC):
    """An implementation of dense networks.

    A peer overrides what it has: `trainer`, `predictor`, or both, and `lacks` to say which cases it cannot do.

    Attributes
    ----------
    name : str
        As printed.
    packages : tuple of str
        The distributions that must be installed; their versions are recorded.
    """

    name: str
    packages: tuple[str, ...]

    def versions(self) -> dict[str, str]:
        """The version of each package; raises PackageNotFoundError when one is not installed."""
        return {package: version(package) for package in self.packages}

    def settings(self, processors: int) -> list[Setting]:
        """The ways to run it: with one thread, and with as many as there are processors."""
        return [Setting(threads) for threads in sorted({1, processors})]

    @abstractmethod
    def lacks(self, case: Case) -> str | None:
        """What keeps it from a case, or None."""

    def trainer(self, case: Case, problem: Problem, setting: Setting) -> Callable[[int], float]:
        """A function that trains for so many epochs, unshuffled, from where it is; returns the last one's mean loss."""
        raise TypeError(f"{type(self).__name__} does not train; its lacks() says for which cases")

    def predictor(self, case: Case, problem: Problem, setting: Setting) -> Callable[[], Array]:
        """A function that computes the outputs of `problem.X`.

        What it reads and returns is in the peer's own form and where the peer wants it, so that no conversion is timed.
        """
        raise TypeError(f"{type(self).__name__} does not predict; its lacks() says for which cases")

    def using(self, setting: Setting) -> AbstractContextManager[object]:
        """What must be in force while it runs; entered before the clock starts."""
        return nullcontext()

    def forget(self) -> None:  # noqa: B027 (most keep nothing)
        """Let go of what was kept for a case."""
