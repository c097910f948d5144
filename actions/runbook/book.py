"""The runbook ready to be searched: the packaged entries, and the operator's own over them."""

import time
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from actions.runbook.entry import PLANS, SEVERITIES, WHERE, Entry
from console.errors import UsageError
from console.files import read_limited
from console.packaged import read_table
from console.text import clean_line
from console.unknown import Unknown

_LARGEST = 1 << 20
_OWN_SECONDS = 0.25
_PACKAGED_SECONDS = 2.0
_MOST_SECONDS = 4.0
_GRAM = 4
_QUOTES = str.maketrans("‘’“”", "''\"\"")  # noqa: RUF001 -- what locales make of plain ones
_LONGEST_SEARCHED = 20_000


class Match(NamedTuple):
    """An entry that a text shows, and what its pattern captured there by name."""

    entry: Entry
    captured: dict[str, str]


class _Searchable(NamedTuple):
    entry: Entry
    patterns: tuple[Any, ...]
    seconds: float


class Runbook:
    """All entries, to be searched with.

    Attributes:
        entries: by id, in their order.
        problems: patterns that took too long and were put aside, as they come up.
    """

    def __init__(self, searchable: tuple[_Searchable, ...]) -> None:
        self._searchable = {one.entry.id: one for one in searchable}
        self.entries = {one.entry.id: one.entry for one in searchable}
        self.problems: list[Unknown] = []
        self._slow: set[str] = set()
        self._spent: dict[str, float] = {}
        self._places = {ident: place for place, ident in enumerate(self._searchable)}
        self._by_gram: dict[str, list[tuple[str, str]]] = {}
        self._elsewise: list[str] = []
        for ident, one in self._searchable.items():
            marks = one.entry.marks
            if not marks or any(len(mark) < _GRAM for mark in marks):
                self._elsewise.append(ident)
                continue
            for mark in marks:
                self._by_gram.setdefault(mark[:_GRAM], []).append((mark, ident))
        self._required = tuple(sorted({text for one in searchable for text in one.entry.requires}))

    def told(self, text: str) -> list[str]:
        """Give which of the texts that entries require are in a text."""
        small = text.lower()
        return [one for one in self._required if one in small]

    def search(self, text: str) -> list[Match]:
        """Give every entry that a text shows, noise included.

        A pattern of the operator's that does not come to an end is put aside, and noted in
        `problems`.
        """
        searched = text[:_LONGEST_SEARCHED]
        if not searched.isascii():
            searched = searched.translate(_QUOTES)
        return [
            found
            for ident in self._shown_by_marks(searched.lower())
            if ident not in self._slow
            and (found := self._found(self._searchable[ident], searched)) is not None
        ]

    def _shown_by_marks(self, small: str) -> list[str]:
        """Give the entries that a text may show, in their order.

        A text has far fewer beginnings of marks in it than there are marks: it is looked through
        once, rather than once for each of them.
        """
        grams = {small[begin : begin + _GRAM] for begin in range(len(small) - _GRAM + 1)}
        found = {
            ident
            for gram in self._by_gram.keys() & grams
            for mark, ident in self._by_gram[gram]
            if mark in small
        }
        found.update(
            ident for ident in self._elsewise if _marked(self._searchable[ident].entry.marks, small)
        )
        return sorted(found, key=self._places.__getitem__)

    def _found(self, one: _Searchable, text: str) -> Match | None:
        begun = time.perf_counter()
        try:
            for pattern in one.patterns:
                found = pattern.search(text, timeout=one.seconds)
                if found is not None:
                    captured = {k: clean_line(v, 200) for k, v in found.groupdict().items() if v}
                    return Match(one.entry, captured)
        except TimeoutError:
            self._put_aside(one.entry.id)
        finally:
            spent = self._spent.get(one.entry.id, 0.0) + time.perf_counter() - begun
            self._spent[one.entry.id] = spent
            if spent > _MOST_SECONDS:
                self._put_aside(one.entry.id)
        return None

    def _put_aside(self, ident: str) -> None:
        """Search no more with an entry: it never ends, or takes its time again and again."""
        if ident in self._slow:
            return
        self._slow.add(ident)
        self.problems.append(
            Unknown(
                "runbook.too-slow",
                f"a pattern of {clean_line(ident, 60)} took too long and was put aside",
                "simplify it: nested repeats such as (a+)+ have no end",
            )
        )


def _marked(marks: tuple[str, ...], small: str) -> bool:
    if not marks:
        return True
    for mark in marks:  # noqa: SIM110 -- any() takes three times as long, for each line of a log
        if mark in small:
            return True
    return False


@cache
def packaged_entries() -> tuple[Entry, ...]:
    """Give the entries that ship with the program."""
    table = read_table("runbook.toml")
    return msgspec.convert(table["entries"], tuple[Entry, ...])


def open_runbook(own: Path | None = None) -> Runbook:
    """Give the runbook; an entry of the operator's replaces the packaged one of its id.

    Args:
        own: the operator's file, of the same form.

    Raises:
        UsageError: the file cannot be read, or an entry in it is wrong (`runbook.*`).
    """
    mine = _own_entries(own) if own is not None else ()
    replaced = {one.id for one in mine}
    packaged = tuple(
        _compiled(one, _PACKAGED_SECONDS) for one in packaged_entries() if one.id not in replaced
    )
    return Runbook((*(_compiled(one, _OWN_SECONDS) for one in mine), *packaged))


def _own_entries(path: Path) -> tuple[Entry, ...]:
    import tomllib

    try:
        table = tomllib.loads(read_limited(path, _LARGEST).decode("utf-8"))
    except OSError as error:
        raise _wrong(path, f"cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise _wrong(path, f"is not TOML: {clean_line(str(error), 200)}") from error
    odd = set(table) - {"entries"}
    if odd:
        raise _wrong(path, f"has {clean_line(min(odd), 60)}, but only [[entries]] are known")
    entries = table.get("entries")
    if not isinstance(entries, list):
        raise _wrong(path, "has no [[entries]]")
    return tuple(_own_entry(path, number, one) for number, one in enumerate(entries, 1))


def _own_entry(path: Path, number: int, table: Any) -> Entry:
    try:
        entry = msgspec.convert(table, Entry)
    except msgspec.ValidationError as error:
        name = table.get("id", number) if isinstance(table, dict) else number
        raise _wrong(path, f"entry {clean_line(str(name), 60)}: {error}") from error
    for value, allowed, field in (
        ((entry.severity,), SEVERITIES, "severity"),
        ((entry.plan,), PLANS, "plan"),
        (entry.where, WHERE, "where"),
    ):
        if not set(value) <= set(allowed):
            listed = ", ".join(one for one in allowed if one)
            raise _wrong(path, f"entry {clean_line(entry.id, 60)}: {field} must be of {listed}")
    if not entry.patterns:
        raise _wrong(path, f"entry {clean_line(entry.id, 60)} has no patterns")
    return entry


def _compiled(entry: Entry, seconds: float) -> _Searchable:
    import regex

    try:
        flags = regex.IGNORECASE | regex.MULTILINE
        patterns = tuple(regex.compile(one, flags) for one in entry.patterns)
    except regex.error as error:
        raise UsageError(
            "runbook.pattern",
            f"a pattern of {clean_line(entry.id, 60)} is no regular expression:"
            f" {clean_line(str(error), 200)}",
            "correct it in the file after --runbook",
        ) from error
    return _Searchable(entry, patterns, seconds)


def _wrong(path: Path, what: str) -> UsageError:
    return UsageError(
        "runbook.invalid",
        f"the runbook {clean_line(str(path), 200)} {what}",
        "its form is that of the packaged one: docs/troubleshooting.md",
    )
