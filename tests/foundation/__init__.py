"""Tests of what everything stands on: text, paths, config, host facts, command line."""
