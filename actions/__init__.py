"""What an operator can do: one module a verb. Knows the console, never a screen."""
