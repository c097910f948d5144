"""Guided setup: the steps at the left, the one that is looked at at the right."""
