"""The host: what it is, and the one door to each thing outside it. Knows no policy, no screen."""
