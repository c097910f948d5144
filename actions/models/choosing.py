"""Which variant to get: what of it is on disk, what is missing, where it fits, which is advised."""

from collections.abc import Mapping, Sequence

from actions.fit.matrix import matrix
from actions.fit.model import USUAL_TASK, Fit, Task
from actions.models.advice import Advice, impossible, recommended
from actions.models.model import Choice, Piece
from actions.models.pairs import warnings_of
from actions.models.pieces import pieces_of
from actions.session import Session
from actions.snapshot import HostSnapshot
from actions.transfer import FileTransfer
from console.models.catalog import Catalog, Variant
from console.models.disk import OnDisk, look_for, model_roots
from console.models.inventory.found import Inventory
from console.text import clean_line

_WORST_FIRST = ("differs", "wrong-size", "unreadable", "fetching", "missing", "present", "checked")
_STATES = {
    "differs": "damaged",
    "wrong-size": "damaged",
    "unreadable": "unreadable",
    "fetching": "fetching",
    "present": "ready",
    "checked": "ready",
}


def choices(
    session: Session,
    snapshot: HostSnapshot,
    known: Inventory | Mapping[str, OnDisk] | None = None,
    *,
    task: Task = USUAL_TASK,
    gpu: str | None = None,
    empty: bool = False,
    jobs: Mapping[str, Sequence[FileTransfer]] | None = None,
    variants: Sequence[str] = (),
) -> tuple[Choice, ...]:
    """Give every variant of the catalogue as somebody who has to choose sees it, in its order.

    Args:
        session: settings, catalogue and remembered hashes.
        snapshot: the host; without cards the choices have no verdicts.
        known: what is on disk, by the inventory (which knows more) or by file id; looked for
            where it is None.
        task: the edit that the verdicts are for.
        gpu: a UUID, a driver index or a part of a name; all cards where it is None.
        empty: as if no service ran.
        jobs: the files of each download under way, by the job's id.
        variants: ids to give; all where it is empty. What is recommended counts all of them.

    Raises:
        UsageError: there is no such card, or a catalogue of the operator's is bad.
    """
    catalog = session.needed_catalog()
    pieces = pieces_by_id(session, known, jobs)
    fits: tuple[Fit, ...] = ()
    alone: tuple[Fit, ...] = ()
    if snapshot.gpu.gpus or gpu is not None:
        fits = matrix(session, snapshot, (), gpu, task, empty)
        alone = fits if empty else matrix(session, snapshot, (), gpu, task, empty=True)
    missing = {each.id: missing_bytes(each, pieces) for each in catalog.variants}
    advised: dict[str, list[Advice]] = {}
    for one in recommended(catalog, fits, alone, snapshot, missing):
        advised.setdefault(one.variant, []).append(one)
    never = impossible(catalog, alone)
    by_variant: dict[str, list[Fit]] = {}
    for fit in fits:
        by_variant.setdefault(fit.variant, []).append(fit)
    return tuple(
        choice_of(
            catalog,
            variant,
            pieces,
            fits=tuple(by_variant.get(variant.id, ())),
            advised=advised.get(variant.id, ()),
            impossible=never.get(variant.id, {}),
        )
        for variant in catalog.variants
        if not variants or variant.id in variants
    )


def pieces_by_id(
    session: Session,
    known: Inventory | Mapping[str, OnDisk] | None = None,
    jobs: Mapping[str, Sequence[FileTransfer]] | None = None,
) -> dict[str, Piece]:
    """Give every file of the catalogue with its state on this host; arguments as `choices` has."""
    from actions.models.told import SessionTold

    catalog = session.needed_catalog()
    roots = model_roots(session.settings.paths)
    disk = look_for(catalog.files, roots) if known is None else known
    return pieces_of(catalog, disk, roots, jobs or {}, SessionTold(session))


def choice_of(
    catalog: Catalog,
    variant: Variant,
    pieces: Mapping[str, Piece],
    *,
    fits: tuple[Fit, ...] = (),
    advised: Sequence[Advice] = (),
    impossible: dict[str, str] | None = None,
) -> Choice:
    """Put one variant together from its pieces and what was found out about it."""
    own = tuple(pieces[file.id] for file in catalog.files_of(variant))
    return Choice(
        variant=variant.id,
        title=variant.title,
        family=variant.family,
        quant=variant.quant,
        quality=variant.quality,
        size_bytes=_sum([one.size_bytes for one in own]),
        pieces=own,
        state=_state(own),
        missing_bytes=missing_bytes(variant, pieces),
        fits=fits,
        recommended={one.gpu_uuid: one.why for one in advised},
        basis={one.gpu_uuid: one.basis for one in advised},
        impossible=impossible or {},
        warnings=warnings_of(catalog, variant),
        notes=_notes(catalog, variant, pieces),
    )


def missing_bytes(variant: Variant, pieces: Mapping[str, Piece]) -> int | None:
    """Give what is still to be fetched for a variant; None where a size is not known."""
    wanting = [
        pieces[ident]
        for ident in variant.files
        if ident in pieces and pieces[ident].state not in {"present", "checked", "unreadable"}
    ]
    return _sum([None if one.size_bytes is None else _left(one) for one in wanting])


def _left(piece: Piece) -> int:
    return max(0, (piece.size_bytes or 0) - piece.done_bytes)


def _sum(sizes: Sequence[int | None]) -> int | None:
    total = 0
    for size in sizes:
        if size is None:
            return None
        total += size
    return total


def _state(pieces: Sequence[Piece]) -> str:
    """Give the state of a variant: its worst piece's, and `partly` where some are there."""
    if not pieces:
        return "missing"
    states = {one.state for one in pieces}
    worst = min(states, key=_WORST_FIRST.index)
    if worst != "missing":
        return _STATES[worst]
    return "partly" if states & {"present", "checked"} else "missing"


def _notes(catalog: Catalog, variant: Variant, pieces: Mapping[str, Piece]) -> tuple[str, ...]:
    """Name what is there and would do in the place of an encoder that is missing."""
    notes = []
    for ident in variant.files:
        piece = pieces[ident]
        if piece.state == "missing" and piece.elsewhere:
            notes.append(f"the bytes of {ident} lie at {clean_line(piece.elsewhere, 300)} already")
        if piece.kind != "text_encoder" or piece.state in {"present", "checked"}:
            continue
        for file in catalog.files:
            there = all(
                one in pieces and pieces[one].state in {"present", "checked"}
                for one in (file.id, *file.needs)
            )
            if file.kind == "text_encoder" and variant.family in file.families and there:
                notes.append(f"{file.id} is there and does in the place of {ident}")
    return tuple(notes)
