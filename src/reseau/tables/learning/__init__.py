"""From a table to trained networks: which rows are learned from, how, and what is known of the others."""
