"""A table model, or an estimator around one, as a page to read."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from reseau.arrays import LabelsLike, TableLike
from reseau.checks import known
from reseau.files.writing import Place, write_bytes
from reseau.formulas.words import LANGUAGES
from reseau.names import Language

if TYPE_CHECKING:
    from reseau.tables.learning.evidence import Evidence
    from reseau.tables.model import TableModel


class Reported(ABC):
    """The report of a table model, and of what is around one."""

    @abstractmethod
    def evidence_of(
        self,
        data: TableLike | None = None,
        y: LabelsLike | None = None,
        threads: int | None = None,
    ) -> tuple[TableModel, Evidence]:
        """The table model, and rows with their targets that it has not learned from."""

    def report(
        self,
        path: Place,
        *,
        data: TableLike | None = None,
        y: LabelsLike | None = None,
        lang: Language = "en",
        threads: int | None = None,
    ) -> None:
        """Write what the model is, and what is to be thought of it, as one page of HTML.

        The page tells how the data were recognised, what was noticed in them (columns that tell the target alone,
        copies of rows, rare classes, marks of missing values, ...), scores with their spread beside those of the
        simplest guess, how the networks were trained, which class is taken for which or how far numbers are off,
        whether probabilities or intervals are met, which columns matter and how predictions follow them, the hardest
        rows, and how to repeat it. It needs no other file, no script and no network, and is made for light and dark
        ground, paper and narrow screens. The same model and rows give the same bytes.

        Parameters
        ----------
        path : path or binary file object
            Where. A file at a path is complete or as it was.
        data : path, Table, data frame, dict, list of dicts or None
            Rows with the target that the model has not learned from, as for `evaluate`. None takes those that were
            scored at training, which a model read from a file has no longer.
        y : array-like of shape (rows,) or None
            For an estimator, the targets of these rows.
        lang : {"en", "fr"}
            The language of the page.
        threads : int or None
            At most as many threads; the page is the same for any number.

        Raises
        ------
        ParameterError
            For another language.
        DataError
            If the data cannot be read, or have no row with a known target; without data for a model that has none.
        OSError
            When the path cannot be written.

        Examples
        --------
        >>> import io
        >>> import numpy as np
        >>> import reseau as rs
        >>> size = np.linspace(0, 1, 60)
        >>> model = rs.TableModel.train({"size": size, "price": size**2}, "price", preset="fast", epochs=10)
        >>> page = io.BytesIO()
        >>> model.report(page)
        >>> page.getvalue()[:15]
        b'<!DOCTYPE html>'
        """
        from reseau.tables.understanding.page.whole import page

        known("lang", lang, LANGUAGES)
        model, evidence = self.evidence_of(data, y, threads)
        write_bytes(path, page(model, evidence, lang=lang, threads=threads))
