"""Tests of the doors to Forge, ComfyUI and others: servers on loopback, captures, engines."""
