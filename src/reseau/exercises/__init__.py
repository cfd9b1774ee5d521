"""Learning steps to be worked out by hand: sheets for a class, their solutions, and what is said of the answers."""
