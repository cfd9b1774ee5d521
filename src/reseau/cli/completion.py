"""What a shell offers after an option whose values have names. A table is loaded only when a shell asks for it."""

from __future__ import annotations

from collections.abc import Iterable


def _beginning(incomplete: str, names: Iterable[str]) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]


# Each for `typer.Option(autocompletion=...)`, which gives what is typed so far.


def activations(incomplete: str) -> list[str]:
    """Names of activations."""
    from reseau.vocabulary.activations import ACTIVATIONS

    return _beginning(incomplete, ACTIVATIONS)


def languages(incomplete: str) -> list[str]:
    """Languages in which there are words."""
    from reseau.formulas.words import LANGUAGES

    return _beginning(incomplete, LANGUAGES)


def losses(incomplete: str) -> list[str]:
    """Names of losses."""
    from reseau.vocabulary.losses import LOSSES

    return _beginning(incomplete, LOSSES)


def metrics(incomplete: str) -> list[str]:
    """Names of metrics."""
    from reseau.training.metrics import METRICS

    return _beginning(incomplete, METRICS)


def optimizers(incomplete: str) -> list[str]:
    """Names of optimizers."""
    from reseau.vocabulary.optimizers import OPTIMIZERS

    return _beginning(incomplete, OPTIMIZERS)


def precisions(incomplete: str) -> list[str]:
    """Names of precisions."""
    from reseau.vocabulary.precisions import PRECISIONS

    return _beginning(incomplete, PRECISIONS)


def presets(incomplete: str) -> list[str]:
    """Names of presets."""
    from reseau.tables.learning.settings import PRESETS

    return _beginning(incomplete, PRESETS)
