"""What files are wanted for on this host: its platform, its cards, its folders."""

import os
from pathlib import Path
from typing import Any

from actions.fit.cards import cards_of, pick_card
from actions.models.catalogue import variant_named
from actions.session import Session
from actions.setup.files.torch import check_variant
from actions.setup.files.wanted import Card, Wanted, route_of
from actions.setup.wsl_network import read_network
from actions.status import read_status
from console.errors import UsageError
from console.gpu.snapshot import Gpu
from console.host.platform import is_wsl
from console.unknown import known


def wanted_here(
    session: Session, *, card: str | None, variant: str | None, changes: dict[str, Any]
) -> Wanted:
    """Give what is wanted on this host.

    Args:
        session: of the host.
        card: as `pick_card` takes it; None is the one with the most memory.
        variant: its id; None is one that ComfyUI loads by itself.
        changes: fields of `Wanted` that were said.

    Raises:
        ConsoleError: no card, no such card or variant, none that the card runs, or no models
            folder is known.
    """
    gpus = cards_of(read_status(session).gpu)
    chosen = pick_card(card, gpus) if card is not None else max(gpus, key=_memory)
    return wanted_for(session, gpus, chosen, variant=variant, changes=changes)


def wanted_of_proxy(session: Session, proxy: str, changes: dict[str, Any]) -> Wanted:
    """Give what is wanted of a proxy before a service here: it needs no card, and no models.

    Args:
        session: of the host.
        proxy: `iis` stands on the other side of WSL, any other on this one.
        changes: fields of `Wanted` that are known or were said.
    """
    across = proxy == "iis" and is_wsl(session.root)
    given: dict[str, Any] = {
        "platform": "wsl" if across else "native",
        "card": Card(index=0, uuid="", name=""),
        **changes,
    }
    given["network"] = given.get("network") or read_network(session.root).mode
    return Wanted(**given)


def wanted_for(
    session: Session,
    gpus: tuple[Gpu, ...],
    chosen: Gpu,
    *,
    variant: str | None,
    changes: dict[str, Any],
) -> Wanted:
    """Give what is wanted for one of these cards; otherwise as `wanted_here`."""
    order = _by_bus(gpus)
    made = {one.uuid: _card(one, order.index(one)) for one in gpus}
    found = variant_named(session.needed_catalog(), variant) if variant else None
    given: dict[str, Any] = {
        "platform": "wsl" if is_wsl(session.root) else "native",
        "owner": f"{os.getuid()}:{os.getgid()}",
        "route": route_of(found) if found else "core",
        "variant": found.id if found else "",
        **changes,
    }
    models: Path | None = given.get("models") or session.settings.paths.models
    if models is None:
        raise UsageError(
            "setup.no-models",
            "no models folder is known",
            "The step existing finds one; `setup files` takes --models DIR",
        )
    given["models"] = models
    given.setdefault("data", models.parent.parent / "comfyui-data")
    if found is not None:
        check_variant(found, made[chosen.uuid])
    return Wanted(card=made[chosen.uuid], cards=tuple(made[one.uuid] for one in order), **given)


def _card(one: Gpu, index: int) -> Card:
    return Card(
        index=index,
        uuid=one.uuid,
        name=one.name if known(one.name) else one.uuid,
        capability=one.compute_capability if known(one.compute_capability) else "",
        ordinal=one.cuda_ordinal if known(one.cuda_ordinal) else None,
    )


def _by_bus(gpus: tuple[Gpu, ...]) -> list[Gpu]:
    """Order cards by their bus, which is how CUDA counts with PCI_BUS_ID; else as the driver."""
    if all(known(one.pci_bus_id) for one in gpus):
        return sorted(gpus, key=lambda one: str(one.pci_bus_id))
    return sorted(gpus, key=lambda one: one.index)


def _memory(one: Gpu) -> int:
    return one.memory_total_bytes if known(one.memory_total_bytes) else 0
