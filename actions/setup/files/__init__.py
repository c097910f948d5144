"""The texts that a setup writes: pure functions from what is wanted to files."""
