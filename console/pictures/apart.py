"""Decoding in a process of its own: `python -m console.pictures.apart`, bounded in time and memory.

The parent gives one line of JSON on stdin, then a file's content where there is no path; the child
answers with one line of JSON on stdout, then the pixels or the PNG. What its libraries write on
stderr is dropped.
"""

import os
import subprocess
import sys

import msgspec
import msgspec.json

from console.itself import importable, own_command
from console.pictures.decode import Box, on_checks, png_of, shrunk, whole
from console.pictures.errors import PictureError, Source, limit, picture_error, shown, table
from console.pictures.look import PictureFacts, facts_of
from console.pictures.opening import picture
from console.pictures.small import Small, of_image

_PIXEL = 3


class _Wish(msgspec.Struct, kw_only=True):
    """What the child is asked.

    Attributes:
        path: as its bytes; None where the content follows.
        box: for a small one; None for the whole picture.
        png: the whole picture is wanted as PNG; else only whether it can be decoded.
    """

    path: bytes | None
    box: tuple[int, int] | None = None
    png: bool = False


class _Answer(msgspec.Struct, kw_only=True):
    """What it says: a size and how many bytes follow, or an error: code, title, hint, detail."""

    width: int = 0
    height: int = 0
    length: int = 0
    error: tuple[str, str, str, str] | None = None


def small_apart(source: Source, box: Box, facts: PictureFacts) -> Small:
    """Give a small one of a picture, decoded by a child process; see `small`.

    Raises:
        PictureError: what the child found; `picture.unreadable` where it died or took too long.
    """
    answer, rgb = _asked(source, _Wish(path=_path(source), box=box))
    if len(rgb) != answer.width * answer.height * _PIXEL:
        raise picture_error("picture.unreadable", "half an answer", name=shown(source))
    original = (facts.width, facts.height)
    return Small(width=answer.width, height=answer.height, rgb=rgb, original=original, facts=facts)


def png_apart(source: Source) -> bytes:
    """Give the whole of a picture as PNG, of eight bits and upright, made by a child process.

    Raises:
        PictureError: as `small_apart`.
    """
    return _asked(source, _Wish(path=_path(source), png=True))[1]


def check_apart(source: Source) -> None:
    """Decode the whole of a picture in a child process, only to know that it can be.

    Raises:
        PictureError: as `small_apart`.
    """
    _asked(source, _Wish(path=_path(source)))


def _path(source: Source) -> bytes | None:
    return None if isinstance(source, bytes) else os.fsencode(source)


def _asked(source: Source, wish: _Wish) -> tuple[_Answer, bytes]:
    content = source if isinstance(source, bytes) else b""
    try:
        done = subprocess.run(
            own_command(__name__),
            input=msgspec.json.encode(wish) + b"\n" + content,
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
    line, _, rest = done.stdout.partition(b"\n")
    try:
        answer = msgspec.json.decode(line, type=_Answer)
    except msgspec.DecodeError as error:
        said = f"its decoder ended with {done.returncode}"
        raise picture_error("picture.unreadable", said, name=shown(source)) from error
    if answer.error is not None:
        raise PictureError(*answer.error)
    if len(rest) != answer.length:
        raise picture_error("picture.unreadable", "half an answer", name=shown(source))
    return answer, rest


def _bounded() -> None:
    """Keep a hostile picture from taking the machine's memory or its time."""
    import resource

    memory, seconds = limit("apart_memory"), limit("apart_seconds")
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _done(source: Source, wish: _Wish) -> tuple[_Answer, bytes]:
    """Do what is asked, in the child."""
    try:
        with picture(source) as (image, size):
            facts = facts_of(source, image, size)
            if wish.box is not None:
                made = of_image(on_checks(shrunk(image, facts, wish.box)), facts)
                shape, data = (made.width, made.height), made.rgb
            else:
                seen = whole(image, facts)
                shape, data = seen.size, png_of(seen) if wish.png else b""
    except PictureError as error:
        return _Answer(error=(error.code, error.title, error.hint, error.detail)), b""
    return _Answer(width=shape[0], height=shape[1], length=len(data)), data


def main() -> None:
    """Answer the one wish on stdin."""
    _bounded()
    wish = msgspec.json.decode(sys.stdin.buffer.readline(), type=_Wish)
    source: Source = sys.stdin.buffer.read() if wish.path is None else os.fsdecode(wish.path)
    answer, data = _done(source, wish)
    sys.stdout.buffer.write(msgspec.json.encode(answer) + b"\n" + data)


if __name__ == "__main__":
    main()
