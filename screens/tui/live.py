"""What the console needs of the live host; tests bring a stand-in."""

from collections.abc import Callable, Sequence
from typing import Protocol

from actions.snapshot import HostSnapshot


class Live(Protocol):
    """What the console needs of `actions.live.LiveHost`."""

    def start(self) -> None:
        """Start reading; returns at once."""
        ...

    def stop(self) -> None:
        """Stop reading; returns at once."""
        ...

    def snapshot(self) -> HostSnapshot:
        """Give the picture of this moment."""
        ...

    def subscribe(self, callback: Callable[[], None]) -> None:
        """Call back, from any thread, when something is new."""
        ...

    def watch_usage(self, ids: Sequence[str]) -> None:
        """Say whose CPU and memory are on the screen."""
        ...
