"""All about one variant or one file, as text for people, 80 columns wide."""

from collections.abc import Mapping, Sequence

from actions.models.catalogue import used_by
from actions.models.listing import hash_state
from actions.models.model import Choice, Piece
from actions.services.placement import card_words
from console.gpu.snapshot import Gpu
from console.hub.facts import HubFile
from console.models.catalog import Catalog, ModelFile, Variant
from console.text import clean_line
from console.units import format_bytes
from screens.cli.choices_text import file_state, verdict_word, wrapped
from screens.words import ADVISED

_MOST_VARIANTS = 4
_HASHES = {
    "checked": "read, and right",
    "differs": "read, and WRONG",
    "known": "read; no source says what it should be",
    "unchecked": "not read yet: `gpuconsole models verify` does",
}
_STATES = {
    "ready": "all of it is on disk",
    "fetching": "being fetched",
    "partly": "on disk in part",
    "missing": "not on disk",
    "damaged": "a file of it is damaged",
    "unreadable": "what is on disk cannot be seen",
}


def variant_text(
    catalog: Catalog,
    choice: Choice,
    cards: Sequence[Gpu],
    asked: Mapping[str, HubFile | None],
    too_old: Sequence[str] = (),
) -> str:
    """Give one variant: state, needs, files, what it does not go with, and where it fits."""
    variant = catalog.variant(choice.variant)
    if variant is None:
        return choice.variant
    family = [one for one in catalog.variants if one.family == variant.family]
    lines = [f"{variant.title} ({variant.id})", ""]
    lines += _row("family", f"{variant.family}, {variant.quant}")
    rank = f"rank {variant.quality}, 1 is best of the {len(family)} of its family"
    lines += _row("quality", rank if variant.quality else "not ranked")
    size, missing = choice.size_bytes, choice.missing_bytes
    whole = "not known; the hub knows" if size is None else format_bytes(size)
    lines += _row("size", f"{whole} with encoder and VAE" if size is not None else whole)
    fetch = "" if not missing else f"; {format_bytes(missing)} to fetch"
    lines += _row("here", _STATES.get(choice.state, choice.state) + fetch)
    lines += _needs(variant)
    for text in (*choice.warnings, *too_old):
        lines += _row("beware", text)
    for text in choice.notes:
        lines += _row("note", text)
    for card in cards:
        lines += _fit(choice, card)
    for piece in choice.pieces:
        file = catalog.file(piece.id)
        if file is not None:
            lines += ["", *_file(file, piece, asked.get(file.id))]
    lines += ["", f"gpuconsole models fit {variant.id}"]
    never = bool(cards) and all(card.uuid in choice.impossible for card in cards)
    if choice.state != "ready" and not never:
        lines.append(f"gpuconsole models pull {variant.id}")
    return "\n".join(lines)


def file_text(catalog: Catalog, file: ModelFile, piece: Piece, asked: HubFile | None) -> str:
    """Give one file: where it is from, what it is, what it needs, how it is on this host."""
    lines = _file(file, piece, asked)
    lines += _needs(file)
    if file.families:
        lines += _row("goes with", ", ".join(file.families))
    variants = [one.id for one in used_by(catalog, file)]
    if variants:
        more = len(variants) - _MOST_VARIANTS
        text = ", ".join(variants[:_MOST_VARIANTS]) + (f" and {more} more" if more > 0 else "")
        lines += _row("part of", text)
    if piece.state not in {"present", "checked"}:
        lines += ["", f"gpuconsole models pull {file.id}"]
    return "\n".join(lines)


def _file(file: ModelFile, piece: Piece, asked: HubFile | None) -> list[str]:
    exact = f"{file.bytes:,} bytes" if file.bytes is not None else "about; the hub knows exactly"
    whole = piece.size_bytes
    if file.bytes is None and asked is not None:
        exact = f"{asked.size:,} bytes, by the hub"
    size = f"{format_bytes(whole)} ({exact})" if whole else "not known; the hub knows"
    kind = file.kind.replace("_", " ")
    lines = [f"{file.id}: {kind}, {file.quant}" if file.quant else f"{file.id}: {kind}"]
    lines += _row("size", size)
    lines += _row("from", f"hf:{file.repo}/{file.path}")
    pinned = f"{file.revision} (pinned)" if file.revision else file.asked_revision
    commit = f", which was {asked.commit} when last asked" if asked and asked.commit else ""
    lines += _row("revision", pinned + commit)
    lines += _row("sha256", file.sha256 or (asked.sha256 if asked else "") or "only the hub knows")
    lines += _row("licence", file.licence)
    lines += _row("folder", " or ".join((file.folder, *file.also_in)))
    lines += _row("here", file_state(piece) or "missing")
    if piece.path:
        lines += _row("path", clean_line(piece.path, 500))
    if piece.elsewhere:
        lines += _row("also at", clean_line(piece.elsewhere, 500))
    if piece.problem is not None:
        lines += _row("", piece.problem.title)
    state = hash_state(piece)
    if state:
        lines += _row("hash", _HASHES.get(state, state))
    if state == "differs":
        lines += _row("", f"it has {piece.sha256}")
    if file.needs:
        lines += _row("beside it", ", ".join(file.needs))
    if file.note:
        lines += _row("note", file.note)
    return lines


def _needs(entry: Variant | ModelFile) -> list[str]:
    words = []
    if entry.min_comfyui:
        words.append(f"ComfyUI {entry.min_comfyui} or newer")
    if entry.custom_node:
        words.append(f"the custom node {entry.custom_node}")
    words += [f"Python's {package}" for package in entry.packages]
    if entry.loader:
        words.append(f"loaded by {entry.loader}")
    lines = _row("needs", ", ".join(words)) if words else []
    least, most = entry.min_capability, entry.max_capability
    if least or most:
        cards = f"{entry.cards}: " if isinstance(entry, Variant) and entry.cards else ""
        spread = f"{least} to {most}" if least and most else f"{least} or newer"
        lines += _row("card", f"{cards}compute capability {spread}")
    return lines


def _fit(choice: Choice, card: Gpu) -> list[str]:
    fit = next((one for one in choice.fits if one.gpu_uuid == card.uuid), None)
    if fit is None:
        return []
    reason = choice.impossible.get(card.uuid, fit.reason)
    lines = _row(f"card {card.index}", f"{card_words(card)}: {verdict_word(fit)}; {reason}")
    if card.uuid in choice.recommended:
        star = ADVISED.get(choice.basis.get(card.uuid, ""), "★")
        lines += _row("", f"{star} {choice.recommended[card.uuid]}")
    return lines


def _row(name: str, text: str) -> list[str]:
    return wrapped(text, f"  {name:<10}")
