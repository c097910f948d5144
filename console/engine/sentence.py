"""The engine's own sentence about a container, such as `Up 3 hours (healthy)`.

Only list entries carry it. After an inspect it is written here in the engine's words, so that a
container that just died does not read `Up 3 hours` until the next list.
"""

import re
from datetime import datetime

_UNITS = {
    "second": 1,
    "minute": 60,
    "hour": 3600,
    "day": 86_400,
    "week": 604_800,
    "month": 2_592_000,
    "year": 31_536_000,
}
# From how many hours on the engine says it in the next unit: (below this many hours, hours, unit).
_LONG = ((48, 1, "hours"), (336, 24, "days"), (1440, 168, "weeks"), (17_520, 720, "months"))
_AGE = re.compile(rf"(?:About )?(\d{{1,6}}|an?|Less than a) ({'|'.join(_UNITS)})s?")
_REMARK = {
    "healthy": " (healthy)",
    "unhealthy": " (unhealthy)",
    "starting": " (health: starting)",
}


def age_in_words(seconds: float) -> str:
    """Say an age as the engine does (go-units' HumanDuration)."""
    whole = int(max(seconds, 0))
    if whole < 1:
        return "Less than a second"
    if whole < 60:
        return "1 second" if whole == 1 else f"{whole} seconds"
    if whole < 120:
        return "About a minute"
    if whole < 3600:
        return f"{whole // 60} minutes"
    hours = int(whole / 3600 + 0.5)
    if hours == 1:
        return "About an hour"
    for limit, size, unit in _LONG:
        if hours < limit:
            return f"{hours // size} {unit}"
    return f"{whole // _UNITS['year']} years"


def sentence(
    state: str,
    *,
    health: str,
    exit_code: int | None,
    started_at: datetime | None,
    finished_at: datetime | None,
    now: datetime,
) -> str:
    """Give the sentence for a container inspected at `now`."""
    up = _since(started_at, now)
    ended = f" {ago} ago" if (ago := _since(finished_at, now)) else ""
    said = {
        "running": f"Up {up}{_REMARK.get(health, '')}",
        "paused": f"Up {up} (Paused)",
        "restarting": f"Restarting ({exit_code or 0}){ended}",
        "exited": f"Exited ({exit_code or 0}){ended}",
        "removing": "Removal In Progress",
    }
    return said.get(state, state.capitalize()).replace("  ", " ").strip()


def _since(moment: datetime | None, now: datetime) -> str:
    return age_in_words((now - moment).total_seconds()) if moment else ""


def tells_more(before: str, after: str) -> bool:
    """Tell whether a sentence changed by more than the time that went by.

    A younger age means that the container was restarted in between.
    """
    if before == after:
        return False
    if _AGE.sub("", before) != _AGE.sub("", after):
        return True
    return _age(after) < _age(before)


def _age(said: str) -> int:
    """Give the age in a sentence, roughly, in seconds."""
    match = _AGE.search(said)
    if match is None:
        return 0
    number = int(match[1]) if match[1].isdecimal() else int(not match[1].startswith("Less"))
    return number * _UNITS[match[2]]
