"""The store opens whatever is broken, keeps what it can and says what it cannot."""

import os
import resource
import sqlite3
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from console.clock import HeldClock
from console.paths import Places
from console.store.database import Store, open_store
from console.store.migrations import migrate, newest_version, schema_version
from console.store.plans import PlanRecords
from console.store.timeline import TimelineRecords

BODY = {"verb": "stop", "target": "myia", "target_id": "f" * 64}


def put(store: Store, clock: HeldClock, text: str = "stopped", note: str = "") -> None:
    TimelineRecords(store).put(
        at=clock.now(), kind="plan", subject="myia", body={"text": text}, note=note
    )


def texts(store: Store) -> list[str]:
    return [str(row.body["text"]) for row in TimelineRecords(store).newest(100)]


def test_what_was_written_is_there_at_the_next_start(places: Places, clock: HeldClock) -> None:
    store = open_store(places, clock)
    put(store, clock)
    store.close()
    again = open_store(places, clock)
    assert again.problem is None
    assert again.durable
    assert texts(again) == ["stopped"]


def test_who_only_looks_reads_what_is_kept_and_touches_nothing(
    places: Places, clock: HeldClock
) -> None:
    looking = open_store(places, clock, keeps=False)
    assert texts(looking) == []
    assert not places.state_dir.exists()
    store = open_store(places, clock)
    put(store, clock)
    in_use = sorted(places.state_dir.iterdir())
    assert texts(open_store(places, clock, keeps=False)) == ["stopped"]
    assert sorted(places.state_dir.iterdir()) == in_use
    store.close()
    before = {one: one.stat().st_mtime_ns for one in (places.state_dir, store.path)}
    looking = open_store(places, clock, keeps=False)
    put(looking, clock, "looked")
    assert texts(looking) == ["looked", "stopped"]
    assert looking.problem is None
    looking.close()
    assert {one: one.stat().st_mtime_ns for one in before} == before
    assert texts(open_store(places, clock)) == ["stopped"]


def test_nobody_else_may_read_it(places: Places, clock: HeldClock) -> None:
    store = open_store(places, clock)
    put(store, clock)
    assert stat.S_IMODE(places.state_dir.stat().st_mode) == 0o700
    files = list(places.state_dir.glob("gpuconsole.db*"))
    assert store.path in files
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_a_file_that_others_could_read_is_closed_to_them(places: Places, clock: HeldClock) -> None:
    open_store(places, clock).close()
    path = places.state_dir / "gpuconsole.db"
    path.chmod(0o644)
    open_store(places, clock).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("version", range(newest_version()))
def test_every_older_schema_is_brought_up_to_date(
    places: Places, clock: HeldClock, version: int
) -> None:
    places.state_dir.mkdir(parents=True, mode=0o700)
    path = places.state_dir / "gpuconsole.db"
    old = sqlite3.connect(path, isolation_level=None)
    if version:
        migrate(old, upto=version)
        old.execute(
            "INSERT INTO plans (id, verb, target, target_id, state, body, created_at) "
            "VALUES ('p1', 'stop', 'myia', 'f', 'done', '{\"verb\":\"stop\"}', 1.0)"
        )
    old.close()
    store = open_store(places, clock)
    assert store.problem is None
    assert store.read("PRAGMA user_version") == [(newest_version(),)]
    put(store, clock)
    kept = PlanRecords(store).get("p1")
    assert (kept is not None) == (version > 0)
    if kept is not None:
        assert (kept.attempts, kept.boot_id, kept.pause_requested) == (0, "", False)


def test_two_processes_may_migrate_at_once(places: Places, clock: HeldClock) -> None:
    stores: list[Store] = []
    threads = [
        threading.Thread(target=lambda: stores.append(open_store(places, clock))) for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [store.problem for store in stores] == [None] * 6
    for store in stores:
        put(store, clock)
    assert len(texts(stores[0])) == 6


def test_a_newer_schema_is_read_and_left_alone(
    places: Places, clock: HeldClock, capsys: pytest.CaptureFixture[str]
) -> None:
    first = open_store(places, clock)
    put(first, clock, "before")
    first.write(lambda connection: connection.execute("PRAGMA user_version = 999"))
    first.write(lambda connection: connection.execute("ALTER TABLE timeline ADD COLUMN card TEXT"))
    first.close()
    content = first.path.read_bytes()
    store = open_store(places, clock)
    assert store.problem is not None
    assert store.problem.code == "store.newer-schema"
    assert not store.durable
    put(store, clock, "after", note="stop myia")
    assert texts(store) == ["after", "before"]
    assert "stop myia" in capsys.readouterr().err
    store.close()
    assert first.path.read_bytes() == content


@pytest.mark.parametrize(
    "damage", [b"this is no database, it is a letter to my aunt" * 50, b"SQLite format 3\0" * 300]
)
def test_a_damaged_file_is_put_aside(places: Places, clock: HeldClock, damage: bytes) -> None:
    places.state_dir.mkdir(parents=True, mode=0o700)
    path = places.state_dir / "gpuconsole.db"
    path.write_bytes(damage)
    store = open_store(places, clock)
    assert store.problem is not None
    assert store.problem.code == "store.corrupt"
    assert store.durable
    put(store, clock)
    kept = list(places.state_dir.glob("gpuconsole.db.damaged-*"))
    assert len(kept) == 1
    assert kept[0].read_bytes() == damage
    assert kept[0].name in store.problem.title
    assert open_store(places, clock).problem is None


def test_damage_while_it_is_open_is_survived(places: Places, clock: HeldClock) -> None:
    store = open_store(places, clock)
    for number in range(200):
        put(store, clock, f"entry {number} " + "x" * 500)
    store.write(lambda connection: None)
    store.read("PRAGMA wal_checkpoint(TRUNCATE)")
    pages = store.path.read_bytes()
    broken = bytearray(pages)
    for place in range(4096, len(broken) - 4096, 4096):
        broken[place : place + 4096] = os.urandom(4096)
    store.close()
    store.path.write_bytes(bytes(broken))
    again = open_store(places, clock)
    TimelineRecords(again).newest(100)
    put(again, clock, "goes on")
    assert texts(again)[0] == "goes on"
    assert again.problem is not None
    assert again.problem.code == "store.corrupt"
    assert again.durable


def test_two_consoles_put_a_damaged_file_aside_once(places: Places, clock: HeldClock) -> None:
    places.state_dir.mkdir(parents=True, mode=0o700)
    (places.state_dir / "gpuconsole.db").write_bytes(b"no database" * 500)
    stores: list[Store] = []
    threads = [
        threading.Thread(target=lambda: stores.append(open_store(places, clock))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(store.durable for store in stores)
    for store in stores:
        put(store, clock)
    assert len(texts(stores[0])) == 4
    assert len(list(places.state_dir.glob("gpuconsole.db.damaged-*"))) == 1


def test_without_a_place_it_works_in_memory(
    places: Places, clock: HeldClock, capsys: pytest.CaptureFixture[str]
) -> None:
    places.state_dir.parent.mkdir(parents=True)
    places.state_dir.write_text("a file where the directory should be")
    store = open_store(places, clock)
    assert store.problem is not None
    assert store.problem.code == "store.no-directory"
    put(store, clock, "kept here", note="stop myia done")
    assert texts(store) == ["kept here"]
    assert capsys.readouterr().err == "gpuconsole: not kept on disk: stop myia done\n"


def test_a_full_disk_moves_the_journal_with_its_history_to_memory(
    places: Places, clock: HeldClock
) -> None:
    said: list[str] = []
    store = open_store(places, clock, said.append)
    put(store, clock, "before", note="first")
    pages = store.read("PRAGMA page_count")[0][0]
    store.read(f"PRAGMA max_page_count = {pages}")
    for number in range(40):
        put(store, clock, f"{number} " + "x" * 2000, note=f"entry {number}")
    assert store.problem is not None
    assert store.problem.code == "store.full"
    assert "disk is full" in store.problem.title
    assert not store.durable
    assert len(texts(store)) == 41
    assert said
    assert said[-1] == "entry 39"
    assert "first" not in said


def test_the_disk_fills_in_another_process(places: Places) -> None:
    """RLIMIT_FSIZE makes the kernel refuse to let any file grow, as a full disk would."""
    program = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from console.clock import SystemClock\n"
        "from console.paths import Places\n"
        "from console.store.database import open_store\n"
        "from console.store.timeline import TimelineRecords\n"
        "state = Path(sys.argv[1])\n"
        "clock = SystemClock()\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))\n"
        "store = open_store(Places(state, state, state / 'log', state / 'run'), clock)\n"
        "for number in range(100):\n"
        "    TimelineRecords(store).put(at=clock.now(), kind='plan', subject='myia',\n"
        "        body={'text': 'x' * 2000}, note=f'entry {number}')\n"
        "print(store.problem.code, len(TimelineRecords(store).newest(500)))\n"
    )
    for limit in ("0", "100000"):
        done = subprocess.run(
            [sys.executable, "-c", program, str(places.state_dir), limit],
            capture_output=True,
            text=True,
            timeout=30,
            cwd=Path(__file__).parents[2],
        )
        assert done.returncode == 0, done.stderr
        code, count = done.stdout.split()
        assert code in {"store.full", "store.input-output"}
        assert count == "100"
        assert "entry 99" in done.stderr
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 0


def test_a_file_system_without_room_is_called_full(tmp_path: Path) -> None:
    program = (
        f"mount -t tmpfs -o size=96k none {tmp_path} && mkdir -m 700 {tmp_path}/s && "
        f"{sys.executable} -c '{_READ_ONLY}' && (cat /dev/zero > {tmp_path}/fill; true) && "
        f"exec {sys.executable} -c '{_READ_ONLY}'"
    )
    done = subprocess.run(
        ["unshare", "--mount", "--map-root-user", "sh", "-c", program, "sh"],
        capture_output=True,
        text=True,
        timeout=30,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "STATE": str(tmp_path / "s")},
    )
    if "unshare" in done.stderr or "permission denied" in done.stderr.lower():
        pytest.skip("this user may not mount a file system of its own")
    assert done.stdout.splitlines()[-1].split()[:2] == ["store.full", "after"], done.stderr


def test_a_database_that_is_kept_locked_is_not_waited_for(places: Places, clock: HeldClock) -> None:
    first = open_store(places, clock)
    put(first, clock, "before")
    first.close()
    other = sqlite3.connect(first.path, isolation_level=None)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    other.execute("UPDATE timeline SET kind = kind")
    store = open_store(places, clock)
    assert store.problem is not None
    assert store.problem.code == "store.locked"
    put(store, clock, "in memory")
    assert texts(store)[0] == "in memory"
    other.close()


def test_a_read_only_place_shows_its_history(
    places: Places, clock: HeldClock, tmp_path: Path
) -> None:
    first = open_store(places, clock)
    put(first, clock, "before")
    first.close()
    program = (
        f"mount -t tmpfs none {tmp_path}/empty && mount --bind {tmp_path} {tmp_path} "
        f"&& mount -o remount,ro,bind {tmp_path} && exec {sys.executable} -c '{_READ_ONLY}'"
    )
    (tmp_path / "empty").mkdir()
    done = subprocess.run(
        ["unshare", "--mount", "--map-root-user", "sh", "-c", program, "sh"],
        capture_output=True,
        text=True,
        timeout=30,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "STATE": str(places.state_dir)},
    )
    if "Operation not permitted" in done.stderr or "permission denied" in done.stderr.lower():
        pytest.skip("this user may not make a read-only mount")
    assert done.stdout.split() == ["store.no-directory", "after", "before"], done.stderr


_READ_ONLY = (
    "import os\n"
    "from pathlib import Path\n"
    "from console.clock import SystemClock\n"
    "from console.paths import Places\n"
    "from console.store.database import open_store\n"
    "from console.store.timeline import TimelineRecords\n"
    'state = Path(os.environ["STATE"])\n'
    "clock = SystemClock()\n"
    'store = open_store(Places(state, state, state / "log", state / "run"), clock)\n'
    "records = TimelineRecords(store)\n"
    'records.put(at=clock.now(), kind="plan", subject="myia", body={"text": "after"})\n'
    'texts = [row.body["text"] for row in records.newest(10)]\n'
    'print(getattr(store.problem, "code", "fine"), *texts)\n'
)


def test_a_wrong_statement_is_our_fault_and_not_the_disks(places: Places, clock: HeldClock) -> None:
    store = open_store(places, clock)
    with pytest.raises(sqlite3.OperationalError):
        store.read("SELECT nothing FROM nowhere")
    assert store.durable
    assert store.problem is None


def test_secrets_and_escapes_never_reach_the_disk(places: Places, clock: HeldClock) -> None:
    store = open_store(places, clock)
    command = "docker -H tcp://jesse:s3cr3t-pass@host:2375 stop myia"
    PlanRecords(store).add(
        "p1", {**BODY, "steps": [{"command": command, "title": "\x1b]0;x\x07Stop"}]}, "queued",
        clock.now(),
    )  # fmt: skip
    PlanRecords(store).add_event(
        "p1", "step_finished", "stop", {"text": "--api-auth jesse:s3cr3t-pass"}, clock.now()
    )
    put(store, clock, "FORGE_ARGS='--api-auth jesse:s3cr3t-pass'")
    store.read("PRAGMA wal_checkpoint(TRUNCATE)")
    content = b"".join(file.read_bytes() for file in places.state_dir.glob("gpuconsole.db*"))
    assert b"s3cr3t-pass" not in content
    assert b"\\u001b" not in content
    assert b"docker -H tcp://***@host" in content


def test_the_timeline_is_bounded(places: Places, clock: HeldClock) -> None:
    store = open_store(places, clock)
    records = TimelineRecords(store, keep=10)
    for number in range(35):
        records.put(at=clock.now(), kind="plan", subject="myia", body={"text": str(number)})
    assert [row.body["text"] for row in records.newest(100)] == [
        str(number) for number in range(34, 24, -1)
    ]


def test_a_plan_has_one_entry_brought_up_to_date(places: Places, clock: HeldClock) -> None:
    records = TimelineRecords(open_store(places, clock))
    for text in ("running", "done"):
        records.put(at=clock.now(), kind="plan", subject="myia", plan_id="p1", body={"text": text})
    assert [row.body["text"] for row in records.newest(10)] == ["done"]


def test_opening_is_cheap(places: Places, clock: HeldClock) -> None:
    open_store(places, clock).close()
    code = (
        "import sys; import console.store.database;"
        "print(sorted(m for m in sys.modules if m.split('.')[0] in "
        "{'docker', 'textual', 'rich', 'actions', 'requests', 'aiohttp'}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert done.stdout.strip() == "[]"
    connection = sqlite3.connect(places.state_dir / "gpuconsole.db")
    assert schema_version(connection) == newest_version()
    connection.close()
