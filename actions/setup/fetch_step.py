"""The step `fetch`: the files of the variant, by the job that fetches models."""

from collections.abc import Iterator

from msgspec.structs import replace

from actions.models.choosing import pieces_by_id
from actions.models.model import Piece
from actions.plan import Plan
from actions.setup.ground import Ground
from actions.setup.planned import planned, refused_by
from actions.setup.report import Look
from console.errors import ConsoleError
from console.units import format_bytes

_HERE = frozenset({"present", "checked"})
_FULL = frozenset({"models.disk-full", "models.disk-full-with-others"})
_UNDER_WAY = frozenset({"queued", "running"})
_MOST_OTHERS = 3


def look_at_files(ground: Ground) -> Look:
    """Say which files of the variant are missing, and how they would be fetched."""
    ident = ground.variant
    variant = ground.session.needed_catalog().variant(ident)
    if variant is None:
        return Look(
            state="blocked",
            detail=f"no variant is chosen for {ground.name}",
            commands=("the step variant chooses one",),
        )
    known = pieces_by_id(ground.session)
    pieces = [known[file] for file in variant.files]
    missing = [one for one in pieces if one.state not in _HERE]
    found = tuple(f"{one.id}: {_size(one)}{one.state}{_place(one)}" for one in pieces)
    there = tuple(one.path for one in pieces if one.state in _HERE and one.path)
    if not missing:
        return Look(state="done", detail=f"all files of {ident} are here", found=found, there=there)
    lack = "is missing" if len(missing) == 1 else "are missing"
    detail = f"{len(missing)} of {len(pieces)} files of {ident} {lack}{_sum(missing)}"
    # The hub is only asked where something is missing: what is here needs no internet.
    try:
        plan = ground.operations.plan("pull", ident)
    except ConsoleError as error:
        hints = (error.hint,) if error.hint else ()
        return Look(
            state="blocked", detail=f"{detail}: {error.title}", found=found,
            commands=(*hints, *_without_hub(ground, ident)),
        )  # fmt: skip
    return replace(_offered(ground, plan, detail, found), there=there)


def lacks_files(ground: Ground) -> bool:
    """Tell whether files of the variant are missing on this host."""
    variant, known = ground.session.catalog.variant(ground.variant), pieces_by_id(ground.session)
    return variant is not None and any(known[one].state not in _HERE for one in variant.files)


def _offered(ground: Ground, plan: Plan, detail: str, found: tuple[str, ...]) -> Look:
    job, state = ground.operations.same_job(plan)
    refused = refused_by(plan)
    if job and (refused is None or state in _UNDER_WAY):
        joins = (
            f"job {job} fetches just that now: it is joined"
            if state in _UNDER_WAY
            else f"job {job} has stopped on the way: it goes on with what it has"
        )
        notes = tuple(one.title for one in plan.checks)
        return Look(state="needed", detail=detail, found=found, proposes=(joins, *notes), plan=plan)
    look = planned(plan, detail, found)
    if refused is None:
        return look
    ident = ground.variant
    ways = _smaller(ground, ident) if refused.id in _FULL else _without_hub(ground, ident)
    return replace(look, commands=(*look.commands, *ways))


def _size(one: Piece) -> str:
    return "" if one.size_bytes is None else f"{format_bytes(one.size_bytes)}, "


def _place(one: Piece) -> str:
    """Give where a file lies, or where it would be put."""
    return f", {one.path}" if one.path else ""


def _sum(missing: list[Piece]) -> str:
    told = [one.size_bytes for one in missing if one.size_bytes is not None]
    return f", {format_bytes(sum(told))}" if len(told) == len(missing) else ""


def _without_hub(ground: Ground, wanted: str) -> Iterator[str]:
    """Give the variants that run on the card and need nothing from the internet."""
    card = ground.card.uuid
    here = [
        one.variant
        for one in ground.choices
        if one.state == "ready"
        and one.variant != wanted
        and any(fit.gpu_uuid == card and fit.verdict in {"resident", "offload"} for fit in one.fits)
    ]
    if here:
        yield f"or take one that is here already: {', '.join(here[:_MOST_OTHERS])}"


def _smaller(ground: Ground, wanted: str) -> Iterator[str]:
    """Give variants that run on the card and need less of the disk."""
    card = ground.card.uuid
    sizes = {one.variant: one.missing_bytes for one in ground.choices}
    own = sizes.get(wanted)
    less = [
        (size, one.variant)
        for one in ground.choices
        if (size := one.missing_bytes) is not None
        and own is not None
        and size < own
        and card in one.recommended
    ]
    for size, ident in sorted(less, reverse=True)[:_MOST_OTHERS]:
        yield f"or take {ident}: {format_bytes(size)} to fetch"
