"""How a model tells classes: which it takes for which, and whether its probabilities are met."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reseau.tables.reading.cells import Codes, Floats
from reseau.tables.targets.scores import MOST_CLASSES
from reseau.tables.understanding.page.spread import losses_of_classes

MOST_CONFUSIONS = 15
MOST_RATES = 40  # classes of which rates are told
BINS = 10  # of probabilities, with about as many rows in each
LEAST_IN_BIN = 10
STEPS = 20  # of the histogram of probabilities


@dataclass(frozen=True)
class Confusion:
    """Rows of one class that were taken for another: how many, and their share of the class."""

    is_: str
    taken_for: str
    rows: int
    share: float


@dataclass(frozen=True)
class Rates:
    """Of a class: its rows, which share of them is told right, and which share of those taken for it is of it."""

    label: str
    rows: int
    recall: float
    precision: float

    @property
    def f1(self) -> float:
        """Their harmonic mean."""
        both = self.recall + self.precision
        return 2 * self.recall * self.precision / both if both > 0 else 0.0


@dataclass(frozen=True)
class Reliability:
    """In bins of the probability that was said: its mean, the share of rows in which it was so, and how many there are.

    Attributes
    ----------
    of : str
        The class whose probability it is; "" for the one predicted, whichever it is.
    said, met : tuple of float
    rows : tuple of int
    error : float
        The mean difference between the two, weighed by rows: the expected calibration error.
    steps : tuple of int
        How many probabilities lie in each of equal steps from 0 to 1.
    """

    of: str
    said: tuple[float, ...]
    met: tuple[float, ...]
    rows: tuple[int, ...]
    error: float
    steps: tuple[int, ...]


@dataclass(frozen=True)
class ClassesSeen:
    """What a model says of rows whose class is known.

    Attributes
    ----------
    labels : list of str
    matrix : tuple of tuple of int
        `matrix[i][j]`: rows of class i taken for class j; empty for many classes.
    confusions : tuple of Confusion
        The commonest.
    rates : tuple of Rates
        Of each class, or of the commonest ones.
    reliability : Reliability
    losses : ndarray of shape (rows,)
    """

    labels: list[str]
    matrix: tuple[tuple[int, ...], ...]
    confusions: tuple[Confusion, ...]
    rates: tuple[Rates, ...]
    reliability: Reliability
    losses: Floats

    @classmethod
    def of(cls, labels: list[str], y: Codes, P: Floats) -> ClassesSeen:
        """Of the classes y, (rows,), and the probabilities P, (rows, classes)."""
        k, said = len(labels), P.argmax(axis=1)
        pairs, counts = np.unique(y * k + said, return_counts=True)
        i, j = pairs // k, pairs % k
        sizes, taken = np.bincount(y, minlength=k), np.bincount(said, minlength=k)
        right = np.bincount(i[i == j], counts[i == j], minlength=k)
        wrong = np.nonzero(i != j)[0]
        wrong = wrong[np.argsort(-counts[wrong], kind="stable")][:MOST_CONFUSIONS]
        confusions = [
            Confusion(labels[i[at]], labels[j[at]], int(counts[at]), float(counts[at] / sizes[i[at]])) for at in wrong
        ]
        matrix: tuple[tuple[int, ...], ...] = ()
        if k <= MOST_CLASSES:
            full = np.zeros((k, k), np.int64)
            full[i, j] = counts
            matrix = tuple(map(tuple, full.tolist()))
        commonest = np.sort(np.argsort(-sizes, kind="stable")[:MOST_RATES])
        rates = [
            Rates(labels[c], int(sizes[c]), _share(right[c], sizes[c]), _share(right[c], taken[c])) for c in commonest
        ]
        if k == 2:
            reliability = reliability_of(labels[1], P[:, 1], y == 1)
        else:
            reliability = reliability_of("", P.max(axis=1), said == y)
        return cls(labels, matrix, tuple(confusions), tuple(rates), reliability, losses_of_classes(y, P))


def _share(part: float, whole: int) -> float:
    return float(part / whole) if whole else float("nan")


def reliability_of(of: str, p: Floats, so: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Reliability:
    """How often it was so, beside the probabilities p that were said of it, (rows,) each."""
    n = len(p)
    bins = int(np.clip(n // LEAST_IN_BIN, 1, BINS))
    order = np.argsort(p, kind="stable")
    edges = np.unique(np.searchsorted(p[order], p[order][np.arange(1, bins) * n // bins]))  # equal ones share a bin
    starts = np.concatenate([[0], edges[edges > 0]])
    rows = np.diff(np.append(starts, n))
    said = np.add.reduceat(p[order], starts) / rows
    met = np.add.reduceat(so[order].astype(np.float64), starts) / rows
    error = float((rows * np.abs(said - met)).sum() / n)
    steps = np.histogram(p, STEPS, (0.0, 1.0))[0]
    return Reliability(
        of, tuple(said.tolist()), tuple(met.tolist()), tuple(rows.tolist()), error, tuple(steps.tolist())
    )
