"""The steps `host`, `cards` and `existing`: what is there, and what of it goes into the config."""

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from actions.doctor.check import Examination
from actions.doctor.examining import examine
from actions.doctor.ground import Ground as DoctorGround
from actions.fit.cards import cards_of
from actions.runbook.finding import Finding
from actions.services.adopt import adoptable, values_of
from actions.services.placement import card_words
from actions.setup.draft import other
from actions.setup.ground import Ground
from actions.setup.report import Look
from actions.setup.words import words
from console.engine.values import items, mapping, text
from console.errors import ConsoleError, UsageError
from console.gpu.snapshot import Gpu
from console.paths import expand, find_home
from console.text import clean_line
from console.units import format_bytes
from console.unknown import Unknown, known

_BENEATH = ("host", "driver", "engine")
_PATIENCE = 2.0
_MOST_MOUNTED = 40


def look_at_host(ground: Ground) -> Look:
    """Run the doctor's checks of host, driver and engine."""
    whole = examined(ground, _BENEATH)
    found = tuple(f"{one.state:<4} {one.title}" for one in whole.results if one.state != "skip")
    findings = [one for one in whole.findings if one.severity != "info" and one.current]
    errors = [one for one in findings if one.severity == "error"]
    if errors:
        return Look(
            state="blocked", detail=_titles(errors), found=found, commands=commands_of(findings)
        )
    said = f"; to look at: {_titles(findings)}" if findings else ""
    return Look(
        state="done",
        detail=f"{len(found)} checks, nothing in the way{said}",
        found=found,
        commands=commands_of(findings),
    )


def examined(ground: Ground, only: Sequence[str], service: str = "") -> Examination:
    """Give the doctor's examination of some groups, or of what is outside of one service."""
    for event in examine(ground.session, only=only, service=service):
        if isinstance(event, Examination):
            return event
    raise AssertionError  # an examination always ends with the whole of it


def commands_of(findings: Sequence[Finding]) -> tuple[str, ...]:
    """Give what to do about findings, each line once, under what it is about."""
    lines = [f"{one.subject}: {line}" for one in findings for line in one.fix]
    return tuple(dict.fromkeys(lines))


def _titles(findings: Sequence[Finding]) -> str:
    return "; ".join(f"{one.subject}: {one.title}" for one in findings)


def look_at_cards(ground: Ground) -> Look:
    """Say which cards there are, how driver and CUDA count them, and which one ComfyUI gets."""
    cards = cards_of(ground.snapshot.gpu)
    found = tuple(_card_line(one) for one in cards)
    card = ground.card
    proposes = [f"{card_words(card)} for ComfyUI", *_order_words(cards)]
    if ground.bears(card):
        return Look(
            state="done", detail=f"{card_words(card)} for ComfyUI", found=found,
            proposes=tuple(proposes),
        )  # fmt: skip
    nearest = min(
        (one for one in ground.fits if one.gpu_uuid == card.uuid),
        key=lambda one: one.need_bytes if isinstance(one.need_bytes, int) else 1 << 62,
    )
    return Look(
        state="blocked",
        detail=f"{card_words(card)} is too small for every variant; the least of them, "
        f"{nearest.variant}: {nearest.reason}",
        found=found,
        commands=tuple(_other_cards(ground, cards)),
    )


def _other_cards(ground: Ground, cards: Sequence[Gpu]) -> Iterator[str]:
    able = [one for one in cards if ground.bears(one)]
    for one in able:
        yield f'{card_words(one)} would do: service.gpu = "{one.uuid}" in the answers'
    if not able:
        least = min(one.min_card_bytes for one in ground.session.catalog.variants)
        yield f"a card of {least / 1e9:.0f} GB or more; `gpuconsole models fit --empty` says why"
    yield "what else holds memory on it, such as a desktop, may be moved to another card"


def _card_line(one: Gpu) -> str:
    size = one.memory_total_bytes
    cuda = one.cuda_ordinal if known(one.cuda_ordinal) else "?"
    shown = format_bytes(size) if known(size) else "size not known"
    return f"{card_words(one)}: {shown}, driver {one.index}, CUDA {cuda}, {one.uuid}"


def _order_words(cards: Sequence[Gpu]) -> Iterator[str]:
    """Explain the trap of the order on these very cards."""
    for one in cards:
        if known(one.cuda_ordinal) and one.cuda_ordinal != one.index:
            yield (
                f"{card_words(one)} is card {one.index} of the driver and, as CUDA counts without "
                f"CUDA_DEVICE_ORDER=PCI_BUS_ID, card {one.cuda_ordinal}: a bare number may mean "
                "the wrong one, so the config names cards by name or UUID"
            )
            return


def look_at_existing(ground: Ground) -> Look:
    """Say which services, compose files and model folders there are, and adopt them."""
    problem = ground.snapshot.engine.problem
    if problem is not None:
        return Look(state="blocked", detail=problem.title, commands=_hint(problem))
    services = adoptable(ground.snapshot, ()) if ground.answers.flag("existing.adopt") else ()
    values = values_of(services)
    folder, found, notes = _models(ground)
    if folder is not None:
        wanted = {"paths.models": str(folder)}
        said = other(ground.session, wanted) if ground.answers.text("existing.models") else {}
        if said:
            return disagreement(said, wanted)
        if ground.session.config.settings.paths.models is None:
            values = {**wanted, **values}
    elif ground.session.config.settings.paths.models is None:
        return Look(
            state="blocked",
            detail="no models folder was found, and none is named",
            found=tuple(_service_lines(ground)),
            commands=('existing.models = "/…/ComfyUI/models" in the answers names one',),
        )
    lines = (*_service_lines(ground), *found)
    if not values:
        return Look(state="done", detail="the config knows what is here", found=lines)
    proposes = [f"{one.name}: {reason}" for one in services for reason in one.reasons[:1]]
    what = [one.name for one in services] + [
        f"models in {folder}" for _ in range(folder is not None)
    ]
    return Look(
        state="needed",
        detail=f"into the config: {', '.join(what)}",
        found=lines,
        proposes=(*proposes, *notes),
        values=values,
        folder=folder if folder is not None and not folder.exists() else None,
    )


def disagreement(said: dict[str, str], wanted: dict[str, Any]) -> Look:
    """Show where the config says otherwise than the answers: it is left as it is."""
    lines = tuple(f"{key} is {value}, the answers say {wanted[key]}" for key, value in said.items())
    return Look(
        state="blocked",
        detail=f"the config disagrees, and is left as it is: {'; '.join(lines)}",
        commands=("change the config or the answers, then run setup again",),
    )


def _service_lines(ground: Ground) -> Iterator[str]:
    for one in ground.snapshot.services:
        service = one.service
        where = f", {service.compose_file}" if service.compose_file else ""
        yield f"{one.name}: {service.kind}, {one.state}, {service.source}{where}"
    if not ground.snapshot.services:
        yield "no service of a kind that is known"


def _models(ground: Ground) -> tuple[Path | None, tuple[str, ...], tuple[str, ...]]:
    """Give the models folder to write, what was found, and what is to be known of it."""
    session = ground.session
    set_there = session.config.settings.paths.models
    named = ground.answers.text("existing.models")
    if named:
        folder = expand(named, session.environ)
        if not folder.is_absolute():
            raise UsageError(
                "setup.relative-path",
                f"existing.models is no absolute path: {clean_line(named, 120)}",
                "It begins with / or ~/",
            )
        return folder, (), _slow(ground, folder)
    if set_there is not None:
        return None, (f"models: {set_there}",), ()
    several = _search(ground)
    if not several:
        return None, (), ()
    lines = tuple(f"models: {one}" for one in several)
    return several[0], lines, _slow(ground, several[0])


def _slow(ground: Ground, folder: Path) -> tuple[str, ...]:
    facts = ground.snapshot.host
    on_wsl = not isinstance(facts, Unknown) and str(facts.platform).startswith("wsl")
    parts = folder.parts
    if on_wsl and parts[1:2] == ("mnt",) and len(parts) > 2 and len(parts[2]) == 1:
        return (f"{folder} lies on a Windows drive, which is read slowly from WSL",)
    return ()


def _search(ground: Ground) -> list[Path]:
    """Look for model folders, in a thread of its own: a drive may not answer."""
    found: list[Path] = []
    thread = threading.Thread(target=_find, args=(ground, found), name="setup-models", daemon=True)
    thread.start()
    thread.join(_PATIENCE)
    return list(dict.fromkeys(found))


def _find(ground: Ground, found: list[Path]) -> None:
    search = words().search
    places = list(_mounted_into(ground))
    home = find_home(ground.session.environ)
    places += [home / one for one in search.home] if home is not None else []
    for place in places:
        _take(place, found)
    try:
        drives = sorted((ground.session.root / "mnt").iterdir())[:_MOST_MOUNTED]
    except OSError:
        return
    for drive in drives:
        for one in search.mounted:
            _take(drive / one, found)


def _take(place: Path, found: list[Path]) -> None:
    try:
        if any((place / mark).is_dir() for mark in words().search.marks):
            found.append(place)
    except OSError:
        return


def _mounted_into(ground: Ground) -> Iterator[Path]:
    """Give the folders of this host that ComfyUI's containers have their models from."""
    doctor = DoctorGround(ground.session)
    for one in ground.snapshot.services:
        if one.service.kind != "comfyui" or not one.container_id:
            continue
        try:
            mounts = items(doctor.inspect(one.container_id).get("Mounts"))
        except ConsoleError:
            continue
        for entry in map(mapping, mounts):
            source, inside = text(entry.get("Source"), 4096), text(entry.get("Destination"), 4096)
            if source.startswith("/") and inside.endswith("/models"):
                yield Path(source)
            elif source.startswith("/"):
                yield from (Path(source) / "models", Path(source) / "ComfyUI" / "models")


def _hint(problem: Unknown) -> tuple[str, ...]:
    return (problem.hint,) if problem.hint else ()
