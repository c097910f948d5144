"""From a log to findings: matched, counted, causes before consequences, history told apart."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator

from actions.runbook.book import Match, Runbook
from actions.runbook.entry import SEVERITIES
from actions.runbook.finding import Diagnosis, Evidence, Finding
from actions.runbook.said import Block, Line, blocks_of, is_at_work, is_up, lines_of
from actions.runbook.sightings import Sighting, Sightings
from actions.runbook.telling import Telling
from console.mask import mask_text
from console.text import clean_line

_REMEMBERED = 20_000
_QUOTED = 240
_BENEATH = frozenset({"docker", "nvml", "host"})
_NOTHING: frozenset[str] = frozenset()


def diagnose(texts: Iterable[str], runbook: Runbook, *, subject: str) -> Diagnosis:
    """Give what the lines of a log show; a log without end is read in bounded memory.

    Args:
        texts: its lines, oldest first, as they are: colours, times and names in front are looked
            past.
        runbook: what it is searched with.
        subject: what it is the log of, where the lines do not name a container themselves.
    """
    reading = _Reading(runbook, subject)
    for block in blocks_of(reading.counted(lines_of(texts))):
        reading.take(block)
    return reading.diagnosis()


class _Reading:
    """One log as far as it was read."""

    def __init__(self, runbook: Runbook, subject: str) -> None:
        self._runbook = runbook
        self._subject = subject
        self._lines = 0
        self._sightings = Sightings()
        self._telling = Telling()
        self._known: OrderedDict[str, tuple[Match, ...]] = OrderedDict()
        self._told: dict[str, set[str]] = {}

    def counted(self, lines: Iterable[Line]) -> Iterator[Line]:
        """Pass lines on and count them."""
        for line in lines:
            self._lines += 1
            yield line

    def take(self, block: Block) -> None:
        """Search one block, and note what it shows."""
        source = block.lines[0].source
        self._sightings.run_of(source, block.run)
        if is_up(block):
            self._sightings.came_up(block)
        elif is_at_work(block):
            self._sightings.at_work(block)
        matches = self._matches(block.words, source)
        if any(one.entry.noise for one in matches):
            return
        if not matches:
            self._telling.take(block)
            return
        for match in matches:
            self._sightings.see(match, block)

    def _matches(self, words: str, source: str) -> tuple[Match, ...]:
        """Give the nearest to the root of what a text shows."""
        found = self._found(words, source)
        if not found:
            return ()
        told = self._told.get(source, _NOTHING)
        found = tuple(
            one
            for one in found
            if not one.entry.requires or not told.isdisjoint(one.entry.requires)
        )
        best = max((one.entry.rank for one in found), default=0)
        return tuple(one for one in found if one.entry.noise or one.entry.rank == best)[:2]

    def _found(self, words: str, source: str) -> tuple[Match, ...]:
        """Give all that a text shows; the same text is searched once."""
        known = self._known.get(words)
        if known is not None:
            self._known.move_to_end(words)
            return known
        told = self._runbook.told(words)
        if told:
            self._told.setdefault(source, set()).update(told)
        found = tuple(self._runbook.search(words))
        self._known[words] = found
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return found

    def diagnosis(self) -> Diagnosis:
        """Give what the whole of it shows."""
        seen = [one for one in self._sightings.all() if not self._sightings.harmless(one)]
        current = _explained([one for one in seen if self._sightings.is_current(one)])
        past_ids = {one.match.entry.id for one, _ in current}
        past = _explained(
            [
                one
                for one in seen
                if not self._sightings.is_current(one) and one.match.entry.id not in past_ids
            ]
        )
        findings = (
            *(self._finding(one, cause, True) for one, cause in current),
            *(self._finding(one, cause, False) for one, cause in past),
        )
        errors = any(one.severity == "error" and one.current for one in findings)
        return Diagnosis(
            findings=findings,
            telling=() if errors else self._telling.lines(self._sightings, self._subject),
            lines=self._lines,
            starts=self._sightings.starts,
            up=self._sightings.up,
        )

    def _finding(self, seen: Sighting, cause: str, current: bool) -> Finding:
        entry = seen.match.entry
        return Finding(
            id=entry.id,
            severity=entry.severity if current else "info",
            subject=seen.source or self._subject,
            title=titled(entry.title, seen.match.captured),
            cause=entry.cause,
            fix=entry.fix,
            next=entry.next,
            links=entry.links,
            evidence=evidence_of(seen.block, seen.source or self._subject),
            count=seen.count,
            first_at=seen.first_at,
            last_at=seen.last_at,
            current=current,
            consequence_of=cause,
            plan=entry.plan,
        )


def titled(title: str, captured: dict[str, str]) -> str:
    """Put what a pattern captured into a title; what it did not capture is left out with grace."""
    for name, value in captured.items():
        title = title.replace("{" + name + "}", value)
    while "{" in title and "}" in title:
        before, _, rest = title.partition("{")
        title = before + "(not told)" + rest.partition("}")[2]
    return mask_text(clean_line(title, 300))


def evidence_of(block: Block, source: str) -> tuple[Evidence, ...]:
    """Give the lines of a block that say most: its first, and the last two of a traceback."""
    picked = block.lines if len(block.lines) <= 3 else (block.lines[0], *block.lines[-2:])
    return tuple(
        Evidence(
            source=line.source or source,
            at=line.at,
            number=line.number,
            text=mask_text(clean_line(line.text, _QUOTED)),
        )
        for line in picked
    )


def _explained(seen: list[Sighting]) -> list[tuple[Sighting, str]]:
    """Give sightings with the id of what explains each: roots first, consequences behind theirs."""
    seen = sorted(seen, key=_weight)
    left = seen
    ordered: list[tuple[Sighting, str]] = []
    while left:
        # Where entries explain each other in a circle, the weightiest is the root.
        root = next((one for one in left if not _causes_of(one, left)), left[0])
        beneath = _following(root, left)
        ordered.append((root, ""))
        ordered += [(one, root.match.entry.id) for one in beneath]
        left = [one for one in left if one is not root and one not in beneath]
    return ordered


def _causes_of(one: Sighting, seen: list[Sighting]) -> list[Sighting]:
    return [other for other in seen if other is not one and _accounts_for(other, one)]


def _following(root: Sighting, seen: list[Sighting]) -> list[Sighting]:
    """Give what follows from a root, and what follows from that, in their order."""
    found = [root]
    for other in found:
        found += [one for one in seen if one not in found and _accounts_for(other, one)]
    return [one for one in seen if one is not root and one in found]


def _accounts_for(other: Sighting, one: Sighting) -> bool:
    """Tell whether one sighting explains another: in one container, or from beneath all of them."""
    entry = other.match.entry
    near = other.source == one.source or not (other.source and one.source)
    near = near or bool(_BENEATH & set(entry.where))
    return near and entry.accounts_for(one.match.entry.id)


def _weight(one: Sighting) -> tuple[int, int, int]:
    entry = one.match.entry
    return SEVERITIES.index(entry.severity), -entry.rank, one.first_number
