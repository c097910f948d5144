"""When an alert is told, and when it is over: not at its first blink, nor at its last."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from actions.snapshot import Alert
from actions.verdict import SEVERITIES

MOST_STEP_SECONDS = 10.0
"""A look that comes later than this after the one before counts as this much time."""
MOST_STANDING = 1_000


class Standing(msgspec.Struct, kw_only=True):
    """An alert that stands, stood a moment ago, or was told.

    Attributes:
        alert: as it was seen last.
        stood: seconds that it has been seen to stand.
        gone: seconds since it was seen last.
        told: the severity it was told with; empty while it was not.
    """

    alert: Alert
    stood: float = 0.0
    gone: float = 0.0
    told: str = ""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """An alert that is to be told: it is `raised`, got `worse`, or is `cleared`."""

    event: str
    alert: Alert


class Hysteresis:
    """Decides by time that has passed, never by the wall clock, which may jump.

    Args:
        raise_after: seconds that an alert has to stand, all together, before it is told.
        clear_after: seconds that it has to be gone, at a stretch, before it counts as over.
        least: the least severity that is told.
        ignore: ids of alerts that never are.
    """

    def __init__(
        self, raise_after: float, clear_after: float, least: str, ignore: Iterable[str] = ()
    ) -> None:
        self.raise_after = raise_after
        self.clear_after = clear_after
        self.told_severities = frozenset(SEVERITIES[: SEVERITIES.index(least) + 1])
        self.ignore = frozenset(ignore)
        self._standing: dict[str, Standing] = {}
        self._last: float | None = None

    def look(
        self, alerts: Sequence[Alert], now: float, unseen: frozenset[str] = frozenset()
    ) -> tuple[Change, ...]:
        """Take in the alerts of this moment and give what is to be told of them.

        Args:
            alerts: all that stand.
            now: seconds on the monotonic counter.
            unseen: beginnings of the ids of alerts that nobody could see at this moment, such as
                `card.` while the driver does not answer: they neither stand nor end.
        """
        step = 0.0 if self._last is None else min(max(now - self._last, 0.0), MOST_STEP_SECONDS)
        self._last = now
        present = {
            key_of(alert): alert
            for alert in alerts
            if alert.severity in self.told_severities and alert.id not in self.ignore
        }
        changes = [
            change
            for key, alert in present.items()
            if (change := self._stands(key, alert, step)) is not None
        ]
        for key, known in list(self._standing.items()):
            hidden = any(known.alert.id.startswith(begin) for begin in unseen)
            if key in present or hidden:
                continue
            known.gone += step
            if known.gone >= self.clear_after:
                del self._standing[key]
                if known.told:
                    changes.append(Change(event="cleared", alert=known.alert))
        return tuple(changes)

    def told(self) -> dict[str, Any]:
        """Give the alerts that were told and are not over, as plain data by key."""
        return {
            key: {**msgspec.to_builtins(one.alert), "severity": one.told}
            for key, one in self._standing.items()
            if one.told
        }

    def remember(self, told: Mapping[str, Any]) -> None:
        """Take up what an earlier run told: it is not told again, but its end is."""
        for key, data in list(told.items())[:MOST_STANDING]:
            try:
                alert = msgspec.convert(data, Alert)
            except (msgspec.ValidationError, TypeError):
                continue
            if alert.severity in SEVERITIES:
                self._standing.setdefault(key, Standing(alert=alert, told=alert.severity))

    def _stands(self, key: str, alert: Alert, step: float) -> Change | None:
        known = self._standing.get(key)
        if known is None:
            if len(self._standing) >= MOST_STANDING:
                return None
            known = self._standing[key] = Standing(alert=alert)
        elif not known.gone:
            known.stood += step
        known.alert, known.gone = alert, 0.0
        if known.stood < self.raise_after:
            return None
        if not known.told:
            known.told = alert.severity
            return Change(event="raised", alert=alert)
        if SEVERITIES.index(alert.severity) < SEVERITIES.index(known.told):
            known.told = alert.severity
            return Change(event="worse", alert=alert)
        return None


def key_of(alert: Alert) -> str:
    """Give what tells one alert from another, whatever their words."""
    return f"{alert.id} {alert.subject_id or alert.subject}"


def unseen_of(unavailable: Sequence[tuple[str, object]]) -> frozenset[str]:
    """Give the beginnings of ids of alerts that sources which are missing would tell."""
    begins = {"gpu": ("card.",), "engine": ("container.", "service.")}
    return frozenset(begin for source, _ in unavailable for begin in begins.get(source, ()))
