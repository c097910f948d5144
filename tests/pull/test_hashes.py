"""Hashes are remembered with size and mtime, so that later looks are instant and never wrong."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.clock import SystemClock
from console.models.hashes import HashRecords
from console.paths import find_places
from console.store.database import open_store
from console.store.model_files import ModelFileRecords, ModelFileRow

SHA = "ab" * 32


@pytest.fixture
def records(tmp_path: Path) -> Iterator[HashRecords]:
    places = find_places({"HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path / "run")})
    store = open_store(places, SystemClock())
    assert store.durable
    yield HashRecords(store, SystemClock())
    store.close()


def file_at(path: Path, content: bytes = b"weights") -> Path:
    path.write_bytes(content)
    return path


def test_a_hash_is_known_until_the_file_changes(records: HashRecords, tmp_path: Path) -> None:
    file = file_at(tmp_path / "a.safetensors")
    assert records.recall(file) == ""
    assert records.remember(file, SHA)
    assert records.recall(file) == SHA
    assert records.paths_with(SHA) == (str(file),)
    assert records.hashed_at(file) is not None
    file.write_bytes(b"weighty")
    os.utime(file, ns=(1, 1))
    assert records.recall(file) == ""
    assert records.paths_with(SHA) == ()
    assert records.hashed_at(file) is None


def test_another_file_under_the_same_name_is_not_taken_for_it(
    records: HashRecords, tmp_path: Path
) -> None:
    file, other = file_at(tmp_path / "a"), file_at(tmp_path / "b", b"WEIGHTS")
    stamp = file.stat().st_mtime_ns
    records.remember(file, SHA)
    os.utime(other, ns=(stamp, stamp))
    other.replace(file)  # same size, same mtime, other inode
    assert records.recall(file) == ""


def test_a_file_that_was_written_while_it_was_read_is_not_remembered(
    records: HashRecords, tmp_path: Path
) -> None:
    file = file_at(tmp_path / "a")
    before = file.stat()
    file.write_bytes(b"something longer than before")
    assert not records.remember(file, SHA, before)
    assert records.recall(file) == ""
    assert not records.remember(tmp_path / "gone", SHA)


def test_a_hard_link_has_the_hash_of_its_file(records: HashRecords, tmp_path: Path) -> None:
    file = file_at(tmp_path / "a")
    records.remember(file, SHA)
    (tmp_path / "b").hardlink_to(file)
    assert records.recall(tmp_path / "b") == SHA


def test_what_headers_told_keeps_the_hash_while_the_file_is_the_same(
    records: HashRecords, tmp_path: Path
) -> None:
    file = file_at(tmp_path / "a")
    records.remember(file, SHA)
    records.remember_facts([(str(file), file.stat(), '{"kind": "vae"}')])
    assert records.recall(file) == SHA
    assert records.everything()[str(file)].facts == '{"kind": "vae"}'
    records.remember(file, SHA)
    assert records.everything()[str(file)].facts == '{"kind": "vae"}'
    file.write_bytes(b"other bytes altogether")
    records.remember_facts([(str(file), file.stat(), "")])
    assert records.everything()[str(file)].sha256 == ""
    records.forget([str(file)])
    assert records.everything() == {}


def test_names_that_are_no_text_and_inodes_of_64_bits_are_kept(
    records: HashRecords, tmp_path: Path
) -> None:
    file = file_at(Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.gguf")))
    records.remember(file, SHA)
    assert records.recall(file) == SHA
    assert records.paths_with(SHA) == (str(file),)


def test_the_numbers_of_a_file_system_may_use_all_64_bits(tmp_path: Path) -> None:
    places = find_places({"HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path / "run")})
    store = open_store(places, SystemClock())
    row = ModelFileRow(path="/a", device=1 << 63, inode=(1 << 64) - 7, size=1, mtime_ns=5)
    ModelFileRecords(store).put([row])
    assert ModelFileRecords(store).all() == (row,)
    assert ModelFileRecords(store).of_inode(1 << 63, (1 << 64) - 7) == (row,)
    store.close()
