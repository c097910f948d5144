"""The inventory of a real folder: remembered from look to look, not fooled by what changed."""

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from actions.models.inventory import look, model_folders
from actions.session import Session
from console.models.hashes import HashRecords
from console.models.inventory import bounded
from console.models.inventory import scan as scanning
from console.models.inventory.found import FoundFile, Inventory
from console.models.inventory.header import Header
from console.models.inventory.headers import read_header
from console.models.inventory.scan import changed
from tests.inventory import build

LORA = build.safetensors(build.LORA_SDXL)


def by_name(inventory: Inventory) -> dict[str, FoundFile]:
    return {file.path.rpartition("/")[2]: file for file in inventory.files}


def test_each_file_is_told_with_its_figures(session: Session, models: Path) -> None:
    build.put(models / "loras" / "styles" / "ink.safetensors", LORA)
    (models / "loras" / "put_loras_here").touch()
    (models / "loras" / "ink.json").write_text("{}")
    found = look(session)
    (file,) = found.files
    assert (file.root, file.folder) == (str(models), "loras/styles")
    assert (file.kind, file.base, file.precision) == ("lora", "sdxl", "fp16")
    assert file.parameters == 8 * 768 + 8 * 1280 + 8 * 2048
    assert file.size == file.promised_bytes == len(LORA[0]) + LORA[1]
    assert (file.hash_state, file.problem) == ("unchecked", None)


def test_headers_are_read_once_and_again_when_a_file_has_changed(
    session: Session, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = build.put(models / "loras" / "a.safetensors", LORA)
    build.put(models / "vae" / "b.safetensors", build.safetensors(build.SD_VAE))
    reads: list[str] = []

    def counted(name: str) -> Header:
        reads.append(Path(name).name)
        return read_header(name)

    monkeypatch.setattr(scanning, "read_header", counted)
    first = look(session)
    assert sorted(reads) == ["a.safetensors", "b.safetensors"]
    assert look(session).files == first.files
    assert len(reads) == 2
    build.put(path, build.safetensors(build.LORA_FLUX))
    assert by_name(look(session))["a.safetensors"].base == "flux"
    assert reads[2:] == ["a.safetensors"]
    # Another folder has another say in what a bare file is.
    path.rename(models / "vae" / "a.safetensors")
    assert by_name(look(session))["a.safetensors"].folder == "vae"


def test_a_folder_tells_by_its_mtime_that_something_came_or_went(
    session: Session, models: Path
) -> None:
    path = build.put(models / "loras" / "a.safetensors", LORA)
    found = look(session)
    assert not changed(found)
    build.put(models / "loras" / "b.safetensors", LORA)
    assert changed(found)
    found = look(session)
    path.unlink()
    assert changed(found)
    assert list(by_name(look(session))) == ["b.safetensors"]


def test_links_in_circles_and_twice_to_one_folder_are_gone_through_once(
    session: Session, models: Path
) -> None:
    build.put(models / "loras" / "a.safetensors", LORA)
    (models / "loras" / "again").symlink_to(models)
    (models / "more").symlink_to(models / "loras")
    (models / "self").symlink_to(models / "self")
    (models / "vae" / "gone.safetensors").symlink_to("/nowhere/at/all")
    found = look(session)
    assert [(file.folder, file.format) for file in found.files] == [
        ("loras", "safetensors"),
        ("vae", "broken-link"),
    ]
    assert found.roots[0].problem is None or "self" in found.roots[0].problem.title


def test_a_hard_link_has_the_hash_of_its_other_name(session: Session, models: Path) -> None:
    path = build.put(models / "loras" / "a.safetensors", LORA)
    os.link(path, models / "loras" / "b.safetensors")
    HashRecords(session.store, session.clock).remember(path, "ab" * 32)
    found = by_name(look(session))
    assert [found[name].sha256 for name in sorted(found)] == ["ab" * 32] * 2
    assert found["b.safetensors"].hash_state == "known"
    path.write_bytes(b"something else")
    assert by_name(look(session))["b.safetensors"].hash_state == "unchecked"


def test_a_folder_that_is_not_there_is_said_and_its_hashes_are_kept(
    session: Session, models: Path
) -> None:
    path = build.put(models / "loras" / "a.safetensors", LORA)
    HashRecords(session.store, session.clock).remember(path, "ab" * 32)
    away = models.with_name("unplugged")
    models.rename(away)
    (root,) = look(session).roots
    assert root.problem is not None
    assert root.problem.code == "models.no-such-folder"
    away.rename(models)
    assert by_name(look(session))["a.safetensors"].sha256 == "ab" * 32


def test_a_disk_that_hangs_holds_up_nobody_and_is_not_asked_again_meanwhile(
    session_of: Callable[[str], Session],
    models: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A mount that hangs cannot be had in a test; a listing that waits is the same to us."""
    build.put(models / "loras" / "a.safetensors", LORA)
    share = tmp_path / "share"
    (share / "loras").mkdir(parents=True)
    session = session_of(f'[paths]\nmodels = "{models}"\n[[paths.extra]]\nmodels = "{share}"\n')
    answers, asked = threading.Event(), list[str]()
    real = os.scandir

    def waits(path: str | Path) -> object:
        if str(path) == str(share):
            asked.append(str(path))
            answers.wait(20)
        return real(path)

    monkeypatch.setattr(os, "scandir", waits)
    monkeypatch.setattr(bounded, "ANSWERS_WITHIN", 0.2)
    try:
        for _ in range(2):
            found = look(session)
            assert [file.path for file in found.files] == [str(models / "loras/a.safetensors")]
            assert found.roots[1].problem is not None
            assert found.roots[1].problem.code == "models.folder-hangs"
        assert len(asked) == 1
    finally:
        answers.set()


def test_a_disk_that_hangs_in_the_middle_gives_what_came_before(
    session: Session, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build.put(models / "loras" / "a.safetensors", LORA)
    later = build.put(models / "vae" / "c.safetensors", LORA)
    build.put(models / "vae" / "b.safetensors", LORA)
    HashRecords(session.store, session.clock).remember(later, "ab" * 32)
    answers = threading.Event()

    def waits(path: str) -> Header:
        if path.endswith("b.safetensors"):
            answers.wait(20)
        return read_header(path)

    monkeypatch.setattr(scanning, "read_header", waits)
    records = HashRecords(session.store, session.clock)
    roots = model_folders(session)
    try:
        for _ in range(2):
            found = scanning.scan(roots, records, quiet=0.2)
            assert found.roots[0].problem is not None
            assert found.roots[0].problem.code == "models.folder-hangs"
            assert found.seconds < 10
        # What was not reached is not taken for gone.
        assert records.recall(later) == "ab" * 32
    finally:
        answers.set()


def test_names_that_are_no_text_and_what_nobody_may_read_are_listed(
    session: Session, models: Path
) -> None:
    odd = os.fsdecode(b"\xff\x1b[31m.safetensors")
    (models / "loras" / odd).write_bytes(LORA[0])
    os.mkfifo(models / "vae" / "pipe.safetensors")
    for _ in range(2):
        found = look(session)
        assert [file.format for file in found.files] == ["safetensors", "other"]
        assert found.files[1].problem is not None


def test_five_thousand_files_take_less_than_a_second_from_cache(
    session: Session, models: Path
) -> None:
    for number in range(100):
        (models / "loras" / f"set-{number}").mkdir()
    for number in range(5_000):
        head, weights = build.safetensors({"a.lora_down.weight": ("F16", (1, number + 1))})
        path = models / "loras" / f"set-{number % 100}" / f"{number}.safetensors"
        path.write_bytes(head + bytes(weights))
    first = look(session)
    assert len(first.files) == 5_000
    begun = time.monotonic()
    again = look(session)
    assert time.monotonic() - begun < 1
    assert again.files == first.files
    begun = time.monotonic()
    assert not changed(again)
    assert time.monotonic() - begun < 0.1
