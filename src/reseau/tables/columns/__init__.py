"""What the columns of a table are, and how they become the numbers that a network eats."""
