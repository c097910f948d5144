"""Hand-over: what the next person needs to know, in one file, without a secret in it."""
