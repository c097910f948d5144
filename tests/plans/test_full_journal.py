"""The disk of the journal is full while a download runs: it goes on, and is told to pause."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from actions.operations import Operations
from actions.plan import PlanDone
from actions.session import Session
from actions.take_up import take_up
from tests.plans.endless import HALT, TOTAL, Body
from tests.plans.watched import Console, body, environ
from tests.support.waiting import wait_until

__all__ = ["body", "environ"]

Sessions = Callable[..., Session]


class Disk:
    """A small file system of its own, which can be filled and emptied."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self._ballast = place / "ballast"

    def fill(self) -> None:
        """Leave no byte free."""
        with self._ballast.open("wb", buffering=0) as out:
            for size in (1 << 16, 1 << 12, 1 << 9):
                try:
                    while True:
                        out.write(b"x" * size)
                except OSError:
                    continue

    def empty(self) -> None:
        """Leave room again."""
        self._ballast.unlink()


@pytest.fixture
def disk(tmp_path: Path, environ: dict[str, str]) -> Iterator[Disk]:
    """Give the disk that the journal is on."""
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(place)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    environ["XDG_STATE_HOME"] = str(place)
    try:
        yield Disk(place)
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_a_download_does_not_need_the_journal_to_go_on(
    body: Body, disk: Disk, new_session: Sessions, capfd: pytest.CaptureFixture[str]
) -> None:
    console = Console(new_session())
    console.pid()
    disk.fill()
    body.say("go")
    assert isinstance(console.end(), PlanDone), "its exit code said so"
    assert body.size() == TOTAL
    disk.empty()
    # Nobody else could know; the next console finds it done after all.
    session = new_session()
    assert Operations(session).one_job(console.plan.id).state in {"interrupted", "done"}
    take_up(session)
    wait_until(lambda: Operations(session).one_job(console.plan.id).state == "done", 20)
    assert body.size() == TOTAL


def test_it_is_paused_although_nobody_can_write_that_down(
    body: Body, disk: Disk, new_session: Sessions, capfd: pytest.CaptureFixture[str]
) -> None:
    console = Console(new_session())
    pid = console.pid()
    disk.fill()
    other = Operations(new_session())
    assert other.pause(console.plan.id)
    console.end()
    wait_until(lambda: not Path(f"/proc/{pid}").exists())
    assert body.size() == HALT
    disk.empty()
    session = new_session()
    later = Operations(session)
    assert later.one_job(console.plan.id).state in {"interrupted", "paused"}
    body.say("go")
    assert later.resume(console.plan.id)
    assert isinstance(list(later.follow(console.plan.id))[-1], PlanDone)
    assert body.size() == TOTAL
