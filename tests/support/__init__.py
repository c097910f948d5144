"""Helpers that several areas of tests share."""
