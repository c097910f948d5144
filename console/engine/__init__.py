"""The engine door: Docker Engine, one list, then events."""
