"""The four tables: layers, activations, losses, optimizers; and how weights are drawn."""
