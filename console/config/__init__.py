"""The configuration door: reading, checking and writing config.toml."""
