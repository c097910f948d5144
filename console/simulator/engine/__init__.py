"""The Engine API, spoken for a rehearsal so that the real docker client hears an engine."""
