"""Tests of the hub's door, with the real library against a rehearsed hub."""
