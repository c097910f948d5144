"""What the program reads: data files only."""
