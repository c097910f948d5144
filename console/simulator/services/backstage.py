"""What a server asks of whatever stands behind it: figures of one moment, and orders."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from console.simulator.services.effort import Effort

Graph = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Order:
    """A job that was asked for; `asked` and `begun` in seconds since 1970.

    `measure` is asked what it takes when its turn comes; None is a job like any other.
    """

    ident: str
    number: int
    asked: float
    begun: float = 0.0
    graph: Graph = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)
    measure: "Callable[[Order], Effort] | None" = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, kw_only=True)
class JobNow:
    """The job under way; `share` of 0 to 1, `left` in seconds."""

    order: Order
    share: float
    step: int
    steps: int
    left: float


@dataclass(frozen=True, kw_only=True)
class SeenCard:
    """A card a program sees; sizes in bytes, `free` of the whole card."""

    name: str
    total: int
    free: int


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What a service is and does at one moment; sizes in bytes.

    Attributes:
        up: its API answers. front: what stands before it answers, such as ai-dock's Caddy.
        stage: what ai-dock is at before Forge starts, such as `provisioning`; else empty.
        cards: those it sees, the one it computes on first; empty where it sees none.
        own: what its allocator holds.
        model: the checkpoint or diffusion model it has, or would load.
        arguments: its command line.
        now: seconds since 1970.
        pace: how many times faster than in life jobs are done. fixed: seconds that each takes,
            where that does not follow from what is asked. speed: of its card, an RTX 3090 is 1.
    """

    up: bool
    front: bool = True
    stage: str = ""
    cards: tuple[SeenCard, ...] = ()
    own: int = 0
    ram_total: int = 0
    ram_free: int = 0
    ram_own: int = 0
    model: str = ""
    job: JobNow | None = None
    waiting: tuple[Order, ...] = ()
    arguments: tuple[str, ...] = ()
    now: float = 0.0
    pace: float = 1.0
    fixed: float | None = None
    speed: float = 1.0


class Backstage(Protocol):
    """What stands behind a server."""

    @property
    def died(self) -> bool:
        """Whether its process has ended by itself."""
        ...

    def figures(self) -> Figures:
        """Give what it is and does now."""
        ...

    def die(self, code: int) -> None:
        """End its process at once."""
        ...

    def spend(self) -> None:
        """Take note that its mood had its effect once more; one with a number of times ends."""
        ...

    def size_of(self, file: str) -> int:
        """Give the bytes of a model file by its name; of the checkpoint where it is empty."""
        ...

    def free(self) -> None:
        """Give back the VRAM of its models; at once, or after the job under way."""
        ...

    def interrupt(self, ident: str = "") -> None:
        """End the job under way, or only the one named."""
        ...

    def queue(
        self, ident: str, graph: Graph, extra: dict[str, Any],
        measure: "Callable[[Order], Effort] | None" = None,
    ) -> Order:  # fmt: skip
        """Take a job; `measure` tells what it takes when its turn comes."""
        ...

    def finish(self, ident: str, graph: Graph, extra: dict[str, Any]) -> Order:
        """Take a job of which nothing has to be computed, and have it end at once."""
        ...

    def folder(self) -> Path:
        """Give the folder in which its files lie; it may not be there yet."""
        ...

    def forget(self, idents: list[str] | None) -> None:
        """Drop jobs that wait; None drops them all."""
        ...

    def erase(self, idents: list[str] | None) -> None:
        """Drop jobs that ended from the history; None drops them all."""
        ...

    def history(self) -> list[tuple[Order, str]]:
        """Give the jobs that ended, oldest first, each with `success` or `interrupted`."""
        ...

    def models(self, folder: str) -> list[str] | None:
        """Give the files in a folder of models; None where there is no such folder."""
        ...
