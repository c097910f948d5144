"""The Textual app: screens and widgets that only read snapshots."""
