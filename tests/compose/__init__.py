"""Tests of the door to compose: finding it, its files, edits, bringing a service up."""
