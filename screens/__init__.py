"""What an operator sees: the command line (`screens.cli`) and the Textual app (`screens.tui`)."""
