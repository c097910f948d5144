"""Which files of the catalogue are on this host, as pieces that variants are made of."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from actions.models.model import Piece
from actions.transfer import FileTransfer
from console.errors import ConsoleError
from console.models.catalog import Catalog, ModelFile
from console.models.disk import NO_FOLDER, OnDisk, right_size
from console.models.inventory.found import FoundFile, Inventory, Root
from console.models.places import folder_kind, place_for
from console.unknown import Unknown

_NOT_THERE = "models.no-such-folder"


class Told(Protocol):
    """What is remembered of files, beside what a look at the folders gives."""

    def sha256(self, path: str) -> str:
        """Give the hash of a file on disk that has not changed since it was taken; else empty."""
        ...

    def wanted(self, file: ModelFile, sha256: str) -> Sequence[str]:
        """Give the hashes that a file may have, `sha256` if the operator accepted it."""
        ...

    def size(self, file: ModelFile) -> int | None:
        """Give the bytes that the hub told, where the catalogue does not know them exactly."""
        ...


def pieces_of(
    catalog: Catalog,
    known: Inventory | Mapping[str, OnDisk],
    roots: Sequence[Path],
    jobs: Mapping[str, Sequence[FileTransfer]],
    told: Told,
) -> dict[str, Piece]:
    """Give every file of the catalogue, by its id, with what is known of it on this host.

    Args:
        catalog: the catalogue.
        known: what is on disk, by the inventory or by file id.
        roots: models folders, the main one first: where a missing file would be put.
        jobs: the files of each download under way, by the job's id.
        told: what is remembered of them.
    """
    disk = on_disk(catalog, known) if isinstance(known, Inventory) else known
    elsewhere = _elsewhere(catalog, known) if isinstance(known, Inventory) else {}
    under_way = {
        key: (job_id, one) for job_id, files in jobs.items() for one in files
        if one.state not in {"fetched", "linked", "kept"} for key in (one.id, one.path)
    }  # fmt: skip
    pieces = {}
    for file in catalog.files:
        piece = _piece(file, disk.get(file.id), roots, told)
        transfer = under_way.get(file.id) or under_way.get(piece.path)
        if transfer is not None and piece.state not in {"present", "checked"}:
            piece = _fetching(piece, *transfer)
        elif piece.state == "missing" and file.id in elsewhere:
            piece = msgspec.structs.replace(piece, elsewhere=elsewhere[file.id])
        pieces[file.id] = piece
    return pieces


def on_disk(catalog: Catalog, inventory: Inventory) -> dict[str, OnDisk]:
    """Give what an inventory says of every file of the catalogue, where ComfyUI would find it."""
    by_name: dict[str, list[FoundFile]] = {}
    by_id: dict[str, list[FoundFile]] = {}
    for found in inventory.files:
        by_name.setdefault(Path(found.path).name, []).append(found)
        if found.catalog_id:
            by_id.setdefault(found.catalog_id, []).append(found)
    roots = {root.path: root for root in inventory.roots}
    answers = {}
    for file in catalog.files:
        several = dict.fromkeys((*by_id.get(file.id, ()), *by_name.get(file.name, ())))
        seen = [one for one in several if _listed(file, one, roots)]
        answers[file.id] = _answer(file, seen, inventory.roots)
    return answers


def _answer(file: ModelFile, seen: Sequence[FoundFile], roots: Sequence[Root]) -> OnDisk:
    """Of several the whole one counts, else the first; a root that cannot be seen leaves doubt."""
    whole = [one for one in seen if one.catalog_id == file.id or right_size(file, one.size)]
    for state, several in (("present", whole), ("wrong-size", seen)):
        if several:
            one = several[0]
            unseen = one.problem is not None and one.problem.code == "models.unreadable"
            return OnDisk(
                file_id=file.id,
                state="unreadable" if unseen else state,
                path=one.path,
                bytes=None if unseen else one.size,
                expected_bytes=file.size,
                sha256=one.sha256,
                problem=one.problem if unseen else None,
            )
    problem = _doubt(roots)
    state = "missing" if problem is None else "unreadable"
    return OnDisk(file_id=file.id, state=state, expected_bytes=file.size, problem=problem)


def _doubt(roots: Sequence[Root]) -> Unknown | None:
    """Give why a file that was not seen may be there all the same."""
    if not roots:
        return NO_FOLDER
    problems = [root.problem for root in roots if root.layout != "forge" and not root.only_listed]
    # A folder that is not there holds nothing.
    return next((one for one in problems if one is not None and one.code != _NOT_THERE), None)


def _listed(file: ModelFile, found: FoundFile, roots: Mapping[str, Root]) -> bool:
    """Tell whether ComfyUI lists a file where it lists those of its kind."""
    root = roots.get(found.root)
    if found.format in {"part", "broken-link"} or (root is not None and root.layout == "forge"):
        return False
    if root is None or root.layout == "comfyui":
        return found.folder.partition("/")[0] in (file.folder, *file.also_in)
    return _kind_there(root, found.folder) in {"", folder_kind(file.kind)}


def _kind_there(root: Root, folder: str) -> str:
    """Give the kind of file that is looked for in a folder, or in the one around it."""
    while folder and folder not in root.kind_by_folder:
        folder = folder.rpartition("/")[0]
    return root.kind_by_folder.get(folder, "")


def _elsewhere(catalog: Catalog, inventory: Inventory) -> dict[str, str]:
    """Give where the bytes of a file lie under another name, or in another program's folder."""
    by_hash = {file.sha256: file.id for file in catalog.files if file.sha256}
    places: dict[str, str] = {}
    for found in inventory.files:
        ident = by_hash.get(found.sha256, found.catalog_id) if found.sha256 else found.catalog_id
        if ident:
            places.setdefault(ident, found.path)
    return places


def _piece(file: ModelFile, there: OnDisk | None, roots: Sequence[Path], told: Told) -> Piece:
    state = there.state if there is not None else "missing"
    path = there.path if there is not None else ""
    sha256 = ""
    if there is not None and state in {"present", "wrong-size"}:
        sha256 = there.sha256 or told.sha256(path)
        wanted = told.wanted(file, sha256) if sha256 else ()
        if sha256 in wanted:
            state = "checked"
        elif wanted and state == "present":
            state = "differs"
    return Piece(
        id=file.id,
        kind=file.kind,
        name=file.name,
        state=state,
        size_bytes=file.bytes or told.size(file) or file.approximate_bytes,
        path=path or _would_be(file, roots),
        sha256=sha256,
        on_disk_bytes=there.bytes if there is not None else None,
        problem=there.problem if there is not None else None,
    )


def _would_be(file: ModelFile, roots: Sequence[Path]) -> str:
    try:
        return str(place_for(file, roots))
    except ConsoleError:
        return ""


def _fetching(piece: Piece, job_id: str, transfer: FileTransfer) -> Piece:
    percent = 100 * transfer.bytes_done / transfer.bytes_total if transfer.bytes_total else None
    return msgspec.structs.replace(
        piece, state="fetching", job_id=job_id, percent=percent, done_bytes=transfer.bytes_done
    )
