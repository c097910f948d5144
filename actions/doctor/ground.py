"""What the checks of one examination share: each thing is read once, by whoever needs it first."""

import threading
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from actions.doctor.logs import read_recent
from actions.runbook.book import Runbook, open_runbook
from actions.session import Session
from actions.snapshot import HostSnapshot
from actions.status import read_status
from console.errors import ConsoleError
from console.host.facts import read_facts
from console.host.snapshot import HostFacts

if TYPE_CHECKING:
    from console.engine.snapshot import Container
    from console.models.inventory.found import Inventory

T = TypeVar("T")

_ENGINE_SECONDS = 4.0
"""An engine that takes longer is itself what is wrong; the rest is told without it."""


class Ground:
    """The facts that an examination rests on; safe from several threads.

    Whoever asks for something that another check reads already waits for that one.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self._lock = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}
        self._read: dict[str, object] = {}

    @property
    def snapshot(self) -> HostSnapshot:
        """Give the host as it was when the first check asked; never raises."""
        return self._once("snapshot", lambda: read_status(self.session, _ENGINE_SECONDS))

    @property
    def known_snapshot(self) -> HostSnapshot | None:
        """Give the host if it was read by now; None where that still hangs."""
        found = self._read.get("snapshot")
        return found if isinstance(found, HostSnapshot) else None

    @property
    def host(self) -> HostFacts:
        """Give what the host says of itself, disks not among it."""
        return self._once("host", lambda: read_facts(self.session.root, ()))

    @property
    def engine_info(self) -> dict[str, Any]:
        """Give what the engine says of its host and of its runtimes.

        Raises:
            EngineError: it cannot be asked.
        """
        from console.engine.client import EngineClient

        def ask() -> dict[str, Any]:
            with EngineClient(self.session.endpoint) as client:
                return client.info()

        return self._once("engine-info", ask)

    def inspect(self, container_id: str) -> dict[str, Any]:
        """Give a container as the engine inspects it.

        Raises:
            EngineError: it is gone, or the engine cannot be asked.
        """
        from console.engine.client import EngineClient

        def ask() -> dict[str, Any]:
            with EngineClient(self.session.endpoint) as client:
                return client.inspect(container_id)

        return self._once(f"inspect-{container_id}", ask)

    def log(self, container: "Container") -> tuple[str, ...]:
        """Give the recent lines of a container's log, each with the engine's time in front.

        Raises:
            EngineError: it is gone, or the engine cannot be asked.
        """
        return self._once(
            f"log-{container.id}", lambda: read_recent(self.session.endpoint, container)
        )

    def name_of(self, container: "Container") -> str:
        """Give what people call a container: its service, where it is one's."""
        services = self.snapshot.services
        for one in services:
            if one.container_id == container.id:
                return one.name
        # A container may be called like a service that it is not.
        taken = any(one.name == container.name for one in services)
        return container.id[:12] if taken or not container.name else container.name

    def subject_called(self, name: str) -> str:
        """Give what a service or container is called here, by any name of its own."""
        from actions.services.find import service_named

        snapshot = self.snapshot
        services = [one.service for one in snapshot.services]
        found = service_named(services, snapshot.engine.containers, name)
        if found is not None:
            return found.name
        here = (one for one in snapshot.engine.containers if name in {one.name, one.id})
        container = next(here, None)
        return name if container is None else self.name_of(container)

    @property
    def inventory(self) -> "Inventory":
        """Give what lies in the model folders; never raises."""
        from actions.models.inventory import look

        return self._once("inventory", lambda: look(self.session))

    @cached_property
    def runbook(self) -> Runbook:
        """Give the runbook with the operator's own entries.

        Raises:
            UsageError: the operator's file is wrong.
        """
        return open_runbook(self.session.runbook_file)

    def once(self, what: str, read: Callable[[], T]) -> T:
        """Give what several checks share, read by whoever needs it first; `what` names it.

        Raises:
            ConsoleError: what reading it raised, each time that it is asked for.
        """
        return self._once(what, read)

    def _once(self, what: str, read: Callable[[], T]) -> T:
        with self._lock:
            lock = self._locks.setdefault(what, threading.Lock())
        with lock:
            if what not in self._read:
                try:
                    self._read[what] = read()
                except ConsoleError as error:
                    self._read[what] = error
            found = self._read[what]
        if isinstance(found, ConsoleError):
            raise found
        return found  # type: ignore[return-value]
