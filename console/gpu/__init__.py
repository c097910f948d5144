"""The GPU door: NVML, read card by card and value by value."""
