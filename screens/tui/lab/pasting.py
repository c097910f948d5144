"""Paths of pictures in what a terminal pastes when a file is dropped on it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from console.paths import expand

_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".heic", ".avif")
_NEXT_ONE = re.compile(r"(?<=\S)[ \t]+(?=file://|/|~/|'[/~]|\"[/~A-Za-z]|[A-Za-z]:[\\/]|\\\\)")
_DRIVE = re.compile(r"([A-Za-z]):[\\/](.*)", re.DOTALL)
_IN_WSL = re.compile(
    r"[\\/]{2}wsl(?:\.localhost|\$)[\\/][^\\/]+[\\/](.*)", re.IGNORECASE | re.DOTALL
)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_LONGEST = 4096
_MOST = 16


def paths_in(text: str, environ: Mapping[str, str], folder: str = "") -> tuple[str, ...]:
    """Give the absolute paths that a pasted text holds; none where it is not made of paths.

    Terminals quote a dropped file each in its own way: in quotes, with escaped blanks, as a
    `file://` address, or not at all; one on Windows pastes the path that Windows has, which is
    below `/mnt` in WSL. No disk is asked.

    Args:
        text: as it was pasted.
        environ: has HOME, for `~`.
        folder: what a relative path is below; only names of pictures are taken for such.
    """
    found: list[str] = []
    for line in text.replace("\0", "").splitlines()[:_MOST]:
        for part in _NEXT_ONE.split(line.strip()):
            path = _path(part.strip(), environ, folder) if part.strip() else ""
            if path == "" and part.strip():
                return ()
            if path:
                found.append(path)
    return tuple(found[:_MOST])


def _path(part: str, environ: Mapping[str, str], folder: str) -> str:
    """Give one path; empty where it is none."""
    quoted = len(part) > 1 and part[0] == part[-1] and part[0] in "'\""
    if quoted:
        part = part[1:-1].replace("'\\''", "'")
    if not part or len(part) > _LONGEST:
        return ""
    if part.lower().startswith("file://"):
        return _of_address(part)
    windows = _of_windows(part)
    if windows:
        return windows
    if not quoted:
        part = _ESCAPED.sub(r"\1", part)
    if part.startswith("~/"):
        return str(expand(part, environ))
    if part.startswith("/"):
        return part
    if part.lower().endswith(_SUFFIXES) and folder and "://" not in part:
        return str(Path(folder) / part)
    return ""


def _of_address(address: str) -> str:
    try:
        path = unquote(urlsplit(address).path)
    except ValueError:
        return ""
    drive = _of_windows(path.lstrip("/"))
    return drive or (path if path.startswith("/") else "")


def _of_windows(path: str) -> str:
    """Give the path that WSL has for one of Windows; empty where it is none of Windows."""
    inside = _IN_WSL.fullmatch(path)
    if inside is not None:
        return "/" + inside[1].replace("\\", "/")
    drive = _DRIVE.fullmatch(path)
    if drive is None:
        return ""
    return f"/mnt/{drive[1].lower()}/" + drive[2].replace("\\", "/")
