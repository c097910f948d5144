"""The bytes of a log's answer: whatever way the network cuts them, the messages are the same."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.engine.frames import Chunked, Frames, Raw
from tests.logs.wire import chunked, cut, frame, message, messages_of, written

texts = st.lists(st.binary(max_size=80), max_size=8)
places = st.lists(st.integers(0, 1_000_000), max_size=12)


@given(texts, st.lists(st.sampled_from([1, 2]), min_size=8, max_size=8), places)
def test_any_cutting_gives_the_same_messages(
    bodies: list[bytes], streams: list[int], where: list[int]
) -> None:
    sent = [message(body, 0, stream) for body, stream in zip(bodies, streams, strict=False)]
    expected = [(frame[0], frame[8:]) for frame in sent]
    assert messages_of(cut(chunked(sent), where)) == expected


@given(texts, places, places)
def test_chunks_need_not_be_frames(
    bodies: list[bytes], chunk_places: list[int], where: list[int]
) -> None:
    sent = b"".join(message(body) for body in bodies)
    parts = cut(chunked(cut(sent, chunk_places)), where)
    assert messages_of(parts) == [(1, message(body)[8:]) for body in bodies]


@given(st.lists(st.binary(max_size=60).map(lambda b: b.replace(b"\n", b"")), max_size=6), places)
def test_a_terminals_raw_bytes_give_one_message_a_line(
    lines: list[bytes], where: list[int]
) -> None:
    sent = [part for line in lines for part in written(line)]
    assert messages_of(cut(chunked(sent), where), tty=True) == [(1, part) for part in sent]


@given(st.integers(0, 40_000), places)
def test_the_times_inside_a_terminals_long_line_are_found(length: int, where: list[int]) -> None:
    sent = written(b"x" * length)
    assert messages_of(cut(chunked(sent), where), tty=True) == [(1, part) for part in sent]


@given(st.binary(max_size=300), places)
def test_bytes_that_are_no_frames_are_taken_as_they_are(data: bytes, where: list[int]) -> None:
    frames = Frames()
    found = b""
    for piece in cut(data, where):
        found += b"".join(payload for _, payload in frames.feed(piece).pieces)
    frames.finish()
    assert len(found) <= len(data)


@given(st.binary(max_size=200), places)
def test_broken_chunks_are_a_value_error_and_nothing_else(data: bytes, where: list[int]) -> None:
    chunks = Chunked()
    with contextlib.suppress(ValueError):
        for piece in cut(data, where):
            chunks.feed(piece)


def test_a_frame_of_megabytes_is_given_as_it_comes() -> None:
    body = b"y" * (5 << 20)
    sent = message(body) + message("after\n", 1, 2)
    pieces = [sent[at : at + 65_536] for at in range(0, len(sent), 65_536)]
    frames = Frames()
    first = next(batch for piece in pieces if (batch := frames.feed(piece)).pieces)
    assert len(first.pieces[0][1]) < len(body)
    found = messages_of([chunked([sent])])
    assert [(stream, len(data)) for stream, data in found] == [(1, len(body) + 31), (2, 37)]


def test_what_the_engine_itself_says_is_kept_apart() -> None:
    frames = Frames()
    batch = frames.feed(frame(b"Error grabbing logs: unexpected EOF\n", 3) + message("x\n"))
    assert len(batch.pieces) == 1
    assert frames.problems == ["Error grabbing logs: unexpected EOF\n"]


def test_a_chunk_without_a_size_is_refused() -> None:
    with pytest.raises(ValueError, match="chunk"):
        Chunked().feed(b"a" * 10_000)


def test_a_terminals_line_that_does_not_end_is_given_as_far_as_it_came() -> None:
    raw = Raw()
    line = written(b"loading the model, this takes a while")[0].rstrip(b"\n")
    assert raw.feed(line).pieces == [(1, line)]
    assert raw.torn == len(line)
    assert raw.feed(b" ...done\n").pieces == [(0x81, b" ...done\n")]
    assert raw.torn == 0
