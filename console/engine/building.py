"""What an engine is sent to build an image, and what it tells while it does."""

import hashlib
import os
import re
import tarfile
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import msgspec

from console.errors import UsageError
from console.files import read_limited
from console.mask import mask_text
from console.text import clean_line

MOST_BYTES = 64 << 20
"""A context is what a Dockerfile copies from; models and outputs do not belong into it."""
_MOST_FILES = 5000
_STEP = re.compile(r"Step (\d+)/(\d+) : (.*)", re.DOTALL)
_NOISE = ("---> ", "Removing intermediate ", "Removed intermediate ")
_IGNORED = ".dockerignore"
_IGNORE_BYTES = 64 << 10


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that the builder tells.

    Attributes:
        kind: `step`, `line`, `layer` (of an image that is fetched), `error`, or `image`.
        text: cleaned and masked: an instruction, a line of output, an error, the image's id.
        number, of: which step, of how many.
        done, total: bytes of the layer `text`; `total` 0 where nobody tells.
    """

    kind: str
    text: str
    number: int = 0
    of: int = 0
    done: int = 0
    total: int = 0


def packed(folder: Path, dockerfile: str) -> IO[bytes]:
    """Give a context as the archive that is sent; closing it removes it.

    Raises:
        UsageError: it holds more than `MOST_BYTES` (`build.context-too-big`), or cannot be read
            (`build.context`).
    """
    archive = tempfile.TemporaryFile()  # noqa: SIM115 -- the caller closes it
    try:
        size = count = 0
        with tarfile.open(mode="w", fileobj=archive) as tar:
            for name in context_files(folder, dockerfile):
                path = folder / name
                size += path.lstat().st_size if not path.is_dir() else 0
                count += 1
                if size > MOST_BYTES or count > _MOST_FILES:
                    raise UsageError(
                        "build.context-too-big",
                        f"{folder} holds more than {MOST_BYTES >> 20} MiB or {_MOST_FILES} files",
                        "Name in .dockerignore what the image does not need",
                    )
                tar.add(path, arcname=name, recursive=False)
    except OSError as error:
        archive.close()
        raise _unreadable(folder, error) from error
    except BaseException:
        archive.close()
        raise
    archive.seek(0)
    return archive


def context_files(folder: Path, dockerfile: str) -> list[str]:
    """Give the names of what is sent of a folder: all but what `.dockerignore` names, sorted.

    Raises:
        UsageError: the folder or its `.dockerignore` cannot be read (`build.context`).
    """
    from docker.utils.build import exclude_paths

    try:
        if not (folder / dockerfile).is_file():
            raise FileNotFoundError(2, "there is no such file", str(folder / dockerfile))
        patterns = _patterns(folder / _IGNORED)
        return sorted(exclude_paths(os.path.realpath(folder), patterns, dockerfile))
    except OSError as error:
        raise _unreadable(folder, error) from error


def fingerprint(folder: Path, dockerfile: str) -> str:
    """Give a context in sixteen letters: another one where a name or a byte differs.

    Copies that were kept of files (`.bak`) count for nothing: who goes back to an earlier
    Dockerfile has its image still.

    Raises:
        UsageError: it cannot be read, or is too big.
    """
    digest = hashlib.sha256(dockerfile.encode())
    size = 0
    for name in context_files(folder, dockerfile):
        path = folder / name
        if name.endswith(".bak"):
            continue
        digest.update(b"\0" + os.fsencode(name) + b"\0")
        if not path.is_file():
            continue
        try:
            content = read_limited(path, MOST_BYTES - size)
        except OSError as error:
            raise _unreadable(path, error) from error
        size += len(content)
        digest.update(hashlib.sha256(content).digest())
    return digest.hexdigest()[:16]


def told(events: Iterable[Mapping[str, Any]]) -> Iterator[Said]:
    """Give what the classic builder's stream says, line by line; what it has no use for is left."""
    rest = ""
    for event in events:
        if "error" in event or "errorDetail" in event:
            yield Said(kind="error", text=_error(event))
        elif isinstance(event.get("stream"), str):
            *lines, rest = (rest + event["stream"]).split("\n")
            yield from _lines(lines)
        elif isinstance(event.get("aux"), dict):
            yield Said(kind="image", text=clean_line(str(event["aux"].get("ID", "")), 100))
        elif isinstance(event.get("status"), str):
            yield _fetched(event)
    yield from _lines([rest])


def _lines(lines: Iterable[str]) -> Iterator[Said]:
    for line in lines:
        step = _STEP.match(line)
        if step is not None:
            yield Said(
                kind="step", text=_clean(step[3]), number=int(step[1][:6]), of=int(step[2][:6])
            )
            continue
        # pip and others draw their progress over the line before.
        text = _clean(line.rstrip("\r").rpartition("\r")[2])
        if text and not text.startswith(_NOISE):
            yield Said(kind="line", text=text)


def _fetched(event: Mapping[str, Any]) -> Said:
    detail = event.get("progressDetail")
    figures = detail if isinstance(detail, Mapping) else {}
    done, total = (
        value if isinstance(value := figures.get(key), int) and 0 <= value < 1 << 50 else 0
        for key in ("current", "total")
    )
    ident, status = _clean(str(event.get("id") or "")), _clean(str(event["status"]))
    if status == "Downloading" and ident:
        return Said(kind="layer", text=ident, done=done, total=total)
    return Said(kind="line", text=f"{ident}: {status}" if ident else status)


def _error(event: Mapping[str, Any]) -> str:
    detail = event.get("errorDetail")
    said = detail.get("message") if isinstance(detail, Mapping) else None
    return _clean(str(said or event.get("error") or "the builder gave no reason"), 1000)


def _clean(text: str, most: int = 400) -> str:
    return mask_text(clean_line(text, most)).strip()


def _patterns(file: Path) -> list[str]:
    try:
        text = read_limited(file, _IGNORE_BYTES).decode("utf-8", "replace")
    except FileNotFoundError:
        return []
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _unreadable(path: Path, error: OSError) -> UsageError:
    where = clean_line(str(error.filename or path), 200)
    return UsageError(
        "build.context",
        f"{where} cannot be read: {error.strerror or error}",
        "`gpuconsole setup` writes the files of a ComfyUI anew",
    )
