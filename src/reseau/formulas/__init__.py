"""Formulas as trees, and how they are set."""
