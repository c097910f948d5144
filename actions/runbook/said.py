"""A log as it was said: lines without what stands in front, tracebacks kept together, starts told.

Nothing here judges: it makes blocks that the runbook can be searched with.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import NamedTuple

import msgspec

from console.packaged import read_table
from console.text import clean

HEADER = "Traceback (most recent call last):"
_LINKS = ("During handling of the above exception", "The above exception was the direct cause")
_LONGEST_LINE = 4000
_MOST_LINES = 400
_MOST_FOLLOWING = 12
_TIME = re.compile(
    r"\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d(?::\d\d)?(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?"
    r"|\b\d\d:\d\d:\d\d\b"
)
_COMPOSE = re.compile(r"([\w.-]{1,64}) {0,24}\|(?: |$)")
_FILE = re.compile(r"==> (\S{1,200}) <==$")
_LOGFMT = re.compile(
    r'(?:\S+=\S* ){0,4}?msg="((?:[^"\\]|\\.)*)"(?:.*? (?:error|err)="((?:[^"\\]|\\.)*)")?'
)
_STAMP_BEHIND = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]{8,15} - ?$")
_INTRODUCES = re.compile(r"xception|rror|ailed|annot|not available|arning")
_FIRST_WORDS = 60
_MOST_SOURCES = 2000


class Line(NamedTuple):
    """A line of a log.

    Attributes:
        number: its place in the log, from 1.
        source: the container that compose put in front of it; empty where none is.
        at: its time, as it is written; empty where it has none.
        text: cleaned, as evidence.
        words: without what stands in front.
    """

    number: int
    source: str
    at: str
    text: str
    words: str


class Block(NamedTuple):
    """What belongs together: a line, or a traceback to its exception.

    Attributes:
        lines: of it, at least one.
        run: which start of its source it is of, from 0.
        words: all lines without what stands in front, joined by line feeds.
    """

    lines: tuple[Line, ...]
    run: int
    words: str


class _Rules(NamedTuple):
    prefixes: "re.Pattern[str]"
    continued: "re.Pattern[str]"
    starts: tuple[tuple[str, "re.Pattern[str]"], ...]
    within: tuple[tuple[str, "re.Pattern[str]"], ...]
    up: "re.Pattern[str]"
    running: "re.Pattern[str]"


@cache
def _rules() -> _Rules:
    table = read_table("runbook_lines.toml")
    return _Rules(
        prefixes=re.compile("|".join(f"(?:{one})" for one in table["prefixes"])),
        continued=re.compile(table["continued"]),
        starts=tuple((name, re.compile(one)) for name, one in table["starts"].items()),
        within=tuple((name, re.compile(one)) for name, one in table["starts_within"].items()),
        up=re.compile("|".join(f"(?:{one})" for one in table["up"].values())),
        running=re.compile(table["running"]),
    )


def lines_of(texts: Iterable[str]) -> Iterator[Line]:
    """Give the lines of a log, cleaned; engine files of JSON lines are read as what they hold."""
    blank = False
    for number, raw in enumerate(texts, 1):
        if not raw and blank:
            continue
        blank = not raw
        text, at = _unwrapped(raw)
        text = clean(text[:_LONGEST_LINE]).replace("\n", " ").rstrip()
        words = text.lstrip() if text[:1] == "[" else text
        source = ""
        compose = _COMPOSE.match(words)
        if compose is not None:
            source = compose[1]
        if not at:
            found = _TIME.search(words[:_FIRST_WORDS])
            at = found[0] if found is not None else ""
        yield Line(number, source, at, text, _bare(words))


def blocks_of(lines: Iterable[Line]) -> Iterator[Block]:
    """Give the blocks of a log, in the order in which they ended.

    Where a container prints several files in turn (`==> file <==`), the blocks of each stay whole.
    """
    open_ones: dict[tuple[str, str], _Open] = {}
    runs: dict[str, _Runs] = {}
    files: dict[str, str] = {}
    for line in lines:
        header = _FILE.match(line.words) if line.words.startswith("==>") else None
        if header is not None:
            files[line.source] = header[1]
            continue
        key = (line.source, files.get(line.source, ""))
        now = open_ones.get(key)
        if now is not None and now.takes(line):
            continue
        if now is not None:
            yield now.block()
        if len(runs) > _MOST_SOURCES:
            # No compose has so many services: the log holds a table, say.
            yield from (one.block() for one in open_ones.values() if one is not now)
            for kept in (open_ones, runs, files):
                kept.clear()
        run = runs.setdefault(line.source, _Runs())
        open_ones[key] = _Open(line, run.of(line.words))
    for now in open_ones.values():
        yield now.block()


def is_up(block: Block) -> bool:
    """Tell whether a program says here that it has come up."""
    return _rules().up.search(block.words) is not None


def is_at_work(block: Block) -> bool:
    """Tell whether a program does here what only one that has come up does."""
    return _rules().running.match(block.words) is not None


def _unwrapped(raw: str) -> tuple[str, str]:
    """Give what a line of the engine's own file, or a line of JSON, holds, and its time."""
    if not raw.startswith("{"):
        return raw, ""
    try:
        told = msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        return raw, ""
    if not isinstance(told, dict):
        return raw, ""
    for key in ("log", "msg", "message", "error"):
        text = told.get(key)
        if isinstance(text, str):
            more = told.get("error") or told.get("err") if key in {"msg", "message"} else None
            whole = f"{text}: {more}" if isinstance(more, str) else text
            at = told.get("time") or told.get("ts") or told.get("timestamp")
            if key == "log" and text.startswith("{"):
                inner, inner_at = _unwrapped(text)
                return inner, at if isinstance(at, str) else inner_at
            whole += _answered(told)
            return whole.rstrip("\n"), at if isinstance(at, str) else ""
    return raw, ""


def _answered(told: dict[str, object]) -> str:
    """Give where an answer of a web server sent its client, as Caddy logs it."""
    headers = told.get("resp_headers")
    place = headers.get("Location") if isinstance(headers, dict) else None
    return f" location: {place[0]}" if isinstance(place, list) and place else ""


def _bare(words: str) -> str:
    prefixes = _rules().prefixes
    while (found := prefixes.match(words)) is not None and found.end():
        words = words[found.end() :]
    if words.endswith(("- ", " -")):
        words = _STAMP_BEHIND.sub("", words)
    if 'msg="' in words and (told := _LOGFMT.match(words)) is not None:
        whole = f"{told[1]}: {told[2]}" if told[2] else told[1]
        return whole.replace('\\"', '"').replace("\\n", " ").strip()
    return words


class _Runs:
    """Counts the starts of one program.

    It began anew where something of a start comes again, or comes after it was seen at work: a log
    may begin in the middle.
    """

    def __init__(self) -> None:
        self._number = 0
        self._seen: set[str] = set()
        self._begun = False
        self._worked = False

    def of(self, words: str) -> int:
        """Give which start a line is of."""
        rules = _rules()
        for name, pattern in rules.starts:
            if pattern.match(words):
                self._starts(name, again=name in self._seen)
                self._begun = True
                return self._number
        for name, pattern in rules.within:
            if pattern.match(words):
                self._starts(name, again=name in self._seen and not self._begun)
                return self._number
        if not self._worked and (rules.running.match(words) or rules.up.search(words)):
            self._worked = True
        return self._number

    def _starts(self, name: str, *, again: bool) -> None:
        if again or self._worked:
            self._number += 1
            self._seen.clear()
            self._begun = self._worked = False
        self._seen.add(name)


class _Open:
    """A block that may go on."""

    def __init__(self, first: Line, run: int) -> None:
        self._lines = [first]
        self._run = run
        self._traced = first.words.rstrip().endswith(HEADER)
        self._ended = False
        self._following = 0

    def takes(self, line: Line) -> bool:
        """Take the next line of the same source, where it belongs to the block."""
        if len(self._lines) >= _MOST_LINES or not self._belongs(line.words):
            return False
        self._lines.append(line)
        return True

    def block(self) -> Block:
        """Give what was taken."""
        return Block(tuple(self._lines), self._run, "\n".join(line.words for line in self._lines))

    def _belongs(self, words: str) -> bool:
        if not words.strip():
            return False
        if self._traced and not self._ended:
            # Frames are indented; the first line that is not is the exception.
            self._ended = not words[0].isspace() and not words.rstrip().endswith(HEADER)
            return True
        linked = words.startswith(_LINKS)
        if linked or (words.rstrip().endswith(HEADER) and self._introduces()):
            self._traced, self._ended = True, False
            return True
        if self._following < _MOST_FOLLOWING and (
            _rules().continued.match(words) or (words[0].isspace() and self._traced)
        ):
            self._following += 1
            return True
        return False

    def _introduces(self) -> bool:
        """Tell whether the block so far is one line that says that an error follows."""
        return len(self._lines) == 1 and _INTRODUCES.search(self._lines[0].words) is not None
