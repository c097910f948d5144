"""What goes wrong at the hub, on demand: a list of faults, each for a while or a few times."""

import math
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from console.simulator.hub.throttle import Throttle

KINDS = {
    "cut": "a body ends after `after` bytes, in good order",
    "reset": "the connection breaks after `after` bytes of a body; some may be lost",
    "stall": "nothing comes any more after `after` bytes of a body, for `seconds`",
    "slow": "bodies come at `rate` bytes a second, all together",
    "rate-limit": "429 with Retry-After `retry_after`",
    "error": "an answer with `status` (500 unless told)",
    "hang": "the connection is taken and no answer comes, for `seconds`",
    "down": "connections are refused",
    "corrupt": "the byte at `at` comes changed (the middle one unless told)",
    "short": "the file lies there `by` bytes too short",
    "html": "a web page comes in the place of the file",
    "no-ranges": "ranges are ignored: the whole file comes",
    "other-range": "another range comes than the one asked for, `by` bytes further on",
    "expired": "the signed addresses given out so far are no longer valid",
    "brief": "signed addresses are valid for `seconds` only",
    "changed": "main moves on to other bytes once `after` bytes of the file were sent; `forget` "
    "rewrites the history",
    "revoked": "no token is valid any more",
    "gone": "the repository is no longer there",
    "gated": "the repository wants its terms accepted",
    "private": "the repository has become private",
}
"""The kinds there are, with what they do."""


_WHOLE = ("times", "after", "at", "by", "status")
_NUMBERS = ("rate", "seconds", "retry_after")
_MAY_BE_NONE = ("times", "at", "seconds")
_PLACES = ("", "hub", "cdn")


@dataclass(kw_only=True)
class Fault:
    """Something that goes wrong.

    Attributes:
        kind: one of `KINDS`.
        path: of the file in its repository (or its end, or the repository); empty is every one.
        where: `hub` or `cdn`; empty is wherever it can be.
        times: how often; None is until it is healed.
    """

    kind: str
    path: str = ""
    where: str = ""
    times: int | None = None
    after: int = 0
    at: int | None = None
    by: int = 1
    rate: float = 0.0
    seconds: float | None = None
    status: int = 500
    retry_after: float = 1.0
    forget: bool = False
    over: threading.Event = field(default_factory=threading.Event, init=False)
    throttle: Throttle = field(default_factory=Throttle, init=False)
    happened: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"no fault is called {self.kind!r}; there are {', '.join(KINDS)}")
        for name in (*_WHOLE, *_NUMBERS):
            self._check(name, getattr(self, name), (int,) if name in _WHOLE else (int, float))
        path: object = self.path  # as somebody's JSON has it
        if not isinstance(path, str) or self.where not in _PLACES:
            raise ValueError("path must be a text, and where one of hub and cdn")
        self.throttle.rate = self.rate or None

    @staticmethod
    def _check(name: str, value: object, kinds: tuple[type, ...]) -> None:
        if value is None and name in _MAY_BE_NONE:
            return
        if isinstance(value, bool) or not isinstance(value, kinds) or not 0 <= value < math.inf:  # type: ignore[operator]
            raise ValueError(f"{name} must be a number from 0 on, not {value!r}")

    def concerns(self, kind: str, path: str, where: str) -> bool:
        """Tell whether it is of a kind and about a file (`ORG/NAME/PATH`) at one of the places."""
        near = self.path in ("", path) or path.endswith(f"/{self.path}")
        near = near or path.startswith(f"{self.path}/")
        return self.kind == kind and near and where in (self.where or where, "")

    def sit_out(self) -> None:
        """Wait until it is over, or its time is."""
        self.over.wait(self.seconds)


class FaultBook:
    """The faults that are on; for several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._on: list[Fault] = []

    def add(self, kind: str, **facts: Any) -> Fault:
        """Let something go wrong from now on; ValueError where nobody knows how."""
        fault = fault_of({"kind": kind, **facts})
        with self._lock:
            self._on.append(fault)
        return fault

    def heal(self, kind: str = "") -> None:
        """End the faults of a kind, or all."""
        with self._lock:
            over = [fault for fault in self._on if kind in ("", fault.kind)]
            self._on = [fault for fault in self._on if fault not in over]
        for fault in over:
            fault.over.set()

    def see(self, kind: str, path: str, where: str = "") -> Fault | None:
        """Give the fault of a kind that is on for a file, without counting it."""
        if not self._on:
            return None
        with self._lock:
            for fault in self._on:
                if fault.concerns(kind, path, where):
                    return fault
        return None

    def take(self, kind: str, path: str, where: str = "") -> Fault | None:
        """Give it and count it; one that has happened often enough is over."""
        fault = self.see(kind, path, where)
        if fault is None:
            return None
        with self._lock:
            fault.happened += 1
            if fault.times is not None and fault.happened > fault.times:
                return None
            if fault.times is not None and fault.happened == fault.times and fault in self._on:
                self._on.remove(fault)
        return fault


def fault_of(facts: Mapping[str, Any]) -> Fault:
    """Give a fault of its facts; ValueError where nobody knows how."""
    try:
        return Fault(**facts)
    except TypeError as error:
        raise ValueError(f"there is no such fault: {error}") from error
