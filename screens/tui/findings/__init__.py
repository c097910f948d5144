"""The view of findings: what is wrong, why, what to do about it, and what changed before."""
