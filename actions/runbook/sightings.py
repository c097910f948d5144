"""What was seen in a log: each failure of each source once, with its count and its newest place."""

from collections.abc import Iterator

import msgspec

from actions.runbook.book import Match
from actions.runbook.said import Block


class Sighting(msgspec.Struct, eq=False):
    """One failure of one source, in one run or several.

    Attributes:
        match: the newest, with what its pattern captured.
        block: where it was said last.
        run: of that.
        count: how often, over all runs.
        first_number, last_number: of the lines of the first and the last time in that run.
    """

    source: str
    match: Match
    block: Block
    run: int
    count: int
    first_at: str
    last_at: str
    first_number: int
    last_number: int = 0


class Sightings:
    """Everything that was seen, and how far each source has come.

    Attributes:
        starts: how often a program began anew.
        up: every source that was seen to start has come up since.
    """

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], Sighting] = {}
        self._runs: dict[str, int] = {}
        self._up: dict[str, tuple[int, int]] = {}
        self._failed: dict[str, int] = {}
        self._worked: dict[str, int] = {}

    @property
    def starts(self) -> int:
        """How often a program in the log began anew."""
        return sum(self._runs.values())

    @property
    def up(self) -> bool:
        """Whether the last start of every source that came up at all has come up."""
        return bool(self._up) and all(self._runs.get(s, 0) == up[0] for s, up in self._up.items())

    def run_of(self, source: str, run: int) -> None:
        """Note which run of a source is under way."""
        self._runs[source] = run

    def came_up(self, block: Block) -> None:
        """Note that the run that a block is of came up there."""
        first = block.lines[0]
        self._up[first.source] = (block.run, first.number)

    def at_work(self, block: Block) -> None:
        """Note that the run that a block is of does its work: it has come up at some time."""
        self._worked[block.lines[0].source] = block.run

    def see(self, match: Match, block: Block) -> None:
        """Note what a block shows."""
        first = block.lines[0]
        key = (first.source, match.entry.id)
        if match.entry.severity == "error":
            self._failed[first.source] = block.run
        at = next((line.at for line in block.lines if line.at), "")
        before = self._seen.get(key)
        if before is None:
            self._seen[key] = Sighting(
                first.source, match, block, block.run, 1, at, at, first.number, first.number
            )
            return
        if before.run != block.run:
            before.first_number = first.number
        before.match, before.block, before.run = match, block, block.run
        before.last_number = first.number
        before.count += 1
        before.last_at = at or before.last_at

    def all(self) -> Iterator[Sighting]:
        """Give what was seen, in the order of its first time."""
        yield from self._seen.values()

    def is_current(self, one: Sighting) -> bool:
        """Tell whether it was said after the last start of its source.

        What ended the start before still holds while the last one has neither come up nor failed.
        """
        last = self._runs.get(one.source, 0)
        if one.run == last:
            return True
        proved = max(
            self._up.get(one.source, (-1, 0))[0],
            self._worked.get(one.source, -1),
            self._failed.get(one.source, -1),
        )
        return one.run == last - 1 and proved < last

    def in_last_run(self, block: Block) -> bool:
        """Tell whether a block was said after the last start of its source."""
        return block.run == self._runs.get(block.lines[0].source, 0)

    def harmless(self, one: Sighting) -> bool:
        """Tell whether the start that it was said in came up behind it: it did no harm then."""
        run, number = self._up.get(one.source, (-1, 0))
        return one.match.entry.cleared and run == one.run and number > one.last_number
