"""What Tab shows after `board.`."""

from __future__ import annotations

import numpy as np

import reseau as rs


def a_board() -> rs.blackboard.Blackboard:
    net = rs.Network(rs.Dense(2, "tanh"), rs.LayerNorm(), rs.Dense(1, "sigmoid"), inputs=2, dtype="float64", seed=0)
    return net.blackboard([[1.0, 2.0]], [[1.0]], optimizer=rs.Adam(0.1), steps=2)


def test_tab_lists_every_number_of_a_board_and_of_its_steps() -> None:
    board = a_board()
    for owner, step in ((board, board.steps[0]), *((step, step) for step in board.steps)):
        assert set(step) | {"O", "dO"} <= set(dir(owner))
        for name in step:
            np.testing.assert_array_equal(getattr(owner, name), step[name])


def test_tab_lists_nothing_that_is_not_there_and_nothing_that_is_of_no_use() -> None:
    board = a_board()
    for owner in (board, *board.steps):
        shown = [name for name in dir(owner) if not name.startswith("_")]
        assert shown == sorted(set(shown))
        assert all(hasattr(owner, name) for name in shown)
    others = {name for name in dir(board) if not name.startswith("_")} - {*board.steps[0], "O", "dO"}
    assert all(
        name in ("steps", "errors", "difference", "digits", "lang", "stages", "plot") or name.startswith("to_")
        for name in others
    )
