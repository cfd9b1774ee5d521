"""A table model as a page to read: what the table is, what was noticed, how good the model is and what it follows."""
