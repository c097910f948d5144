"""Start, stop, restart, free, move and switch of services: found, checked, planned, done."""
