"""How the parameters follow the gradient: the optimizers of the table, those of one kind in a file."""
