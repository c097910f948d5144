"""One door to a service of any kind: look at it, free its memory, interrupt its job."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import msgspec

from console.clock import Clock, SystemClock
from console.config.schema import Auth
from console.services.reading import Reading, Target
from console.unknown import Unknown
from console.web.client import PATIENCE, WebClient
from console.web.credential import Credential
from console.web.faults import (
    BadStatusError,
    FrontOnlyError,
    NeedsAuthError,
    ServiceFault,
    ServiceUnreachableError,
    fault,
)

NO_URL = Unknown(
    "service.no-url",
    "nobody knows its address",
    "set url for this service, or publish its port",
)
NOT_RUNNING = Unknown("service.not-running", "its container does not run", "")
OVERDUE = "service.overdue"


class Door(ABC):
    """A service as it is talked to; belongs to one thread at a time, any other may `abort()` it.

    Args:
        target: which service, where, and how to log in.
        client: its HTTP client.
        clock: for `taken_monotonic` and for ages.
        patience: seconds a whole look may take.
    """

    def __init__(
        self, target: Target, client: WebClient, clock: Clock, patience: float = PATIENCE
    ) -> None:
        self.target = target
        self.client = client
        self.clock = clock
        self.patience = patience
        self._pace: Clock = SystemClock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def look(self, brief: bool = False) -> Reading:
        """Give what the service says of itself now, within the door's patience; never raises.

        Args:
            brief: figures that hardly change while it idles may be those of a look before, at most
                ten seconds old (the loaded model and the arguments: a minute).
        """
        unasked = unasked_reading(self.target, self.clock)
        if unasked is not None:
            return unasked
        began = self._pace.monotonic()
        try:
            self.client.prepare()
            began = self._pace.monotonic()
            self.client.allow(self.patience)
            reading = self._look(brief)
        except ServiceFault as error:
            reading = reading_of(error)
        finally:
            self.client.allow(None)
        return msgspec.structs.replace(
            reading,
            taken_monotonic=self.clock.monotonic(),
            took_seconds=self._pace.monotonic() - began,
        )

    @abstractmethod
    def _look(self, brief: bool) -> Reading:
        """Ask the service; a fault of the first question may go through."""

    @abstractmethod
    def free(self) -> None:
        """Have it give its VRAM back without stopping; at once where it idles.

        Raises:
            ServiceFault: it did not take the request.
        """

    @abstractmethod
    def interrupt(self) -> None:
        """Have it break off what it computes now.

        Raises:
            ServiceFault: it did not take the request.
        """

    def abort(self) -> None:
        """End whatever is under way, from any thread; the door is used up."""
        self.client.abort()

    def close(self) -> None:
        """Close its connection."""
        self.client.close()


class PlainDoor(Door):
    """A service of which only its address is known: it is ready when anything answers there."""

    def _look(self, brief: bool) -> Reading:  # noqa: ARG002 -- there is nothing to be brief about
        answer = self.client.ask("GET", "", head_only=True)
        if answer.status >= 500:
            self.client.judged(answer)
        return Reading(answer="ready", detail=f"{answer.what}: {answer.status}", problem=None)

    def free(self) -> None:
        """Refuse: nobody knows how to tell it.

        Raises:
            BadStatusError: always.
        """
        raise fault(BadStatusError, "service.nothing-to-free")

    def interrupt(self) -> None:
        """Refuse: nobody knows how to tell it.

        Raises:
            BadStatusError: always.
        """
        raise fault(BadStatusError, "service.nothing-to-interrupt")


def client_for(target: Target, environ: Mapping[str, str], patience: float = PATIENCE) -> WebClient:
    """Give an HTTP client for a service, with its login; nothing is asked before its first use."""
    auth = None
    if target.scheme:
        auth = Auth(
            scheme=target.scheme,
            env=target.secret_env or None,
            file=Path(target.secret_file) if target.secret_file else None,
            name=target.parameter,
        )
    return WebClient(target.url, Credential(auth, environ), patience)


def open_door(
    target: Target, environ: Mapping[str, str], clock: Clock, patience: float = PATIENCE
) -> Door:
    """Give the door to a service by its kind; nothing is imported or asked before its first use."""
    client = client_for(target, environ, patience)
    if target.kind == "forge":
        from console.forge.door import ForgeDoor

        return ForgeDoor(target, client, clock, patience)
    if target.kind == "comfyui":
        from console.comfyui.door import ComfyDoor

        return ComfyDoor(target, client, clock, patience)
    return PlainDoor(target, client, clock, patience)


def unasked_reading(target: Target, clock: Clock) -> Reading | None:
    """Give the reading of a service that is not asked, with the reason; None where it is."""
    if target.running and target.url:
        return None
    problem = NO_URL if target.running else NOT_RUNNING
    return Reading(answer="not-asked", problem=problem, taken_monotonic=clock.monotonic())


def reading_of(error: ServiceFault) -> Reading:
    """Give the reading that says only why there is none; all its figures are unknown."""
    answer = "odd"
    if isinstance(error, NeedsAuthError):
        answer = "needs-auth"
    elif isinstance(error, FrontOnlyError) or error.status in {502, 503, 504}:
        answer = "front-only"
    elif isinstance(error, ServiceUnreachableError):
        answer = "unreachable"
    return unread(answer, error.unknown())


def unread(answer: str, problem: Unknown, stage: str = "", detail: str = "") -> Reading:
    """Give a reading without a single figure, all for the same reason."""
    return Reading(
        answer=answer, problem=problem, stage=stage, detail=detail or problem.title,
        version=problem, queue_running=problem, queue_pending=problem, device=problem,
        vram_free_bytes=problem, vram_own_bytes=problem, ram_own_bytes=problem, model=problem,
        arguments=problem,
    )  # fmt: skip


def overdue(seconds: float) -> Reading:
    """Give the reading of a service whose look has not come back for so long."""
    title = f"no answer for {seconds:.0f} s"
    return unread("unreachable", Unknown(OVERDUE, title, "it hangs, or its name does not resolve"))
