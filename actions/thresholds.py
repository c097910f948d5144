"""The thresholds of alerts, read from `assets/alerts.toml`."""

from functools import cache

import msgspec

from console.packaged import read_table


class CardThresholds(msgspec.Struct, frozen=True):
    """When a card's figures become an alert, and when they stop being one."""

    nearly_full_percent: float
    nearly_full_clear_percent: float
    hot_celsius: float
    hot_clear_celsius: float
    too_hot_celsius: float


class ContainerThresholds(msgspec.Struct, frozen=True):
    """When a container's ends become an alert."""

    loop_restarts: int
    loop_window_minutes: float
    fresh_exit_hours: float
    stop_exit_codes: tuple[int, ...]


class Thresholds(msgspec.Struct, frozen=True):
    """All thresholds."""

    card: CardThresholds
    container: ContainerThresholds


@cache
def thresholds() -> Thresholds:
    """Read the thresholds once."""
    return msgspec.convert(read_table("alerts.toml"), Thresholds)
