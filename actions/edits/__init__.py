"""Test edits: asked for, planned, run, watched, collected."""
