"""The command line: one module a verb, each a thin view of an action."""
