"""What a container's exit code means, in words."""

import signal
from functools import cache
from typing import Any

from console.engine.texts import explain
from console.packaged import read_table
from console.unknown import Unknown

_SIGNALLED = 128
_LAST_SIGNAL = 64


def meaning(
    exit_code: int | Unknown | None,
    oom_killed: bool | Unknown = False,
    asked_to_stop: bool = False,
    error: str | Unknown = "",
) -> str | None:
    """Give the meaning of an exit code, or None where nothing is known about it.

    Args:
        exit_code: of the run that ended; None and Unknown mean nothing.
        oom_killed: the engine saw a process of the container killed at its memory limit. It can be
            False for a 137 when the host or VM as a whole ran out of memory.
        asked_to_stop: somebody asked for this end, so a 137 is no lack of memory.
        error: the engine's own words of a failed start.
    """
    if exit_code is None or isinstance(exit_code, Unknown):
        return None
    table = _table()
    if exit_code != 0 and isinstance(error, str) and error:
        return _not_started(exit_code, error)
    key = str(exit_code)
    if oom_killed and key == "137":
        return str(table["words"]["out_of_memory"])
    said = table["asked"].get(key) if asked_to_stop else None
    said = said or table["codes"].get(key) or _by_signal(exit_code, asked_to_stop)
    if oom_killed and exit_code != 0 and said:
        return str(table["words"]["child_out_of_memory"].format(meaning=said))
    return said


def _not_started(exit_code: int, error: str) -> str:
    words = _table()["words"]["not_started"]
    explanation = explain(error)
    reason = explanation.title if explanation else _table()["start"].get(str(exit_code))
    return f"{words}: {reason}" if reason else str(words)


def _by_signal(exit_code: int, asked_to_stop: bool) -> str | None:
    number = exit_code - _SIGNALLED
    if not 0 < number <= _LAST_SIGNAL:
        return None
    try:
        name = signal.Signals(number).name
    except ValueError:
        real_time = number - signal.SIGRTMIN
        name = f"SIGRTMIN+{real_time}" if real_time > 0 else "reserved by the C library"
    word = "signal_asked" if asked_to_stop else "signal"
    return str(_table()["words"][word].format(number=number, name=name))


@cache
def _table() -> dict[str, Any]:
    return read_table("exit_codes.toml")
