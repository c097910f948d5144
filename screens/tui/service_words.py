"""How a service is, in the symbols, words and marks that every panel uses."""

from datetime import datetime

from actions.services.snapshot import ServiceStatus
from actions.snapshot import Alert
from console.engine.snapshot import Container
from console.services.reading import Job
from console.unknown import Unknown, known
from screens.tui.expected import NOT_LOOKED
from screens.tui.paint import TIMES, UNKNOWN, cut
from screens.tui.words import State, gib
from screens.words import age, model_words

STATES: dict[str, tuple[str, str, str]] = {
    "absent": ("○", "dim", "absent"),
    "stopped": ("○", "dim", "stopped"),
    "created": ("○", "dim", "created"),
    "starting": ("◐", "accent", "starting"),
    "ready": ("●", "ok", "ready"),
    "busy": ("◆", "accent", "busy"),
    "unhealthy": ("✖", "error", "unhealthy"),
    "crash-looping": ("✖", "error", "crash-loop"),
    "needs-auth": ("▲", "warning", "needs login"),
    "unreachable": ("✖", "error", "unreachable"),
    "misplaced": ("▲", "warning", "misplaced"),
    NOT_LOOKED: ("·", "dim", "looking …"),
}
"""Symbol, role and word by state: no two states that matter share a word."""
CARD_MARKS = {"processes": "", "observed": "*", "declared": "?", "unknown": "?"}
USED_MARKS = {"service": "*", "driver": "", "observed": "~", "": "~"}
WHO_WORDS = {
    "processes": "the driver",
    "observed": "the service itself",
    "declared": "declared",
    "unknown": UNKNOWN,
}


def service_state(
    status: ServiceStatus,
    container: Container | None,
    alert: Alert | None,
    indexes: dict[str, int],
    now: datetime,
) -> State:
    """Say how a service is: symbol, role, and its state with what it is at."""
    symbol, role, word = STATES.get(status.state, ("·", "dim", status.state))
    doing = doing_text(status, container, alert, indexes, now)
    return State(symbol, role, f"{word} {doing}".rstrip())


def state_word(status: ServiceStatus) -> str:
    """Give the state alone as a word."""
    return STATES.get(status.state, ("", "", status.state))[2]


def doing_text(
    status: ServiceStatus,
    container: Container | None,
    alert: Alert | None,
    indexes: dict[str, int],
    now: datetime,
) -> str:
    """Say what a service is at: its job, its stage, why it ended; empty where nothing is."""
    state = status.state
    if state == "crash-looping":
        return _crash_text(container, alert)
    if state == "misplaced":
        return misplaced_text(status, indexes)
    if state == "starting":
        stage = status.reading.stage if status.reading is not None else ""
        if not stage and status.start_log is not None:
            stage = status.start_log.stage
        since = age(status.since, now)
        return " ".join(part for part in (stage, since if since != UNKNOWN else "") if part)
    if state == "stopped" and container is not None and isinstance(container.exit_code, int):
        return f"exit {container.exit_code}" if container.exit_code else ""
    if state == "busy":
        return busy_text(status)
    if state == "ready":
        return model_words(status)
    return ""


def _crash_text(container: Container | None, alert: Alert | None) -> str:
    parts = []
    if container is not None and isinstance(container.exit_code, int):
        parts.append(f"exit {container.exit_code}")
    count = alert.count if alert is not None and alert.count > 1 else None
    if count is None and container is not None and known(container.restart_count):
        count = container.restart_count
    if count:
        parts.append(f"{TIMES}{count}")
    return " ".join(parts)


def misplaced_text(status: ServiceStatus, indexes: dict[str, int]) -> str:
    """Say where a misplaced service sits and where it belongs, such as `on 0, meant for 1`."""
    on = _index(status.gpu_uuid, indexes)
    meant = _index(status.gpu_expected_uuid, indexes)
    text = f"on {on}, meant for {meant}"
    return f"{text}, {busy_text(status)}".rstrip(", ") if status.activity == "busy" else text


def _index(uuid: object, indexes: dict[str, int]) -> str:
    return str(indexes[uuid]) if isinstance(uuid, str) and uuid in indexes else UNKNOWN


def busy_text(status: ServiceStatus) -> str:
    """Say what runs, how far it is and how many wait, such as `edit 3/20, 2 wait`."""
    reading = status.reading
    if reading is None:
        return ""
    parts = [job_text(reading.job)] if reading.job is not None else []
    pending = reading.queue_pending
    if isinstance(pending, int) and pending > 0:
        parts.append(f"{pending} wait{'s' if pending == 1 else ''}")
    return ", ".join(part for part in parts if part)


def job_text(job: Job) -> str:
    """Give a job with its progress in a few columns, such as `edit 3/20`."""
    what = cut(job.what, 16)
    if isinstance(job.step, int) and isinstance(job.steps, int) and job.steps > 0:
        return f"{what} {job.step}/{job.steps}".strip()
    if known(job.percent):
        return f"{what} {job.percent:.0f} %".strip()
    return what


def service_card(status: ServiceStatus, indexes: dict[str, int]) -> str:
    """Write the card of a service with how we know it: `1`, `1*`, `1?`; `none` where it has none.

    Where nobody has seen it, the one that it is declared or meant for stands there with a `?`.
    """
    if isinstance(status.gpu_uuid, str):
        return _index(status.gpu_uuid, indexes) + CARD_MARKS.get(status.gpu_source, "?")
    for meant in (status.gpu_declared_uuid, status.gpu_expected_uuid):
        if isinstance(meant, str):
            return f"{_index(meant, indexes)}?"
    return "none" if status.gpu_uuid is None else UNKNOWN


def used_text(status: ServiceStatus) -> tuple[str, str]:
    """Give the VRAM a service holds in GiB and the mark of who says so."""
    used = status.vram_used_bytes
    if isinstance(used, Unknown) or (not status.up and not used):
        return UNKNOWN, ""
    return gib(used), USED_MARKS.get(status.vram_used_source, "~")


def meant_card(status: ServiceStatus) -> str | None:
    """Give the UUID of the card that a service is on, else of the one it is meant for."""
    for uuid in (status.gpu_uuid, status.gpu_expected_uuid, status.gpu_declared_uuid):
        if isinstance(uuid, str):
            return uuid
    return None
