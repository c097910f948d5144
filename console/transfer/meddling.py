"""Noticing that another process wrote to a part while it was being fetched.

Bytes are hashed once, right behind those who write them; whoever changes them after that would get
them under a final name. Reading 20 GB again each time costs too much: the kernel tells (inotify).
"""

import os
from pathlib import Path

_CLOSE_WRITE = 0x00000008
_DONT_FOLLOW = 0x02000000
_ENOUGH = 4096


class Meddling:
    """Whether somebody else had a file open for writing; the fetch itself never closes it before.

    Where the kernel cannot tell (no inotify, none left for this user), nobody did; nor can it tell
    of a write on another host of a network share.
    """

    def __init__(self, path: Path) -> None:
        """Look after a file from now on; `path` is not followed where it is a link."""
        self._handle = _watch(path)

    def noticed(self) -> bool:
        """Tell whether somebody wrote since the last call."""
        if self._handle is None:
            return False
        try:
            return bool(os.read(self._handle, _ENOUGH))
        except BlockingIOError:
            return False

    def close(self) -> None:
        """Look no more."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def _watch(path: Path) -> int | None:
    import ctypes

    try:
        libc = ctypes.CDLL(None)
        handle: int = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, AttributeError):
        return None
    if handle < 0:
        return None
    mask = ctypes.c_uint32(_CLOSE_WRITE | _DONT_FOLLOW)
    if libc.inotify_add_watch(handle, os.fsencode(path), mask) < 0:
        os.close(handle)
        return None
    return handle
