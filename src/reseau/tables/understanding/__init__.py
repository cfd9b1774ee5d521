"""What a model makes of its columns, and what is to be thought of it: importance, effects, contributions, reports."""
