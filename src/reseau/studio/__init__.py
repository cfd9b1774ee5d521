"""The studio: a page in the browser that shows a network being built, trained and understood."""

from __future__ import annotations

from pathlib import Path

PENGUINS = Path(__file__).with_name("penguins.csv")
"""Measurements of 344 penguins of three species, from the R package palmerpenguins (Horst, Hill, Gorman 2020), CC0."""
