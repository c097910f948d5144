"""Running checks: side by side as far as one does not stand on the other, each with its limit."""

import queue
import threading
from collections.abc import Iterator, Sequence

import msgspec

from actions.doctor.check import GROUPS, Check, Checked, Examination, Result
from actions.doctor.checks.engine import gone_meanwhile
from actions.doctor.choosing import Choice, is_known
from actions.doctor.gathering import gathered
from actions.doctor.ground import Ground
from actions.doctor.mending import mended
from actions.doctor.table import first_checks, later_checks
from actions.runbook.finding import Finding
from actions.session import Session
from console.clock import Clock
from console.engine.faults import EngineTimeoutError, EngineUnreachableError
from console.errors import ConsoleError
from console.log import log_crash

_READING_SECONDS = 8.0
# Threads of checks at once; of those that read much fewer: they share one interpreter.
_AT_ONCE = 32
_HEAVY_AT_ONCE = 3
# Later than this no heavy check begins: a host with hundreds of containers is not read for minutes.
_HEAVY_SECONDS = 20.0
_SETTLED = frozenset({"pass", "warn"})
_BENEATH_ALL = frozenset({"host", "driver", "engine"})
_HANGS = {"engine.reachable": "engine.hangs", "driver.nvml": "driver.hangs"}


def examine(
    session: Session,
    *,
    only: Sequence[str] = (),
    skip: Sequence[str] = (),
    service: str = "",
    ground: Ground | None = None,
) -> Iterator[Checked | Examination]:
    """Give the result of each check as it comes, and at last the whole examination.

    Nothing is changed. A check that hangs is given up at its limit and left behind.

    Args:
        session: whose host.
        only: ids, beginnings of ids before a `:`, or groups; what they stand on is checked too.
        skip: likewise, what is left out; what stands on it is checked all the same.
        service: only what is about this service, and what that stands on.
        ground: what the checks read; whoever needs it afterwards brings it.

    Raises:
        UsageError: `only` or `skip` names no check there is; there is no such service.
    """
    choice = Choice(tuple(only), tuple(skip), service)
    yield from _Course(session, choice, ground or Ground(session)).walk()


class _Running(msgspec.Struct):
    check: Check
    begun: float


class _Course:
    """One examination under way; walked by one thread."""

    def __init__(self, session: Session, choice: Choice, ground: Ground) -> None:
        self._session = session
        self._clock: Clock = session.clock
        self._choice = choice
        self._ground = ground
        self._results: dict[str, Result] = {}
        self._ended: queue.SimpleQueue[tuple[str, Result]] = queue.SimpleQueue()
        self._running: dict[str, _Running] = {}
        self._waiting: list[Check] = []
        self._there_are: set[str] = set()
        self._of = 0
        self._expanded = False
        self._lost: EngineUnreachableError | None = None
        self._begun = self._clock.monotonic()

    def walk(self) -> Iterator[Checked | Examination]:
        reader = threading.Thread(target=self._read, name="doctor-reading", daemon=True)
        reader.start()
        self._add(first_checks(self._session))
        while True:
            if not self._expanded and (not reader.is_alive() or self._is_late()):
                yield from self._expand()
            yield from self._start_what_can()
            if self._expanded and not self._running and not self._waiting:
                break
            yield from self._hear()
        yield self._whole()

    def _read(self) -> None:
        # What the later checks are is only known once the host was looked at.
        try:
            _ = self._ground.snapshot
        except Exception as error:  # noqa: BLE001 -- whatever is odd about a host, the rest is told
            log_crash(self._session.places, error)
        finally:
            self._ended.put(("", _NOTHING))

    def _is_late(self) -> bool:
        return self._clock.monotonic() - self._begun > _READING_SECONDS

    def _expand(self) -> Iterator[Checked]:
        """Add the checks of what was found on the host, or say that nobody knows what is there."""
        self._expanded = True
        if self._ground.known_snapshot is None:
            yield from self._unread()
            return
        if self._choice.service:
            called = self._ground.subject_called(self._choice.service)
            self._choice = self._choice._replace(service=called)
        try:
            later = tuple(later_checks(self._ground))
        except Exception as error:  # noqa: BLE001 -- whatever is odd about a host, the rest is told
            log_crash(self._session.places, error)
            yield from self._unread()
            return
        self._add(later)
        self._choice.complain(self._there_are)
        if not self._of:
            self._choice.refuse_nothing()

    def _unread(self) -> Iterator[Checked]:
        """Say that containers and services are not known, unless nobody asked for them."""
        asked = [name for name in self._choice.only if not is_known(name, self._there_are)]
        if self._choice.service or asked or not self._choice.only:
            self._of += 1
            yield self._settle(_unread_host())

    def _known(self) -> list[Check]:
        return [*self._waiting, *(one.check for one in self._running.values())]

    def _add(self, checks: Sequence[Check]) -> None:
        self._there_are |= {one.id for one in checks}
        chosen = self._choice.of([*self._known(), *checks])
        new = [one for one in checks if one.id in chosen]
        self._waiting += new
        self._of += len(new)

    def _start_what_can(self) -> Iterator[Checked]:
        """Start every check whose ground is settled; give those whose ground is missing."""
        for check in tuple(self._waiting):
            state, why = self._ground_of(check)
            if state == "waits" or (state == "ready" and self._is_full(check)):
                continue
            self._waiting.remove(check)
            if state == "missing":
                yield self._settle(_not_checked(check, why))
                continue
            self._running[check.id] = _Running(check, self._clock.monotonic())
            threading.Thread(
                target=self._run, args=(check,), name=f"check-{check.id}", daemon=True
            ).start()

    def _is_full(self, check: Check) -> bool:
        if len(self._running) >= _AT_ONCE:
            return True
        heavy = sum(one.check.heavy for one in self._running.values())
        return check.heavy and heavy >= _HEAVY_AT_ONCE

    def _ground_of(self, check: Check) -> tuple[str, str]:
        """Tell whether a check can begin, waits for another, or stands on nothing."""
        known = self._results.keys() | {one.id for one in self._known()}
        for need in check.needs:
            if need not in known:
                continue
            result = self._results.get(need)
            if result is None:
                return "waits", ""
            if result.state not in _SETTLED:
                # What was not checked itself says why: that is the reason, not its being missing.
                return "missing", result.title.rpartition("not checked, because ")[2]
        if check.heavy and self._clock.monotonic() - self._begun > _HEAVY_SECONDS:
            return "missing", f"there are too many: gpuconsole doctor --only {check.id}"
        return "ready", ""

    def _hear(self) -> Iterator[Checked]:
        """Wait for the next end, and give up what is past its limit."""
        now = self._clock.monotonic()
        limits = [one.begun + one.check.limit_seconds for one in self._running.values()]
        if not self._expanded:
            limits.append(self._begun + _READING_SECONDS)
        try:
            ident, result = self._ended.get(timeout=max(min(limits, default=now) - now, 0.0) + 0.01)
        except queue.Empty:
            yield from self._give_up()
            return
        if ident in self._running:
            begun = self._running.pop(ident).begun
            yield self._settle(_timed(result, self._clock.monotonic() - begun))

    def _give_up(self) -> Iterator[Checked]:
        now = self._clock.monotonic()
        for ident, one in tuple(self._running.items()):
            if now - one.begun >= one.check.limit_seconds:
                del self._running[ident]
                yield self._settle(_timed(_hung(one.check), now - one.begun))

    def _settle(self, result: Result) -> Checked:
        self._results[result.id] = result
        return Checked(result=result, done=len(self._results), of=self._of)

    def _run(self, check: Check) -> None:
        try:
            result = check.run(self._ground, check)
        except ConsoleError as error:
            self._note_loss(error)
            result = _failed(check, error.title, error.hint)
        except Exception as error:  # noqa: BLE001 -- one check's fault must not take the others
            log_crash(self._session.places, error)
            result = _failed(check, "a fault of gpuconsole: it could not be checked", "see its log")
        self._ended.put((check.id, result))

    def _note_loss(self, error: ConsoleError) -> None:
        """Keep that the engine went away; one that is only slow is still there."""
        if isinstance(error, EngineUnreachableError) and not isinstance(error, EngineTimeoutError):
            self._lost = error

    def _whole(self) -> Examination:
        reached = self._results.get("engine.reachable")
        if self._lost is not None and reached is not None and reached.state in _SETTLED:
            self._results[reached.id] = gone_meanwhile(reached, self._lost)
        results = sorted(self._results.values(), key=lambda one: (GROUPS.index(one.group), one.id))
        return Examination(
            results=tuple(results),
            findings=mended(gathered(results), self._ground),
            seconds=round(self._clock.monotonic() - self._begun, 3),
        )


_NOTHING = Result(id="", group="host", state="skip", title="")


def _timed(result: Result, seconds: float) -> Result:
    return msgspec.structs.replace(result, seconds=round(seconds, 3))


def _unread_host() -> Result:
    title = "containers and services: not checked, because the host could not be read"
    found = Finding(
        id="doctor.no-answer",
        severity="error",
        subject="host",
        title="Engine and services could not be read: what runs here is not known",
        cause=f"No answer within {_READING_SECONDS:g} s, or one that nobody understands.",
        fix=("gpuconsole status", "gpuconsole doctor looks once more"),
    )
    return Result(id="host.reading", group="host", state="fail", title=title, findings=(found,))


def _not_checked(check: Check, why: str) -> Result:
    return Result(
        id=check.id,
        group=check.group,
        state="skip",
        title=f"{check.title}: not checked, because {why}",
        detail="what it stands on is missing",
    )


def _failed(check: Check, title: str, hint: str) -> Result:
    return Result(
        id=check.id, group=check.group, state="skip", title=f"{check.title}: {title}", detail=hint
    )


def _hung(check: Check) -> Result:
    title = f"{check.title}: no answer within {check.limit_seconds:g} s"
    found = Finding(
        id=_HANGS.get(check.id, "doctor.no-answer"),
        severity="error" if check.group in _BENEATH_ALL else "warning",
        subject=check.subject or check.group,
        title=title,
        cause="It hangs, or the host is too busy to answer.",
        fix=(f"gpuconsole doctor --only {check.id} looks once more",),
    )
    return Result(
        id=check.id,
        group=check.group,
        state="fail",
        title=title,
        detail="given up; it may hang for good",
        findings=(found,),
    )
