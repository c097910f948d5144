"""Fetching one large file: in parts that survive, checked before it has its final name."""
