"""Lines of a log as text that leaves the console: for a file, for the clipboard."""

from collections.abc import Iterable
from pathlib import Path

from actions.logs.line import LogLine
from console.files import write_aside
from console.mask import mask_text
from console.text import clean_line
from console.unknown import iso_time

MOST_CLIPBOARD = 74_000
"""Bytes: what terminals take in one OSC 52 sequence without cutting it."""


def as_copied(lines: Iterable[LogLine]) -> str:
    """Give lines for the clipboard: texts alone, secrets masked, with what is folded beneath."""
    return "\n".join(clean_line(text, 1 << 20) for line in lines for text in _texts(line))


def as_saved(lines: Iterable[LogLine], several: bool) -> str:
    """Give lines for a file: time, stream, where from, text."""
    written = []
    for line in lines:
        time = iso_time(line.time) if line.time is not None else "-"
        head = " ".join(
            part for part in (time, line.stream, line.container if several else "") if part
        )
        source = f" [{line.source}]" if line.source else ""
        written += [f"{head}{source} {text}" for text in _texts(line)]
    return "".join(f"{text}\n" for text in written)


def save(path: str, text: str) -> str:
    """Write a text to a file aside and rename it; gives the path it has in the end.

    Raises:
        OSError: it could not be written; nothing is left behind.
    """
    target = Path(path).expanduser()
    if not target.is_absolute():
        target = Path.cwd() / target
    write_aside(target, text.encode("utf-8", "replace"))
    return str(target)


def _texts(line: LogLine) -> list[str]:
    last = f"{line.text} (x{line.repeats})" if line.repeats > 1 else line.text
    return [mask_text(text) for text in (*line.folded, last)]
