"""The database door: journal, plans and locks under XDG state."""
