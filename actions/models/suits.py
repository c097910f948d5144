"""Whether what is to be fetched suits this host's cards and what lies here already."""

import threading
from collections.abc import Mapping, Sequence
from typing import Any

from actions.containers.words import worded
from actions.models.pairs import pairs_of, words_of
from actions.plan import Check
from actions.services.placement import card_words
from actions.session import Session
from console.gpu.snapshot import Gpu, GpuSnapshot
from console.hub.spec import endpoint_of, parse_spec
from console.models.catalog import Catalog, ModelFile, Variant, parse_capability
from console.models.disk import look_for, model_roots
from console.packaged import read_table
from console.unknown import known

_PATIENCE = 4.0  # seconds: a driver may hang for good


def suit_checks(session: Session, ident: str, options: Mapping[str, Any]) -> list[Check]:
    """Say of a variant or file of the catalogue what speaks against fetching it.

    One that no card here can run is refused, unless it goes to another folder (`to`), which may be
    another host's. Pairs are told of what lies here only.

    Args:
        session: whose catalogue, folders and driver count.
        ident: of the variant or file, or the `hf:` name of one; anything else has no checks.
        options: of the plan.
    """
    catalog = session.catalog
    variant = catalog.variant(ident)
    entry = variant or catalog.file(ident) or _file_of_hub(session, ident)
    if entry is None:
        return []
    checks = []
    if variant is not None or entry.min_capability or entry.max_capability:
        cards = _read_cards(session)
        checks += _cards(entry, cards, elsewhere=bool(options.get("to")))
        checks += _small_cards(variant, cards) if variant is not None and not checks else []
    found = look_for(catalog.files, model_roots(session.settings.paths))
    here = {one for one, there in found.items() if there.state == "present"}
    if variant is None and isinstance(entry, ModelFile):
        return [*checks, *_beside(entry, here), *_pairs_of_file(catalog, entry, here)]
    return [*checks, *(_pairs(catalog, variant, here) if variant is not None else ())]


def _file_of_hub(session: Session, name: str) -> ModelFile | None:
    """Give the catalogue's entry of a file that is named by its place on the hub."""
    if not name.startswith("hf:"):
        return None
    spec = parse_spec(name, endpoint_of(session.environ))
    files = session.catalog.files
    return next((one for one in files if (one.repo, one.path) == (spec.repo, spec.path)), None)


def capable(entry: Variant | ModelFile, card: Gpu) -> bool | None:
    """Tell whether a card's generation can run a variant or file; None where that is not known."""
    least, most = map(parse_capability, (entry.min_capability, entry.max_capability))
    if least is None and most is None:
        return True
    told = card.compute_capability
    has = parse_capability(told) if known(told) else None
    if has is None:
        return None
    return (least is None or has >= least) and (most is None or has <= most)


def _cards(entry: Variant | ModelFile, cards: Sequence[Gpu], *, elsewhere: bool) -> list[Check]:
    if not cards or any(capable(entry, card) is not False for card in cards):
        return []
    least, most = entry.min_capability, entry.max_capability
    spread = f"{least} to {most}" if least and most else f"{least} or newer"
    wanted = f"compute capability {spread}"
    if isinstance(entry, Variant) and entry.cards:
        wanted = f"{entry.cards} ({wanted})"
    here = ", ".join(f"{card_words(card)} has {card.compute_capability}" for card in cards)
    words = {"name": entry.id, "cards": wanted, "here": here}
    if elsewhere:
        return [_check("models.no-card-here", "warn", **words)]
    return [_check("models.no-card", "refuse", **words)]


def _small_cards(variant: Variant, cards: Sequence[Gpu]) -> list[Check]:
    """Warn where no card has the size that a variant is run on at all, offloaded neither."""
    sizes = [card.memory_total_bytes for card in cards]
    if not sizes or any(not known(size) or size >= variant.min_card_bytes for size in sizes):
        return []
    least = f"{variant.min_card_bytes / 1e9:.0f} GB"
    here = ", ".join(map(card_words, cards))
    return [_check("models.small-cards", "warn", name=variant.id, least=least, here=here)]


def _beside(file: ModelFile, here: set[str]) -> list[Check]:
    return [
        _check("models.beside", "warn", name=file.id, other=other)
        for other in file.needs
        if other not in here
    ]


def _pairs(catalog: Catalog, variant: Variant, here: set[str]) -> list[Check]:
    beside = [one.id for one in catalog.files if one.id in here and variant.family in one.families]
    return [
        _check("models.pair", "warn", name=variant.id, words=words_of(catalog, variant, *one))
        for one in pairs_of(catalog, variant, beside)
    ]


def _pairs_of_file(catalog: Catalog, file: ModelFile, here: set[str]) -> list[Check]:
    """Name the variants whose model is here that a LoRA does not go with."""
    return [
        _check("models.pair", "warn", name=variant.id, words=words_of(catalog, variant, *one))
        for variant in catalog.variants
        if variant.id in here and variant.family in file.families
        for one in pairs_of(catalog, variant, [file.id])
    ]


def _read_cards(session: Session) -> tuple[Gpu, ...]:
    """Give the cards, or none where the driver does not answer in time."""
    found: list[GpuSnapshot] = []

    def read() -> None:
        from console.gpu.once import read_once

        found.append(read_once(session.clock, session.environ))

    thread = threading.Thread(target=read, name="gpu", daemon=True)
    thread.start()
    thread.join(_PATIENCE)
    return found[0].gpus if found else ()


def _check(check_id: str, verdict: str, **values: object) -> Check:
    table = read_table("suit_checks.toml")["checks"]
    return worded(table[check_id], check_id, verdict, values)
