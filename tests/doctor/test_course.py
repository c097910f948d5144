"""How checks run: side by side, each within its limit, none without its ground."""

import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from actions.doctor import examining
from actions.doctor.check import Check, Checked, Examination, Result
from actions.doctor.gathering import gathered
from actions.doctor.ground import Ground
from actions.doctor.telling import result
from actions.runbook.finding import Finding
from actions.session import Session, open_session
from console.errors import ConsoleError, UsageError
from tests.support.waiting import wait_until

NOBODY = {"DOCKER_HOST": "unix:///nonexistent/docker.sock", "PATH": "/usr/bin:/bin"}


@pytest.fixture
def session(tmp_path: Path) -> Session:
    return open_session({**NOBODY, "HOME": str(tmp_path)})


def fine(_ground: Ground, check: Check) -> Result:
    return result(check, "well")


def examined(
    session: Session, monkeypatch: pytest.MonkeyPatch, checks: Sequence[Check], **wish: object
) -> tuple[list[Checked], Examination]:
    monkeypatch.setattr(examining, "first_checks", lambda _session: checks)
    monkeypatch.setattr(examining, "later_checks", lambda _ground: ())
    *steps, whole = examining.examine(session, **wish)  # type: ignore[arg-type]
    assert isinstance(whole, Examination)
    return [one for one in steps if isinstance(one, Checked)], whole


def test_a_check_that_hangs_is_given_up_and_what_stands_on_it_says_why(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = threading.Event()

    def hang(_ground: Ground, check: Check) -> Result:
        release.wait(30)
        return result(check, "late")

    checks = (
        Check("driver.a", "driver", "the driver", hang, limit_seconds=0.2),
        Check("engine.b", "engine", "the engine", fine),
        Check("driver.c", "driver", "cards", fine, needs=("driver.a",)),
    )
    begun = time.monotonic()
    steps, whole = examined(session, monkeypatch, checks)
    release.set()
    assert time.monotonic() - begun < 8
    states = {one.id: one.state for one in whole.results}
    assert states == {"driver.a": "fail", "engine.b": "pass", "driver.c": "skip"}
    assert steps[-1].done == steps[-1].of == 3
    last = next(one for one in whole.results if one.id == "driver.c")
    assert "not checked, because the driver: no answer within 0.2 s" in last.title
    (found,) = whole.findings
    assert (found.id, found.severity, found.subject) == ("doctor.no-answer", "error", "driver")
    assert whole.bad


def test_a_fault_of_one_check_leaves_the_others(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_ground: Ground, _check: Check) -> Result:
        raise ZeroDivisionError

    def refused(_ground: Ground, _check: Check) -> Result:
        raise ConsoleError("x.y", "it says no", "ask again")

    checks = (
        Check("host.a", "host", "a", broken),
        Check("host.b", "host", "b", refused),
        Check("host.c", "host", "c", fine),
    )
    _, whole = examined(session, monkeypatch, checks)
    assert [(one.id, one.state) for one in whole.results] == [
        ("host.a", "skip"),
        ("host.b", "skip"),
        ("host.c", "pass"),
    ]
    assert "it says no" in whole.results[1].title


def test_checks_run_side_by_side(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    together = threading.Barrier(5, timeout=5)

    def meet(_ground: Ground, check: Check) -> Result:
        together.wait()
        return result(check, "met")

    checks = [Check(f"host.{n}", "host", str(n), meet) for n in range(5)]
    _, whole = examined(session, monkeypatch, checks)
    assert {one.title for one in whole.results} == {"met"}


def test_only_and_skip_choose_checks_with_what_they_stand_on(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks = (
        Check("engine.reachable", "engine", "engine", fine),
        Check("container.log:a", "containers", "log", fine, needs=("engine.reachable",)),
        Check("container.log:b", "containers", "log", fine, subject="b"),
        Check("host.memory", "host", "memory", fine),
    )

    def ids(**wish: object) -> set[str]:
        _, whole = examined(session, monkeypatch, checks, **wish)
        return {one.id for one in whole.results}

    assert ids(only=("container.log:a",)) == {"container.log:a", "engine.reachable"}
    assert ids(only=("containers",)) == {"container.log:a", "container.log:b", "engine.reachable"}
    assert ids(skip=("engine",)) == {"container.log:a", "container.log:b", "host.memory"}
    assert ids(service="b") == {"container.log:b"}
    with pytest.raises(UsageError, match="no check memry"):
        ids(only=("memry",))


def test_the_same_thing_is_asked_for_once(session: Session) -> None:
    ground = Ground(session)
    asked: list[int] = []
    begin = threading.Event()

    def read() -> int:
        begin.wait(5)
        asked.append(1)
        return 7

    found: list[int] = []
    threads = [
        threading.Thread(target=lambda: found.append(ground._once("x", read))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    begin.set()
    wait_until(lambda: len(found) == 4)
    assert (asked, found) == ([1], [7] * 4)


def finding(ident: str, subject: str = "a", severity: str = "error", **more: object) -> Finding:
    return Finding(id=ident, severity=severity, subject=subject, title=ident, **more)  # type: ignore[arg-type]


def of(*findings: Finding) -> list[Result]:
    return [Result(id="x", group="host", state="fail", title="x", findings=findings)]


def test_the_root_comes_before_what_follows_from_it_through_others_too() -> None:
    found = gathered(
        of(
            finding("service.unreachable"),
            finding("container.crash-loop"),
            finding("torch.no-driver"),
            finding("nvml.version-mismatch", "driver"),
        )
    )
    assert found[0].id == "nvml.version-mismatch"
    assert {one.consequence_of for one in found[1:]} == {"nvml.version-mismatch"}


def test_what_befalls_another_service_is_no_consequence() -> None:
    found = gathered(of(finding("args.unrecognized", "a"), finding("container.crash-loop", "b")))
    assert [one.consequence_of for one in found] == ["", ""]


def test_the_same_finding_of_two_sources_is_one_with_the_evidence_of_both() -> None:
    early, late = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 2, tzinfo=UTC)
    (found,) = gathered(
        of(finding("docker.disk.full", since=late), finding("docker.disk.full", since=early))
    )
    assert found.since == early


def test_history_stands_behind_what_is_wrong_now() -> None:
    found = gathered(
        of(finding("torch.oom.native", severity="info", current=False), finding("host.memory"))
    )
    assert [one.id for one in found] == ["host.memory", "torch.oom.native"]


def test_a_thousand_findings_are_put_in_order_quickly() -> None:
    many = [finding("container.exited", f"c{n}") for n in range(1000)]
    begun = time.monotonic()
    assert len(gathered(of(*many))) == 1000
    assert time.monotonic() - begun < 5
