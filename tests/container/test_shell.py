"""A shell in a container: planned, journalled, on the operator's own terminal."""

import contextlib
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from actions.operations import Operations
from actions.plan import PlanDone, PlanFailed
from actions.session import Session, open_session
from console.errors import RefusedError
from screens.tui.container.screen import ContainerScreen
from tests.container.conftest import MakeConsole
from tests.support import hosts
from tests.support.engine import Workbench, engine_address, needed, workbench
from tests.support.program import private_environment, put_config
from tests.support.snapshots import ident
from tests.support.terminal import Terminal
from tests.tui.seeing import seen, until, until_seen
from tests.tui.stand_ins import Script, make_plan, refused

__all__ = ["engine_address", "workbench"]


def session_at(address: str, home: Path, read_only: bool = False) -> Session:
    return open_session(private_environment(home, {"DOCKER_HOST": address}), None, read_only)


async def test_e_suspends_the_screen_runs_the_plan_and_comes_back(
    make_app: MakeConsole, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app(hosts.healthy())
    script.plans["shell"] = make_plan("shell", "myia", interactive=True, longest_seconds=1.0)
    suspended: list[str] = []

    @contextlib.contextmanager
    def suspend() -> Iterator[None]:
        suspended.append("out")
        yield
        suspended.append("back")

    monkeypatch.setattr(app, "suspend", suspend)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("slash", *"myia", "enter", "enter", "e")
        await until(pilot, lambda: suspended == ["out", "back"])
        await until_seen(pilot, "✔ shell myia")
        assert script.asked == [("shell", ident("myia"))]
        assert script.ran == ["shell"]
        assert isinstance(app.screen, ContainerScreen)


async def test_a_terminal_that_cannot_be_handed_over_is_said(
    make_app: MakeConsole, script: Script
) -> None:
    app = make_app(hosts.healthy())
    script.plans["shell"] = make_plan("shell", "myia", interactive=True, longest_seconds=1.0)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("enter", "e")
        await until_seen(pilot, "cannot be handed over")
        assert script.ran == []


async def test_read_only_opens_no_shell(make_app: MakeConsole, script: Script) -> None:
    app = make_app(hosts.healthy(), read_only=True)
    script.plans["shell"] = refused(make_plan("shell", "myia", interactive=True))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("enter", "e")
        await until_seen(pilot, "REFUSED: this console is read-only")
        await pilot.press("y", "enter")
        assert script.ran == []
        assert "read-only" in seen(app).lower()


@pytest.mark.engine
def test_the_plan_says_what_it_runs_and_is_journalled(
    workbench: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    container = workbench.run("shell", ["sleep", "60"])
    operations = Operations(session_at(workbench.address, tmp_path), "tui")
    plan = operations.plan("shell", container)
    assert plan.verdict == "ready"
    assert plan.interactive
    assert not plan.detached
    assert plan.steps[0].command.endswith(f"exec -it {workbench.prefix}shell sh")
    assert plan.locks == ()
    # `docker exec -it` refuses to begin without a terminal, which here is as good as a shell.
    events = list(operations.run(plan))
    assert isinstance(events[-1], PlanDone)
    entries = operations.timeline()
    assert [(one.verb, one.outcome) for one in entries] == [("shell", "done")]
    with pytest.raises(RefusedError, match="no plan to take back"):
        operations.undo()


@pytest.mark.engine
def test_no_shell_in_what_does_not_run_or_has_none(workbench: Workbench, tmp_path: Path) -> None:
    operations = Operations(session_at(workbench.address, tmp_path), "tui")
    stopped = workbench.create("stopped", ["sleep", "60"])
    plan = operations.plan("shell", stopped)
    assert plan.refusal is not None
    assert plan.refusal.code == "container.not-running-shell"
    events = list(operations.run(plan))
    assert isinstance(events[-1], PlanFailed)
    bare = workbench.run("bare", ["sleep", "60"])
    workbench.api.put_archive(bare, "/bin", _nothing_but("sh"))
    plan = operations.plan("shell", bare)
    assert plan.refusal is not None
    assert plan.refusal.code == "container.no-shell"
    assert "neither bash nor sh" in plan.refusal.title


def _nothing_but(name: str) -> bytes:
    """Give an archive that puts an empty file, which nobody can run, in a program's place."""
    import io
    import tarfile

    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        entry = tarfile.TarInfo(name)
        entry.mode = 0o644
        archive.addfile(entry, io.BytesIO())
    return data.getvalue()


@pytest.mark.engine
@pytest.mark.terminal
def test_a_shell_on_a_real_terminal_and_back(workbench: Workbench, tmp_path: Path) -> None:
    if shutil.which("docker") is None:
        needed("no docker command")
    workbench.run("pty", ["sleep", "60"])
    environ = private_environment(tmp_path, {"DOCKER_HOST": workbench.address})
    put_config(tmp_path)
    with Terminal([sys.executable, "-m", "console"], environ, 100, 30) as terminal:
        # Not for its name: on an engine that others use too it may stand below the fold.
        terminal.wait_for(rb"docker \d+\.")
        terminal.read(0.5)
        terminal.press(b"/" + workbench.prefix.encode() + b"pty")
        terminal.press(b"\r")
        terminal.press(b"\r")
        terminal.wait_for(rb"Overview")
        terminal.press(b"e")
        terminal.wait_for(rb"exec -it")
        terminal.wait_for(rb"/ #")
        terminal.press(b"echo one-$((40+2))\n")
        terminal.wait_for(rb"one-42")
        # Ctrl-C once the command runs: sent before, the shell may take it for nobody's.
        terminal.press(b"echo up-$((1+1)); sleep 30\n")
        terminal.wait_for(rb"up-2")
        terminal.output.clear()
        terminal.press(b"\x03")
        # What is typed before the new prompt goes with the interrupt.
        terminal.wait_for(rb"/ #")
        terminal.press(b"echo two-$((40+3))\n")
        terminal.wait_for(rb"two-43")
        terminal.press(b"exit 3\n")
        terminal.wait_for(rb"shell .*ended with exit 3")
        terminal.output.clear()
        terminal.press(b"L")
        terminal.wait_for(rb"empty so far|following")
        terminal.press(b"q")
        assert terminal.wait_for_end() == 0
        session = session_at(workbench.address, tmp_path)
        entries = Operations(session).timeline()
        assert [(one.verb, one.outcome) for one in entries] == [("shell", "done")]


@pytest.mark.terminal
def test_the_rehearsal_has_a_shell_too(tmp_path: Path) -> None:
    if shutil.which("docker") is None:
        pytest.skip("no docker command")
    with Terminal(
        [sys.executable, "-m", "console", "demo"], private_environment(tmp_path), 100, 30
    ) as terminal:
        # Not for a service: those of the config have rows before anybody has asked the engine.
        terminal.wait_for(rb"caddy")
        terminal.press(b"/caddy\r\r")
        terminal.wait_for(rb"Overview")
        terminal.press(b"e")
        terminal.wait_for(rb"exec -it caddy")
        terminal.wait_for(rb"# ")
        terminal.press(b"echo is thexx\x7f\x7fre\r")
        terminal.wait_for(rb"is there\r")
        terminal.press(b"exit 4\r")
        terminal.wait_for(rb"shell in caddy ended with exit 4")
        terminal.press(b"q")
        assert terminal.wait_for_end() == 0
