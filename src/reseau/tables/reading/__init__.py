"""From files, frames and text to the cells of a table, and from cells to values."""
