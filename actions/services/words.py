"""What is said of a service for people: what it computes, how it ended, what would create it."""

from collections.abc import Iterator

from actions.services.snapshot import Evidence, Service
from actions.snapshot import Alert
from console.engine.snapshot import Container
from console.services.reading import Reading, StartLog
from console.units import format_age
from console.unknown import known

_MOST_LOG_LINES = 2


def busy_words(reading: Reading) -> str:
    """Say what it computes, how far it is, and how many wait: `edit 3/20, 45 %, 2 wait`."""
    job = reading.job
    parts = []
    if job is not None:
        steps = f" {job.step}/{job.steps}" if known(job.step) and known(job.steps) else ""
        parts.append(f"{job.what or 'a job'}{steps}")
        if known(job.percent):
            parts.append(f"{job.percent:.0f} %")
        if known(job.running_seconds):
            parts.append(f"for {format_age(job.running_seconds)}")
        if known(job.left_seconds):
            parts.append(f"about {format_age(job.left_seconds)} left")
    elif known(reading.queue_running):
        parts.append(f"{reading.queue_running} running")
    if known(reading.queue_pending) and reading.queue_pending:
        waits = "waits" if reading.queue_pending == 1 else "wait"
        parts.append(f"{reading.queue_pending} {waits}")
    return ", ".join(parts) or "works"


def creation_words(service: Service) -> str:
    """Say what would create a service's container."""
    if service.compose_service and service.compose_file is not None:
        file = service.compose_file
        return f"docker compose -f {file} up -d {service.compose_service} would create it"
    if service.compose_service:
        return f"set compose_file beside compose_service {service.compose_service} to create it"
    return "the config names nothing that would create it: set compose_file and compose_service"


def exit_words(container: Container, meaning: str | None, asked: bool, alert: Alert | None) -> str:
    """Say how a container ended: its exit code, what that means, and whether it was asked to."""
    if container.state in {"dead", "removing"}:
        return f"its container is {container.state}"
    if alert is not None and alert.id == "container.failed-start":
        return alert.title
    code = container.exit_code
    if not isinstance(code, int):
        return "its container does not run"
    words = f"exit {code}" + (f": {meaning}" if meaning else "")
    if asked:
        return words if words.endswith("as asked") else f"{words} (its stop was asked for)"
    return f"{words} (no stop was seen)"


def beside_words(
    container: Container | None, log: StartLog | None, state: str
) -> Iterator[Evidence]:
    """Give what else is worth knowing while it is not well: health check, last words of its log."""
    health = container.health if container is not None and container.state == "running" else ""
    if state in {"starting", "unreachable"} and health in {"unhealthy", "starting"}:
        yield Evidence(source="engine", text=f"its health check says {health}")
    if state in {"starting", "unreachable", "unhealthy"} and log is not None:
        for line in log.evidence[-_MOST_LOG_LINES:]:
            yield Evidence(source="log", text=line)
