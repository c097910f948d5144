"""The map of a part, the names beside a file, which bytes are asked for next."""

import os
import threading
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.clock import HeldClock
from console.transfer.blocks import MOST_UNDER_WAY, Blocks
from console.transfer.faults import Stopped, disk_fault
from console.transfer.hashing import git_blob_oid, sha256_of
from console.transfer.pacing import Patience
from console.transfer.part import bad_name, is_ours, map_name, part_name
from console.transfer.part_file import PartFile
from console.transfer.part_map import (
    CHUNK,
    Bits,
    MapHeader,
    chunk_count,
    decode_header,
    encode_header,
)
from console.transfer.placing import quarantine, rename_new
from console.transfer.wanted import Wanted
from tests.transfer.plain import PlainFault

chunks = st.integers(0, 200).flatmap(
    lambda count: st.tuples(st.just(count), st.sets(st.integers(0, max(count - 1, 0))))
)


@given(chunks, st.integers(1, CHUNK))
def test_what_is_missing_and_what_is_there_make_the_whole(
    case: tuple[int, set[int]], last: int
) -> None:
    count, marked = case
    marked = {chunk for chunk in marked if chunk < count}
    size = (count - 1) * CHUNK + last if count else 0
    bits = Bits(size)
    for chunk in marked:
        at, value = bits.add(chunk)
        assert bits.data()[at : at + 1] == value
    missing = [chunk for first, stop in bits.missing() for chunk in range(first, stop)]
    assert missing == [chunk for chunk in range(count) if chunk not in marked]
    assert chunk_count(size) == count
    rest = sum(min(CHUNK, size - chunk * CHUNK) for chunk in missing)
    assert bits.bytes_there() == size - rest
    assert Bits(size, bits.data()).missing() == bits.missing()


@given(st.text(min_size=1, max_size=255).filter(lambda name: "/" not in name and "\0" not in name))
def test_our_names_fit_and_are_told_apart(name: str) -> None:
    raw = os.fsencode(name.encode("utf-8", "replace").decode())
    name = os.fsdecode(raw[:255].decode("utf-8", "ignore").encode())
    ours = [part_name(name), map_name(name), bad_name(name, "0123456789abcdef")]
    assert len(set(ours)) == 3
    for made in ours:
        assert len(os.fsencode(made)) <= 255
        assert made.startswith(".")
        assert is_ours(made)


def test_long_names_with_one_beginning_have_parts_of_their_own() -> None:
    one, other = "a" * 250 + "1.gguf", "a" * 250 + "2.gguf"
    assert part_name(one[:255]) != part_name(other[1:])
    assert part_name("a" * 240 + "1") != part_name("a" * 240 + "2")


@given(st.binary(max_size=200))
def test_anything_may_stand_where_a_map_should(page: bytes) -> None:
    assert decode_header(page) is None


def test_a_header_that_lost_a_byte_is_none() -> None:
    header = MapHeader(origin="o", size=5, sha256="a", git_oid="", name="n", boot_id="b", pid=1)
    page = encode_header(header)
    assert decode_header(page) == header
    assert decode_header(page.replace(b'"size":5', b'"size":6')) is None
    assert decode_header(encode_header(msgspec.structs.replace(header, version=2))) is None


def test_who_may_be_asked_again_at_once_is_not_asked_without_end() -> None:
    clock = HeldClock(datetime(2026, 1, 1, tzinfo=UTC))
    patience, waits = Patience(clock, threading.Event()), []
    for wish in (0.0, 0.0, 1.0, 60.0, 0.0, 1.0, None):
        patience.failed(PlainFault("answered 429", retry_after=wish), clock.monotonic())
        waits.append(patience.left())
        clock.advance(waits[-1])
    assert waits == [1, 2, 4, 60, 16, 30, 30]
    patience.went_on()
    patience.failed(PlainFault("answered 500"), clock.monotonic())
    assert patience.left() == 1


def test_all_connections_together_never_ask_for_more_than_may_be_lost(tmp_path: Path) -> None:
    part = PartFile(Wanted(path=tmp_path / "file", size=100 * CHUNK))
    blocks = Blocks(part, 4)
    under_way: list[tuple[int, int]] = []
    asked = 0
    while (block := blocks.take()) is not None:
        under_way.append(block)
        assert sum(stop - start for start, stop in under_way) <= MOST_UNDER_WAY * CHUNK
        asked += block[1] - block[0]
        if len(under_way) == 4:
            start, stop = under_way.pop(0)
            for at in range(start, stop, CHUNK):
                blocks.mark(at // CHUNK)
                blocks.mark(at // CHUNK)
            blocks.finished()
    assert asked == 100 * CHUNK
    part.close()


def test_nothing_is_written_once_a_part_is_closed(tmp_path: Path) -> None:
    part = PartFile(Wanted(path=tmp_path / "file", size=CHUNK))
    part.close(in_use=True)
    part.write(b"late", 0)
    part.mark(0)
    part.close()
    assert os.pread(part.handle, 4, 0) == bytes(4)
    os.close(part.handle)


def test_what_lies_beyond_four_gib_has_its_place(tmp_path: Path) -> None:
    wanted = Wanted(path=tmp_path / "file", size=5 * 1024 * CHUNK + 1)
    part = PartFile(wanted)
    for chunk in (0, 4 * 1024 + 1, 5 * 1024):
        data = bytes([chunk % 251]) * (1 if chunk == 5 * 1024 else CHUNK)
        part.write(data, chunk * CHUNK)
        part.mark(chunk)
    part.settle()
    part.close()
    again = PartFile(wanted, "another boot")
    assert again.resumed_from == 2 * CHUNK + 1
    assert again.there.missing() == [(1, 4 * 1024 + 1), (4 * 1024 + 2, 5 * 1024)]
    assert os.pread(again.handle, 2, 5 * 1024 * CHUNK - 1) == bytes([0, 5 * 1024 % 251])
    assert again.disk_bytes() < 4 * CHUNK
    again.close()


def test_a_name_that_is_taken_is_never_replaced(tmp_path: Path) -> None:
    source, target = tmp_path / "new", tmp_path / "old"
    source.write_text("new")
    target.write_text("old")
    with pytest.raises(FileExistsError):
        rename_new(source, target)
    assert (source.read_text(), target.read_text()) == ("new", "old")
    target.unlink()
    rename_new(source, target)
    assert (source.exists(), target.read_text()) == (False, "new")


def test_only_the_last_bad_body_of_a_file_is_kept(tmp_path: Path) -> None:
    for digest in ("a" * 64, "b" * 64):
        body = tmp_path / "part"
        body.write_text(digest)
        kept = quarantine(body, tmp_path / "model.gguf", digest)
    assert [path.name for path in tmp_path.iterdir()] == [".model.gguf.gpuconsole-bad-bbbbbbbb"]
    assert kept == tmp_path / ".model.gguf.gpuconsole-bad-bbbbbbbb"


def test_hashes_are_those_that_everybody_else_has(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"hello\n")
    digest = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"
    assert sha256_of(file) == digest
    assert git_blob_oid(file) == "ce013625030ba8dba906f756967f9e9ca394464a"


def test_hashing_tells_how_far_it_is_and_can_be_stopped(tmp_path: Path) -> None:
    file, told = tmp_path / "file", list[tuple[int, int]]()
    os.truncate(_made(file), 50 * CHUNK)
    sha256_of(file, report=lambda done, size: told.append((done, size)), stop=lambda: "")
    assert told == [(16 * CHUNK, 50 * CHUNK), (32 * CHUNK, 50 * CHUNK), (48 * CHUNK, 50 * CHUNK)]
    with pytest.raises(Stopped) as stopped:
        sha256_of(file, stop=lambda: "cancel")
    assert stopped.value.how == "cancel"


def _made(path: Path) -> Path:
    path.touch()
    return path


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (28, "disk-full"),
        (122, "disk-full"),
        (30, "read-only"),
        (13, "not-allowed"),
        (2, "folder-gone"),
        (116, "folder-gone"),
        (27, "too-large"),
        (5, "disk-error"),
    ],
)
def test_what_a_disk_says_is_put_into_words(tmp_path: Path, number: int, code: str) -> None:
    fault = disk_fault(OSError(number, os.strerror(number)), tmp_path / "file", CHUNK)
    assert fault.code == f"transfer.{code}"
    assert str(tmp_path) in fault.title
    assert fault.hint
