"""A download that needs no hub: a file that grows as fast as the test lets it.

As a program it is `gpuconsole` with that download in the place of the real one, so that runners are
real processes that can be killed: `python -m tests.plans.endless WORDS`.
"""

import os
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from actions.containers.verbs import new_plan_id
from actions.models import verbs as model_verbs
from actions.plan import Asker, Plan, Step
from actions.session import Session
from actions.step_thread import Outcome, Talk, Work
from actions.transfer import FileTransfer, Transfer
from actions.trouble import DroppedStepError, NeedsTokenError, PausedStepError
from console.errors import ConsoleError

WHERE = "GPUCONSOLE_TEST_DOWNLOAD"
TOTAL = 100_000
HALT = 30_000
_CHUNK = 1_000
_MOMENT = threading.Event()


class Body:
    """What is downloaded, and the files by which the test says how it goes.

    It stops growing at 30 % until the test says `go`; `needs-token` wants a `token`, `breaks` fails
    it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "body"

    def size(self) -> int:
        """Give the bytes that are there."""
        return self.path.stat().st_size if self.path.exists() else 0

    def says(self, word: str) -> bool:
        """Tell whether the test has said a word."""
        return (self.folder / word).exists()

    def say(self, word: str) -> None:
        """Say a word."""
        (self.folder / word).touch()

    def grow(self) -> None:
        """Fetch a little."""
        with self.path.open("ab") as out:
            out.write(b"x" * _CHUNK)


class Growing:
    """The verbs of such a download."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._body = Body(Path(session.environ[WHERE]))

    def plan(self, verb: str, name: str, options: dict[str, Any], asker: Asker) -> Plan:
        return endless_plan(self._session, name)

    def replan(self, plan: Plan) -> Plan:
        return plan

    def work(self, plan: Plan, step: Step) -> Work:
        return _Fetch(self._body)

    def left_behind(self, plan: Plan) -> dict[str, Any]:
        return {}

    def rollback(self, plan: Plan, done: Sequence[Step], broken: Step | None) -> tuple[Step, ...]:
        return ()

    def back(self, plan: Plan, left: Mapping[str, Any]) -> Plan:
        raise NotImplementedError

    def drop(self, plan: Plan) -> str:
        if not self._body.path.exists():
            return ""
        self._body.path.unlink()
        return "the part is removed"


class _Fetch:
    def __init__(self, body: Body) -> None:
        self._body = body

    def run(self, talk: Talk) -> Outcome:
        body, found = self._body, self._body.size()
        while body.size() < TOTAL:
            if body.says("needs-token") and not body.says("token"):
                raise NeedsTokenError("hub.no-token", "the repository is private, without a token")
            if body.says("breaks"):
                raise ConsoleError("transfer.gave-up", "nothing came for 15 minutes")
            if talk.cancelled():
                if talk.pausing():
                    raise PausedStepError("plan.paused", f"{body.size()} bytes are kept")
                raise DroppedStepError("plan.cancelled", "it ends here")
            talk.report(figures(body.size(), found))
            if body.size() < HALT or body.says("go"):
                body.grow()
            else:
                _MOMENT.wait(0.01)
        talk.report(figures(TOTAL, found))
        file = {"id": "a", "path": str(body.path), "action": "fetched"}
        return Outcome("fetched", {"files": [file]})

    def abort(self) -> None:
        pass


def figures(done: int, found: int) -> Transfer:
    """Give the figures of such a download."""
    file = FileTransfer(
        id="a", path="/models/a", state="fetching", bytes_done=done, bytes_total=TOTAL
    )
    return Transfer(
        files=(file,),
        bytes_done=done,
        bytes_total=TOTAL,
        rate_bytes_per_second=1000.0,
        eta_seconds=(TOTAL - done) / 1000,
        fetched_bytes=done - found,
        resumed_from_bytes=found,
    )


def endless_plan(session: Session, name: str = "qwen", steps: int = 1) -> Plan:
    """Give the plan of such a download."""
    return Plan(
        id=new_plan_id(session),
        verb="pull",
        target=name,
        target_id=name,
        subject="models",
        endless=True,
        steps=tuple(
            Step(id=f"fetch-{n}", title=f"Fetch {n}", touches=(), command="gpuconsole models pull")
            for n in range(1, steps + 1)
        ),
        facts={"bytes_total": TOTAL},
        created_at=session.clock.now(),
        asker=session.asker("cli"),
    )


def stand_in(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Let this process, and the runners that it starts, download like that."""
    script = folder / "python"
    script.write_text(f'#!/bin/sh\nshift 3\nexec {sys.executable} -P -m tests.plans.endless "$@"\n')
    script.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(script))
    monkeypatch.setitem(model_verbs._DOERS, "pull", "tests.plans.endless:Growing")


def program(folder: Path, *words: str) -> list[str]:
    """Give the command line of a console whose runners download like that."""
    return [str(folder / "python"), "-P", "-m", "console", *words]


def main() -> int:
    """Be `gpuconsole`."""
    from screens.cli.start import start

    patch = pytest.MonkeyPatch()
    stand_in(patch, Path(os.environ[WHERE]))
    return start(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
