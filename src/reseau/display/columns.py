"""What pictures of a table's columns share: whose they are, and names that are safe to draw."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from reseau.checks import shown
from reseau.errors import ParameterError
from reseau.tables.understanding.explained import Explained
from reseau.visible import short

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LONGEST = 40  # characters of a name


def explained(estimator: Any, instead: str) -> Explained:
    """A table model, or an estimator on tables; a ParameterError says what to draw of others instead."""
    if not isinstance(estimator, Explained):
        raise ParameterError(
            f"estimator is {shown(estimator)}, but must be a TableModel, TableClassifier or TableRegressor; of another "
            f"one draw {instead}."
        )
    return estimator


def of_kind(name: str, value: Any, kind: type, source: str) -> Any:
    """The value, if it is of this class; a ParameterError says where such come from."""
    if not isinstance(value, kind):
        raise ParameterError(f"{name} is {shown(value)}, but must be what {source} gives.")
    return value


def name_rows(ax: Axes, names: Sequence[str]) -> None:
    """Name rows from the top down, at 0, -1, -2, ...: a $ in a name begins no formula."""
    labels = [short(name, LONGEST) for name in names]
    ax.set_yticks([-place for place in range(len(labels))], labels, parse_math=False)
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(0.6 - len(labels), 0.6)
