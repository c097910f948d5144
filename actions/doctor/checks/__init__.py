"""The checks themselves, a module for each kind of thing they look at."""
