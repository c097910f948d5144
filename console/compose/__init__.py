"""The one door to Docker Compose and its files: find it, read, edit, bring up."""
