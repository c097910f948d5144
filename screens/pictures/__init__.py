"""Pictures in the terminal: which protocol it speaks, and a small picture drawn in it."""
