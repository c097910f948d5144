"""Models: which to choose, getting them, knowing what is there, putting it in order."""
