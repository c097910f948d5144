"""Fetching models: plans, jobs and the command line."""
