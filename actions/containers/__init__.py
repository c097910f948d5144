"""Start, stop, restart and kill of a container: found, checked, planned, done."""
