"""Who takes a download up that nobody runs any more: its process died, or the host did."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from actions.journal import Journal
from actions.operations import Operations
from actions.plan import PlanDone
from actions.session import Session
from actions.take_up import take_up
from console.paths import ensure_private_dir, find_places
from console.store.markers import Markers
from tests.plans.endless import HALT, TOTAL, Body
from tests.plans.watched import Console, body, environ, failed
from tests.support.waiting import wait_until

__all__ = ["body", "environ"]

Sessions = Callable[..., Session]


class Host:
    """What the kernel tells of the host; `start_anew` is what a reboot leaves."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._boots = 0
        self._file = root / "proc/sys/kernel/random/boot_id"
        self._file.parent.mkdir(parents=True)
        self.start_anew()

    def start_anew(self) -> None:
        self._boots += 1
        self._file.write_text(f"{self._boots:08x}-1111-4222-8333-444444444444\n")


@pytest.fixture
def host(tmp_path: Path, environ: dict[str, str]) -> Host:
    """Give a host that can be started anew."""
    made = Host(tmp_path / "root")
    environ["GPUCONSOLE_ROOT"] = str(made.root)
    return made


def interrupted(session: Session) -> Console:
    """Give a download whose process was killed at 30 %."""
    console = Console(session)
    os.kill(console.pid(), signal.SIGKILL)
    assert failed(console.end()).outcome == "interrupted"
    return console


def test_after_a_restart_of_the_host_whoever_comes_takes_it_up(
    body: Body, host: Host, new_session: Sessions
) -> None:
    console = Console(new_session())
    os.kill(console.pid(), signal.SIGKILL)
    host.start_anew()
    body.say("go")
    session = new_session()
    (taken,) = wait_until(lambda: take_up(session, looking=True))
    assert (taken.id, taken.what) == (console.plan.id, "pull qwen")
    assert (taken.why, taken.problem) == ("the host was started anew", None)
    assert isinstance(list(Operations(new_session()).follow(taken.id))[-1], PlanDone)
    console.end()
    assert (console.job().attempts, console.job().resumed_from_bytes) == (2, HALT)
    assert body.size() == TOTAL
    assert take_up(new_session()) == ()
    assert not Markers(console.session.places).any()


def test_in_the_same_run_of_the_host_who_only_looks_leaves_it(
    body: Body, host: Host, new_session: Sessions
) -> None:
    console = interrupted(new_session())
    assert take_up(new_session(), looking=True) == ()
    assert console.job().state == "interrupted"
    body.say("go")
    (taken,) = take_up(new_session())
    assert taken.why == "its process had ended"
    assert isinstance(list(Operations(new_session()).follow(taken.id))[-1], PlanDone)


def test_one_that_was_paused_waits_for_its_operator(
    body: Body, host: Host, new_session: Sessions
) -> None:
    console = Console(new_session())
    console.pid()
    console.operations.pause("last")
    console.end()
    host.start_anew()
    assert take_up(new_session()) == ()
    assert console.job().state == "paused"


def test_one_that_runs_is_left_alone(body: Body, host: Host, new_session: Sessions) -> None:
    console = Console(new_session())
    pid = console.pid()
    assert take_up(new_session()) == ()
    assert console.job().pid == pid
    console.operations.cancel("last")
    console.end()


def test_one_that_never_gets_on_is_given_a_few_tries(
    body: Body, host: Host, new_session: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actions.take_up._MOST_IN_VAIN", 3)
    console = interrupted(new_session())
    for attempt in (2, 3, 4):
        (taken,) = take_up(new_session())
        assert taken.problem is None
        wait_until(lambda n=attempt: console.job().attempts == n, 20)  # type: ignore[misc]
        os.kill(console.pid(), signal.SIGKILL)
        wait_until(lambda: console.job().state == "interrupted", 20)
    assert take_up(new_session()) == ()
    assert not Markers(console.session.places).waiting()
    assert console.job().state == "interrupted"
    body.say("go")
    assert console.operations.resume("last"), "by hand it goes on all the same"
    assert isinstance(list(console.operations.follow("last"))[-1], PlanDone)


def test_one_without_a_token_goes_on_where_somebody_has_one(
    body: Body, host: Host, new_session: Sessions
) -> None:
    body.say("needs-token")
    console = Console(new_session())
    assert failed(console.end()).outcome == "needs_token"
    assert take_up(new_session()) == ()
    body.say("token")
    body.say("go")
    (taken,) = take_up(new_session(HF_TOKEN="hf_somebodys"))
    assert taken.why == "there is a token again"
    assert isinstance(list(console.operations.follow("last"))[-1], PlanDone)


def test_a_console_that_may_change_nothing_takes_nothing_up(
    body: Body, host: Host, new_session: Sessions, environ: dict[str, str]
) -> None:
    console = interrupted(new_session())
    assert take_up(new_session(read_only=True)) == ()
    config = find_places(environ).config_file
    config.parent.mkdir(parents=True)
    config.write_text("[polisy]\n")
    assert take_up(new_session()) == ()
    assert console.job().state == "interrupted"


def test_a_mark_without_its_plan_is_swept_away(
    body: Body, host: Host, new_session: Sessions
) -> None:
    session = new_session()
    ensure_private_dir(session.places.state_dir)
    markers = Markers(session.places)
    markers.put("20260101T000000-abcdef")
    (session.places.state_dir / "downloads" / "..evil name").touch()
    assert markers.waiting() == ("20260101T000000-abcdef",)
    assert take_up(session) == ()
    assert not markers.any()


def test_one_whose_process_cannot_be_started_says_so_and_waits(
    body: Body, host: Host, new_session: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    console = interrupted(new_session())
    with monkeypatch.context() as patch:
        patch.setattr("sys.executable", "/nowhere/python")
        (taken,) = take_up(new_session())
    assert taken.problem is not None
    assert taken.problem.code == "runner.cannot-start"
    assert console.job().state == "interrupted"
    assert Journal(console.session).markers.waiting() == (console.plan.id,)
