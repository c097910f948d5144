"""Fixtures for the doors to services: a real engine for their start logs."""

from tests.support.engine import engine_address, own_engine, workbench

__all__ = ["engine_address", "own_engine", "workbench"]
