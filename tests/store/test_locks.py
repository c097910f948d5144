"""Locks name who holds them, die with their holder, and are never global."""

import errno
import stat
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from console.paths import Places
from console.store.locks import Held, Holder, LockFolder, Taken

HOLDER = Holder(
    pid=1,
    user="jesse (from 10.0.0.5)",
    host="studio",
    plan_id="p1",
    since="2026-11-22T20:00:00Z",
    what="stop myia",
)

_HOLD = (
    "import sys\n"
    "from pathlib import Path\n"
    "from console.paths import Places\n"
    "from console.store.locks import Holder, LockFolder\n"
    "state = Path(sys.argv[1])\n"
    "folder = LockFolder(Places(state, state, state / 'log', state / 'run'))\n"
    "holder = Holder(pid=4711, user='ana', host='studio', plan_id='p9', since='now', what='stop')\n"
    "held = folder.acquire(['container-a'], holder)\n"
    "print('held', flush=True)\n"
    "sys.stdin.read()\n"
)


def held(folder: LockFolder, *names: str) -> Held:
    answer = folder.acquire(names, HOLDER)
    assert isinstance(answer, Held)
    return answer


def test_a_refusal_names_the_holder(places: Places) -> None:
    folder = LockFolder(places)
    with held(folder, "container-a"):
        answer = LockFolder(places).acquire(["container-a"], HOLDER)
        assert answer == Taken(name="container-a", holder=HOLDER)
        assert folder.holder("container-a") == HOLDER
    assert folder.holder("container-a") is None
    held(folder, "container-a").release()


def test_other_containers_stay_free(places: Places) -> None:
    folder = LockFolder(places)
    with held(folder, "container-a"), held(folder, "container-b"):
        assert folder.is_free("container-c")


def test_all_or_nothing(places: Places) -> None:
    folder = LockFolder(places)
    with held(folder, "card-b"):
        answer = folder.acquire(["card-a", "card-b", "card-c"], HOLDER)
        assert isinstance(answer, Taken)
        assert folder.is_free("card-a")
        assert folder.is_free("card-c")


def test_a_killed_holder_lets_go(places: Places) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(places.state_dir)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        folder = LockFolder(places)
        answer = folder.acquire(["container-a"], HOLDER)
        assert isinstance(answer, Taken)
        assert answer.holder is not None
        assert answer.holder.pid == 4711
    finally:
        process.kill()
        process.communicate()
    held(folder, "container-a").release()


def test_nothing_is_left_behind(places: Places) -> None:
    folder = LockFolder(places)
    held(folder, "container-a", "card-b").release()
    assert folder.path is not None
    assert list(folder.path.iterdir()) == []


def test_names_cannot_leave_the_folder(places: Places) -> None:
    folder = LockFolder(places)
    with held(folder, "../../evil/name"):
        assert folder.path is not None
        assert [file.name for file in folder.path.iterdir()] == [".._.._evil_name.lock"]


def test_without_a_state_directory_they_lie_elsewhere_and_say_so(places: Places) -> None:
    places.state_dir.parent.mkdir(parents=True)
    places.state_dir.write_text("in the way")
    folder = LockFolder(places)
    assert folder.path == places.runtime_dir / "locks"
    assert folder.problem is not None
    assert str(folder.path) in folder.problem.title
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
    with held(folder, "container-a"):
        assert isinstance(LockFolder(places).acquire(["container-a"], HOLDER), Taken)


def test_a_damaged_record_is_told_as_such(places: Places) -> None:
    folder = LockFolder(places)
    with held(folder, "container-a"):
        assert folder.path is not None
        (folder.path / "container-a.lock").write_text("{")
        answer = folder.acquire(["container-a"], HOLDER)
        assert answer == Taken(name="container-a", holder=None)
        assert not folder.is_free("container-a")


def test_secrets_in_a_record_are_masked(places: Places) -> None:
    folder = LockFolder(places)
    secret = msgspec.structs.replace(HOLDER, what="docker login -p hunter2-very-secret")
    answer = folder.acquire(["container-a"], secret)
    assert isinstance(answer, Held)
    with answer:
        assert folder.path is not None
        assert "hunter2" not in (folder.path / "container-a.lock").read_text()


def test_on_a_full_disk_work_goes_on_unlocked_and_says_so(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = LockFolder(places)

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("console.store.locks.os.open", full)
    held(folder, "container-a").release()
    assert folder.problem is not None
    assert "No space left" in folder.problem.title
