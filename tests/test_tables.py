"""What holds for every entry of every table: activations, losses, optimizers and initialisations."""

import re

import pytest

from reseau.activations import ACTIVATIONS
from reseau.initializers import INITIALIZERS
from reseau.losses import LOSSES
from reseau.optimizers import OPTIMIZERS

TABLES = {"activation": ACTIVATIONS, "loss": LOSSES, "init": INITIALIZERS, "optimizer": OPTIMIZERS}
ENTRIES = [(parameter, entry) for parameter, table in TABLES.items() for entry in table.values()]


def _name(value):
    return value if isinstance(value, str) else value.name


@pytest.mark.parametrize(("parameter", "entry"), ENTRIES, ids=_name)
def test_every_entry_says_where_it_comes_from_by_author_and_year(parameter, entry):
    assert re.search(r"^[A-Z].* (19|20)\d\d, ", entry.source)


@pytest.mark.parametrize("entry", OPTIMIZERS.values(), ids=_name)
def test_the_docstring_of_an_optimizer_names_its_source(entry):
    assert entry.source in entry.__doc__


@pytest.mark.parametrize("table", [ACTIVATIONS, LOSSES, INITIALIZERS])
def test_entries_are_written_by_the_names_of_their_parts_alone(table):
    for kind in {type(entry) for entry in table.values()}:
        with pytest.raises(TypeError, match="positional argument"):
            kind("name")
