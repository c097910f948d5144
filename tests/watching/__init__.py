"""Keeping the timeline and telling of alerts."""
