"""The file browser: folders, and the picture that is selected."""
