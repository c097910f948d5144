"""Host facts read now and then in a daemon thread: a dead mount may hang it, never anyone else."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from console.host.disks import DiskReader
from console.host.facts import read_facts
from console.host.snapshot import NOT_READ_YET, HostFacts
from console.unknown import Unknown


class HostSampler:
    """Publishes `HostFacts` every `interval` seconds; `on_change` is called from its thread."""

    def __init__(
        self,
        root: Path,
        disks: Sequence[tuple[str, Path]],
        interval: float = 10.0,
        on_change: Callable[[], None] | None = None,
    ) -> None:
        self._root = root
        self._disks = tuple(disks)
        self._interval = interval
        self._on_change = on_change
        self._reader = DiskReader()
        self._facts: HostFacts | Unknown = NOT_READ_YET
        self._stopping = threading.Event()

    def start(self) -> None:
        """Begin to read; returns at once."""
        threading.Thread(target=self._loop, name="host-facts", daemon=True).start()

    def stop(self) -> None:
        """Ask the thread to end; returns at once."""
        self._stopping.set()

    def snapshot(self) -> HostFacts | Unknown:
        """Give the newest facts, or Unknown before the first reading."""
        return self._facts

    def _loop(self) -> None:
        while not self._stopping.is_set():
            self._facts = read_facts(self._root, self._disks, self._reader)
            if self._on_change is not None:
                self._on_change()
            self._stopping.wait(self._interval)
