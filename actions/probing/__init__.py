"""Probes: what the doctor may only do when it is asked to, because it is more than reading."""
