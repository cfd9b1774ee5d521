"""Model files, and files that are complete or as they were."""
