"""Drills: what an operator did on a host where something was wrong, and whether it is over."""
