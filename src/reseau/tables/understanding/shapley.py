"""Shapley values: what each part of the inputs contributes to one answer of a function, beside other rows.

Let v(S) be the mean of f over the rows of a background, of which the parts S are replaced by those of x. With m parts,
part j contributes what it adds to the parts before it, in the mean over all orders of the parts [1]:

    φ_j = Σ_{S without j} |S|! (m − |S| − 1)!/m! (v(S and j) − v(S)),    Σ_j φ_j = f(x) − mean of f.

Parts are set without regard to how they go together in the table, so that a part that f does not use contributes
nothing (these are interventional values [2]).

With few parts v is computed for all 2^m sets. With many, orders are drawn, each together with its reverse, which makes
the values exact where no three parts act together; and each order starts from one row of the background, all rows in
turn, so that the sum stays what it is [3].

[1] L. Shapley, A value for n-person games, 1953.
[2] D. Janzing, L. Minorics, P. Blöbaum, Feature relevance quantification in explainable AI: a causal problem, 2020.
[3] J. Castro, D. Gómez, J. Tejada, Polynomial calculation of the Shapley value based on sampling, 2009; R. Mitchell,
J. Cooper, E. Frank, G. Holmes, Sampling permutations for Shapley value estimation, 2022.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import comb
from typing import Any

import numpy as np
import numpy.typing as npt

from reseau.checks import integer
from reseau.errors import DataError

Floats = npt.NDArray[np.float64]
Inputs = npt.NDArray[Any]

ROWS, DRAWN_ROWS = 1 << 18, 1 << 16  # that f is asked for, where not otherwise said: of all sets, and of orders...
NUMBERS = 1 << 30  # ... with no more inputs of all of them together
AT_ONCE = 1 << 23  # inputs
SURELY_EXACT = 2  # parts, of which an order and its reverse are all there are
LEAST_SAMPLES, MOST_SAMPLES = 2, 64  # from two orders on their spread is known
MOST_ASKED = 10_000  # samples


@dataclass(frozen=True)
class Contributions:
    """What each part contributes to an answer.

    Attributes
    ----------
    values : ndarray of shape (parts,)
        They sum to `answer` - `base`.
    errors : ndarray of shape (parts,) or None
        The standard error of each, as far as it comes from the orders that were drawn; None where values are exact.
    base : float
        The mean of f over the background.
    answer : float
        f(x).
    """

    values: Floats
    errors: Floats | None
    base: float
    answer: float


def contributions(
    f: Callable[[Inputs], npt.ArrayLike],
    x: Inputs,
    background: Inputs,
    parts: Sequence[slice] | None = None,
    *,
    samples: int | None = None,
    seed: int = 0,
) -> Contributions:
    """What each part of x contributes to f(x), beside the rows of a background.

    Parameters
    ----------
    f : callable
        Given X, (n, inputs), it answers with a number for each row, (n,). It is called with many rows at a time.
    x : ndarray of shape (inputs,)
        The row to explain.
    background : ndarray of shape (rows, inputs)
        At least one row; all count alike.
    parts : sequence of slice or None
        Which inputs belong together; None for each of its own.
    samples : int or None
        How many orders are drawn for each row of the background, at least 2, each with its reverse. None takes all sets
        of the parts, if these are few, else as many orders as suit.
    seed : int
        Fixes what is drawn.

    Returns
    -------
    Contributions
        One for each part.

    Raises
    ------
    DataError
        For arrays of other shapes, and an f that answers otherwise.
    ParameterError
        For a number outside its range.

    Examples
    --------
    A product of two numbers that both were 0 is shared between them; what is added to it is the third's alone.

    >>> import numpy as np
    >>> found = contributions(lambda X: X[:, 0] * X[:, 1] + X[:, 2], np.array([2.0, 3.0, 1.0]), np.zeros((1, 3)))
    >>> found.values, found.base, found.answer
    (array([3., 3., 1.]), 0.0, 7.0)
    """
    x, background = np.asarray(x), np.asarray(background)
    if x.ndim != 1 or background.shape[1:] != x.shape or not len(background):
        raise DataError(f"x has shape {x.shape} and background {background.shape}; they must be (n,) and (rows, n).")
    background = background.astype(np.result_type(x, background), copy=False)  # which takes what x has
    if samples is not None:
        samples = integer("samples", samples, low=LEAST_SAMPLES, high=MOST_ASKED)
    seed = integer("seed", seed, low=0)
    parts = [slice(i, i + 1) for i in range(len(x))] if parts is None else list(parts)
    differing = [j for j, part in enumerate(parts) if (background[:, part] != x[part]).any()]
    game = _Game(f, x, background, [parts[j] for j in differing])
    base, answer = float(np.mean(game.asked(background))), float(game.asked(x[None])[0])
    values = np.zeros(len(parts))
    few = _most_exact(len(background), len(x)) if samples is None else SURELY_EXACT
    if len(differing) <= few:
        values[differing] = game.exact()
        return Contributions(values, None, base, answer)
    if samples is None:
        a_sample = 2 * len(background) * max(len(differing) - 1, 1)
        samples = int(np.clip(_most_rows(len(x), DRAWN_ROWS) // a_sample, LEAST_SAMPLES, MOST_SAMPLES))
    errors = np.zeros(len(parts))
    values[differing], errors[differing] = game.sampled(samples, seed, answer)
    return Contributions(values, errors, base, answer)


def rows_for(parts: int, inputs: int, most: int, least: int) -> int:
    """How many rows a background may have, so that so many parts are explained in reasonable time."""
    return int(np.clip(_most_rows(inputs) // (2 * LEAST_SAMPLES * max(parts, 1)), least, most))


def _most_rows(inputs: int, most: int = ROWS) -> int:
    return min(most, NUMBERS // max(inputs, 1))


def _most_exact(rows: int, inputs: int) -> int:
    """The number of parts whose sets are all gone through."""
    return max(_most_rows(inputs) // rows, 1 << SURELY_EXACT).bit_length() - 1


@dataclass(frozen=True)
class _Game:
    """What f says where some parts of background rows b are replaced by those of x; all parts differ somewhere."""

    f: Callable[[Inputs], npt.ArrayLike]
    x: Inputs
    background: Inputs
    parts: list[slice]

    def asked(self, X: Inputs) -> Floats:
        """f, (rows,)."""
        answers = np.asarray(self.f(X), np.float64)
        if answers.size != len(X):
            raise DataError(f"f answers to X of shape {X.shape} with shape {answers.shape}, but must with ({len(X)},).")
        return answers.reshape(len(X))

    def exact(self) -> Floats:
        """The value of each part, from all sets of parts: set s has part j where bit j of s is 1."""
        m, n = len(self.parts), len(self.background)
        sets = np.arange(1 << m)
        v = np.empty(1 << m)
        at_once = max(AT_ONCE // (n * len(self.x)), 1)
        for start in range(0, len(sets), at_once):
            block = sets[start : start + at_once]
            has = (block[:, None] >> np.arange(m)) & 1 == 1  # (sets, parts)
            X = self._replaced(np.tile(self.background, (len(block), 1)), has.repeat(n, axis=0))
            v[block] = self.asked(X).reshape(-1, n).mean(axis=1)
        sizes = np.bitwise_count(sets)
        weights = np.array([1 / (m * comb(m - 1, size)) for size in range(m)])
        values = np.empty(m)
        for j in range(m):
            without = sets[sets >> j & 1 == 0]
            values[j] = weights[sizes[without]] @ (v[without | 1 << j] - v[without])
        return values

    def sampled(self, samples: int, seed: int, answer: float) -> tuple[Floats, Floats]:
        """The value of each part and its standard error, from so many orders for each background row."""
        m, n = len(self.parts), len(self.background)
        rng = np.random.default_rng(seed)
        first = self.asked(self.background)
        sums, squares = np.zeros(m), np.zeros(m)
        at_once = max(AT_ONCE // (2 * samples * max(m, 1)), 1)  # rows of the background
        for start in range(0, n, at_once):
            rows = np.arange(start, min(start + at_once, n)).repeat(samples)
            orders = rng.permuted(np.tile(np.arange(m), (len(rows), 1)), axis=1)
            pair = (self._along(orders, rows, first, answer) + self._along(orders[:, ::-1], rows, first, answer)) / 2
            of_row = pair.reshape(-1, samples, m)
            sums += of_row.mean(axis=1).sum(axis=0)
            squares += of_row.var(axis=1, ddof=1).sum(axis=0)
        return sums / n, np.sqrt(squares / samples) / n

    def _along(self, orders: npt.NDArray[np.int64], rows: npt.NDArray[np.int64], first: Floats, last: float) -> Floats:
        """What each part adds to those before it, from background row to x along each order: (orders, parts)."""
        count, m = orders.shape
        v = np.empty((count, m + 1))
        v[:, 0], v[:, m] = first[rows], last
        places = np.argsort(orders, axis=1)  # of each part in its order
        steps = m - 1
        at_once = max(AT_ONCE // len(self.x), 1)
        for start in range(0, count * steps, at_once):
            walk, step = np.divmod(np.arange(start, min(start + at_once, count * steps)), steps)
            has = places[walk] <= step[:, None]
            v[walk, step + 1] = self.asked(self._replaced(self.background[rows[walk]], has))
        added = np.empty((count, m))
        np.put_along_axis(added, orders, np.diff(v, axis=1), axis=1)
        return added

    def _replaced(self, X: Inputs, has: npt.NDArray[np.bool_]) -> Inputs:
        """X, (rows, inputs), of which the parts that a row has, (rows, parts), become those of x."""
        for j, part in enumerate(self.parts):
            X[has[:, j], part] = self.x[part]
        return X
