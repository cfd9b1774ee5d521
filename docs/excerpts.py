"""What the walk-throughs show of a blackboard: chosen lines, as they stand on it."""

from __future__ import annotations

from IPython.display import HTML

from reseau.blackboard import Blackboard, html
from reseau.blackboard.sheet import Chain, Curve, Line
from reseau.formulas.typesetting import TextSetter


def show(board: Blackboard, *lefts: str) -> HTML:
    """The equations whose left sides are these, such as "Z₁" or "∂E/∂W₁", in the order of the board.

    Raises
    ------
    LookupError
        When one of them is not on the board, so that a page which shows it cannot be built.
    """
    chains = [line for line in board.lines() if isinstance(line, Chain)]
    named = [(_left(chain), chain) for chain in chains]
    if missing := set(lefts) - {name for name, _ in named}:
        raise LookupError(f"{', '.join(sorted(missing))} not on the board; there are {[name for name, _ in named]}.")
    return _set(board, [chain for name, chain in named if name in lefts])


def curve(board: Blackboard) -> HTML:
    """The error, step by step."""
    return _set(board, [line for line in board.lines() if isinstance(line, Curve)])


def _left(chain: Chain) -> str:
    setter = TextSetter()
    return " ".join(piece if isinstance(piece, str) else setter.set(piece) for piece in chain.sides[0])


def _set(board: Blackboard, lines: list[Line]) -> HTML:
    return HTML(html.fragment(lines, html.MathmlSetter(board.lang, board.digits)))
