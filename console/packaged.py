"""The door to what ships with the program: tables, texts and templates under `assets/`."""

import tomllib
from pathlib import Path
from typing import Any

import assets


def packaged(name: str) -> Path:
    """Give where a packaged file or folder is; `name` is relative to `assets/`."""
    return Path(str(assets.__file__)).parent / name


def read_text(name: str) -> str:
    """Give a packaged text as it is."""
    return packaged(name).read_text("utf-8")


def read_table(name: str) -> dict[str, Any]:
    """Give the content of a packaged TOML file; callers keep what they make of it."""
    return tomllib.loads(read_text(name))
