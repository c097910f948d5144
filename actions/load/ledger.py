"""What a run has come to so far, written down as it happens, so that one that was killed goes on.

A file in the state directory, one object a line, only ever added to; a last line that was cut off
by a kill is passed over. Where it cannot be written, the run goes on without.
"""

import contextlib
import os
import threading
from datetime import datetime
from pathlib import Path

import msgspec

from actions.load.model import CardNow, Incident, Result, Sample
from console.files import read_limited
from console.paths import ensure_private_dir

FOLDER = "loads"
_LARGEST = 256 << 20


class Begun(msgspec.Struct, frozen=True, kw_only=True, tag="begun"):
    """A process began with the run; the first line says when the run itself did."""

    at: datetime


class Sent(msgspec.Struct, frozen=True, kw_only=True, tag="sent"):
    """A request is about to be sent, under the id of its edit."""

    number: int
    attempt: int
    edit_id: str
    service: str
    at: float


class Settled(msgspec.Struct, frozen=True, kw_only=True, tag="settled"):
    """A request came to its end."""

    result: Result


class Read(msgspec.Struct, frozen=True, kw_only=True, tag="read"):
    """The cards were read."""

    at: float
    cards: dict[str, CardNow]


class Happened(msgspec.Struct, frozen=True, kw_only=True, tag="happened"):
    """Something went wrong on the host, or is over again; the newest of one `key` counts."""

    key: int
    incident: Incident


Line = Begun | Sent | Settled | Read | Happened


class Past(msgspec.Struct, kw_only=True):
    """What a ledger had in it.

    Attributes:
        begun_at: when the run began; None for one that has not.
        results: by number of the request.
        sent: the newest attempt at each request that has no result.
        samples: of the cards, in order.
        incidents: in the order in which they began.
        last: the latest moment of all that, in seconds since the run began.
    """

    begun_at: datetime | None = None
    results: dict[int, Result] = {}
    sent: dict[int, Sent] = {}
    samples: list[Sample] = []
    incidents: list[Incident] = []
    last: float = 0.0


class Ledger:
    """One run's file; safe to use from several threads."""

    def __init__(self, state_dir: Path, plan_id: str) -> None:
        self.path = state_dir / FOLDER / f"{plan_id}.jsonl"
        self._lock = threading.Lock()
        self._encoder = msgspec.json.Encoder()
        self._handle: int | None = None

    def read(self) -> Past:
        """Give what is in it; empty where there is none that can be read."""
        past = Past()
        try:
            body = read_limited(self.path, _LARGEST)
        except OSError:
            return past
        decoder = msgspec.json.Decoder(Line)
        happened: dict[int, Incident] = {}
        for text in body.split(b"\n"):
            # What a kill cut off in the middle was not over either.
            with contextlib.suppress(msgspec.MsgspecError, UnicodeDecodeError):
                _take(past, happened, decoder.decode(text))
        past.incidents = [happened[key] for key in sorted(happened)]
        return past

    def open(self) -> bool:
        """Make it ready to be written; False where that cannot be."""
        if ensure_private_dir(self.path.parent) is not None:
            return False
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            self._handle = os.open(self.path, flags, 0o600)
            os.write(self._handle, b"\n")  # ends a line that was cut off
        except OSError:
            return False
        return True

    def write(self, line: Line) -> None:
        """Add a line; one that the disk does not take is lost without a word."""
        text = self._encoder.encode(line) + b"\n"
        with self._lock, contextlib.suppress(OSError):
            if self._handle is not None:
                os.write(self._handle, text)

    def close(self, *, remove: bool = False) -> None:
        """End writing; a run that is over needs its ledger no more."""
        with self._lock:
            handle, self._handle = self._handle, None
        if handle is not None:
            os.close(handle)
        if remove:
            with contextlib.suppress(OSError):
                self.path.unlink()


def _take(past: Past, happened: dict[int, Incident], line: Line) -> None:
    match line:
        case Begun():
            past.begun_at = past.begun_at or line.at
        case Sent():
            past.sent[line.number] = line
            past.last = max(past.last, line.at)
        case Settled():
            past.results[line.result.number] = line.result
            past.sent.pop(line.result.number, None)
            past.last = max(past.last, line.result.ended)
        case Read():
            past.samples.append(Sample(at=line.at, cards=line.cards))
            past.last = max(past.last, line.at)
        case Happened():
            happened[line.key] = line.incident
            past.last = max(past.last, line.incident.ended or line.incident.begun)
