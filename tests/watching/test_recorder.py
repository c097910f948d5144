"""The timeline is written by one, without doubles, across restarts, full disks and handovers."""

import os
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from actions.session import Session
from actions.snapshot import HostSnapshot
from actions.timeline import TimelineEntry, read_timeline
from actions.watching.recorder import ELECTION_SECONDS, Recorder
from actions.watching.vram import read_vram
from console.clock import HeldClock
from console.engine.snapshot import (
    Compose,
    Container,
    EngineEvent,
    EngineSnapshot,
    GpuDeclaration,
    Port,
)
from console.gpu.snapshot import GpuSnapshot
from console.store.rows import Happening
from console.store.timeline import TimelineRecords
from tests.support.hosts import BIG, CRASH, SMALL, healthy, no_engine
from tests.support.snapshots import NO_DRIVER, changed, container, gpu_snapshot, ident
from tests.watching.conftest import MakeSession

TURBO = ident("myia-turbo")


class Course:
    """A host as time goes on: pictures of it at the clock's time."""

    def __init__(self, clock: HeldClock, base: HostSnapshot | None = None) -> None:
        self.clock = clock
        self.base = base or healthy()
        self.events: tuple[EngineEvent, ...] = ()

    def event(self, action: str, code: int | None = None, ident_: str = TURBO) -> None:
        """Let the engine tell of something now."""
        one = EngineEvent(
            at=self.clock.now(),
            container_id=ident_,
            container_name="myia-turbo",
            action=action,
            exit_code=code,
        )
        self.events = (one, *self.events)[:200]

    def picture(self, **changes: object) -> HostSnapshot:
        """Give the host now."""
        engine: EngineSnapshot = msgspec.structs.replace(
            self.base.engine, events=self.events, taken_at=self.clock.now()
        )
        cards: GpuSnapshot = gpu_snapshot(
            SMALL, BIG, taken_at=self.clock.now(), taken_monotonic=self.clock.monotonic()
        )
        values = {"taken_at": self.clock.now(), "engine": engine, "gpu": cards, **changes}
        return changed(self.base, **values)


@pytest.fixture
def course(clock: HeldClock) -> Course:
    """Give a healthy host."""
    return Course(clock)


@pytest.fixture
def recorder(make_session: MakeSession) -> Iterator[Recorder]:
    """Give the one who writes."""
    one = Recorder(make_session(), "test")
    yield one
    one.close()


def problem_of(recorder: Recorder) -> str:
    """Give the code of what keeps it from writing on the disk, or nothing."""
    return "" if recorder.problem is None else recorder.problem.code


def of_kind(session: Session, *kinds: str) -> list[TimelineEntry]:
    """Give what stands on the timeline as another process reads it, the newest first."""
    return list(read_timeline(session, 500, kinds=kinds))


def test_what_the_engine_remembers_is_filled_in_once(
    make_session: MakeSession, course: Course, clock: HeldClock
) -> None:
    for action, code in (("die", 2), ("start", None), ("die", 2), ("start", None)):
        course.event(action, code)
        clock.advance(5)
    clock.advance(60)
    for _ in range(3):
        one = Recorder(make_session(), "test")
        one.look(course.picture())
        one.look(course.picture())
        one.close()
    entries = of_kind(make_session(), "container")
    assert [entry.verb for entry in entries] == ["start", "die", "start", "die"]
    assert entries[1].facts["exit_code"] == 2
    assert entries[0].target == "myia-turbo"
    assert entries[0].at == clock.now() - timedelta(seconds=65)


def test_a_crash_loop_of_hours_takes_few_rows_and_tells_how_often(
    make_session: MakeSession, recorder: Recorder, course: Course, clock: HeldClock
) -> None:
    recorder.look(course.picture())
    for _ in range(300):
        clock.advance(30)
        course.event("die", 2)
        course.event("start")
        recorder.look(course.picture())
    entries = of_kind(make_session(), "container")
    assert len(entries) == 6
    newest = next(entry for entry in entries if entry.verb == "die")
    assert newest.count == 298
    assert newest.until == clock.now()
    # Another process takes over and is told the same by the engine's memory: nothing is doubled.
    recorder.close()
    again = Recorder(make_session(), "test")
    clock.advance(1)
    again.look(course.picture())
    again.close()
    assert len(of_kind(make_session(), "container")) == 6


def test_one_writes_and_the_next_takes_over(
    make_session: MakeSession, recorder: Recorder, course: Course, clock: HeldClock
) -> None:
    second = Recorder(make_session(), "test")
    recorder.look(course.picture())
    second.look(course.picture())
    assert (recorder.writes, second.writes) == (True, False)
    course.event("die", 1)
    assert recorder.look(course.picture())
    assert not second.look(course.picture())
    recorder.close()
    clock.advance(ELECTION_SECONDS + 1)
    course.event("start")
    second.look(course.picture())
    assert second.writes
    assert [entry.verb for entry in of_kind(make_session(), "container")] == ["start", "die"]
    second.close()


def test_a_flood_of_events_neither_drowns_plans_nor_grows(
    make_session: MakeSession, clock: HeldClock
) -> None:
    session = make_session()
    records = TimelineRecords(session.store, keep_happenings=100)
    records.put(at=clock.now(), kind="plan", subject="myia", plan_id="p", body={"verb": "stop"})
    for number in range(1_000):
        clock.advance(1)
        one = Happening(at=clock.now(), kind="container", subject=f"c{number}", body={})
        records.happen([one])
    assert 100 <= len(records.newest(5_000)) <= 100 + 64 + 1
    shown = read_timeline(session, 50, plans=10)
    assert [entry.kind for entry in shown].count("plan") == 1
    assert shown[-1].verb == "stop"
    assert len(shown) == 51


def test_alerts_begin_and_end_on_the_timeline(
    make_session: MakeSession, recorder: Recorder, course: Course, clock: HeldClock
) -> None:
    def pass_by(seconds: int, *alerts: object) -> None:
        for _ in range(seconds // 5):
            clock.advance(5)
            recorder.look(course.picture(alerts=alerts))

    pass_by(30, CRASH)
    recorder.close()
    recorder._elect_at = 0.0
    pass_by(30, CRASH)
    pass_by(120)
    entries = of_kind(make_session(), "alert")
    assert [(entry.verb, entry.outcome) for entry in entries] == [
        ("container.crash-loop", "ok"),
        ("container.crash-loop", "error"),
    ]
    assert entries[1].facts["hint"] == CRASH.hint


def test_a_container_made_anew_tells_what_is_another(
    make_session: MakeSession, recorder: Recorder, course: Course, clock: HeldClock
) -> None:
    from console.engine.snapshot import GpuDeclaration

    def engine(**changes: object) -> EngineSnapshot:
        flags = GpuDeclaration(arguments=("main.py", "--reserve-vram", "1"))
        made = container("comfyui", image="c:1", gpu=flags)
        comfy: Container = msgspec.structs.replace(made, **changes)
        return msgspec.structs.replace(course.base.engine, containers=(comfy,))

    recorder.look(course.picture(engine=engine()))
    clock.advance(5)
    recorder.look(course.picture(engine=msgspec.structs.replace(engine(), containers=())))
    clock.advance(5)
    recorder.look(course.picture(engine=engine(id="f" * 64, image="c:2")))
    (entry,) = of_kind(make_session(), "image", "config")
    assert entry.text == "was made anew: image c:1 became c:2"


def test_another_driver_and_another_boot_are_told_after_the_fact(
    make_session: MakeSession, course: Course, clock: HeldClock, tmp_path: Path
) -> None:
    boot = tmp_path / "root/proc/sys/kernel/random/boot_id"
    boot.parent.mkdir(parents=True)
    boot.write_text("11111111-aaaa\n")
    first = Recorder(make_session(), "test")
    first.look(course.picture())
    first.close()
    boot.write_text("22222222-bbbb\n")
    clock.advance(600)
    cards = course.picture().gpu
    driver = msgspec.structs.replace(cards.driver, version="999.01")
    second = Recorder(make_session(), "test")
    away = msgspec.structs.replace(cards, driver=NO_DRIVER, problem=NO_DRIVER)
    second.look(course.picture(gpu=away))
    second.look(course.picture(gpu=msgspec.structs.replace(cards, driver=driver)))
    second.close()
    texts = [entry.text for entry in of_kind(make_session(), "driver", "host")]
    assert sum("the host (or its WSL) was started anew" in text for text in texts) == 1
    assert sum("NVIDIA driver was changed from" in text for text in texts) == 1


def test_a_clock_that_is_set_back_loses_no_event(
    make_session: MakeSession, recorder: Recorder, course: Course, clock: HeldClock
) -> None:
    for _ in range(5):
        clock.advance(60)
        course.event("die", 1)
        recorder.look(course.picture())
    clock._now -= timedelta(minutes=3)
    recorder.look(course.picture())
    clock.advance(5)
    course.event("die", 1)
    recorder.look(course.picture())
    entries = of_kind(make_session(), "container")
    assert sum(entry.count for entry in entries) == 6
    assert any("set back by 3m" in entry.text for entry in of_kind(make_session(), "host"))


def test_an_engine_that_is_away_changes_nothing(
    make_session: MakeSession, recorder: Recorder, course: Course, clock: HeldClock
) -> None:
    course.event("start")
    recorder.look(course.picture())
    clock.advance(5)
    recorder.look(course.picture(engine=no_engine().engine))
    clock.advance(5)
    recorder.look(course.picture())
    assert len(of_kind(make_session(), "container", "config", "image")) == 1


def test_vram_is_kept_by_the_minute_and_read_in_slices(
    make_session: MakeSession, recorder: Recorder, course: Course, clock: HeldClock
) -> None:
    begin = clock.now()
    for second in range(0, 600, 5):
        clock.advance(5)
        full = msgspec.structs.replace(BIG, memory_used_bytes=second << 20)
        lost = msgspec.structs.replace(SMALL, lost=NO_DRIVER)
        cards = gpu_snapshot(lost, full, taken_at=clock.now(), taken_monotonic=clock.monotonic())
        recorder.look(course.picture(gpu=cards))
        recorder.look(course.picture(gpu=cards))
    recorder.close()
    (card,) = read_vram(make_session(), begin - timedelta(minutes=1))
    assert card.uuid == BIG.uuid
    assert len(card.slices) in {10, 11}
    whole = card.slices[1]
    assert whole.used < whole.peak <= 600 << 20
    assert whole.busy == 92
    (coarse,) = read_vram(make_session(), begin - timedelta(minutes=1), 4)
    assert len(coarse.slices) <= 4
    assert coarse.slices[-1].peak == card.slices[-1].peak
    assert read_vram(make_session(), clock.now() + timedelta(hours=1)) == ()


@pytest.fixture
def small_home(tmp_path: Path) -> Iterator[Path]:
    """Give a home on a disk of its own, of 8 MiB."""
    home = tmp_path / "small"
    home.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "none", str(home)], capture_output=True
    )
    if done.returncode:
        pytest.skip("this user may not mount a file system")
    yield home
    subprocess.run(["umount", "-l", str(home)], check=True)


def test_a_disk_that_fills_up_and_is_freed_costs_nothing(
    make_session: MakeSession, course: Course, clock: HeldClock, small_home: Path
) -> None:
    one = Recorder(make_session(home=small_home), "test")
    one.look(course.picture())
    filler = small_home / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(1 << 12)):
                pass
        except OSError:
            pass
    for code in range(1, 40):
        clock.advance(5)
        course.event("die", code)
        one.look(course.picture())
    assert problem_of(one) == "store.full"
    filler.unlink()
    clock.advance(1_300)
    course.event("start")
    one.look(course.picture())
    clock.advance(1)
    one.look(course.picture())
    assert problem_of(one) == ""
    one.close()
    entries = of_kind(make_session(home=small_home), "container")
    assert len(entries) == 40
    assert entries[0].verb == "start"


def test_a_home_that_is_read_only_is_borne(
    make_session: MakeSession, course: Course, clock: HeldClock, small_home: Path
) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small_home)], check=True)
    one = Recorder(make_session(home=small_home), "test")
    course.event("die", 1)
    assert [happening.kind for happening in one.look(course.picture())] == ["container"]
    assert one.problem is not None
    subprocess.run(["mount", "-o", "remount,rw", str(small_home)], check=True)
    clock.advance(700)
    course.event("start")
    one.look(course.picture())
    one.close()
    assert len(of_kind(make_session(home=small_home), "container")) == 2


def test_secrets_in_what_happens_are_not_written(
    make_session: MakeSession, recorder: Recorder, course: Course, clock: HeldClock
) -> None:
    loop = msgspec.structs.replace(CRASH, title="ended: HF_TOKEN=hf_abcdefghijklmnopqrstuvwxyz123")
    for _ in range(5):
        clock.advance(5)
        recorder.look(course.picture(alerts=(loop,)))
    recorder.close()
    state = make_session().places.state_dir
    kept = b"".join(file.read_bytes() for file in state.iterdir() if file.is_file())
    assert b"HF_TOKEN" in kept
    assert b"hf_abcdefghij" not in kept


def test_ports_of_a_container_made_anew_are_told_though_it_was_seen_before_it_ran(
    make_session: MakeSession, recorder: Recorder, course: Course
) -> None:
    was = course.base.engine.containers[0]
    port = Port(container_port=8188, host_port=8188, host_ip="127.0.0.1", protocol="tcp")
    open_port = msgspec.structs.replace(port, host_ip="0.0.0.0")
    inspected = msgspec.structs.replace(was, gpu=GpuDeclaration(), ports=(port,))

    def look(one: Container) -> None:
        engine = msgspec.structs.replace(course.base.engine, containers=(one,))
        recorder.look(course.picture(engine=engine))

    look(inspected)
    anew = msgspec.structs.replace(inspected, id=ident("anew"), state="created", ports=())
    look(anew)
    look(msgspec.structs.replace(anew, state="running", ports=(open_port,)))
    texts = [entry.text for entry in of_kind(make_session(), "config")]
    assert "was changed: ports 127.0.0.1:8188->8188 became 0.0.0.0:8188->8188" in texts


def test_compose_files_are_known_as_soon_as_the_engine_has_answered(
    make_session: MakeSession, course: Course, clock: HeldClock, tmp_path: Path
) -> None:
    file = tmp_path / "compose.yaml"
    label = Compose(project="x", service="a", working_dir="", config_files=(str(file),))
    one = msgspec.structs.replace(course.base.engine.containers[0], compose=label)
    there = msgspec.structs.replace(course.base.engine, containers=(one,))
    nothing = msgspec.structs.replace(there, containers=(), state="connecting")
    for hours, text in ((2, "services: {}\n"), (1, "services: {a: {}}\n")):
        file.write_text(text)
        written = clock.now().timestamp() - hours * 3600
        os.utime(file, (written, written))
        recorder = Recorder(make_session(), "test")
        recorder.look(course.picture(engine=nothing))
        clock.advance(2)
        recorder.look(course.picture(engine=there))
        recorder.close()
        clock.advance(600)
    (entry,) = of_kind(make_session(), "config")
    assert entry.text == f"{file} was edited"
