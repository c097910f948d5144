"""One container to the bottom: what it was made of, how its runs ended, what it can reach."""
