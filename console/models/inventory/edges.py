"""The first and last MiB of files of one size: cheap to read, and enough to say what is likely."""

import os
import threading
from collections import defaultdict
from collections.abc import Iterable, Sequence
from hashlib import blake2b

from console.clock import Clock, SystemClock
from console.models.inventory.seen import Seen

EDGE = 1 << 20
_NOT_ALIKE = frozenset({"part", "broken-link", "lfs-pointer", "html", "empty"})
_PACE: Clock = SystemClock()


class _Reader(threading.Thread):
    """Reads the edges of files; a daemon, because a disk may hang."""

    def __init__(self, wanted: Iterable[Seen]) -> None:
        super().__init__(name="models-edges", daemon=True)
        self._wanted = list(wanted)
        self.found: dict[str, str] = {}
        self.pulse = _PACE.monotonic()

    def run(self) -> None:
        for one in self._wanted:
            edges = _edges(one.entry.path, one.entry.facts.st_size)
            if edges:
                self.found[one.entry.path] = edges
            self.pulse = _PACE.monotonic()


def fill_edges(seen: Sequence[Seen], quiet: float) -> None:
    """Read the edges of files that another has the size of, unless hashes tell them apart.

    Names of one file (hard links, links) are one: they have the same bytes anyway.

    Args:
        seen: of every root; their `kept.edges` are filled.
        quiet: seconds without an answer after which no more are waited for.
    """
    by_size: defaultdict[int, defaultdict[tuple[int, int], list[Seen]]]
    by_size = defaultdict(lambda: defaultdict(list))
    for one in seen:
        facts = one.entry.facts
        if facts.st_size and one.kept.format not in _NOT_ALIKE:
            by_size[facts.st_size][facts.st_dev, facts.st_ino].append(one)
    wanted = [
        names
        for alike in by_size.values()
        if len(alike) > 1 and not all(names[0].sha256 for names in alike.values())
        for names in alike.values()
        if not all(one.kept.edges for one in names)
    ]
    if not wanted:
        return
    reader = _Reader(names[0] for names in wanted)
    reader.start()
    while reader.is_alive():
        left = reader.pulse + quiet - _PACE.monotonic()
        if left <= 0:
            break
        reader.join(left)
    found = dict(reader.found)
    for names in wanted:
        edges = found.get(names[0].entry.path, "")
        for one in names:
            one.kept.edges = edges
            # Of what could not be read nothing is remembered.
            one.new = one.new or bool(edges and one.entry.state == "file")


def _edges(path: str, size: int) -> str:
    """Give a digest of a file's first and last MiB; empty where it cannot be read."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except OSError:
        return ""
    try:
        digest = blake2b(os.pread(handle, EDGE, 0), digest_size=16)
        if size > EDGE:
            digest.update(os.pread(handle, EDGE, max(EDGE, size - EDGE)))
        return digest.hexdigest()
    except OSError:
        return ""
    finally:
        os.close(handle)
