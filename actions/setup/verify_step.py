"""The step `verify`: the card that ComfyUI names itself, and the one that is meant."""

from collections.abc import Iterator

from msgspec.structs import replace

from actions.fit.cards import pick_card
from actions.services.placement import card_words
from actions.services.snapshot import ServiceStatus
from actions.setup.ground import Ground
from actions.setup.planned import not_made, planned, waiting
from actions.setup.report import Ask, Look
from actions.setup.start_step import UP
from console.errors import ConsoleError
from console.unknown import Unknown, known

_TRUSTED = frozenset({"observed", "processes"})


def look_at_card(ground: Ground) -> Look:
    """Compare the card that the service names itself with the one that is meant."""
    service = ground.service
    if service is None:
        return not_made(ground, "status", "looked at")
    if service.state not in UP:
        once = f"looked at once {service.name} runs ({service.state})"
        return waiting(ground, Look(state="needed", detail=once), "start")
    found = tuple(_said(service))
    if service.misplaced:
        return _elsewhere(ground, service, found)
    if service.gpu_uuid is None and service.gpu_source == "observed":
        return Look(
            state="blocked",
            detail=f"{service.name} computes on the processor, by its own word",
            found=found,
            commands=(f"`gpuconsole doctor --service {service.name}` says what keeps it off",),
        )
    if service.gpu_uuid is None or isinstance(service.gpu_uuid, Unknown):
        return _untold(ground, service, found)
    here = _card_words(ground, service.gpu_uuid)
    if service.gpu_source in _TRUSTED:
        seen = "the driver sees it there" if service.gpu_source == "processes" else ""
        return Look(
            state="done",
            detail=f"{service.name} computes on {here}",
            found=(*found, seen) if seen else found,
        )
    return Look(
        state="done",
        detail=f"by its settings {service.name} is on {here}; it does not say so itself",
        found=found,
    )


def _said(service: ServiceStatus) -> Iterator[str]:
    """Give what the service and others say, its own word for its card first."""
    device = service.reading.device if service.reading is not None else None
    if device is not None and known(device) and known(device.name):
        yield f"it names its card: {device.name}"
    for one in service.evidence:
        # Since when it may be ready is nothing that tells of its card.
        if one.at is None:
            yield f"{one.source}: {one.text}"


def _untold(ground: Ground, service: ServiceStatus, found: tuple[str, ...]) -> Look:
    uuid = service.gpu_uuid
    cards = ground.snapshot.gpu.gpus
    why = uuid.title if isinstance(uuid, Unknown) else "nothing tells which card it uses"
    if len(cards) == 1:
        return Look(
            state="done",
            detail=f"there is one card, {card_words(cards[0])}; {service.name} does not name it",
            found=found,
        )
    return Look(
        state="blocked",
        detail=f"which card {service.name} is on is not known: {why}",
        found=found,
        commands=(f"`gpuconsole status` and `gpuconsole logs {service.name}` show what it says",),
    )


def _elsewhere(ground: Ground, service: ServiceStatus, found: tuple[str, ...]) -> Look:
    """Offer to move it: that changes its compose file, so only who says so has it done."""
    here, meant = service.gpu_uuid, service.gpu_expected_uuid
    sits = _card_words(ground, here) if isinstance(here, str) else "a card that is not known"
    named = service.service.gpu or (meant if isinstance(meant, str) else "")
    wanted = _card_words(ground, meant) if isinstance(meant, str) else named
    detail = f"{service.name} is on {sits}, and meant for {wanted}"
    told = ground.answers.flag("verify.move")
    asks = (
        Ask(
            key="verify.move",
            title=f"Move {service.name} to {wanted}?",
            kind="flag",
            value=told,
            about=f"changes its compose file and recreates it: {service.advice}",
        ),
    )
    command = f"gpuconsole move {service.name} --gpu {named}  # shows its plan first"
    blocked = Look(
        state="blocked", detail=detail, found=found, asks=asks,
        commands=(*((service.advice,) if service.advice else ()), command),
    )  # fmt: skip
    if not told or not named:
        return blocked
    try:
        plan = ground.operations.plan("move", service.name, gpu=named)
    except ConsoleError as error:
        hint = (error.hint,) if error.hint else ()
        return Look(
            state="blocked", detail=f"{detail}: {error.title}", found=found, asks=asks,
            commands=(*hint, command),
        )  # fmt: skip
    look = planned(plan, detail, found)
    return replace(look, commands=look.commands or blocked.commands, asks=asks)


def _card_words(ground: Ground, uuid: str) -> str:
    try:
        return card_words(pick_card(uuid, ground.snapshot.gpu.gpus))
    except ConsoleError:
        return uuid
