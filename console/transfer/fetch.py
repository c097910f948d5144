"""Fetching one file: what is there is kept, what comes is checked, only then it has its name."""

import threading
from collections.abc import Callable
from pathlib import Path

from console.clock import Clock
from console.transfer.crew import Crew
from console.transfer.faults import Stopped, disk_fault, free_bytes, full, gone, mismatch
from console.transfer.hashing import Digest, digest_of
from console.transfer.part_file import PartFile
from console.transfer.placing import place, quarantine
from console.transfer.wanted import Placed, Progress, Source, Wanted
from console.transfer.watch import Watch

_LOOK_SECONDS = 0.2
_PRESENCE_SECONDS = 1.0


def fetch(
    wanted: Wanted,
    source: Source,
    *,
    clock: Clock,
    report: Callable[[Progress], None],
    stop: Callable[[], str],
    limit: Callable[[], float | None],
    connections: int = 4,
    boot_id: str = "",
) -> Placed:
    """Have a file under its final name, with the promised size and hash.

    Args:
        wanted: the file.
        source: where its bytes come from.
        clock: only its monotonic face is read, so that a wall clock may jump.
        report: is told how it goes, five times a second, from the calling thread.
        stop: asked as often; `pause`, `cancel`, or an empty text.
        limit: asked as often; bytes a second over all connections, None for none.
        connections: how many ranges are asked for at once.
        boot_id: of the running kernel, where it is not to be read.

    Raises:
        Stopped: `stop` said so; on `pause` the part is kept, on `cancel` it is removed.
        TransferFault: it could not be done here; what was fetched is kept.
        ConsoleError: the source's own fault, where it is not a passing one.
    """
    work = _Fetch(wanted, source, clock, report, stop, limit, connections, boot_id)
    try:
        return work.run()
    except OSError as error:
        raise disk_fault(error, wanted.path, work.missing()) from error


class _Fetch:
    """One call of `fetch`."""

    def __init__(
        self,
        wanted: Wanted,
        source: Source,
        clock: Clock,
        report: Callable[[Progress], None],
        stop: Callable[[], str],
        limit: Callable[[], float | None],
        connections: int,
        boot_id: str,
    ) -> None:
        self._wanted = wanted
        self._source = source
        self._clock = clock
        self._stop = stop
        self._limit = limit
        self._connections = connections
        self._boot_id = boot_id
        self._changed = threading.Event()
        self._part: PartFile | None = None
        self._seen_at = clock.monotonic()
        self._watch = Watch(wanted, clock, report)

    def run(self) -> Placed:
        """Fetch it, once more where the hash was wrong."""
        kept: Path | None = None
        found = ""
        for again in (False, True):
            part = self._part = PartFile(self._wanted, self._boot_id)
            try:
                if not again:
                    self._watch.resumed_from = part.resumed_from
                self._check_room(part)
                digest = self._settled(part, self._bring(part))
                found = self._wrong(digest)
                if not found:
                    return self._place(part, digest.sha256)
                kept = quarantine(part.path, self._wanted.path, digest.sha256)
                part.remove()
            finally:
                part.close()
            where = f" (kept as {kept.name})" if kept else ""
            self._watch.again(f"{found} came{where}, {self._promised()} was promised")
        raise mismatch(self._wanted.path, self._promised(), found, kept)

    def missing(self) -> int | None:
        """Give the bytes that are still to be written; None before that is known."""
        part = self._part
        return None if part is None else self._wanted.size - part.there.bytes_there()

    def _check_room(self, part: PartFile) -> None:
        """Look for room before the first byte."""
        # FAT gives a new file all of its room at once.
        missing = min(
            self._wanted.size - part.there.bytes_there(), self._wanted.size - part.disk_bytes()
        )
        free = free_bytes(part.path.parent)
        if free is not None and free < missing:
            raise full(self._wanted.path, missing, free)

    def _bring(self, part: PartFile) -> Digest:
        """Have all bytes on disk, and give what they hash to."""
        crew = Crew(
            part, self._source, self._clock, self._connections, self._changed.set, self._limit()
        )
        settle = True
        try:
            while not crew.complete():
                self._changed.wait(_LOOK_SECONDS)
                self._changed.clear()
                self._look(crew, part)
        except Stopped as stopped:
            settle = stopped.how == "pause"
            raise
        finally:
            self._watch.fetched_before += crew.close(settle=settle and not crew.complete())
            if not settle:
                part.remove()
        return crew.hash.digest

    def _settled(self, part: PartFile, digest: Digest) -> Digest:
        """Have the disk confirm all of it, and give what it hashes to then.

        A disk that refuses has dropped bytes that still look right in memory.
        """
        self._watch.tell("placing", self._wanted.size)
        part.settle()
        while part.meddling.noticed():
            digest = self._read_again(part)
        return digest

    def _read_again(self, part: PartFile) -> Digest:
        """Hash all of it anew, as somebody wrote to what was hashed before."""
        size = self._wanted.size

        def report(_done: int, _size: int) -> None:
            self._watch.tell("checking", size, "somebody wrote to it meanwhile: all is read again")

        try:
            return digest_of(
                part.path, git=bool(self._wanted.git_oid), report=report, stop=self._stop
            )
        except Stopped as stopped:
            if stopped.how != "pause":
                part.remove()
            raise

    def _look(self, crew: Crew, part: PartFile) -> None:
        """See how it goes, hear what is asked for, and end it where it cannot go on."""
        if (error := crew.error()) is not None:
            raise error
        if how := self._stop():
            raise Stopped(how)
        crew.pace.set(self._limit())
        now = self._clock.monotonic()
        if now - self._seen_at >= _PRESENCE_SECONDS:
            self._seen_at = now
            if not part.still_there():
                raise gone(self._wanted.path.parent)
        self._watch.look(crew)

    def _wrong(self, digest: Digest) -> str:
        """Give the hash that is not as promised; empty where all is well."""
        wanted = self._wanted
        if wanted.sha256 and wanted.sha256 != digest.sha256:
            return digest.sha256
        if wanted.git_oid and wanted.git_oid != digest.git_oid:
            return digest.git_oid
        return ""

    def _promised(self) -> str:
        return self._wanted.sha256 or self._wanted.git_oid

    def _place(self, part: PartFile, sha256: str) -> Placed:
        if not part.still_there():
            raise gone(self._wanted.path.parent)
        part.check_length()
        place(part.path, part.handle, self._wanted.path)
        part.remove()
        return Placed(
            path=self._wanted.path,
            size=self._wanted.size,
            sha256=sha256,
            fetched=self._watch.fetched_before,
            resumed_from=self._watch.resumed_from,
            twice=self._watch.twice,
        )
