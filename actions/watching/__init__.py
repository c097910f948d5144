"""Keeping the timeline, the history of VRAM, and telling of alerts, whoever looks."""
