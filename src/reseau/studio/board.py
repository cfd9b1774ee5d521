"""The blackboard of a sample: a learning step worked out, in stages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from reseau.errors import ReseauError
from reseau.names import Language
from reseau.studio.document import constant_optimizer
from reseau.studio.refusal import Refusal

if TYPE_CHECKING:
    from reseau.network import Network
    from reseau.studio.data import Data

MOST_PARAMETERS = 20_000  # each is worked out, in about a second in all


def board(
    network: Network, data: Data, training: Mapping[str, Any], sample: Mapping[str, Any], lang: Language, digits: int
) -> tuple[str, list[str]]:
    """The step on a sample by the optimizer of the training, as a part of a page, and the titles of its stages.

    Raises
    ------
    Refusal
        too_large_to_look, for a network that fills no blackboard; malformed, for a sample that there is not.
    """
    data.check_sample(sample)
    n = network.n_parameters
    if n > MOST_PARAMETERS:
        raise Refusal(
            "too_large_to_look",
            f"The network has {n:,} parameters; a blackboard has room for {MOST_PARAMETERS:,} at most.",
            parameters=n,
            most=MOST_PARAMETERS,
        )
    validation, row = sample["part"] == "validation", sample["row"]
    X = (data.X_val if validation else data.X)[row : row + 1]
    y = data.taught(str(network.loss), validation)[row : row + 1]
    try:
        with np.errstate(all="ignore"):  # a scale may have become 0, say
            worked = network.blackboard(
                X,
                y,
                optimizer=constant_optimizer(training),
                lang=lang,
                digits=digits,
                names=data.names(validation, row, lang),
            )
            stages = worked.stages()
    except ReseauError as error:
        raise Refusal("network_refused", str(error), message=str(error)) from None
    sections = "\n".join(f'<section class="stage">\n{content}\n</section>' for _, content in stages)
    return f'<article class="reseau-board" lang="{lang}">\n{sections}\n</article>', [title for title, _ in stages]
