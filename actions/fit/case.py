"""What the pre-check is asked: the host as it is, and a question with its what-ifs."""

from collections.abc import Mapping

import msgspec

from actions.fit.asleep import put_to_sleep
from actions.fit.model import Task
from actions.services.snapshot import Service, ServiceStatus
from actions.session import Session
from actions.snapshot import HostSnapshot
from console.errors import UsageError
from console.models.catalog import Catalog, Variant
from console.models.disk import OnDisk, look_for, model_roots
from console.unknown import Unknown


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a question is answered from; nothing is read while it is.

    Attributes:
        snapshot: the host.
        catalog: the models.
        on_disk: which files of the catalogue are on this host, by id.
        vram_reserve: bytes that policy keeps free on every card.
        put_to_sleep: names of services that an operator freed a short while ago.
    """

    snapshot: HostSnapshot
    catalog: Catalog
    on_disk: Mapping[str, OnDisk]
    vram_reserve: int
    put_to_sleep: frozenset[str] = frozenset()


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """One question: does this fit there.

    Attributes:
        gpu_uuid: the card; Unknown where that cannot be told.
        status: the service that is to be started; None where it is about a variant alone.
        variant: id of a variant in place of the service's own; empty for its own.
        task: the edit.
        extras: ids of LoRAs and ControlNets beside it.
        empty: on a host where nothing runs but what is in `started`.
        stopped, freed, started: names of services that are thought stopped, without their model
            (and asleep), or running.
        variants, gpus: variant and card of other services, where those differ from their own.
    """

    gpu_uuid: str | Unknown
    status: ServiceStatus | None = None
    variant: str = ""
    task: Task = Task()
    extras: tuple[str, ...] = ()
    empty: bool = False
    stopped: frozenset[str] = frozenset()
    freed: frozenset[str] = frozenset()
    started: frozenset[str] = frozenset()
    variants: Mapping[str, str] = {}
    gpus: Mapping[str, str | Unknown] = {}

    @property
    def service(self) -> str:
        """The service's name; empty where it is about a variant alone."""
        return self.status.name if self.status else ""


def open_case(session: Session, snapshot: HostSnapshot) -> Case:
    """Look for the model files and give what questions about this host are answered from.

    A dead mount costs two seconds once.

    Raises:
        UsageError: `--catalog FILE` is bad: answers from another one would be wrong.
    """
    catalog = session.needed_catalog()
    return Case(
        snapshot=snapshot,
        catalog=catalog,
        on_disk=look_for(catalog.files, model_roots(session.settings.paths)),
        vram_reserve=session.settings.policy.vram_reserve,
        put_to_sleep=put_to_sleep(session, snapshot.services),
    )


def status_named(snapshot: HostSnapshot, name: str) -> ServiceStatus:
    """Give a service's status by its name.

    Raises:
        UsageError: there is no such service (`service.unknown`).
    """
    for status in snapshot.services:
        if status.name == name:
            return status
    names = ", ".join(status.name for status in snapshot.services) or "none"
    raise UsageError("service.unknown", f"there is no service {name!r}", f"Services: {names}")


def variant_of(service: Service, catalog: Catalog, other: str = "") -> Variant | Unknown | None:
    """Give the variant that a service loads, or `other` in its place; None where nothing says.

    Unknown where the catalogue does not have it (`variant.unknown`).
    """
    ident = other or service.variant
    if not ident:
        return None
    return catalog.variant(ident) or Unknown(
        "variant.unknown",
        f"the catalogue has no variant {ident!r}",
        "`gpuconsole models fit` lists them",
    )
