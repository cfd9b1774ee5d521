"""A column of labels, and how it becomes the numbers that the network eats."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from reseau.errors import ReseauError
from reseau.tables.columns.description import X32, Description, Rows
from reseau.tables.columns.effects import effects_of
from reseau.tables.columns.words import EFFECT, IS_MISSING, IS_RARE, say
from reseau.tables.reading import cells as read
from reseau.tables.reading.cells import Codes, Floats, Labels
from reseau.tables.reading.table import Column, listed
from reseau.visible import plural

LEVELS_SHOWN = 4
MAX_LEVELS = 250  # that have an input of their own; the rarer ones share one
LEAST_LEVELS = 30  # met more than once, from which their effects are inputs too: fewer are learned as well without


@dataclass(frozen=True)
class Category(Description):
    """One of several levels.

    `other`: rare levels share an input; `missing`: being missing is a level of its own; `also_missing`: texts that
    count as missing; `verbatim`: no other text does, not even the usual marks. Where there are many levels, the last
    inputs are the `effects` (see `reseau.tables.columns.effects`) of a cell's level, of which the `rarer` ones have no
    input of their own: those of `levels`, of `rarer`, of a missing cell, of a level that is not known, one after the
    other.
    """

    kind = "category"
    levels: tuple[str, ...] = ()
    other: bool = False
    missing: bool = False
    also_missing: tuple[str, ...] = ()
    verbatim: bool = False
    rarer: tuple[str, ...] = ()
    effects: tuple[float, ...] = ()

    @property
    def known(self) -> tuple[str, ...]:
        """The levels that are told apart."""
        return self.levels + self.rarer

    @property
    def marks(self) -> tuple[str, ...]:
        """The texts that count as missing in this column; a level is none."""
        usual = () if self.verbatim else read.MISSING
        return tuple(mark for mark in (*usual, *self.also_missing) if mark not in self.known)

    def inputs_in(self, lang: str) -> list[str]:
        """Return the names of the inputs."""
        n_effects = len(self.effects) // (len(self.known) + 2)
        numbers = [""] if n_effects == 1 else [f" {i}" for i in range(1, n_effects + 1)]
        return [*self.marked_in(lang), *(say(EFFECT, lang, name=self.name, number=number) for number in numbers)]

    @property
    def marked(self) -> list[str]:
        """The names of the inputs that are 1 for a level, else 0."""
        return self.marked_in("en")

    def marked_in(self, lang: str) -> list[str]:
        """The same in a language."""
        names = [f"{self.name}={level}" for level in self.levels]
        rare, missing = (say(words, lang, name=self.name) for words in (IS_RARE, IS_MISSING))
        return names + [rare] * self.other + [missing] * self.missing

    @property
    def follows_target(self) -> bool:
        """Whether there are effects."""
        return bool(self.effects)

    def read(self, column: Column) -> Labels:
        """Read the cells."""
        labels = read.labels_of(replace(column, cells=read.without(column.cells, self.marks)))
        typed = read.is_typed(column)
        return labels if self.verbatim and not typed else read.as_written(labels, self.known, typed)

    def absent(self, column: Column, values: Labels) -> int:
        """How many cells are missing, which were read as these values."""
        return int((values.codes < 0).sum())

    def fit(self, values: Labels, rows: Rows) -> Category:
        """Return the description with the statistics of these rows."""
        counts = values.counts(rows)
        commonest = np.argsort(-counts, kind="stable")
        kept = [int(i) for i in commonest[:MAX_LEVELS] if counts[i] > 1]
        rare = int((counts > 0).sum()) - len(kept)
        if rare == 1 and len(kept) < MAX_LEVELS:  # a single rare level needs no input to share
            kept, rare = [int(i) for i in commonest[: len(kept) + 1]], 0
        levels = tuple(sorted(values.levels[i] for i in kept))
        missing = bool((values.codes[rows] < 0).any())
        return replace(self, levels=levels, other=rare > 0, missing=missing)

    def detailed(self, values: Labels, rows: Rows, bins: int, T: Floats) -> Category:
        """Return the description with the effects of its levels, where there are many of them."""
        counts = values.counts(rows)
        again = {level for level, count in zip(values.levels, counts, strict=True) if count > 1}
        if len(again) < LEAST_LEVELS:
            return self
        detailed = replace(self, rarer=tuple(sorted(again - set(self.levels))))
        places = _places(values, *detailed.effect_places())[rows]
        effects = effects_of(places, len(detailed.known) + 2, T)
        return replace(detailed, effects=tuple((effects / _scale(effects[places])).ravel().tolist()))

    def check(self) -> None:
        """Refuse a level that is there twice, and effects of other levels."""
        if len(set(self.known)) < len(self.known) or len(self.effects) % (len(self.known) + 2):
            raise ReseauError(f"The levels and effects of column {self.name!r} do not fit one another.")

    def places(self) -> tuple[dict[str, int], int, int]:
        """Which input each known text is 1 in, any other text, and a missing cell; one beyond them all stands for none.

        Empty text is missing, and so are the `marks`. Models of older releases may have empty text among their levels,
        which a missing cell then is.
        """
        n, nowhere = len(self.levels), len(self.marked)
        other = n if self.other else nowhere
        known = {level: i for i, level in enumerate(self.levels)} | dict.fromkeys(self.rarer, other)
        missing = known.get("", n + self.other if self.missing else nowhere)
        return known | dict.fromkeys(("", *self.marks), missing), other, missing

    def effect_places(self) -> tuple[dict[str, int], int, int]:
        """Which effects each known text has, any other text, and a missing cell."""
        n = len(self.known)
        return {level: i for i, level in enumerate(self.known)} | dict.fromkeys(("", *self.marks), n), n + 1, n

    def effect_table(self) -> Floats:
        """The effects, a row for each of these places: (known + 2, signals)."""
        return np.array(self.effects).reshape(len(self.known) + 2, -1)

    def encode(self, values: Labels, X: X32) -> None:
        """Write the inputs into X."""
        nowhere = len(self.marked)
        slot = _places(values, *self.places())
        X[:] = 0.0
        (inside,) = np.nonzero(slot < nowhere)
        X[inside, slot[inside]] = 1.0
        if self.effects:
            X[:, nowhere:] = self.effect_table()[_places(values, *self.effect_places())]

    def encode_out_of_fold(self, values: Labels, X: X32, rows: Rows, folds: Codes, out: int, T: Floats) -> None:
        """Write the effects of the training rows into X, each taken from rows of other folds than its own and `out`."""
        places, n = _places(values, *self.effect_places())[rows], len(self.known) + 2
        for fold in np.unique(folds):
            inside, others = folds == fold, (folds != fold) & (folds != out)
            if not others.any():  # there are two folds: the other, of which each label has one effect for all rows here
                others = ~inside
            effects = effects_of(places[others], n, T[others])
            X[rows[inside], len(self.marked) :] = (effects / _scale(effects[places[others]]))[places[inside]]

    def grid(self, values: Labels, most: int) -> Labels:
        """The most frequent labels, a missing one too."""
        counts = np.append(values.counts(), (values.codes < 0).sum())
        commonest = np.argsort(-counts, kind="stable")[: min(most, int((counts > 0).sum()))]
        return Labels(np.where(commonest < len(values.texts), commonest, -1), values.texts)

    def shown(self, values: Labels) -> npt.NDArray[Any]:
        """The labels."""
        return np.array([*values.levels, "(missing)"], dtype=object)[values.codes]

    def remarks(self, values: Labels) -> list[str]:
        """Tell of the levels that were not seen at training."""
        counts = values.counts()
        known = set(self.known)
        told = []
        unseen = [i for i in np.nonzero(counts)[0] if values.levels[i] not in known]
        if unseen:
            names = listed([values.levels[i] for i in unseen], 3)
            rows = int(counts[unseen].sum())
            what = "rare or unseen at training" if self.other else "unseen at training"
            told.append(f"{self.name}: {plural(len(unseen), 'value')} {what} ({names}) in {plural(rows, 'row')}")
        absent = int((values.codes < 0).sum())
        if absent and not self.missing and "" not in self.levels:
            told.append(f"{self.name}: missing in {plural(absent, 'row')}, and never at training; taken for no level")
        return told

    @property
    def summary(self) -> str:
        """Say what was learned."""
        several = len(self.levels) > LEVELS_SHOWN
        text = plural(len(self.levels), "level") if several else ", ".join(self.levels)
        return text + ", the rare ones together" * self.other


def _places(values: Labels, known: dict[str, int], other: int, missing: int) -> Codes:
    """The place of each cell, (rows,)."""
    return np.array([*(known.get(level, other) for level in values.levels), missing])[values.codes]  # code -1


def _scale(effects: Floats) -> Floats:
    """What effects of rows are divided by, so that they deviate by 1 from 0."""
    return np.asarray(np.sqrt((effects**2).mean(axis=0)) + np.finfo(np.float32).tiny)
