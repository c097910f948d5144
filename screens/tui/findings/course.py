"""An examination under way: run in a thread, told of as it goes, without flooding the screen."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import datetime

import msgspec

from actions.doctor.check import Checked, Examination, Result
from actions.runbook.finding import Finding
from console.errors import ConsoleError
from console.log import log_crash
from console.paths import Places
from screens.tui.findings.source import FindingSource

_GROWTH = 10
"""Findings are put in order anew once there are more of them by one in so many."""


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far an examination is.

    Attributes:
        number: of the examination, from 1; `version` grows with everything that is new.
        results, findings: what there is so far, in their order.
        done, of: checks.
        over: nothing more comes.
        seconds: all of it took; 0 while it goes on.
        error: why it did not come to its end; None where it did.
    """

    number: int
    version: int
    begun_at: datetime
    results: tuple[Result, ...] = ()
    findings: tuple[Finding, ...] = ()
    done: int = 0
    of: int = 0
    over: bool = False
    seconds: float = 0.0
    error: ConsoleError | None = None


class Course:
    """Runs one examination; `latest` is for any thread, and `told` is called when it is new.

    `told` is called again only once `take` has been: however many checks end at once, a screen is
    told once.
    """

    def __init__(
        self,
        source: FindingSource,
        places: Places,
        first: Progress,
        told: Callable[[], None],
    ) -> None:
        self._source = source
        self._places = places
        self._told = told
        self._lock = threading.Lock()
        self._waiting = False
        self._latest = first
        self._in_order = 0

    def take(self) -> Progress:
        """Give the newest; from now on it is told again when there is something newer."""
        with self._lock:
            self._waiting = False
            return self._latest

    def run(self) -> None:
        """Examine, in the calling thread, to the end; never raises."""
        try:
            for event in self._source.examine():
                self._hear(event)
            self._offer(over=True)
        except ConsoleError as error:
            self._offer(over=True, error=error)
        except Exception as error:  # noqa: BLE001 -- a traceback would break the screen
            written = log_crash(self._places, error)
            where = f"it is written down in {written}" if written is not None else ""
            fault = ConsoleError("doctor.fault", "a fault of gpuconsole: not examined", where)
            self._offer(over=True, error=fault)

    def _hear(self, event: Checked | Examination) -> None:
        if isinstance(event, Examination):
            self._offer(
                results=event.results,
                findings=event.findings,
                seconds=event.seconds,
                over=True,
            )
            return
        results = (*self._latest.results, event.result)
        findings = self._latest.findings
        if event.result.findings:
            findings = self._ordered(results, (*findings, *event.result.findings))
        self._offer(results=results, findings=findings, done=event.done, of=event.of)

    def _ordered(
        self, results: tuple[Result, ...], findings: tuple[Finding, ...]
    ) -> tuple[Finding, ...]:
        """Give the findings so far in order; as they came where few are new among many."""
        from actions.doctor.gathering import gathered

        if len(findings) - self._in_order <= len(findings) // _GROWTH:
            return findings
        found = gathered(results)
        self._in_order = len(found)
        return found

    def _offer(self, **changes: object) -> None:
        with self._lock:
            latest = self._latest
            self._latest = msgspec.structs.replace(latest, version=latest.version + 1, **changes)
            tells, self._waiting = not self._waiting, True
        if tells:
            self._told()


def nothing_yet(number: int, begun_at: datetime) -> Progress:
    """Give the progress of an examination that has just begun."""
    return Progress(number=number, version=0, begun_at=begun_at)


def counted(results: tuple[Result, ...]) -> Iterator[tuple[str, int]]:
    """Give how many checks ended in each state, the worst first; none for no check."""
    for state in ("fail", "warn", "skip", "pass"):
        number = sum(one.state == state for one in results)
        if number:
            yield state, number
