"""Reading the header of a model file, in milliseconds whatever its size, and never trusting it."""

import os
import re
import stat
from fnmatch import translate
from functools import cache
from pathlib import Path

from console.models.inventory.gguf import MAGIC, read_gguf
from console.models.inventory.header import (
    CutHeaderError,
    Header,
    Read,
    WrongHeaderError,
    formats,
)
from console.models.inventory.safetensors import is_safetensors, read_safetensors
from console.text import clean_line
from console.unknown import Unknown

_FIRST = 512
_POINTER = b"version https://git-lfs.github.com/spec/"
_LARGEST_TEXT = 1 << 20  # a page of a server is smaller, a model larger
_ZIP, _PICKLE = b"PK\x03\x04", b"\x80"


def read_header(path: Path | str) -> Header:
    """Give what the header of a file tells; never raises, `problem` says what is wrong.

    Pipes and devices are not opened.
    """
    try:
        # Non-blocking, because opening a pipe that nobody writes to would wait for ever.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except (OSError, ValueError) as error:
        return Header(format="other", problem=unreadable(error))
    try:
        facts = os.fstat(handle)
        if not stat.S_ISREG(facts.st_mode):
            why = Unknown("models.no-file", "it is no regular file")
            return Header(format="other", problem=why)
        name = os.path.basename(path)  # noqa: PTH119 -- a path may hold any bytes
        return header_from(lambda start, stop: _read(handle, start, stop), facts.st_size, name)
    except OSError as error:
        return Header(format="other", problem=unreadable(error))
    finally:
        os.close(handle)


def header_from(read: Read, size: int, name: str) -> Header:
    """Give what a header tells, wherever its bytes come from.

    Args:
        read: gives the bytes from a place up to, not with, another.
        size: of the whole file.
        name: of the file; tells a pickle from what is nothing, and a part.

    Raises:
        OSError: or whatever else `read` raises.
    """
    if is_part(name):
        return Header(format="part", size=size)
    if not size:
        return Header(format="empty")
    first = read(0, _FIRST)
    kind = _format(first, size, name)
    if kind not in {"safetensors", "gguf"}:
        return Header(format=kind, size=size, problem=_nothing(kind, first, name))
    try:
        if kind == "gguf":
            return read_gguf(read, size)
        return read_safetensors(read, size)
    except CutHeaderError as cut:
        return Header(format=kind, size=size, promised_bytes=cut.promised)
    except WrongHeaderError as wrong:
        why = Unknown("models.header-wrong", f"its header is wrong: {wrong}")
        return Header(format=kind, size=size, problem=why)


def is_part(name: str) -> bool:
    """Tell whether a name is that of something not fetched in full."""
    return _matches(name, "part_patterns")


def is_ignored(name: str) -> bool:
    """Tell whether a name is of something that belongs to a download and is no file of its own."""
    return _matches(name, "ignored_patterns")


def is_quarantined(name: str) -> bool:
    """Tell whether a name is that of something we put aside because its bytes were wrong."""
    return _matches(name, "quarantined_patterns")


def unreadable(error: OSError | ValueError) -> Unknown:
    """Say why something could not be read."""
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return Unknown("models.unreadable", f"it cannot be read: {clean_line(reason, 200)}")


def _format(first: bytes, size: int, name: str) -> str:
    """Tell the format by the first bytes; by the name only where those tell nothing."""
    if first.startswith(MAGIC):
        return "gguf"
    if first.startswith(_POINTER) and size < _LARGEST_TEXT:
        return "lfs-pointer"
    if size < _LARGEST_TEXT and _is_page(first):
        return "html"
    ending = name.rpartition(".")[2].lower()
    if is_safetensors(first) or ending in {"safetensors", "sft"}:
        return "safetensors" if is_safetensors(first) else "other"
    if ending in formats()["pickle_extensions"]:
        return "pickle"
    return "pickle" if first.startswith(_PICKLE + b"\x02") else "other"


def _is_page(first: bytes) -> bool:
    text = first.lstrip(b"\xef\xbb\xbf \t\r\n").lower().decode("utf-8", "replace")
    table = formats()
    return text.startswith((*table["page_beginnings"], *table["message_beginnings"]))


def _nothing(kind: str, first: bytes, name: str) -> Unknown | None:
    """Say what is wrong with a file that is named like a model and is none."""
    ending = name.rpartition(".")[2].lower()
    if kind != "other" or ending not in {"safetensors", "sft", "gguf"}:
        return None
    if not first.strip(b"\0"):
        return Unknown(
            "models.header-empty",
            "it begins with zeros where its header should be: room was made, nothing was written",
            "fetch it again",
        )
    return Unknown("models.header-wrong", f"its first bytes are not those of a {ending} file")


def _matches(name: str, table: str) -> bool:
    return _pattern(table).match(name.lower()) is not None


@cache
def _pattern(table: str) -> re.Pattern[str]:
    return re.compile("|".join(map(translate, formats()[table])))


def _read(handle: int, start: int, stop: int) -> bytes:
    """Read as much as there is between two places; the kernel may give it in pieces."""
    pieces = []
    while start < stop and (piece := os.pread(handle, stop - start, start)):
        pieces.append(piece)
        start += len(piece)
    return b"".join(pieces)
