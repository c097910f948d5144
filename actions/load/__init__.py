"""Many edits at once, to see what a service bears: throughput, waits, failures, what survived."""
