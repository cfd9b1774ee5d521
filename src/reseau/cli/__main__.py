"""`python -m reseau.cli` is `reseau`."""

from reseau.cli import main

main()
