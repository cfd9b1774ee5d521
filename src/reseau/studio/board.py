"""The blackboard of a sample: a learning step worked out, in stages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from reseau.studio.refusal import Refusal

if TYPE_CHECKING:
    from reseau.network import Network
    from reseau.studio.data import Data


def board(
    network: Network, data: Data, training: Mapping[str, Any], part: str, row: int, lang: str, digits: int
) -> tuple[str, list[str]]:
    """The step on a sample with the optimizer of the training, as a part of a page, and the titles of its stages."""
    raise Refusal("failed", "There is no blackboard yet.")
