"""What edits have on disk that goes with them, and what of it stays."""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from actions.edits.places import kept_files
from actions.gallery.data import state_of
from actions.session import Session
from console.edits.keeping import KeptFiles
from console.edits.kept import KeptEdit, KeptPicture
from console.store.edits import EditRecords
from console.text import clean_line


class Holdings(msgspec.Struct, frozen=True, kw_only=True):
    """The pictures of edits that are to go.

    Attributes:
        files: how many go with them. size: their bytes.
        shared: inputs, or results, that other edits have too: they stay.
        missing: how many are gone already.
        strange: files that stay because they are not as they were kept, or lie elsewhere, each by
            its name with the reason.
    """

    files: int = 0
    size: int = 0
    shared: int = 0
    missing: int = 0
    strange: tuple[tuple[str, str], ...] = ()


def holdings(session: Session, going: Iterable[KeptEdit]) -> Holdings:
    """Look at the pictures of edits, each file once; their bytes are not read."""
    edits = list(going)
    ids = frozenset(one.id for one in edits)
    records, files = EditRecords(session.store), kept_files(session)
    kinds: dict[str, list[KeptPicture]] = {"goes": [], "shared": [], "missing": [], "strange": []}
    reasons: list[tuple[str, str]] = []
    for picture in {one.path: one for edit in edits for one in edit.pictures}.values():
        kind, why = _fate(picture, ids, records, files)
        kinds[kind].append(picture)
        if why:
            reasons.append((clean_line(picture.path, 300), why))
    return Holdings(
        files=len(kinds["goes"]),
        size=sum(one.size for one in kinds["goes"]),
        shared=len(kinds["shared"]),
        missing=len(kinds["missing"]),
        strange=tuple(reasons),
    )


def _fate(
    picture: KeptPicture, going: frozenset[str], records: EditRecords, files: KeptFiles
) -> tuple[str, str]:
    if records.others_have(picture.path, going):
        return "shared", ""
    state = state_of(picture)
    if state == "missing":
        return "missing", ""
    if not files.holds(Path(picture.path)):
        return "strange", "it is not in the outputs folder"
    return ("goes", "") if state == "kept" else ("strange", "it was changed")
