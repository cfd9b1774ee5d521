"""The version, which the build reads with a regular expression."""

__version__ = "0.1.0"
