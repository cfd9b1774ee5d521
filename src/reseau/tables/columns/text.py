"""A column of free text, and how it becomes the numbers that the network eats: what its words say of the target.

Of a text x holds ±(1 + ln |count|) for the slots of its pieces (`ngrams`), of length 1. Ridge regressions say how x
goes with each signal of the target, and their answers are the inputs: as the effects of labels are (`effects`), but for
texts never met before. They are taken in the directions in which the training rows' texts differ most [1], of which
there are few enough to do so again and again without a fold; then they are written as weights of slots.

Whether it pays is seen out of fold: answers to texts of noise go with the target no more than by chance.

[1] S. Deerwester, S. Dumais, G. Furnas, T. Landauer, R. Harshman, Indexing by Latent Semantic Analysis, 1990.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from reseau import engine
from reseau.errors import DataError, ReseauError
from reseau.tables.columns import ngrams
from reseau.tables.columns.description import X32, Description, Rows
from reseau.tables.columns.left_out import LeftOut
from reseau.tables.columns.words import EFFECT, IS_MISSING, say
from reseau.tables.reading import cells as read
from reseau.tables.reading.cells import Codes, Floats, Labels
from reseau.tables.reading.table import Column
from reseau.visible import plural

if TYPE_CHECKING:
    from scipy import sparse

DIRECTIONS = (
    512  # at most: of names of cars 256 tell 63 % of what they use, 512 72 %; of most other texts nearly the same
)
MOST_NUMBERS = 1 << 25  # of all rows in their directions; of many rows there are fewer
MOST_ROWS = 1024  # from which the directions are found; 2048 told no more
DENSE = 1 / 16  # of the slots that texts have pieces in, from which products skip none of the others
PENALTIES = 10.0 ** np.arange(-2.0, 3.5, 0.5)
FOLDS = 5  # out of which the answers are taken that say whether it pays
LEAST = 4.0  # standard errors, by which answers out of fold have to go with a signal


class Counted:
    """What texts are made of, counted when it is first asked for."""

    def __init__(self, texts: pa.Array) -> None:
        self.texts = texts

    @cached_property
    def pieces(self) -> sparse.csr_array:
        """The x of each text, and of a missing cell, which has none, at the end: (texts + 1, SLOTS)."""
        from scipy import sparse

        X = ngrams.counted(self.texts)
        X.data = np.sign(X.data) * (1.0 + np.log(np.abs(X.data)))
        length = np.sqrt(X.multiply(X).sum(axis=1))
        X.data /= np.repeat(length, np.diff(X.indptr))
        return sparse.csr_array(sparse.vstack([X, sparse.csr_array((1, ngrams.SLOTS))], format="csr"))


@dataclass(frozen=True)
class Texts(Labels):
    """Texts with what they are made of."""

    counted: Counted
    _reduced: list[tuple[Rows, Floats, Floats]] = field(default_factory=list, compare=False, repr=False)

    @property
    def pieces(self) -> sparse.csr_array:
        """The x of each different text, and of a missing cell: `x = pieces[codes]`."""
        return self.counted.pieces

    def __getitem__(self, rows: Rows) -> Texts:
        return Texts(self.codes[rows], self.texts, self.counted)

    def reduced(self, rows: Rows) -> tuple[Floats, Floats]:
        """The directions in which these rows differ most, (SLOTS, directions); and the rows in them."""
        if not self._reduced or self._reduced[0][0] is not rows:
            X, most = self.pieces[self.codes[rows]], min(DIRECTIONS, max(MOST_NUMBERS // len(rows), 1))
            some = X[np.linspace(0, len(rows) - 1, min(len(rows), MOST_ROWS)).astype(np.int64)].toarray()
            squares, U = _largest(some @ some.T, most)  # of X Xᵀ = U S² Uᵀ, of which X = U S Vᵀ
            V = some.T @ (U / np.sqrt(squares))
            self._reduced[:] = [(rows, V, _product(X, V))]
        return self._reduced[0][1:]


@dataclass(frozen=True)
class Text(Description):
    """Free text.

    `also_missing`: texts that count as missing; `verbatim`: no other text does, not even the usual marks; `kept`: it is
    used whatever it tells; `missing`: whether values were missing at training. `weights` are those of the slots, one
    after the other for each signal, which `penalty` drew towards 0; `spread` is what the regressions' answers are
    divided by, so that they deviate by 1 from 0; they explained the share `explained` of the target's variance out of
    fold.
    """

    kind = "text"
    also_missing: tuple[str, ...] = ()
    verbatim: bool = False
    kept: bool = False
    missing: bool = False
    weights: tuple[float, ...] = ()
    penalty: float = 1.0
    spread: tuple[float, ...] = ()
    explained: float = 0.0

    @property
    def marks(self) -> tuple[str, ...]:
        """The texts that count as missing in this column."""
        return (*(() if self.verbatim else read.MISSING), *self.also_missing)

    def inputs_in(self, lang: str) -> list[str]:
        """Return the names of the inputs."""
        numbers = [""] if len(self.spread) == 1 else [f" {i}" for i in range(1, len(self.spread) + 1)]
        is_missing = [say(IS_MISSING, lang, name=self.name)] * (self.missing and bool(self.spread))
        return [*(say(EFFECT, lang, name=self.name, number=number) for number in numbers), *is_missing]

    @property
    def follows_target(self) -> bool:
        """Whether there are weights."""
        return bool(self.weights)

    def read(self, column: Column) -> Texts:
        """Read the cells."""
        labels = read.labels_of(replace(column, cells=read.without(column.cells, self.marks)))
        return Texts(labels.codes, labels.texts, Counted(labels.texts))

    def absent(self, column: Column, values: Texts) -> int:
        """How many cells are missing, which were read as these values."""
        return int((values.codes < 0).sum())

    def fit(self, values: Texts, rows: Rows) -> Text:
        """Return the description with the statistics of these rows."""
        return replace(self, missing=bool((values.codes[rows] < 0).any()))

    def detailed(self, values: Texts, rows: Rows, bins: int, T: Floats) -> Text | LeftOut:
        """Return the description with the weights of its slots; or leave it out, where the texts tell nothing."""
        if len(rows) < 2 * FOLDS:
            return LeftOut(self.name, "free text", f"too few texts in {plural(len(rows), 'row')}")
        with engine.one_blas_thread():
            V, Z = values.reduced(rows)
            folds = np.random.default_rng(0).permutation(len(rows)) % FOLDS
            penalty, answers = _out_of_fold(Z, T, folds)
            W = V @ _ridge(_gram(Z), Z.T @ (T - T.mean(axis=0)), penalty)
        explained, pays = _goes_with(answers, T)
        if not (pays or self.kept):
            why = f"nothing in its words goes with the target in {plural(len(rows), 'row')}"
            return LeftOut(self.name, "free text", why)
        spread = np.sqrt((answers**2).mean(axis=0)) + np.finfo(np.float32).tiny
        return replace(
            self,
            weights=tuple(float(f"{w:.5g}") for w in (W / spread).ravel()),  # a file has a few thousand of them
            penalty=penalty,
            spread=tuple(spread.tolist()),
            explained=explained,
        )

    def check(self) -> None:
        """Refuse weights of other slots."""
        if len(self.weights) != ngrams.SLOTS * len(self.spread):
            raise ReseauError(f"The weights of column {self.name!r} are not {ngrams.SLOTS} for each of its inputs.")

    def weight_table(self) -> Floats:
        """The weights, a row for each slot: (SLOTS, signals)."""
        return np.array(self.weights).reshape(ngrams.SLOTS, -1)

    def encode(self, values: Texts, X: X32) -> None:
        """Write the inputs into X."""
        X[:, : len(self.spread)] = (values.pieces @ self.weight_table())[values.codes]  # code -1 is the end
        if self.missing:
            X[:, -1] = values.codes < 0

    def encode_out_of_fold(self, values: Texts, X: X32, rows: Rows, folds: Codes, out: int, T: Floats) -> None:
        """Write answers to the training rows into X, each learned from rows of other folds than its own and `out`."""
        with engine.one_blas_thread():
            _, Z = values.reduced(rows)
            grams = {fold: _gram(Z[folds == fold]) for fold in np.unique(folds)}
            whole = np.sum(list(grams.values()), axis=0)
            for fold in grams:
                apart = {fold, out} & set(grams)
                if len(apart) == len(grams):  # there are two folds: all that is told of either comes from the other
                    apart = {fold}
                inside, learned = folds == fold, ~np.isin(folds, list(apart))
                moments = Z[learned].T @ (T[learned] - T[learned].mean(axis=0))
                answers = Z[inside] @ _ridge(
                    whole - np.sum([grams[each] for each in apart], axis=0), moments, self.penalty
                )
                X[rows[inside], : len(self.spread)] = answers / self.spread

    def grid(self, values: Texts, most: int) -> Texts:
        """Texts from the one whose first effect is least to that whose is largest."""
        codes = np.unique(values.codes[values.codes >= 0])
        if not len(codes):
            raise DataError(f"the column {self.name!r} is missing in each row, so that it has no values to go through.")
        ordered = codes[np.argsort((values.pieces @ self.weight_table())[codes, 0], kind="stable")]
        chosen = np.unique(np.linspace(0, len(ordered) - 1, most).round().astype(np.int64))
        return Texts(ordered[chosen], values.texts, values.counted)

    def shown(self, values: Texts) -> npt.NDArray[Any]:
        """The texts."""
        return np.array([*values.levels, "(missing)"], dtype=object)[values.codes]

    def remarks(self, values: Texts) -> list[str]:
        """Tell of missing texts where none was missing at training."""
        count = int((values.codes < 0).sum())
        if self.missing or not count:
            return []
        return [
            f"{self.name}: missing in {plural(count, 'row')}, and never at training; taken for one that says nothing"
        ]

    @property
    def taken_for(self) -> str:
        """What the column was taken for, in a word or two."""
        return "free text"

    @property
    def summary(self) -> str:
        """Say what was learned."""
        share = f"{self.explained:.0%}" if self.explained >= 0.01 else "less than 1%"
        return f"pieces of its words explain {share} of the target out of fold"


def _product(X: sparse.csr_array, V: Floats) -> Floats:
    """X V, (rows, directions): of long texts, which have most pieces, a block of rows at a time."""
    if X.nnz < DENSE * X.shape[0] * X.shape[1]:
        return np.asarray(X @ V)
    blocks = range(0, X.shape[0], MOST_ROWS)
    return np.concatenate([X[start : start + MOST_ROWS].toarray() @ V for start in blocks])


def _largest(gram: Floats, most: int) -> tuple[Floats, Floats]:
    """The largest eigenvalues, at most so many, and their vectors; those that are rounding alone are none."""
    from scipy import linalg

    n = len(gram)
    values, vectors = linalg.eigh(gram, subset_by_index=[max(n - most, 0), n - 1])
    there = values > max(1e-10 * values[-1], np.finfo(np.float32).tiny)
    return values[there], vectors[:, there]


def _gram(Z: Floats) -> Floats:
    return np.asarray(Z.T @ Z)


def _ridge(gram: Floats, moments: Floats, penalty: float) -> Floats:
    """(ZᵀZ + λ)⁻¹ ZᵀD, (directions, signals)."""
    from scipy import linalg

    return np.asarray(linalg.solve(gram + penalty * np.eye(len(gram)), moments, assume_a="pos"))


def _out_of_fold(Z: Floats, T: Floats, folds: Codes) -> tuple[float, Floats]:
    """The penalty with which answers out of fold are nearest to the signals, and these answers, (rows, signals)."""
    answers = np.zeros((len(PENALTIES), *T.shape))
    whole = _gram(Z)
    for fold in range(FOLDS):
        part, others = folds == fold, folds != fold
        squares, V = np.linalg.eigh(whole - _gram(Z[part]))
        moments = V.T @ (Z[others].T @ (T[others] - T[others].mean(axis=0)))
        there = Z[part] @ V
        for answer, penalty in zip(answers, PENALTIES, strict=True):
            answer[part] = there @ (moments / (np.maximum(squares, 0.0) + penalty)[:, None])
    D = T - T.mean(axis=0)
    best = int(np.argmin(((answers - D) ** 2).sum(axis=(1, 2))))
    return float(PENALTIES[best]), answers[best]


def _goes_with(answers: Floats, T: Floats) -> tuple[float, bool]:
    """The share of the signals' variance that answers explain, and whether they go with some signal beyond chance."""
    D, A = T - T.mean(axis=0), answers - answers.mean(axis=0)
    explained = 1.0 - ((answers - D) ** 2).sum() / max((D**2).sum(), np.finfo(float).tiny)
    lengths = np.sqrt((D**2).sum(axis=0) * (A**2).sum(axis=0))
    r = np.divide((D * A).sum(axis=0), lengths, out=np.zeros(len(lengths)), where=lengths > 0)
    return float(max(explained, 0.0)), bool(explained > 0 and (r * np.sqrt(len(D)) > LEAST).any())
