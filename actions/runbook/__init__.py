"""The runbook: what breaks, how it reads in a log, and what to do about it."""
