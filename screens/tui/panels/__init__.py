"""Panels of the dashboard: pure functions from snapshot and view to lines."""
