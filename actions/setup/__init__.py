"""Guided setup without a terminal: steps that look, propose, and do what was agreed to."""
