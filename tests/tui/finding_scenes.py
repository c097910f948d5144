"""A doctor whose findings a test chooses, and what changed before them."""

import threading
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from actions.doctor.change import Change, Changes
from actions.doctor.check import Checked, Examination, Result
from actions.doctor.gathering import gathered
from actions.runbook.finding import Evidence, Finding, Mend
from actions.snapshot import HostSnapshot
from console.errors import ConsoleError
from tests.support.snapshots import NOW

BEGAN = NOW - timedelta(minutes=12)
MEND = Mend(
    verb="restart",
    target="myia-turbo",
    title="restart myia-turbo",
    command="gpuconsole restart myia-turbo",
)


def finding(
    ident: str = "args.unrecognized", subject: str = "myia-turbo", **changes: Any
) -> Finding:
    """Make a finding."""
    values: dict[str, Any] = {
        "id": ident,
        "severity": "error",
        "subject": subject,
        "title": f"{subject} cannot start: its Forge does not know --cuda-malloc",
        "cause": "AUTO_UPDATE=true without FORGE_REF checked out an older tag",
        "fix": ("set AUTO_UPDATE=false in docker-compose.yml", "recreate myia-turbo"),
        "next": ("gpuconsole timeline: did the image change?",),
        "evidence": (
            Evidence(
                source=subject,
                at=BEGAN.isoformat(),
                number=7,
                text="launch.py: error: unrecognized arguments: --cuda-malloc",
            ),
        ),
        "count": 6,
        "since": BEGAN,
    }
    return Finding(**{**values, **changes})


def result(*findings: Finding, ident: str = "container.log:myia-turbo", **changes: Any) -> Result:
    """Make what came of a check."""
    group = ident.partition(".")[0]
    groups = {"container": "containers", "service": "services", "host": "host"}
    values: dict[str, Any] = {
        "id": ident,
        "group": groups.get(group, "host"),
        "state": "fail" if findings else "pass",
        "title": f"{ident} looked",
        "seconds": 0.1,
        "findings": tuple(findings),
    }
    return Result(**{**values, **changes})


class StillDoctor:
    """Gives the results it was told to give, each when the test lets it.

    Attributes:
        results: of the next examination, in the order in which they end.
        error: raised in its midst, after the results; None for none.
        told: what changed, by the finding's id.
        asked: ids of findings for which that was asked.
        begun: examinations.
    """

    def __init__(self, *results: Result, changes: Changes | None = None) -> None:
        self.results: Sequence[Result] = results
        self.error: Exception | None = None
        self.changed = changes
        self.trouble: ConsoleError | None = None
        self.asked: list[str] = []
        self.begun = 0
        self._steps: threading.Semaphore | None = None

    def hold(self) -> None:
        """Let no result come before it is let go."""
        self._steps = threading.Semaphore(0)

    def go(self, count: int = 1) -> None:
        """Let so many more results come."""
        assert self._steps is not None
        self._steps.release(count)

    def examine(self) -> Iterator[Checked | Examination]:
        self.begun += 1
        results = tuple(self.results)
        for place, one in enumerate(results, 1):
            self._wait()
            yield Checked(result=one, done=place, of=len(results))
        self._wait()
        if self.error is not None:
            raise self.error
        yield Examination(results=results, findings=gathered(results), seconds=1.2)

    def _wait(self) -> None:
        if self._steps is not None:
            assert self._steps.acquire(timeout=20)

    def changes(self, finding: Finding, snapshot: HostSnapshot) -> Changes:
        self.asked.append(finding.id)
        if self.trouble is not None:
            raise self.trouble
        return self.changed or Changes(onset=BEGAN, since=BEGAN - timedelta(hours=2), until=NOW)


def change(minutes: float, text: str, subject: str = "myia-turbo", **changes: Any) -> Change:
    """Make something that happened so long before the finding began."""
    values: dict[str, Any] = {
        "at": BEGAN - timedelta(minutes=minutes),
        "kind": "container",
        "subject": subject,
        "verb": "start",
        "text": text,
        "near": True,
    }
    return Change(**{**values, **changes})


def around(*entries: Change, **changes: Any) -> Changes:
    """Make what changed, the newest first."""
    values: dict[str, Any] = {
        "onset": BEGAN,
        "since": BEGAN - timedelta(hours=2),
        "until": NOW,
        "entries": tuple(sorted(entries, key=lambda one: one.until or one.at, reverse=True)),
    }
    return Changes(**{**values, **changes})
