"""Signals by the names and numbers that `docker kill` takes."""

import signal


def signal_number(name: str) -> int | None:
    """Give a signal's number from `9`, `KILL` or `SIGKILL`, in any case; None for no signal."""
    if name.isdecimal():
        return int(name) if 0 < int(name) < signal.NSIG else None
    upper = name.upper()
    known = signal.Signals.__members__.get(upper if upper.startswith("SIG") else f"SIG{upper}")
    return int(known) if known else None
