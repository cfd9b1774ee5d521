"""`python -m reseau` is `reseau`."""

from reseau.cli import main

main()
