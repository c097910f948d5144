"""The steps `fetch`, `start` and `verify`: model files, the service, and the card it is on."""

from actions.fit.cards import pick_card
from actions.models.choosing import pieces_by_id
from actions.plan import Plan
from actions.services.placement import card_words
from actions.services.snapshot import ServiceStatus
from actions.setup.choosing import NO_COMFYUI
from actions.setup.ground import Ground
from actions.setup.report import Look
from console.errors import ConsoleError
from console.units import format_bytes
from console.unknown import known

_UP = frozenset({"ready", "busy", "misplaced"})
_HERE = frozenset({"present", "checked"})


def look_at_files(ground: Ground) -> Look:
    """Say which files of the variant are missing, and how they would be fetched."""
    service = ground.service
    if service is None:
        return NO_COMFYUI
    variant = ground.session.needed_catalog().variant(service.service.variant)
    if variant is None:
        return Look(state="blocked", detail=f"{service.name} has no variant of the catalogue")
    pieces = [pieces_by_id(ground.session)[ident] for ident in variant.files]
    found = tuple(f"{one.id}: {one.state}" for one in pieces)
    if all(one.state in _HERE for one in pieces):
        return Look(state="done", detail=f"all files of {variant.id} are here", found=found)
    # The hub is only asked where something is missing: what is here needs no internet.
    plan = ground.operations.plan("pull", variant.id)
    sizes = [one.size_bytes for one in pieces if one.state not in _HERE]
    told = [size for size in sizes if size is not None]
    size = f", {format_bytes(sum(told))}" if len(told) == len(sizes) else ""
    return planned(plan, f"{len(sizes)} of {len(pieces)} files of {variant.id}{size}", found)


def planned(plan: Plan, detail: str, found: tuple[str, ...] = ()) -> Look:
    """Give the look of a plan that is to be run: what it rests on, or why it is refused.

    A session that only shows what would be is read-only: that is no refusal of the plan's own.
    """
    if plan.verdict == "refused":
        refused = next((one for one in plan.checks if one.verdict == "refuse"), None)
        why = plan.refusal
        if refused is not None or (why is not None and why.code != "policy.read-only"):
            title = refused.title if refused is not None else why.title if why else ""
            hint = refused.detail if refused is not None else why.hint if why else ""
            ways = tuple(
                f"{way.title}: {way.command}"
                for fit in plan.fits
                for way in fit.ways_out
                if way.command
            )
            return Look(
                state="blocked", detail=f"{detail}: {title}", found=found,
                commands=(*((hint,) if hint else ()), *ways),
            )  # fmt: skip
    notes = tuple(one.title for one in plan.checks)
    return Look(state="needed", detail=detail, found=found, proposes=notes, plan=plan)


def look_at_start(ground: Ground) -> Look:
    """Say whether ComfyUI answers, and how it would be started."""
    service = ground.service
    if service is None:
        return NO_COMFYUI
    evidence = tuple(one.text for one in service.evidence[:2])
    if service.state in _UP:
        return Look(
            state="done", detail=f"{service.name} answers ({service.state})", found=evidence
        )
    if service.state == "needs-auth":
        return Look(
            state="blocked", detail=f"{service.name}: a login is in the way", found=evidence,
            commands=(f"auth of services.{service.name} in the config says where the secret is",),
        )  # fmt: skip
    if service.state in {"crash-looping", "unhealthy", "unreachable"}:
        return Look(
            state="blocked", detail=f"{service.name} is {service.state}", found=evidence,
            commands=(f"`gpuconsole doctor --service {service.name}` says why",),
        )  # fmt: skip
    plan = ground.operations.plan("start", service.name)
    return planned(plan, f"{service.name} is {service.state}", evidence)


def look_at_card(ground: Ground) -> Look:
    """Compare the card that the service names itself with the one that is meant."""
    service = ground.service
    if service is None:
        return NO_COMFYUI
    if service.state not in _UP:
        return Look(state="needed", detail=f"looked at once {service.name} runs ({service.state})")
    found = tuple(one.text for one in service.evidence)
    here = _card_of(ground, service)
    if service.misplaced:
        meant = service.service.gpu
        return Look(
            state="blocked",
            detail=f"{service.name} is on {here}, and meant for {meant}: {service.advice}",
            found=found,
            commands=(f"gpuconsole move {service.name} --gpu {meant}  # shows its plan first",),
        )
    if service.gpu_source in {"observed", "processes"}:
        return Look(state="done", detail=f"{service.name} computes on {here}", found=found)
    return Look(
        state="done",
        detail=f"by its settings {service.name} is on {here}; it does not say so itself",
        found=found,
    )


def _card_of(ground: Ground, service: ServiceStatus) -> str:
    uuid = service.gpu_uuid
    if uuid is None or not known(uuid):
        return "a card that is not known"
    try:
        return card_words(pick_card(uuid, ground.snapshot.gpu.gpus))
    except ConsoleError:
        return uuid
