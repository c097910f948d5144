"""Figures, ages and states in the words and symbols that every panel uses."""

from datetime import datetime
from typing import NamedTuple

from actions.snapshot import Alert, Claim
from console.engine.snapshot import Container
from console.units import format_gib
from console.unknown import Unknown
from screens.tui.paint import TIMES, UNKNOWN, Span
from screens.words import SYMBOLS

SEVERITY_WORDS = {"error": "broken", "warning": "will break", "info": "note", "ok": "well"}
RESTED = {"created", "exited"}
BETWEEN = {"restarting", "removing", "paused"}
COUNTED_ALERTS = ("container.crash-loop",)


class State(NamedTuple):
    """How a container is, as a symbol, a role and words; the words alone say it all."""

    symbol: str
    role: str
    words: str


def figure(value: float | Unknown | None, pattern: str = "{:.0f}") -> str:
    """Write a number by a format pattern; a dash where it is not known."""
    if value is None or isinstance(value, Unknown):
        return UNKNOWN
    return pattern.format(value)


def gib(value: int | Unknown | None) -> str:
    """Write bytes as GiB with one decimal; a dash where they are not known."""
    return UNKNOWN if value is None or isinstance(value, Unknown) else format_gib(value)


def whole_gib(value: int | Unknown) -> str:
    """Write the size of a card as people call it, such as `24 GiB`."""
    return UNKNOWN if isinstance(value, Unknown) else f"{value / 1024**3:.0f} GiB"


def short_bytes(value: int | Unknown) -> str:
    """Write bytes in at most five columns: `18.2G`, `21M`, `512K`."""
    if isinstance(value, Unknown):
        return UNKNOWN
    size = float(value)
    for unit in ("B", "K", "M"):
        if size < 1000:
            return f"{size:.0f}{unit}"
        size /= 1024
    return f"{size:.1f}G" if size < 1000 else f"{size / 1024:.1f}T"


def local_clock(moment: datetime | None, now: datetime) -> str:
    """Write a moment as people say it: time of today, else the day."""
    if moment is None:
        return UNKNOWN
    here, today = moment.astimezone(), now.astimezone()
    return here.strftime("%H:%M" if here.date() == today.date() else "%d %b")


def container_state(container: Container, alert: Alert | None) -> State:
    """Say how a container is: its own state first, then what an alert makes of it."""
    words = _state_words(container)
    if alert is not None and alert.id in COUNTED_ALERTS:
        words = f"crash-loop{_exit_code(container)} {TIMES}{alert.count}"
    if alert is not None and alert.severity in {"error", "warning"}:
        return State(SYMBOLS[alert.severity], alert.severity, words)
    if container.state == "running":
        starting = container.health == "starting"
        return State("◐" if starting else "●", "accent" if starting else "ok", words)
    return State("◐" if container.state in BETWEEN else "○", "dim", words)


def _state_words(container: Container) -> str:
    state = container.state
    if state == "running":
        health = container.health
        if health in {"healthy", "unhealthy", "starting"}:
            return f"running {health}"
        return "running"
    if state == "exited" and isinstance(container.exit_code, int):
        return f"exited {container.exit_code}"
    if state in {"dead", "restarting"}:
        return state + _exit_code(container)
    return state


def _exit_code(container: Container) -> str:
    code = container.exit_code
    return f" exit {code}" if isinstance(code, int) else ""


def health_word(container: Container) -> str:
    """Say what a container's health check says; `no check` where it has none."""
    health = container.health
    if isinstance(health, Unknown):
        return UNKNOWN
    return "no check" if health in {"none", ""} else health


SOURCE_MARKS = {"processes": "", "service": "*", "observed": "~", "declared": "?", "unknown": "?"}


def card_text(claim: Claim | None, indexes: dict[str, int]) -> str:
    """Write the cards of a container with the mark of how we know: `0`, `1?`, `0,1`, `none`."""
    if claim is None:
        return UNKNOWN
    if not claim.gpu_uuids:
        return "?" if claim.uses_gpu else "none"
    names = [str(indexes[uuid]) if uuid in indexes else UNKNOWN for uuid in claim.gpu_uuids]
    return ",".join(names) + SOURCE_MARKS.get(claim.source, "?")


def unknown_span(reason: Unknown) -> Span:
    """Give the dash with its reason behind it, for views that have the room."""
    text = f"{UNKNOWN}  {reason.title}"
    return Span(f"{text}; {reason.hint}" if reason.hint else text, "dim")


def place_text(top: int, shown: int, count: int) -> str:
    """Say which rows of a longer list are in sight, such as `3-9 of 18 `; empty where all are."""
    return f"{top + 1}-{min(count, top + shown)} of {count} " if count > shown else ""
