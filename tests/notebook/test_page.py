"""What notebooks show: sound XML without scripts, in which nothing from outside is more than text."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from math import inf, nan

import numpy as np
import pytest
from chains import CHAINS, N, chains

import reseau as rs
from reseau.notebook.curves import MOST_POINTS, curves
from reseau.notebook.page import table, text

HOSTILE = "<script>alert('x')</script>\x1b[31m\u202e&\"'"
SVG = "{http://www.w3.org/2000/svg}"


def parsed(page: str) -> ET.Element:
    """A page as XML, which has no scripts, no links and nothing that acts."""
    root = ET.fromstring(page)
    for element in root.iter():
        assert element.tag.removeprefix(SVG) in {
            "div", "p", "table", "tr", "th", "td", "svg", "path", "circle", "text", "g",
        }  # fmt: skip
        assert not [name for name in element.attrib if name.startswith("on") or "href" in name]
    return root


def test_text_is_only_text():
    assert text(HOSTILE) == (r"&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt;\x1b[31m\u202e&amp;&quot;&#x27;")
    _, cells = parsed(table([["a"], [HOSTILE]])).iter("tr")
    assert "script" in "".join(cells.itertext())


def test_names_of_metrics_are_only_text():
    history = rs.History(loss=[1.0], metrics={HOSTILE: [2.0]})
    assert "".join(parsed(history._repr_html_()).itertext()).count("script") == 2


@pytest.mark.parametrize(("kind", "name"), CHAINS)
@pytest.mark.parametrize("built", [True, False])
def test_every_kind_of_network_and_layer_is_shown(kind, name, built):
    net = rs.Network(*chains(kind)[name], inputs=N if built else None, seed=0)
    page = parsed(net._repr_html_())
    rows = list(page.iter("tr"))
    assert len(rows) == 1 + len(net._layers)
    assert len(list(page.iter(f"{SVG}svg"))) == built
    if built:
        for view in net.layers:
            assert len(list(parsed(view._repr_html_()).iter("tr"))) == (len(view.tensors) + 1 if view.tensors else 0)


def lines(page: str) -> list[ET.Element]:
    return list(parsed(page).iter(f"{SVG}path"))


def test_each_weight_is_a_line_with_the_colour_of_its_sign_and_the_width_of_its_size():
    net = rs.Network(rs.Dense(1, "identity"), inputs=3)
    net.layers[0].W[...] = [[2.0], [-1.0], [0.0]]
    drawn = [(path.get("stroke"), float(path.get("stroke-width"))) for path in lines(net._repr_html_())]
    (most, widest), (negative, wide), (_, thin) = drawn
    assert most != negative
    assert widest > wide > thin > 0
    assert widest - thin == pytest.approx(2 * (wide - thin))


def test_of_a_large_network_some_neurons_are_drawn_and_all_are_counted():
    net = rs.Network(rs.Dense(3000), rs.Dense(2), inputs=2000, seed=0)
    page = net._repr_html_()
    assert len(page) < 40_000
    shown = ["".join(element.itertext()) for element in parsed(page).iter(f"{SVG}text")]
    assert shown.count("⋮") == 2
    assert {"2000", "3000", "2", "inputs", "relu", "identity"} <= set(shown)
    assert len(list(parsed(page).iter(f"{SVG}circle"))) == 7 + 7 + 2


def test_weights_that_are_not_finite_can_be_shown():
    net = rs.Network(rs.Dense(2), inputs=2, seed=0)
    net.layers[0].W[0, 0], net.layers[0].W[1, 1] = nan, inf
    parsed(net._repr_html_())
    parsed(net.layers[0]._repr_html_())


def points(picture: str) -> list[np.ndarray]:
    return [
        np.array([pair.split() for pair in path.get("d")[1:].split("L")], dtype=float)
        for path in ET.fromstring(picture).iter(f"{SVG}path")
        if path.get("fill") == "none"
    ]


def test_a_curve_goes_through_its_losses():
    (validation, training) = points(curves([4.0, 2.0, 3.0], [1.0, 2.0, 4.0], 1))
    assert np.diff(training[:, 0]).tolist() == pytest.approx([174.0, 174.0])
    heights = -training[:, 1]
    assert (heights[0] - heights[2]) == pytest.approx((heights[2] - heights[1]), rel=1e-3)
    assert validation[2, 1] == training[0, 1]


def test_losses_over_decades_are_on_a_logarithmic_scale():
    (training,) = points(curves([100.0, 10.0, 1.0], [], None))
    assert training[1, 1] == pytest.approx((training[0, 1] + training[2, 1]) / 2)


def test_long_curves_have_no_more_points_than_can_be_seen_and_end_where_they_end():
    (training,) = points(curves(np.linspace(2, 1, 100_000).tolist(), [], None))
    assert MOST_POINTS / 2 < len(training) <= MOST_POINTS + 1
    assert training[-1].tolist() == [410.0, 138.0]


def test_numbers_that_are_not_finite_are_left_out():
    (training,) = points(curves([2.0, nan, inf, 1.0], [], None))
    assert len(training) == 2
    assert curves([nan], [], None) == ""
    assert "<circle" in curves([1.0], [], None)
