"""Measurements as a user meets the program: in a terminal, beside its peers, in one run."""
