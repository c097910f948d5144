"""A download that the test steers, begun by one console and seen by others."""

import os
import threading
from pathlib import Path

import pytest

from actions.jobs import Job
from actions.journal import Journal
from actions.operations import Operations
from actions.plan import AnyEvent, PlanDone, PlanFailed
from actions.session import Session
from tests.plans.endless import HALT, WHERE, Body, endless_plan, stand_in
from tests.support.waiting import wait_until


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """Give the environment of a user whose downloads the test steers."""
    (tmp_path / "download").mkdir()
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "XDG_RUNTIME_DIR": str(tmp_path / "run"),
        WHERE: str(tmp_path / "download"),
    }


@pytest.fixture
def body(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Body:
    """Give what is downloaded."""
    folder = Path(environ[WHERE])
    stand_in(monkeypatch, folder)
    return Body(folder)


class Console:
    """One console that began a download; the test sees what it is told."""

    def __init__(self, session: Session, steps: int = 1) -> None:
        self.session = session
        self.operations = Operations(session)
        self.plan = endless_plan(session, steps=steps)
        self.events: list[AnyEvent] = []
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        wait_until(lambda: Journal(session).plan(self.plan.id))

    def _run(self) -> None:
        self.events += self.operations.run(self.plan)

    def end(self) -> PlanDone | PlanFailed:
        """Give how it ended."""
        self._thread.join(20)
        event = self.events[-1]
        assert isinstance(event, PlanDone | PlanFailed)
        return event

    def job(self) -> Job:
        """Give it as other consoles see it."""
        return self.operations.one_job(self.plan.id)

    def pid(self) -> int:
        """Give the process that runs it, once it stands at 30 %."""

        def at_work() -> int:
            job = self.job()
            return job.pid or 0 if job.state == "running" and job.bytes_done == HALT else 0

        return wait_until(at_work, 20)


def failed(event: PlanDone | PlanFailed) -> PlanFailed:
    assert isinstance(event, PlanFailed)
    return event
