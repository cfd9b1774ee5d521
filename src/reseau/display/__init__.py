"""Pictures, for matplotlib."""
