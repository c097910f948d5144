"""Forges within the step `existing`: what their compose services have wrong, and correcting it.

A compose file is only changed where the answers name its Forge. Then its container is of settings
that are gone, and is made anew by a plan.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from actions.plan import Plan
from actions.services.placement import card_words
from actions.services.snapshot import ServiceStatus
from actions.setup.disagreement import disagreement
from actions.setup.forge_correct import ALL, Offer, anew, chosen_names, offers_of
from actions.setup.forge_new import NewForge, new_forge
from actions.setup.forge_write import writing
from actions.setup.ground import Ground
from actions.setup.report import Ask, Look, Option
from console.config.load import dotted
from console.errors import UsageError
from console.text import clean_line

CORRECT, NEW = "forge.correct", "forge.new"


class Forges(msgspec.Struct, frozen=True, kw_only=True):
    """What the step `existing` says and does about Forges; the fields are those of `Look`.

    Attributes:
        refused: why what was answered cannot be done; None where it can.
    """

    detail: str = ""
    found: tuple[str, ...] = ()
    proposes: tuple[str, ...] = ()
    values: dict[str, Any] = {}
    write: Callable[[], tuple[str, ...]] | None = None
    diff: str = ""
    plan: Plan | None = None
    command: str = ""
    commands: tuple[str, ...] = ()
    asks: tuple[Ask, ...] = ()
    refused: Look | None = None

    @property
    def able(self) -> bool:
        """Whether there is something to write or to run."""
        return self.write is not None or self.plan is not None or bool(self.values)


def look_at_forges(ground: Ground) -> Forges:
    """Say what could be corrected of the Forges that are here, and do what was answered."""
    statuses = [one for one in ground.snapshot.services if one.service.kind == "forge"]
    found: tuple[str, ...] = ()
    asks: tuple[Ask, ...] = ()
    try:
        chosen = chosen_names(ground.answers.text(CORRECT), [one.name for one in statuses])
        offers = offers_of(ground, statuses, chosen)
        found = tuple(line for one in offers for line in one.lines())
        asks = (*_asks(ground, offers, chosen), *_new_asks(ground, statuses))
        new = new_forge(ground) if ground.answers.flag(NEW) else None
    except UsageError as error:
        look = Look(
            state="blocked", detail=error.title, commands=(error.hint,) if error.hint else (),
        )  # fmt: skip
        wrong = _asks(ground, (), set())
        return Forges(
            found=found, asks=asks or (*wrong, *_new_asks(ground, statuses)), refused=look
        )
    mine = [one for one in offers if one.status.name in chosen]
    refused = next(filter(None, (one.refusal() for one in mine)), None)
    said, cards = _other_cards(mine)
    if said and not ground.answers.flag("existing.replace"):
        refused = disagreement(said, cards)
    if refused is not None:
        return Forges(found=found, asks=asks, refused=refused)
    made = _done_or_needed(ground, mine, new, found, asks)
    if not cards:
        return made
    told = made.detail or f"writes another card into the config: {', '.join(cards)}"
    return msgspec.structs.replace(made, values={**made.values, **cards}, detail=told)


def _other_cards(mine: Sequence[Offer]) -> tuple[dict[str, str], dict[str, Any]]:
    """Give where the config has another card than was answered, and what it would say then."""
    said, values = dict[str, str](), dict[str, Any]()
    for one in mine:
        service, expected = one.status.service, one.status.gpu_expected_uuid
        if service.source == "config" and service.gpu and one.card not in {"", expected}:
            key = dotted(("services", one.status.name, "gpu"))
            said[key], values[key] = clean_line(service.gpu, 80), one.card
    return said, values


def _done_or_needed(
    ground: Ground,
    mine: Sequence[Offer],
    new: NewForge | None,
    found: tuple[str, ...],
    asks: tuple[Ask, ...],
) -> Forges:
    """Give what is to be written, else what is to be made anew, else nothing."""
    if any(one.changes for one in mine) or (new is not None and new.write is not None):
        return _written(ground, mine, new, found, asks)
    return _made_anew(ground, mine, new, found, asks)


def _written(
    ground: Ground,
    mine: Sequence[Offer],
    new: NewForge | None,
    found: tuple[str, ...],
    asks: tuple[Ask, ...],
) -> Forges:
    """Give what writes the files: of those that are corrected, and of a new one."""
    changed = [one for one in mine if one.changes]
    work = writing(ground, changed)
    names = [one.status.name for one in changed]
    parts = [f"corrects {', '.join(names)}"] if names else []
    writes = [work.write] if names else []
    diffs = [work.diff] if names else []
    notes = [f"{one.status.name}: {reason}" for one in changed for reason in one.reasons]
    values = dict(work.values)
    if new is not None and new.write is not None:
        parts.append(f"writes {new.path}")
        writes.append(new.write)
        diffs.append(new.diff)
        notes += new.notes
        values |= new.values

    def write() -> tuple[str, ...]:
        return tuple(path for one in writes for path in one())

    again = [one.command for one in changed if one.status.up and one.then]
    if again:
        notes.append("then a container is made anew: it keeps its volumes")
    return Forges(
        detail="; ".join(parts), found=found, proposes=tuple(notes), values=values, write=write,
        diff="\n".join(diffs), command=" && ".join(again), asks=asks,
    )  # fmt: skip


def _made_anew(
    ground: Ground,
    mine: Sequence[Offer],
    new: NewForge | None,
    found: tuple[str, ...],
    asks: tuple[Ask, ...],
) -> Forges:
    """Give the plan for the first container that is older than its file, else nothing."""
    commands = new.commands if new is not None else ()
    behind = [one for one in mine if one.behind]
    for one in behind:
        differs = ", ".join(one.behind)
        why = f"{one.status.name}: its container is from before its file was changed: {differs}"
        if not one.status.up:
            commands += (f"{one.command}  # makes it anew, and starts it",)
            continue
        plan = anew(ground, one)
        if isinstance(plan, Plan):
            detail = f"makes the container of {one.status.name} anew"
            return Forges(
                detail=detail, found=found, proposes=(why, *_checks(plan)), plan=plan, asks=asks,
                commands=commands,
            )  # fmt: skip
        commands += (f"{one.command}  # later: {plan}",)
    rest = [one for one in mine if one not in behind]
    done = [one.status.name for one in rest if not one.left]
    parts = [f"{', '.join(done)} as it should be"] if done else []
    for one in rest:
        if one.left:
            parts.append(f"{one.status.name}: {len(one.left)} left to correct by hand")
            commands += (f"# {one.status.name}, by hand in {one.file}:", *one.left)
    return Forges(detail="; ".join(parts), found=found, commands=commands, asks=asks)


def _checks(plan: Plan) -> Iterator[str]:
    for one in plan.checks:
        yield one.title


def _asks(ground: Ground, offers: Sequence[Offer], chosen: set[str]) -> Iterator[Ask]:
    able = [one for one in offers if one.changes]
    answered = ground.answers.text(CORRECT)
    if not able and not answered:
        return
    several = [
        Option(
            value=one.status.name,
            title=one.status.name,
            detail=f"{len(one.reasons)} to correct: see what was found",
            recommended=len(able) == 1,
        )
        for one in able
    ]
    every = [Option(value=ALL, title="all of them", recommended=True)] if len(able) > 1 else []
    yield Ask(
        key=CORRECT,
        title="Correct the compose file of a Forge?",
        kind="text",
        value=answered,
        options=(Option(value="", title="no, leave them as they are"), *every, *several),
        about="The change is shown first, and a copy of the file is kept.",
    )
    if len(chosen) == 1:
        name = next(iter(chosen))
        offer = next((one for one in offers if one.status.name == name), None)
        yield _card_ask(ground, f"Which card does {name} get?", offer.card if offer else "")


def _new_asks(ground: Ground, statuses: Sequence[ServiceStatus]) -> Iterator[Ask]:
    wanted = ground.answers.flag(NEW)
    if statuses and not wanted:
        return
    yield Ask(
        key=NEW,
        title="Write a new Forge?",
        kind="flag",
        value=wanted,
        about="A compose file that pins its card, with its login in a file that only you may read.",
    )
    if wanted:
        yield Ask(
            key="forge.name", title="What is it called?", kind="text",
            value=ground.answers.text("forge.name"),
        )  # fmt: skip
        yield _card_ask(ground, "Which card does it get?", "")
        yield Ask(
            key="forge.folder", title="Where do its files go?", kind="text",
            value=ground.answers.text("forge.folder"),
            about="Empty: ~/gpuconsole/NAME. Its models and pictures are below that too.",
        )  # fmt: skip


def _card_ask(ground: Ground, title: str, now: str) -> Ask:
    return Ask(
        key="forge.gpu",
        title=title,
        kind="text",
        value=ground.answers.text("forge.gpu") or now,
        options=tuple(
            Option(value=one.uuid, title=card_words(one), recommended=one.uuid == now)
            for one in ground.snapshot.gpu.gpus
        ),
    )
