"""A bundle on disk: a tar.gz that only its owner can read, with a manifest of what is in it."""

import io
import json
import os
import tarfile
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from actions.bundle.parts import Part
from actions.bundle.secrets import Scrubber
from console.errors import ConsoleError
from console.files import write_aside
from console.text import clean_line
from console.unknown import iso_time

_MODE = 0o600


class Bundle(NamedTuple):
    """What was written.

    Attributes:
        path: of the file. size: in bytes.
        parts: what is in it, and what could not be had.
        hidden: how often a secret was masked.
        left_out: kinds of things that are not in it.
    """

    path: Path
    size: int
    parts: tuple[Part, ...]
    hidden: int
    left_out: tuple[str, ...]


def write_bundle(
    path: Path,
    parts: Iterable[Part],
    *,
    now: datetime,
    scrub: Scrubber,
    left_out: tuple[str, ...],
) -> Bundle:
    """Write parts and their manifest, aside and renamed; a file that is there is not replaced.

    Args:
        path: of the bundle, such as `handover.tar.gz`.
        parts: taken one by one; they are masked already.
        now: the time on every file in it.
        scrub: has counted what was masked.
        left_out: in words, for the manifest.

    Raises:
        ConsoleError: it cannot be written (`bundle.cannot-write`), or is there (`bundle.exists`).
    """
    if os.path.lexists(path):
        raise ConsoleError(
            "bundle.exists",
            f"{clean_line(str(path), 200)} is there already",
            "give another name, or remove it",
        )
    buffer = io.BytesIO()
    kept: list[Part] = []
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for part in parts:
            kept.append(part)
            if not part.problem:
                _add(archive, part.name, part.data, now)
        manifest = _manifest(kept, now, scrub.hidden, left_out)
        _add(archive, "MANIFEST.json", manifest, now)
    try:
        write_aside(path, buffer.getvalue(), _MODE)
    except OSError as error:
        raise ConsoleError(
            "bundle.cannot-write",
            f"the bundle cannot be written to {clean_line(str(path), 200)}:"
            f" {error.strerror or error}",
            "name a folder that this user can write, with room for it",
        ) from error
    return Bundle(path, len(buffer.getvalue()), tuple(kept), scrub.hidden, left_out)


def _add(archive: tarfile.TarFile, name: str, data: bytes, now: datetime) -> None:
    entry = tarfile.TarInfo(f"gpuconsole-bundle/{name}")
    entry.size, entry.mode, entry.mtime = len(data), _MODE, int(now.timestamp())
    archive.addfile(entry, io.BytesIO(data))


def _manifest(parts: list[Part], now: datetime, hidden: int, left_out: tuple[str, ...]) -> bytes:
    whole = {
        "made_at": iso_time(now),
        "files": [
            {"name": one.name, "what": one.what, "bytes": len(one.data)}
            for one in parts
            if not one.problem
        ],
        "missing": [
            {"name": one.name, "what": one.what, "why": one.problem} for one in parts if one.problem
        ],
        "removed": {"secrets_masked": hidden, "left_out": list(left_out)},
    }
    return json.dumps(whole, ensure_ascii=False, indent=1).encode()
