"""Decoding in a process of its own: `python -m console.pictures.apart`, bounded in time and memory.

The parent gives one line of JSON on stdin, then a file's content where there is no path; the child
answers with one line of JSON on stdout, then the pixels.
"""

import os
import subprocess
import sys
from typing import Any

import msgspec
import msgspec.json

from console.itself import importable, own_command
from console.pictures.decode import Box, on_checks, shrunk
from console.pictures.errors import PictureError, Source, limit, picture_error, shown, table
from console.pictures.look import PictureFacts, facts_of
from console.pictures.opening import picture
from console.pictures.small import Small

_PIXEL = 3


class _Wish(msgspec.Struct, kw_only=True):
    """What the child is asked: a path as its bytes (none: content follows), and the box."""

    path: bytes | None
    box: tuple[int, int]


class _Answer(msgspec.Struct, kw_only=True):
    """What it says: a size, or what is wrong as code, title, hint, detail."""

    width: int = 0
    height: int = 0
    error: tuple[str, str, str, str] | None = None


def small_apart(source: Source, box: Box, facts: PictureFacts) -> Small:
    """Give a small one of a picture, decoded by a child process; see `small`.

    Raises:
        PictureError: what the child found; `picture.unreadable` where it died or took too long.
    """
    path = None if isinstance(source, bytes) else os.fsencode(source)
    wish = msgspec.json.encode(_Wish(path=path, box=box)) + b"\n"
    content = source if isinstance(source, bytes) else b""
    try:
        done = subprocess.run(
            own_command(__name__),
            input=wish + content,
            capture_output=True,
            env=importable(os.environ),
            timeout=float(table()["limits"]["apart_seconds"]),
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        said = f"decoding took longer than {error.timeout:.0f} s"
        raise picture_error("picture.unreadable", said, name=shown(source)) from error
    except OSError as error:
        said = f"no process could be started: {error.strerror}"
        raise picture_error("picture.unreadable", said, name=shown(source)) from error
    return _taken(source, done, facts)


def _taken(
    source: Source, done: "subprocess.CompletedProcess[bytes]", facts: PictureFacts
) -> Small:
    line, _, rgb = done.stdout.partition(b"\n")
    try:
        answer = msgspec.json.decode(line, type=_Answer)
    except msgspec.DecodeError as error:
        said = f"its decoder ended with {done.returncode}"
        raise picture_error("picture.unreadable", said, name=shown(source)) from error
    if answer.error is not None:
        raise PictureError(*answer.error)
    if len(rgb) != answer.width * answer.height * _PIXEL:
        raise picture_error("picture.unreadable", "half an answer", name=shown(source))
    original = (facts.width, facts.height)
    return Small(width=answer.width, height=answer.height, rgb=rgb, original=original, facts=facts)


def _bounded() -> None:
    """Keep a hostile picture from taking the machine's memory or its time."""
    import resource

    memory, seconds = limit("apart_memory"), limit("apart_seconds")
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))


def _decoded(source: Source, box: Box) -> Any:
    with picture(source) as (image, size):
        return on_checks(shrunk(image, facts_of(source, image, size), box))


def main() -> None:
    """Answer the one wish on stdin."""
    _bounded()
    wish = msgspec.json.decode(sys.stdin.buffer.readline(), type=_Wish)
    source: Source = sys.stdin.buffer.read() if wish.path is None else os.fsdecode(wish.path)
    try:
        image = _decoded(source, wish.box)
    except PictureError as error:
        told = (error.code, error.title, error.hint, error.detail)
        sys.stdout.buffer.write(msgspec.json.encode(_Answer(error=told)) + b"\n")
        return
    answer = _Answer(width=image.width, height=image.height)
    sys.stdout.buffer.write(msgspec.json.encode(answer) + b"\n" + image.tobytes())


if __name__ == "__main__":
    main()
