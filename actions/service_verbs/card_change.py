"""The change that gives a service's settings another card."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from actions.declared import GpuOrder
from actions.merge import on_wsl
from actions.service_verbs.around import Around
from actions.service_verbs.compose_change import Wish, change_draft
from actions.service_verbs.doing import Doing
from actions.service_verbs.draft import ServiceDraft
from actions.services.advice import advice
from actions.services.find import container_of
from actions.services.placement import Placement
from actions.services.snapshot import ServiceStatus
from actions.session import Session
from console.gpu.snapshot import Gpu

if TYPE_CHECKING:
    from console.compose.edit import CardChange


def edit_draft(
    session: Session,
    around: Around,
    status: ServiceStatus,
    card: Gpu,
    texts: dict[Path, str] | None = None,
) -> ServiceDraft:
    """Give the step that gives a service's compose file another card, with the diff.

    Where the file says so already there is no step. A file that cannot be changed refuses, with
    the setting to change by hand.

    Args:
        session: for the compose there is.
        around: the look at the host.
        status: the service.
        card: the one it is to have.
        texts: what files will hold by then, where earlier steps change them; this change is added.
    """
    wish = _wish(
        session,
        card_change(around, card),
        f"Give {status.name} {around.card_name(card.uuid)}",
        _by_hand(around, status, card),
    )
    return change_draft(session, status, wish, texts)


def wish_of_card(doing: Doing) -> Wish:
    """Give the wish that a step of `edit_draft` was made from."""
    from console.compose.edit import CardChange

    change = msgspec.convert(doing.options["change"], CardChange)
    return _wish(doing.session, change, doing.step.title, "")


def _wish(session: Session, change: "CardChange", title: str, by_hand: str) -> Wish:
    from console.compose.edit import edit_card
    from console.compose.outside import outside_of

    return Wish(
        title=title,
        by_hand=by_hand,
        options={"change": msgspec.to_builtins(change)},
        edit=lambda text, service, outside, name: edit_card(text, service, change, outside, name),
        outside=lambda found: outside_of(found, session.environ),
    )


def card_change(around: Around, card: Gpu) -> Any:
    """Give the card as a change of settings: by UUID where the engine's choice counts."""
    from console.compose.edit import CardChange

    ordered = GpuOrder(around.snapshot.gpu.gpus)
    uuids = [gpu.uuid for gpu in ordered.pci_order(ordered.by_index)]
    native = on_wsl(around.snapshot.host) is False
    return CardChange(index=uuids.index(card.uuid), gpu_uuid=card.uuid, by_device=native)


def _by_hand(around: Around, status: ServiceStatus, card: Gpu) -> str:
    """Say which setting to change to what."""
    snapshot = around.snapshot
    container = container_of(status.service, snapshot.engine.containers)
    meant = Placement(expected=card.uuid)
    order = GpuOrder(snapshot.gpu.gpus)
    return advice(status.service, container, meant, order, on_wsl(snapshot.host))
