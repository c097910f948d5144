"""The log engine: from the engine's bytes to lines that can be shown, searched and judged."""
