"""What a container's log since its last start says of the service in it.

The log is read in a bounded way: its beginning, where the program names its card, and where that is
not all of it also its end, where provisioning has come to.
"""

import re
from collections.abc import Iterable
from datetime import datetime
from functools import cache

import msgspec

from console.clock import Clock, SystemClock
from console.engine.client import EngineClient
from console.engine.frames import CONTINUED, STAMP, Batch
from console.engine.values import mapping, moment
from console.mask import mask_text
from console.packaged import read_table
from console.services.device_name import parse_device
from console.services.reading import NOT_TOLD, Device, StartLog
from console.text import clean_bytes, clean_line
from console.unknown import Unknown

MEBI = 1 << 20
HEAD_BYTES = 256 << 10
HEAD_LINES = 4000
TAIL_LINES = 300
_LONGEST_LINE = 2000
_SECONDS = 3.0
_EARLIER = 1.0
_EVIDENCE = 8
_QUOTED = frozenset({"picked", "total", "device", "reserve", "dynamic", "not-dynamic", "loaded",
                     "version", "up"})  # fmt: skip


class _Fact(msgspec.Struct, frozen=True):
    name: str
    pattern: str


class _Stage(msgspec.Struct, frozen=True):
    stage: str
    pattern: str = ""
    file: str = ""


class _Patterns(msgspec.Struct, frozen=True):
    """The data of assets/start_log.toml, ready to be searched with."""

    marks: re.Pattern[str]
    prefix: re.Pattern[str]
    header: re.Pattern[str]
    facts: tuple[tuple[str, re.Pattern[str]], ...]
    stages: tuple[tuple[str, str, re.Pattern[str] | None], ...]


@cache
def _patterns() -> _Patterns:
    table = read_table("start_log.toml")
    facts = msgspec.convert(table["facts"], list[_Fact])
    stages = msgspec.convert(table["stages"], list[_Stage])
    return _Patterns(
        marks=re.compile("|".join(map(re.escape, table["marks"]))),
        prefix=re.compile(table["prefix"]),
        header=re.compile(table["header"]),
        facts=tuple((fact.name, re.compile(fact.pattern)) for fact in facts),
        stages=tuple(
            (one.stage, one.file, re.compile(one.pattern) if one.pattern else None)
            for one in stages
        ),
    )


class StartLogParser:
    """Takes lines in their order and gathers what they say.

    A program that begins anew in the same container (ai-dock's supervisor does that) makes what was
    gathered before worthless, all but the evidence of its failure.
    """

    def __init__(self) -> None:
        self._file = ""
        self._after_header = False
        self._total: int | Unknown = NOT_TOLD
        self._device: Device | Unknown = NOT_TOLD
        self._named = False
        self._picked: int | Unknown = NOT_TOLD
        self._reserve: int | Unknown = NOT_TOLD
        self._dynamic: bool | None = None
        self._version = ""
        self._stage = ""
        self._finished = False
        self._finished_at: datetime | None = None
        self._at: datetime | None = None
        self._evidence: list[str] = []

    @property
    def finished(self) -> bool:
        """Whether the program said that it is up."""
        return self._finished

    def feed(self, lines: Iterable[str], at: datetime | None = None) -> None:
        """Take lines as they come: with colours, times in front, and progress bars in them.

        Args:
            lines: oldest first.
            at: when the engine took them, where that is known.
        """
        self._at = at or self._at
        marks = _patterns().marks
        for line in lines:
            # Most of a long log says nothing of all this; to look closely at each line is dear.
            if marks.search(line) is None and not self._tells_stage:
                self._after_header = self._after_header and not line.strip()
                continue
            # A progress bar writes over its line again and again.
            for part in line.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
                self._take(clean_line(part[:_LONGEST_LINE], 500))

    @property
    def _tells_stage(self) -> bool:
        """Whether any line counts now, because of the file that it is from."""
        return any(file and self._file.endswith(file) for _, file, _ in _patterns().stages)

    def result(self, container_id: str, started_at: str) -> StartLog:
        """Give what was gathered so far."""
        return StartLog(
            container_id=container_id,
            started_at=started_at,
            device=self._device,
            picked_ordinal=self._picked,
            stage=self._stage,
            reserve_bytes=self._reserve,
            dynamic_vram=self._dynamic,
            version=self._version,
            finished=self._finished,
            finished_at=self._finished_at if self._finished else None,
            evidence=tuple(self._evidence[-_EVIDENCE:]),
        )

    def _take(self, line: str) -> None:
        if not line:
            return
        patterns = _patterns()
        header = patterns.header.match(line)
        if header is not None:
            self._file = header["file"]
            # tail names all its files as it begins; later, one whose turn it is.
            if not self._after_header:
                self._advance("", patterns)
            self._after_header = True
            return
        self._after_header = False
        line = patterns.prefix.sub("", line, count=1)
        for name, pattern in patterns.facts:
            found = pattern.search(line)
            if found is not None:
                self._learn(name, found.groupdict().get("value") or "")
                if name in _QUOTED:
                    self._quote(line)
                break
        self._advance(line, patterns)

    def _learn(self, name: str, value: str) -> None:
        if name == "restart":
            self._forget()
        elif name == "picked":
            self._picked = int(value)
        elif name == "total":
            self._total, self._named = int(value) * MEBI, False
        elif name == "device":
            # ComfyUI 0.33 goes on with the other cards that it sees; the first is its own.
            if not self._named:
                self._device = parse_device(value, self._total, "log")
                self._named = True
        elif name == "reserve":
            self._reserve = int(float(value) * MEBI)
        elif name in {"dynamic", "not-dynamic"}:
            self._dynamic = name == "dynamic"
        elif name == "version":
            self._version = mask_text(value)
        elif name == "up":
            self._come_up()

    def _come_up(self) -> None:
        if not self._finished:
            self._finished_at = self._at
        self._finished, self._stage = True, ""

    def _advance(self, line: str, patterns: _Patterns) -> None:
        """Note the stage a line tells; once the program is up, only its failure counts."""
        for stage, file, pattern in patterns.stages:
            if file and not self._file.endswith(file):
                continue
            if pattern is not None and pattern.search(line) is None:
                continue
            if stage == "failed":
                self._finished = False
                self._quote(line)
            elif self._finished:
                return
            self._stage = stage
            return

    def _quote(self, line: str) -> None:
        quoted = mask_text(clean_line(line, 200))
        if quoted in self._evidence:
            self._evidence.remove(quoted)
        self._evidence.append(quoted)

    def _forget(self) -> None:
        self._total = self._device = self._picked = self._reserve = NOT_TOLD
        self._named = self._finished = False
        self._dynamic = None
        self._evidence.clear()


def parse_start_log(lines: Iterable[str], container_id: str, started_at: str) -> StartLog:
    """Give what the lines of a log say, oldest first; pure."""
    parser = StartLogParser()
    parser.feed(lines)
    return parser.result(container_id, started_at)


def read_start_log(client: EngineClient, container_id: str, started_at: str) -> StartLog:
    """Read a container's log since its last start: its beginning, and 300 lines of its end.

    The beginning ends where the program says that it is up, or after 256 KiB.

    Args:
        client: of the engine, used in its own thread.
        container_id: whose log.
        started_at: of the run, as the engine writes it; empty is the whole log.

    Raises:
        EngineError: the engine does not answer, or there is no such container.
    """
    tty = mapping(client.inspect(container_id).get("Config")).get("Tty") is True
    since = _since(started_at)
    parser = StartLogParser()
    if not _read(client, container_id, tty, since, None, parser):
        _read(client, container_id, tty, since, TAIL_LINES, parser)
    return parser.result(container_id, started_at)


def _since(started_at: str) -> str:
    """Give the time from which to read, as the engine takes it: Unix seconds with decimals."""
    at = moment(started_at)
    # A busy engine writes down the start after the first lines have come.
    return f"{at.timestamp() - _EARLIER:.9f}" if isinstance(at, datetime) else ""


def _read(
    client: EngineClient,
    container_id: str,
    tty: bool,
    since: str,
    tail: int | None,
    parser: StartLogParser,
) -> bool:
    """Feed lines of the log to a parser; tells whether they were all; ends in about three seconds.

    What follows the program's word that it is up is left to a look at the end of the log.
    """
    pace: Clock = SystemClock()
    deadline = pace.monotonic() + _SECONDS
    data = bytearray()
    size = lines = 0
    with client.log_stream(container_id, tty=tty, since=since, tail=tail) as stream:
        while not stream.ended:
            left = deadline - pace.monotonic()
            batch = stream.read(max(left, 0.0)) if left > 0 else None
            if batch is None:
                break
            _collect(batch, data)
            whole_lines, _, rest = bytes(data[: HEAD_BYTES * 2]).rpartition(b"\n")
            size, lines = size + len(whole_lines), lines + whole_lines.count(b"\n")
            for line in whole_lines.split(b"\n"):
                _feed(parser, line)
                if tail is None and parser.finished:
                    break
            data[:] = rest
            if size + len(data) > HEAD_BYTES or lines > HEAD_LINES:
                break
            if tail is None and parser.finished:
                break
        whole = stream.ended and not (tail is None and parser.finished)
        if tail is not None or not parser.finished:
            for line in bytes(data).split(b"\n"):
                _feed(parser, line)
        if not stream.ended:
            stream.cancel()
    return whole


def _feed(parser: StartLogParser, line: bytes) -> None:
    """Give a line to the parser, its stamp beside it."""
    stamp = STAMP.match(line)
    if stamp is None:
        parser.feed((clean_bytes(line),))
        return
    at = moment(stamp[0].decode().strip())
    parser.feed((clean_bytes(line[stamp.end() :]),), at)


def _collect(batch: Batch, data: bytearray) -> None:
    """Put messages together; the engine's stamps stay only where a line begins."""
    for stream, piece in batch.pieces:
        stamp = None if stream & CONTINUED else STAMP.match(piece)
        inside = bool(data) and not data.endswith(b"\n")
        data += piece[stamp.end() :] if stamp and inside else piece
