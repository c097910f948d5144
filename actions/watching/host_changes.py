"""The host itself: started anew, another driver or engine, a clock that jumped."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from actions.snapshot import HostSnapshot
from console.host.boot import boot_id
from console.store.rows import Happening
from console.units import format_duration
from console.unknown import Unknown, known

JUMP_SECONDS = 30.0


def host_facts(snapshot: HostSnapshot, root: Path, before: Mapping[str, Any]) -> dict[str, Any]:
    """Give this boot and the versions of driver and engine; what is not told stays as it was."""
    driver, engine = snapshot.gpu.driver, snapshot.engine.version
    version = Unknown("gpu.none", "") if isinstance(driver, Unknown) else driver.version
    told = {
        "boot": boot_id(root) or None,
        "driver": version if known(version) else None,
        "engine": engine if known(engine) else None,
    }
    return {name: value or before.get(name) for name, value in told.items()}


def host_changes(
    before: Mapping[str, Any], after: Mapping[str, Any], snapshot: HostSnapshot
) -> Iterator[Happening]:
    """Tell what of it is another than before."""
    now = snapshot.taken_at
    if before.get("boot") and after["boot"] != before["boot"]:
        uptime = Unknown("host", "") if isinstance(snapshot.host, Unknown) else snapshot.host
        seconds = uptime if isinstance(uptime, Unknown) else uptime.uptime_seconds
        at = now - timedelta(seconds=seconds) if known(seconds) else now
        text = "the host (or its WSL) was started anew"
        yield _happening(at, "host", "host", "boot", text, f"boot {after['boot']}")
    for name, words in (("driver", "the NVIDIA driver"), ("engine", "the Docker Engine")):
        old, new = before.get(name), after[name]
        if old and new and old != new:
            text = f"{words} was changed from {old} to {new}"
            kind = "driver" if name == "driver" else "host"
            yield _happening(now, kind, name, "version", text, f"{name} {old} {new}")


class ClockWatch:
    """Compares the wall clock with the counter that never jumps."""

    def __init__(self) -> None:
        self._last: tuple[datetime, float] | None = None

    def look(self, now: datetime, monotonic: float) -> Happening | None:
        """Tell of a jump since the last look."""
        last, self._last = self._last, (now, monotonic)
        if last is None:
            return None
        jump = (now - last[0]).total_seconds() - (monotonic - last[1])
        if abs(jump) < JUMP_SECONDS:
            return None
        size = format_duration(abs(jump))
        text = (
            f"the clock went ahead by {size}: it was set, or the host slept"
            if jump > 0
            else f"the clock was set back by {size}: entries may stand out of their order"
        )
        return _happening(now, "host", "clock", "clock", text, f"clock {jump:.0f}")


def _happening(at: datetime, kind: str, subject: str, verb: str, text: str, key: str) -> Happening:
    body = {"verb": verb, "outcome": "info", "text": text, "facts": {}}
    return Happening(at=at, kind=kind, subject=subject, key=key, body=body)
