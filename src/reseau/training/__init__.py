"""Training: the loop over epochs, what it keeps on disk, what it did."""
