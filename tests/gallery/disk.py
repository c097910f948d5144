"""A small disk of its own for a test, where this user may mount one."""

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest


@contextlib.contextmanager
def small_disk(place: Path, size: str = "1m") -> Iterator[Path]:
    """Mount a file system of this size; skip where this user may not."""
    place.mkdir(parents=True, exist_ok=True)
    if shutil.which("mount") is None or _call("mount", "-t", "tmpfs", "-o", f"size={size}", place):
        pytest.skip("mounting a small disk takes root")
    try:
        yield place
    finally:
        _call("umount", "--lazy", place)


def make_read_only(place: Path) -> None:
    """Let nobody, root neither, write to a small disk any more."""
    assert _call("mount", "-o", "remount,ro", place) == 0


def make_writable(place: Path) -> None:
    """Let it be written to again."""
    assert _call("mount", "-o", "remount,rw", place) == 0


def _call(*command: object) -> int:
    words = [str(word) for word in command]
    if words[:2] == ["mount", "-t"]:
        words.insert(-1, "none")
    return subprocess.run(words, capture_output=True, check=False).returncode
