"""The runbook as a page to read: `docs/troubleshooting.md`, made by `make docs`."""

import sys
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from actions.runbook.book import packaged_entries
from actions.runbook.diagnose import titled
from actions.runbook.entry import Entry
from console.packaged import read_table, read_text

_PLACE = "<!-- entries -->"
_MOST_MARKS = 6


def manual() -> str:
    """Give the page: how logs are read, and every entry by its group."""
    reported = [one for one in packaged_entries() if not one.noise]
    noise = [one for one in packaged_entries() if one.noise]
    entries = "\n".join([*_contents(reported), *_entries(reported), *_noise(noise)])
    return read_text("troubleshooting.md").replace(_PLACE, entries)


def _groups(entries: Iterable[Entry]) -> Iterator[tuple[str, list[Entry]]]:
    """Give entries by the first word of their id, with a heading of people's words for it."""
    names = read_table("runbook_groups.toml")["groups"]
    order = list(names)

    def place(one: Entry) -> int:
        return order.index(_group(one)) if _group(one) in names else len(order)

    for word, group in groupby(sorted(entries, key=place), key=_group):
        yield names.get(word, word), list(group)


def _group(one: Entry) -> str:
    return one.id.partition(".")[0]


def _contents(entries: list[Entry]) -> Iterator[str]:
    for name, group in _groups(entries):
        listed = ", ".join(f"[`{one.id}`](#{_anchor(one.id)})" for one in group)
        yield f"- {name}: {listed}"
    yield ""


def _anchor(ident: str) -> str:
    return "".join(char for char in ident.lower() if char.isalnum() or char in "-_")


def _entries(entries: list[Entry]) -> Iterator[str]:
    for name, group in _groups(entries):
        yield f"### {name}"
        yield ""
        for one in group:
            yield from _entry(one)


def _entry(one: Entry) -> Iterator[str]:
    yield f"#### {one.id}"
    yield ""
    yield f"**{_title(one)}.** ({one.severity})"
    yield ""
    if one.marks:
        words = ", ".join(f"`` {mark.strip()} ``" for mark in one.marks[:_MOST_MARKS])
        yield f"Reads like: {words}{', …' if len(one.marks) > _MOST_MARKS else ''}"
    else:
        yield "No log says so: it shows in the picture, or in the state of the host."
    yield ""
    yield f"Cause: {one.cause}"
    yield ""
    yield from (f"{number}. {step}" for number, step in enumerate(one.fix, 1))
    if one.next:
        yield ""
        yield f"Then: {'; '.join(one.next)}"
    if one.links:
        yield ""
        yield f"See {', '.join(f'<{link}>' for link in one.links)}"
    yield ""


def _title(one: Entry) -> str:
    """Give a title without what a pattern would capture into it."""
    return titled(one.title, {}).replace("(not told)", "…").rstrip(".")


def _noise(entries: list[Entry]) -> Iterator[str]:
    yield "### What is usual"
    yield ""
    yield "These are never reported:"
    yield ""
    yield from (f"- {one.title}. {one.cause}" for one in entries)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(manual(), "utf-8")
