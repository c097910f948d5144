"""Waiting until a service that was started is ready, with its stages told on the way."""

from actions.containers.words import check as container_words
from actions.service_verbs.doing import Doing, Seen
from actions.service_verbs.words import limit
from actions.services.snapshot import ServiceStatus
from actions.trouble import StepError
from console.engine.exit_codes import meaning
from console.engine.snapshot import Container
from console.units import format_duration
from console.unknown import Unknown

# A container without an API that runs for so long has lived through its start.
_LIVED_SECONDS = 3.0


def wait_ready(doing: Doing) -> str:
    """Wait until the service's own API answers as its kind does.

    An engine that goes away meanwhile is waited for too.

    Raises:
        StepError: its container ended (`service.ended`) or crash-loops (`service.crash-loop`), a
            login is in the way (`service.needs-auth`), something else answers (`service.odd`), it
            was not ready within the limit (`service.not-ready`), or nobody knows
            (`service.state-unknown`).
        CancelledStepError: somebody asked to cancel; the service goes on starting.
    """
    waiting = _Waiting(doing)
    longest = float(doing.options["limit"])
    while True:
        seen = doing.look()
        text = waiting.judge(seen)
        if text:
            return text
        if doing.over(longest):
            raise waiting.too_late(longest)
        doing.pause(
            limit("ready", "look_every"), f"{doing.name} goes on starting, and nobody waits for it"
        )


class _Waiting:
    """What was seen of a service while it starts."""

    def __init__(self, doing: Doing) -> None:
        self._doing = doing
        self._name = doing.name
        self._last = "nothing was seen of it yet"
        self._problem: Unknown | None = None
        self._restarts: int | None = None
        self._odd_since: float | None = None

    def judge(self, seen: Seen) -> str:
        """Give the result once it is ready, else an empty text.

        Raises:
            StepError: it will not become ready.
        """
        self._problem = seen.problem
        if seen.problem is not None:
            self._say(f"the engine does not answer ({seen.problem.title}); looking again")
            return ""
        status = seen.status
        if status is None or status.state == "absent":
            raise StepError(
                "service.gone",
                f"the container of {self._name} is gone",
                "It was removed while it started, or at its end (--rm)",
            )
        self._look_at_container(status, seen)
        if status.state in {"ready", "busy"} or (status.state == "misplaced" and status.activity):
            return f"{self._name} is ready after {self._doing.taken()}"
        if not status.service.url and self._lives(status):
            return f"{self._name} runs; whether it is ready is not known: it has no url"
        if status.state == "needs-auth" and self._doing.had_login:
            return f"{self._name} runs, behind a login that is not known here, as before"
        self._look_at_answer(status)
        self._say(f"{self._name} is {status.state}: {_stage(status)}")
        return ""

    def too_late(self, longest: float) -> StepError:
        """Give the error of a service that is not ready at the limit."""
        if self._problem is not None:
            return StepError(
                "service.state-unknown",
                f"whether {self._name} is ready is not known: {self._problem.title}",
                self._problem.hint,
            )
        left = "" if self._doing.leads_back else "It is left running. "
        return StepError(
            "service.not-ready",
            f"{self._name} was not ready after {format_duration(longest)}: {self._last}",
            f"{left}gpuconsole logs {self._name} tells more; wait longer with --ready-limit",
        )

    def _look_at_container(self, status: ServiceStatus, seen: Seen) -> None:
        """Refuse to wait for a container that ended, or ends again and again."""
        found = seen.snapshot.engine.containers
        container = next((one for one in found if one.id == status.container_id), None)
        if container is None:
            return
        restarts = container.restart_count
        count = restarts if isinstance(restarts, int) else 0
        self._restarts = count if self._restarts is None else self._restarts
        crashes = count - self._restarts
        if status.state == "crash-looping" or crashes >= limit("ready", "crashes"):
            raise StepError(
                "service.crash-loop",
                f"{self._name} crash-loops: {max(count, crashes)} restarts by the engine, "
                f"last {_exit(container)}",
                f"{_log_hint(container)}; gpuconsole stop {self._name} ends the loop",
            )
        if container.state in {"exited", "dead", "removing"}:
            raise StepError(
                "service.ended",
                f"{self._name} ended while it started: {_exit(container)}",
                _log_hint(container),
            )
        if container.state == "paused":
            words = container_words("container.paused", name=container.name)
            raise StepError("service.paused", f"{self._name}: {words.title}", words.detail)

    def _look_at_answer(self, status: ServiceStatus) -> None:
        """Refuse to wait behind a login, and for something that is not this kind of service."""
        reading = status.reading
        answer = reading.answer if reading else ""
        problem = reading.problem if reading else None
        title = problem.title if problem is not None else answer
        hint = problem.hint if problem is not None else ""
        if status.state == "needs-auth":
            raise StepError(
                "service.needs-auth",
                f"{self._name} runs, but a login is in the way: {title}",
                f"Set services.{self._name}.auth in the config (scheme, and env or file); "
                f"{hint}".rstrip("; "),
            )
        if answer != "odd":
            self._odd_since = None
            return
        if self._odd_since is None:
            self._odd_since = self._doing.elapsed
        if self._doing.elapsed - self._odd_since >= limit("ready", "odd_limit"):
            raise StepError(
                "service.odd",
                f"{self._name} runs, but something else answers at its url: {title}",
                hint or f"Check services.{self._name}.url and kind",
            )

    def _lives(self, status: ServiceStatus) -> bool:
        return status.container_state == "running" and self._doing.elapsed >= _LIVED_SECONDS

    def _say(self, text: str) -> None:
        self._last = text
        self._doing.tell(text)


def _stage(status: ServiceStatus) -> str:
    """Give how far it has come: its own stage, else why its API does not answer yet."""
    reading, log = status.reading, status.start_log
    for stage in (reading.stage if reading else "", log.stage if log else ""):
        if stage:
            return stage
    if reading is not None and reading.problem is not None:
        return reading.problem.title
    return status.evidence[0].text if status.evidence else "nothing is told"


def _exit(container: Container) -> str:
    """Give how it ended, with what its exit code means."""
    code = container.exit_code
    if not isinstance(code, int):
        return "how it ended is not known"
    error = container.error if isinstance(container.error, str) else ""
    said = meaning(code, container.oom_killed is True, asked_to_stop=False, error=error)
    return f"exit {code} ({said})" if said else f"exit {code}"


def _log_hint(container: Container) -> str:
    return f"Its log says why: docker logs --tail 50 {container.name}"
