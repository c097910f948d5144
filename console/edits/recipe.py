"""Recipes inside PNG files: ours put in without touching the picture, and all that others put in.

ComfyUI writes the graph under `prompt` and its page's graph under `workflow`, as JSON in `tEXt`
chunks before the picture's data; Forge writes `parameters` as text; ours is JSON under
`gpuconsole`. The layout of chunks is that of the PNG specification (third edition, sections 5.3 and
11.3.3). Nothing of a file is believed: not its lengths, not its texts.
"""

import json
import math
import os
import stat
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import msgspec

from console.edits.exif import exif_texts
from console.edits.kept import KeptEdit
from console.text import clean

RECIPE_KEY = "gpuconsole"
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_TEXTS = {b"tEXt", b"zTXt", b"iTXt"}
_JSON_KEYS = frozenset({RECIPE_KEY, "prompt", "workflow"})
_MOST_CHUNKS = 200_000
_MOST_TEXT = 16 << 20
_LONGEST_KEY = 79
_DEEPEST = 100


def with_recipe(png: bytes, texts: Mapping[str, str]) -> bytes:
    """Give a PNG's bytes with text chunks put before its picture data; the rest is not touched.

    A text that it has under the same name goes; one that is the same already stays as it is. What
    is no PNG, or is cut off before its picture data, is given back as it came.

    Raises:
        ValueError: a name is empty, longer than 79 bytes or not Latin-1.
    """
    chunks = list(_pieces(png))
    at = next((start for kind, start, _ in chunks if kind == b"IDAT"), None)
    if at is None:
        return png
    wanted = {key: text for key, text in texts.items() if (key, text) not in set(_told(png))}
    made = b"".join(_text_chunk(key, text) for key, text in wanted.items())
    out, last = [], len(_SIGNATURE)
    out.append(png[:last])
    for kind, start, end in chunks:
        if start == at:
            out.append(made)
        if not (kind in _TEXTS and _key_of(png[start + 8 : end - 4]) in wanted):
            out.append(png[start:end])
        last = end
    return b"".join((*out, png[last:])) if made else png


def recipe_of(path: Path) -> dict[str, Any]:
    """Give what a picture says of how it was made; empty where it says nothing.

    Returns:
        By name, texts cleaned: `gpuconsole`, `prompt` and `workflow` as data where they are JSON,
        each other text as it is, at most 16 MiB in all; of JPEG and WebP what `console.edits.exif`
        finds. NaN and infinity, which ComfyUI writes, are None.

    Raises:
        OSError: the file is missing, cannot be read, or is no regular file.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(22, "not a regular file", str(path))
        found = dict(_parsed(_texts_in(file)))
        return found or dict(_parsed(exif_texts(file)))


def recipe_in(png: bytes) -> dict[str, Any]:
    """Give what `recipe_of` does for bytes that are at hand."""
    return dict(_parsed(iter(_told(png))))


def says_recipe(png: bytes, recipe: Mapping[str, Any]) -> bool:
    """Tell whether a PNG says just this as our recipe, however its JSON is spaced."""
    return bool(recipe_in(png).get(RECIPE_KEY) == _plain(json.loads(recipe_text(recipe)), 0))


def recipe_text(recipe: Mapping[str, Any]) -> str:
    """Give our recipe as the text of its chunk: JSON in ASCII."""
    return json.dumps(recipe, separators=(",", ":"), default=str)


def picture_recipe(edit: KeptEdit) -> dict[str, Any]:
    """Give what is written into each picture of an edit: enough to make it again elsewhere.

    Its pictures are named by their hashes: no path of this host goes into a file that may be given
    away.
    """
    request = dict(edit.recipe.get("request", edit.recipe))
    for private in ("images", "out", "graph"):
        request.pop(private, None)
    return {
        "format": 1, "edit": edit.id, "created_at": edit.created_at.isoformat(),
        "service": edit.service, "kind": edit.kind, "workflow": edit.workflow,
        "variant": edit.variant, "request": msgspec.to_builtins(request),
        "inputs": [one.sha256 for one in edit.of_role("input")],
    }  # fmt: skip


def _parsed(texts: Iterator[tuple[str, str]]) -> Iterator[tuple[str, Any]]:
    """Give each text once, JSON as data."""
    for key, text in texts:
        name = clean(key)
        if name not in _JSON_KEYS:
            yield name, clean(text)
            continue
        try:
            yield name, _plain(json.loads(text), 0)
        except (ValueError, RecursionError):
            yield name, clean(text)


def _plain(value: Any, depth: int) -> Any:
    """Give data cleaned, without numbers that JSON does not know, and no deeper than is sane."""
    if depth > _DEEPEST:
        return None
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {clean(key): _plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item, depth + 1) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _pieces(png: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Give each whole chunk: its type, where it begins and ends; nothing of what is no PNG."""
    if not png.startswith(_SIGNATURE):
        return
    at = len(_SIGNATURE)
    for _ in range(_MOST_CHUNKS):
        size, kind = int.from_bytes(png[at : at + 4], "big"), png[at + 4 : at + 8]
        end = at + 12 + size
        if len(kind) < 4 or end > len(png):
            return
        yield kind, at, end
        at = end
        if kind == b"IEND":
            return


def _told(png: bytes) -> list[tuple[str, str]]:
    """Give the texts in a PNG's bytes, as they are."""
    room, found = _MOST_TEXT, []
    for kind, start, end in _pieces(png):
        if kind in _TEXTS and end - start < room:
            pair = _read_text(kind, png[start + 8 : end - 4], room)
            if pair is not None:
                found.append(pair)
                room -= len(pair[1])
    return found


def _texts_in(file: IO[bytes]) -> Iterator[tuple[str, str]]:
    """Give the texts of an open PNG; its picture data is stepped over, not read."""
    if file.read(len(_SIGNATURE)) != _SIGNATURE:
        return
    room = _MOST_TEXT
    for _ in range(_MOST_CHUNKS):
        head = file.read(8)
        size, kind = int.from_bytes(head[:4], "big"), head[4:]
        if len(head) < 8 or kind == b"IEND":
            return
        if kind not in _TEXTS or size >= room:
            file.seek(size + 4, os.SEEK_CUR)
            continue
        body = file.read(size)
        pair = _read_text(kind, body, room) if len(body) == size else None
        file.seek(4, os.SEEK_CUR)
        if pair is not None:
            room -= len(pair[1])
            yield pair


def _read_text(kind: bytes, body: bytes, room: int) -> tuple[str, str] | None:
    """Give a text chunk's name and text; None where it makes no sense or is too large."""
    key, found, rest = body.partition(b"\0")
    if not found or not 0 < len(key) <= _LONGEST_KEY:
        return None
    name = key.decode("latin-1")
    if kind == b"tEXt":
        return name, rest.decode("latin-1")
    if kind == b"zTXt":
        data = _inflate(rest[1:], room) if rest[:1] == b"\0" else None
        return None if data is None else (name, data.decode("latin-1"))
    flag, method, more = rest[:1], rest[1:2], rest[2:].split(b"\0", 2)
    if len(more) < 3 or method != b"\0":
        return None
    data = _inflate(more[2], room) if flag == b"\1" else more[2]
    return None if data is None else (name, data.decode("utf-8", "replace"))


def _inflate(data: bytes, room: int) -> bytes | None:
    """Give unpacked bytes; None where they are damaged or more than there is room for."""
    unpacking = zlib.decompressobj()
    try:
        text = unpacking.decompress(data, room)
    except zlib.error:
        return None
    return text if unpacking.eof else None


def _key_of(body: bytes) -> str:
    return body.partition(b"\0")[0].decode("latin-1")


def _text_chunk(key: str, text: str) -> bytes:
    """Make a text chunk: `tEXt` where Latin-1 suffices, else `iTXt`."""
    name = key.encode("latin-1")
    if not 0 < len(name) <= _LONGEST_KEY or b"\0" in name:
        raise ValueError(f"no name for a text in a PNG: {key!r}")
    try:
        kind, body = b"tEXt", name + b"\0" + text.replace("\0", "").encode("latin-1")
    except UnicodeEncodeError:
        data = text.replace("\0", "").encode("utf-8", "replace")
        kind, body = b"iTXt", name + b"\0\0\0\0\0" + data
    checked = kind + body
    return len(body).to_bytes(4, "big") + checked + zlib.crc32(checked).to_bytes(4, "big")
