"""Rows that are not in memory: files of Parquet and Arrow, and streams, read group by group."""
