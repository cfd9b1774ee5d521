"""A blackboard as slides: one file with a strict policy; `tests/studio/browser` shows it in a browser."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Any

import numpy as np
import pytest

import reseau as rs
from reseau.blackboard import Blackboard
from reseau.formulas.words import LANGUAGES


def board_of(*widths: int, lang: str = "en", last: str = "sigmoid", **options: Any) -> Blackboard:
    layers = [rs.Dense(n, "sigmoid") for n in widths[1:-1]]
    net = rs.Network(*layers, rs.Dense(widths[-1], last), inputs=widths[0], dtype="float64", seed=0)
    rng = np.random.default_rng(0)
    net.parameters[...] = rng.normal(0.0, 1.0, net.n_parameters)
    T = np.eye(widths[-1])[:1]
    return net.blackboard(rng.normal(size=(1, widths[0])), T, learning_rate=0.5, lang=lang, **options)


def slides_of(board: Blackboard) -> str:
    page = board.to_html(slides=True)
    assert page is not None
    return page


@pytest.mark.parametrize("lang", LANGUAGES)
def test_slides_have_one_script_which_their_policy_names(lang: str) -> None:
    page = slides_of(board_of(2, 2, 1, lang=lang))
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    for kind, text in (("script", script), ("style", style)):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    for foreign in ("http:", "https:", "src=", "@import", "url(", "<link", " style=", "onclick="):
        assert foreign not in page, foreign


def test_slides_hold_the_same_stages_as_the_page() -> None:
    board = board_of(2, 2, 1)
    contents = re.findall(r'<section class="stage" data-part="[^"]*">\n(.*?)\n</section>', slides_of(board), re.DOTALL)
    assert contents == [content for _, content in board.stages()]


def test_a_wrong_choice_of_slides_is_refused() -> None:
    with pytest.raises(rs.ParameterError, match="slides is 'yes'"):
        board_of(2, 2, 1).to_html(slides="yes")  # type: ignore[arg-type]
