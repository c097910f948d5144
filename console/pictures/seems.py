"""What a file seems to be by its first bytes, where it is no picture, or not one any more."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from console.pictures.errors import table
from console.text import REPLACEMENT

HEAD = 512
_ENOUGH_TEXT = 0.95


class Seeming(NamedTuple):
    """Words for what something seems to be, and what helps; the hint may be empty."""

    what: str
    hint: str = ""


def begins_as(head: bytes) -> str:
    """Give the name of the picture format that these first bytes are of; empty where of none."""
    return next((str(row["what"]) for row in table()["magic"] if _matches(row, head)), "")


def seems_to_be(head: bytes) -> Seeming:
    """Say what a file that is no picture seems to be."""
    for row in table()["seems"]:
        if _matches(row, head):
            return Seeming(row["what"], row.get("hint", ""))
    if head and not head.strip(b"\0"):
        return Seeming("nothing but zeros", "the disk was full, perhaps: copy it again")
    return _text(head) or Seeming("data of an unknown kind")


def _text(head: bytes) -> Seeming | None:
    text = head.decode("utf-8-sig", "replace").lstrip().lower()
    readable = sum(mark.isprintable() or mark in "\n\r\t" for mark in text)
    readable -= text.count(REPLACEMENT)
    if not text or "\0" in text or readable < _ENOUGH_TEXT * len(text):
        return None
    if text.startswith("<?xml") and "<svg" in text:
        text = text[text.index("<svg") :]
    return next(_readings(text), None)


def _readings(text: str) -> Iterator[Seeming]:
    for row in table()["reads"]:
        if any(text.startswith(beginning) for beginning in row["begins"]):
            yield Seeming(row["what"], row.get("hint", ""))


def _matches(row: Mapping[str, Any], head: bytes) -> bool:
    if not head[int(row.get("at", 0)) :].startswith(bytes.fromhex(row["begins"])):
        return False
    if "then" not in row:
        return True
    second = head[int(row["then_at"]) :]
    return any(second.startswith(bytes.fromhex(one)) for one in row["then"].split(","))
