"""Tests of the database and the locks."""
