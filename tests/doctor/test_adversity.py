"""Hosts that mean ill: hundreds of containers, engines that die or hang, names that mislead."""

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import pytest

from actions.doctor import examining, ground
from actions.doctor.check import Check, Checked, Examination, Result
from actions.doctor.examining import examine
from actions.doctor.ground import Ground
from actions.doctor.telling import result
from actions.session import Session, open_session
from actions.snapshot import HostSnapshot
from console.engine.faults import EngineTimeoutError, EngineUnreachableError
from console.errors import UsageError
from console.simulator.scene import Scene
from tests.support.edits import EditHost, edit_host
from tests.support.waiting import wait_until


def whole_of(session: Session, **wish: object) -> Examination:
    *_, whole = examine(session, **wish)  # type: ignore[arg-type]
    assert isinstance(whole, Examination)
    return whole


@pytest.fixture
def session(tmp_path: Path) -> Session:
    environ = {"DOCKER_HOST": "unix:///nonexistent/docker.sock", "HOME": str(tmp_path)}
    return open_session({**environ, "PATH": "/usr/bin:/bin"})


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EditHost]:
    with edit_host(tmp_path_factory.mktemp("studio"), scenario="studio", pace=1.0) as host:
        yield host


def with_checks(monkeypatch: pytest.MonkeyPatch, checks: Sequence[Check]) -> None:
    monkeypatch.setattr(examining, "first_checks", lambda _session: checks)
    monkeypatch.setattr(examining, "later_checks", lambda _ground: ())


def test_hundreds_of_logs_are_read_a_few_at_once(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock, now, most = threading.Lock(), [0], [0]

    def read(_ground: Ground, check: Check) -> Result:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        threading.Event().wait(0.002)
        with lock:
            now[0] -= 1
        return result(check, "read")

    heavy = [
        Check(f"container.log:c{n}", "containers", "log", read, heavy=True) for n in range(300)
    ]
    with_checks(monkeypatch, heavy)
    whole = whole_of(session)
    assert len(whole.results) == 300
    assert most[0] <= 3


def test_what_would_take_minutes_is_left_with_the_way_to_ask_for_it(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examining, "_HEAVY_SECONDS", 0.05)

    def read(_ground: Ground, check: Check) -> Result:
        threading.Event().wait(0.03)
        return result(check, "read")

    heavy = [Check(f"container.log:c{n}", "containers", "log", read, heavy=True) for n in range(50)]
    with_checks(monkeypatch, heavy)
    skipped = [one for one in whole_of(session).results if one.state == "skip"]
    assert len(skipped) > 30
    assert f"gpuconsole doctor --only {skipped[0].id}" in skipped[0].title


def test_an_engine_that_dies_in_the_middle_is_the_root_cause(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def well(_ground: Ground, check: Check) -> Result:
        return result(check, "Docker")

    def gone(_ground: Ground, _check: Check) -> Result:
        raise EngineUnreachableError("engine.lost", "connection reset by peer")

    reached = Check("engine.reachable", "engine", "engine", well)
    ports = Check("container.ports:a", "containers", "ports", gone, ("engine.reachable",))
    with_checks(monkeypatch, (reached, ports))
    whole = whole_of(session)
    assert whole.bad
    assert whole.findings[0].id == "docker.daemon.down"
    assert "went away while it was examined" in whole.findings[0].evidence[0].text

    def slow(_ground: Ground, _check: Check) -> Result:
        raise EngineTimeoutError("engine.timeout", "no answer")

    with_checks(monkeypatch, (reached, ports._replace(run=slow)))
    assert whole_of(session).findings == ()


@pytest.mark.parametrize("wish", [{}, {"service": "myia"}, {"only": ("containers",)}])
def test_a_host_that_cannot_be_read_is_no_host_that_is_well(
    session: Session, monkeypatch: pytest.MonkeyPatch, wish: dict[str, object]
) -> None:
    def odd(_session: Session) -> HostSnapshot:
        raise ZeroDivisionError

    monkeypatch.setattr(ground, "read_status", odd)
    monkeypatch.setattr(examining, "first_checks", lambda _session: ())
    if wish.get("only"):
        with_checks(monkeypatch, ())
        wish = {"only": ("container.log:x",)}
    whole = whole_of(session, **wish)
    assert whole.bad
    assert whole.findings[0].id == "doctor.no-answer"


def test_reading_that_hangs_is_not_waited_for(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = threading.Event()
    monkeypatch.setattr(ground, "read_status", lambda _session: release.wait(30))
    monkeypatch.setattr(examining, "_READING_SECONDS", 0.2)
    monkeypatch.setattr(examining, "first_checks", lambda _session: ())
    whole = whole_of(session)
    release.set()
    assert whole.bad
    assert whole.seconds < 5


def test_odd_answers_in_the_table_of_checks_leave_the_rest(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def odd(_ground: Ground) -> Sequence[Check]:
        raise KeyError("x")

    monkeypatch.setattr(examining, "later_checks", odd)
    whole = whole_of(session, skip=("models",))
    assert {"host.reading", "host.memory"} <= {one.id for one in whole.results}


def test_a_container_names_its_service_by_whatever_name(studio: EditHost) -> None:
    session = studio.session()
    (myia,) = (one for one in Ground(session).snapshot.services if one.name == "myia")
    by_name = {one.id for one in whole_of(session, service="myia").results}
    by_id = {one.id for one in whole_of(session, service=myia.container_id[:12]).results}
    assert by_name == by_id
    assert "container.log:myia" in by_name


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({"service": "nobody"}, "doctor.no-service"),
        ({"service": "myia", "only": ("host.memory",)}, "doctor.nothing-left"),
        ({"only": ("host",), "skip": ("host",)}, "doctor.nothing-left"),
        ({"only": ("container.log:myiaa",)}, "doctor.no-check"),
        ({"service": "\x1b[31mmyia"}, "doctor.no-service"),
    ],
)
def test_a_choice_that_leaves_nothing_is_refused(
    studio: EditHost, wish: dict[str, object], code: str
) -> None:
    with pytest.raises(UsageError) as error:
        whole_of(studio.session(), **wish)
    assert error.value.code == code
    assert "\x1b" not in error.value.title


def crash(scene: Scene) -> Scene:
    """Have every container of a scene end badly."""
    ended = {
        name: msgspec.structs.replace(spec, state="exited", exit_code=1)
        for name, spec in scene.containers.items()
    }
    return msgspec.structs.replace(scene, containers=ended)


def test_three_hundred_containers_that_ended_are_told_one_by_one(tmp_path: Path) -> None:
    with edit_host(tmp_path, scenario="many-containers", pace=1.0, change=crash) as host:
        events = list(examine(host.session(), only=("container.state", "container.log")))
    whole = events[-1]
    assert isinstance(whole, Examination)
    states = [one for one in whole.results if one.id.startswith("container.state:")]
    assert len(states) > 280
    assert len({one.id for one in whole.results}) == len(whole.results)
    assert not [one for one in whole.findings if one.id == "doctor.no-answer"]
    last = events[-2]
    assert isinstance(last, Checked)
    assert last.done == last.of


def test_a_container_that_is_called_like_a_service_is_told_apart(studio: EditHost) -> None:
    there = Ground(studio.session())
    snapshot = there.snapshot
    stranger = next(
        one for one in snapshot.engine.containers
        if one.id not in {each.container_id for each in snapshot.services}
    )  # fmt: skip
    named = msgspec.structs.replace(stranger, name="myia")
    assert there.name_of(named) == stranger.id[:12]
    assert there.name_of(stranger) == stranger.name


def test_a_fresh_home_without_config_or_engine_gets_its_answer(session: Session) -> None:
    whole = whole_of(session)
    assert whole.findings[0].id == "docker.daemon.down"
    wait_until(lambda: all(one.title for one in whole.results))
