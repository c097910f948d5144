"""Setup without a terminal, on rehearsed hosts and by the real command."""
