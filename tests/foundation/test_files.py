"""Small files change as a whole or not at all, and reading one never hangs."""

import errno
import os
import resource
import threading
from pathlib import Path

import pytest

from console.files import read_limited, write_aside
from tests.support.users import as_nobody


def test_a_file_is_replaced_with_the_mode_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "f"
    write_aside(path, b"one")
    write_aside(path, b"two", 0o640)
    assert path.read_bytes() == b"two"
    assert path.stat().st_mode & 0o777 == 0o640
    assert [p.name for p in tmp_path.iterdir()] == ["f"]


def test_a_symlink_stays_one(tmp_path: Path) -> None:
    (tmp_path / "dotfiles").mkdir()
    real, link = tmp_path / "dotfiles/config", tmp_path / "config"
    real.write_bytes(b"old")
    link.symlink_to(real)
    write_aside(link, b"new")
    assert link.is_symlink()
    assert real.read_bytes() == b"new"


@pytest.mark.parametrize("name", ["n" * 255, "ä" * 120])
def test_the_longest_names_work(tmp_path: Path, name: str) -> None:
    write_aside(tmp_path / name, b"x")
    assert (tmp_path / name).read_bytes() == b"x"


def test_a_full_disk_leaves_the_old_file_and_no_rubbish(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"old")

    def fill() -> str:
        # A limit on file size fails a write half-way, as a full disk does.
        import signal

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        try:
            write_aside(path, b"x" * 100_000)
        except OSError as error:
            return f"{error.errno} {sorted(p.name for p in tmp_path.iterdir())}"
        return "written"

    tmp_path.chmod(0o777)
    assert as_nobody(fill, tmp_path) == f"{errno.EFBIG} ['f']"
    assert path.read_bytes() == b"old"


def test_no_space_is_told_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", _no_space)
    with pytest.raises(OSError, match="No space left"):
        write_aside(path, b"new")
    assert path.read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 1


def _no_space(_handle: int) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_readers_see_the_old_file_or_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "f"
    whole = [b"a" * 50_000, b"b" * 50_000]
    write_aside(path, whole[0])
    seen: set[bytes] = set()
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            seen.add(path.read_bytes())

    watcher = threading.Thread(target=watch)
    watcher.start()
    for turn in range(60):
        write_aside(path, whole[turn % 2], durable=False)
    done.set()
    watcher.join()
    assert seen <= set(whole)


def test_reading_has_a_limit(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"x" * 200_001)
    assert len(read_limited(tmp_path / "f", 200_001)) == 200_001
    with pytest.raises(OSError, match="larger than 200000 bytes") as caught:
        read_limited(tmp_path / "f", 200_000)
    assert caught.value.errno == errno.EFBIG


def test_a_pipe_nobody_writes_to_does_not_hang_us(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="not a regular file"):
        read_limited(tmp_path / "pipe", 10)
    with pytest.raises(IsADirectoryError):
        read_limited(tmp_path, 10)
    with pytest.raises(FileNotFoundError):
        read_limited(tmp_path / "none", 10)
