"""The most telling lines of a log, for when no entry of the runbook explains it."""

from collections import deque

from actions.logs.levels import level_of
from actions.logs.line import LEVELS
from actions.runbook.finding import Evidence
from actions.runbook.said import HEADER, Block
from actions.runbook.sightings import Sightings
from console.mask import mask_text
from console.text import clean_line

_MOST = 8
_KEPT = 200
_LONGEST = 300
_ERROR = LEVELS.index("error")


class Telling:
    """Keeps the newest blocks that call themselves errors; bounded."""

    def __init__(self) -> None:
        self._blocks: deque[tuple[int, Block]] = deque(maxlen=_KEPT)
        self._said: set[str] = set()

    def take(self, block: Block) -> None:
        """Note a block that nothing in the runbook explains, if it says that something is wrong."""
        level = _level(block)
        if level < _ERROR:
            return
        last = block.lines[-1].words
        if last not in self._said:
            if len(self._said) < _KEPT * 10:
                self._said.add(last)
            self._blocks.append((level, block))

    def lines(self, sightings: Sightings, subject: str) -> tuple[Evidence, ...]:
        """Give the lines that say most, of the last start alone, the newest last."""
        found = [(level, one) for level, one in self._blocks if sightings.in_last_run(one)]
        best = sorted(found, key=lambda item: (-item[0], -item[1].lines[-1].number))[:_MOST]
        blocks = sorted((one for _, one in best), key=lambda one: one.lines[-1].number)
        return tuple(_evidence(one, subject) for one in blocks)


def _level(block: Block) -> int:
    """Give how bad a block calls itself; a traceback is worse than a line."""
    traced = len(block.lines) > 1 and any(line.words.endswith(HEADER) for line in block.lines)
    if traced:
        return len(LEVELS)
    return max(level_of(block.lines[0].text), level_of(block.lines[0].words))


def _evidence(block: Block, subject: str) -> Evidence:
    line = block.lines[-1]
    at = next((one.at for one in block.lines if one.at), "")
    return Evidence(
        source=line.source or subject,
        at=at,
        number=line.number,
        text=mask_text(clean_line(line.text, _LONGEST)),
    )
