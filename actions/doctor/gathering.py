"""All findings of an examination as one list: each thing once, root causes before consequences."""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import NamedTuple

import msgspec

from actions.doctor.check import Result
from actions.runbook.book import packaged_entries
from actions.runbook.entry import SEVERITIES, Entry
from actions.runbook.finding import Finding
from console.packaged import read_table

_USUAL_RANK = 50
_MOST_EVIDENCE = 8
_GROUND = frozenset({"host", "driver", "engine"})
_DISK = "disk"


class _Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    effects: tuple[str, ...]
    causes: tuple[str, ...]
    least: int = 0
    subject: bool = False

    def holds(self, cause: Finding, effect: Finding) -> bool:
        return (
            _among(effect.id, self.effects)
            and _among(cause.id, self.causes)
            and (not self.least or self._is_strong(cause, effect))
            and (not self.subject or cause.subject == effect.subject)
        )

    def _is_strong(self, cause: Finding, effect: Finding) -> bool:
        rank = rank_of(cause.id)
        return cause.severity == "error" and rank >= max(self.least, rank_of(effect.id))


class _Words(NamedTuple):
    ranks: dict[str, int]
    rules: tuple[_Rule, ...]
    entries: dict[str, Entry]


def gathered(results: Iterable[Result]) -> tuple[Finding, ...]:
    """Give the findings of all results: current before past, worse before better, causes first.

    What two sources say of the same thing is one finding with the evidence of both; a consequence
    stands behind its cause and names it.
    """
    merged = sorted(
        _merged(one for result in results for one in result.findings).values(), key=_weight
    )
    causes = _Causes(merged)
    theirs: dict[int, list[Finding]] = {}
    roots: list[Finding] = []
    for one in merged:
        root = causes.root_of(one)
        if root is None:
            roots.append(one)
        else:
            theirs.setdefault(id(root), []).append(one)
    ordered: list[Finding] = []
    for root in roots:
        ordered.append(root)
        ordered += [
            msgspec.structs.replace(one, consequence_of=root.id) for one in theirs.get(id(root), ())
        ]
    return tuple(ordered)


@cache
def rank_of(ident: str) -> int:
    """Give how near to the root a finding is, by its id: 0 to 100."""
    words = _words()
    entry = words.entries.get(ident)
    if entry is not None:
        return entry.rank
    known = [name for name in words.ranks if ident.startswith(name)]
    return words.ranks[max(known, key=len)] if known else _USUAL_RANK


def _merged(findings: Iterable[Finding]) -> dict[tuple[str, str, bool], Finding]:
    found: dict[tuple[str, str, bool], Finding] = {}
    for one in findings:
        key = (one.id, one.subject, one.current)
        before = found.get(key)
        found[key] = one if before is None else _joined(before, one)
    return found


def _joined(first: Finding, second: Finding) -> Finding:
    evidence = dict.fromkeys((*first.evidence, *second.evidence))
    worse = min((first.severity, second.severity), key=SEVERITIES.index)
    since = [one for one in (first.since, second.since) if one is not None]
    return msgspec.structs.replace(
        first,
        severity=worse,
        evidence=tuple(evidence)[:_MOST_EVIDENCE],
        fix=first.fix or second.fix,
        mend=first.mend or second.mend,
        since=min(since) if since else None,
        count=max(first.count, second.count),
        consequence_of="",
    )


class _Causes:
    """Finds what accounts for what among findings; a thousand of them take no seconds.

    Args:
        findings: the weightiest first.
    """

    def __init__(self, findings: Sequence[Finding]) -> None:
        self._by_id: dict[tuple[str, bool], list[tuple[int, Finding]]] = {}
        self._by_subject: dict[tuple[str, bool, str], list[tuple[int, Finding]]] = {}
        for place, one in enumerate(findings):
            self._by_id.setdefault((one.id, one.current), []).append((place, one))
            key = (one.id, one.current, one.subject)
            self._by_subject.setdefault(key, []).append((place, one))
        self._grounds = {
            key: [(place, one) for place, one in several if _is_ground(one)]
            for key, several in self._by_id.items()
        }

    def root_of(self, effect: Finding) -> Finding | None:
        """Give what a finding follows from, through others where need be; None for a root."""
        seen = {id(effect)}
        now, root = effect, None
        while (cause := self._nearest(now, seen)) is not None:
            seen.add(id(cause))
            now = root = cause
        return root

    def _nearest(self, effect: Finding, seen: set[int]) -> Finding | None:
        """Give the strongest of what accounts for a finding."""
        best = self._same_beneath(effect, seen)
        for (ident, current), everywhere in self._by_id.items():
            reach = _reach(ident, effect.id)
            if reach is None or current != effect.current:
                continue
            near = self._by_subject.get((ident, current, effect.subject), ())
            for place, one in everywhere if reach == "anywhere" else near:
                if best is not None and place > best[0]:
                    break
                if id(one) not in seen and _explains(one, effect):
                    best = place, one
                    break
        return best[1] if best is not None else None

    def _same_beneath(self, effect: Finding, seen: set[int]) -> tuple[int, Finding] | None:
        """Give the same finding of what an effect stands on: the engine, a file on the disk."""
        if _is_ground(effect):
            return None
        grounds = self._grounds[effect.id, effect.current]
        return next((found for found in grounds if id(found[1]) not in seen), None)


def _is_ground(one: Finding) -> bool:
    return one.subject in _GROUND or any(line.source == _DISK for line in one.evidence)


@cache
def _reach(cause: str, effect: str) -> str | None:
    """Tell where one id may account for another: in the same `subject`, `anywhere`, or not."""
    if cause == effect:
        return None
    words = _words()
    rules = [
        one for one in words.rules if _among(effect, one.effects) and _among(cause, one.causes)
    ]
    entry = words.entries.get(cause)
    known = entry is not None and entry.accounts_for(effect)
    if any(not one.subject for one in rules) or (known and rank_of(cause) > rank_of(effect)):
        return "anywhere"
    return "subject" if rules or known else None


def _explains(cause: Finding, effect: Finding) -> bool:
    words = _words()
    entry = words.entries.get(cause.id)
    known = entry is not None and entry.accounts_for(effect.id)
    if known and (cause.subject == effect.subject or rank_of(cause.id) > rank_of(effect.id)):
        return True
    return any(rule.holds(cause, effect) for rule in words.rules)


def _weight(one: Finding) -> tuple[bool, int, int, str, str]:
    return not one.current, SEVERITIES.index(one.severity), -rank_of(one.id), one.id, one.subject


def _among(ident: str, names: Sequence[str]) -> bool:
    return any(ident.startswith(one[:-1]) if one.endswith("*") else ident == one for one in names)


@cache
def _words() -> _Words:
    table = read_table("doctor.toml")
    return _Words(
        ranks=table["ranks"],
        rules=msgspec.convert(table["follows"], tuple[_Rule, ...]),
        entries={one.id: one for one in packaged_entries()},
    )
