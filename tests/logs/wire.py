"""Logs as an engine puts them on the wire, and entries for tests."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from actions.logs.line import Entry, stamp_of
from console.engine.frames import Batch, Chunked, Frames, Raw

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
MESSAGE = 16_384


def stamp(seconds: float = 0) -> str:
    """Give the engine's stamp of a moment so many seconds after noon."""
    return stamp_of(NOON + timedelta(seconds=seconds))


def message(text: bytes | str, at: float = 0, stream: int = 1) -> bytes:
    """Give a message in its frame, with its time in front."""
    data = text if isinstance(text, bytes) else text.encode()
    return frame(f"{stamp(at)} ".encode() + data, stream)


def frame(payload: bytes, stream: int = 1) -> bytes:
    """Give bytes in a frame."""
    return bytes([stream, 0, 0, 0]) + len(payload).to_bytes(4, "big") + payload


def written(line: bytes, at: float = 0) -> list[bytes]:
    """Give a line's messages as the engine keeps them: parts of 16 KiB, each with the time."""
    whole = line + b"\n"
    parts = [whole[begin : begin + MESSAGE] for begin in range(0, len(whole), MESSAGE)]
    return [f"{stamp(at)} ".encode() + part for part in parts]


def chunked(parts: Iterable[bytes], *, end: bool = True) -> bytes:
    """Give parts as HTTP's chunks."""
    data = b"".join(f"{len(part):x}\r\n".encode() + part + b"\r\n" for part in parts if part)
    return data + (b"0\r\n\r\n" if end else b"")


def cut(data: bytes, places: Sequence[int]) -> list[bytes]:
    """Cut bytes at some places (taken modulo the length)."""
    ends = sorted({place % (len(data) + 1) for place in places} | {0, len(data)})
    return [data[begin:end] for begin, end in pairwise(ends)]


def messages_of(pieces: Iterable[bytes], *, tty: bool = False) -> list[tuple[int, bytes]]:
    """Give what is in the pieces of a connection, put together."""
    chunks, frames = Chunked(), Raw() if tty else Frames()
    found: list[tuple[int, bytes]] = []

    def take(batch: Batch) -> None:
        for stream, data in batch.pieces:
            if stream & 0x80:
                assert found[-1][0] == stream & 0x7F
                found[-1] = (found[-1][0], found[-1][1] + data)
            else:
                found.append((stream, data))

    for piece in pieces:
        take(frames.feed(chunks.feed(piece)))
    take(frames.finish())
    return found


def entry(
    text: str, at: float = 0, stream: int = 1, source: str = "", container: str = "c"
) -> Entry:
    """Give an entry."""
    return Entry(stamp(at), stream, source, container, text)


def entries(text: str, **whose: str) -> list[Entry]:
    """Give an entry for each line of a text, a second apart."""
    return [entry(line, at, **whose) for at, line in enumerate(text.splitlines())]  # type: ignore[arg-type]
