"""What a load run came to, as text for people."""

from collections.abc import Mapping
from typing import Any

from actions.load.kinds import kinds
from console.units import format_bytes, format_duration
from console.unknown import NOT_KNOWN
from screens.cli.table import columns

_MOST_FAILURES = 10


def load_text(data: Mapping[str, Any]) -> str:
    """Give the figures of a run, as `load --json` has them, as lines."""
    lines = [str(data.get("sentence", "")), ""]
    spreads = (
        ("waited", data.get("wait_seconds")),
        ("ran", data.get("run_seconds")),
        ("in all", data.get("total_seconds")),
    )
    names = ("p50", "p95", "mean", "max")
    rows = [[name, *(_number((one or {}).get(key)) for key in names)] for name, one in spreads]
    lines += _table(["SECONDS", "P50", "P95", "MEAN", "MAX"], rows, 1)
    lines += _services(data)
    lines += _incidents(data)
    lines += _failures(data)
    lines += _cards(data)
    lines.append("")
    report = data.get("report")
    lines.append(f"report  {report}" if report else "report  none")
    for one in data.get("unavailable") or ():
        lines.append(f"        {one['title']}")
    return "\n".join(lines)


def _services(data: Mapping[str, Any]) -> list[str]:
    several = data.get("services") or []
    if len(several) < 2:
        return []
    rows = [
        [
            one["service"],
            f"{one['succeeded']} of {one['requests']}",
            _number(one["throughput_per_minute"]),
            _number(one["wait_seconds"]["p50"]),
            _number(one["run_seconds"]["p50"]),
        ]
        for one in several
    ]
    return ["", *_table(["SERVICE", "DONE", "A MINUTE", "WAITED", "RAN"], rows, 2)]


def _incidents(data: Mapping[str, Any]) -> list[str]:
    lines = []
    for one in data.get("incidents") or ():
        lost = ", ".join(map(str, one["lost"])) or "none"
        again = ", ".join(map(str, one["retried"])) or "none"
        lines.append(
            f"{one['begun_seconds']:.0f} s  {one['title']}; no result for "
            f"{format_duration(one['gap_seconds'])}; lost: {lost}; sent again: {again}"
        )
    return ["", *lines] if lines else []


def _failures(data: Mapping[str, Any]) -> list[str]:
    failed = data.get("failed") or []
    if not failed:
        return []
    named = kinds()
    lines = ["", "FAILED"]
    for one in failed[:_MOST_FAILURES]:
        where = f" on {one['service']}" if one["service"] else ""
        lines.append(f"  {one['number']}{where}: {named[one['kind']].title}: {one['title']}")
        if one["hint"]:
            lines.append(f"      {one['hint']}")
    more = len(failed) - _MOST_FAILURES
    return [*lines, f"  and {more} more, in the report"] if more > 0 else lines


def _cards(data: Mapping[str, Any]) -> list[str]:
    rows = [
        [
            one["name"],
            _bytes(one["vram_before_bytes"]),
            _bytes(one["vram_peak_bytes"]),
            _bytes(one["vram_total_bytes"]),
            _number(one["temperature_peak_celsius"], 0),
            _number(one["power_peak_watts"], 0),
        ]
        for one in data.get("cards") or ()
    ]
    head = ["CARD", "VRAM BEFORE", "PEAK", "OF", "°C PEAK", "W PEAK"]
    return ["", *_table(head, rows, 1)] if rows else []


def _table(head: list[str], rows: list[list[str]], right: int) -> list[str]:
    """Line up rows below their head; columns from `right` on are figures."""
    return columns([head, *rows], frozenset(range(right, len(head))))


def _number(value: Any, digits: int = 1) -> str:
    return NOT_KNOWN if value is None else f"{value:.{digits}f}"


def _bytes(value: Any) -> str:
    return NOT_KNOWN if value is None else format_bytes(value)
