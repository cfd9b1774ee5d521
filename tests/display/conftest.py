"""What the tests of pictures share: models of tables whose weights are known, and axes drawn without a window."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

import reseau as rs
from reseau.tables.columns.category import Category
from reseau.tables.columns.kinds import Number
from reseau.tables.targets.classes import Classes
from reseau.tables.targets.quantity import Quantity


@pytest.fixture
def ax() -> Axes:
    return FigureCanvasAgg(Figure()).figure.add_subplot()


@pytest.fixture
def linear() -> rs.TableModel:
    """y = 2a − 3b + 5 for each c that is "v"."""
    net = rs.Network(rs.Dense(1, bias=False), inputs=4, dtype="float64")
    net.parameters[...] = [2, -3, 0, 5]
    columns = (Number("a"), Number("b"), Category("c", levels=("u", "v")))
    return rs.TableModel(columns, Quantity("y", 0.0, 1.0), net, None, {})


@pytest.fixture
def three_classes() -> rs.TableModel:
    """The softmax of a, b and 0."""
    net = rs.Network(rs.Dense(3, "softmax", bias=False), loss="cross_entropy", inputs=2, dtype="float64")
    net.parameters[...] = np.eye(2, 3).ravel()
    return rs.TableModel((Number("a"), Number("b")), Classes("kind", "text", ("u", "v", "w")), net, None, {})
