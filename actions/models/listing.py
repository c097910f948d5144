"""Variants and files of the catalogue as JSON has them."""

from collections.abc import Mapping
from typing import Any

from actions.fit.matrix import is_tight
from actions.fit.model import Fit
from actions.models.catalogue import used_by
from actions.models.model import Choice, Piece
from console.hub.facts import HubFile
from console.models.catalog import Catalog, ModelFile, Variant
from console.unknown import plain

_OF_FIT = (
    "gpu_uuid",
    "gpu_name",
    "verdict",
    "code",
    "reason",
    "need_bytes",
    "expected_use_bytes",
    "available_bytes",
    "streams_bytes",
    "cost",
    "notes",
    "unavailable",
)


def choice_data(
    catalog: Catalog, choice: Choice, asked: Mapping[str, HubFile | None] | None = None
) -> dict[str, Any]:
    """Give a variant with its files, verdicts, needs and advice; `models fit` has the arithmetic.

    Args:
        catalog: the catalogue.
        choice: of it.
        asked: what the hub last said of each file, by id.
    """
    variant = catalog.variant(choice.variant)
    data = plain(choice)
    pieces = {piece.id: piece for piece in choice.pieces}
    data.pop("pieces")
    files = [catalog.file(ident) for ident in pieces]
    data["files"] = [
        file_data(catalog, file, pieces[file.id], (asked or {}).get(file.id))
        for file in files
        if file is not None
    ]
    data["fits"] = [_fit_data(fit) for fit in choice.fits]
    data["needs"] = {} if variant is None else _needs(variant)
    return data


def file_data(
    catalog: Catalog, file: ModelFile, piece: Piece, asked: HubFile | None = None
) -> dict[str, Any]:
    """Give a file: what the catalogue and the hub say of it, and how it is on this host."""
    told = plain(piece)
    return {
        **{name: told[name] for name in ("id", "kind", "name", "state", "path", "elsewhere")},
        "quant": file.quant,
        "families": list(file.families),
        "size_bytes": piece.size_bytes,
        "size_exact": file.bytes is not None,
        "on_disk_bytes": piece.on_disk_bytes,
        "sha256": file.sha256,
        "on_disk_sha256": piece.sha256 or None,
        "hash_state": hash_state(piece),
        "repo": file.repo,
        "repo_path": file.path,
        "revision": file.asked_revision,
        "pinned": bool(file.revision),
        "commit": asked.commit if asked is not None else None,
        "hub_sha256": (asked.sha256 or None) if asked is not None else None,
        "folder": file.folder,
        "also_in": list(file.also_in),
        "licence": file.licence,
        "needs": {**_needs(file), "files": list(file.needs)},
        "variants": [one.id for one in used_by(catalog, file)],
        "note": file.note,
        "job_id": piece.job_id or None,
        "percent": piece.percent,
        **({"unavailable": told["unavailable"]} if "unavailable" in told else {}),
        **({"problem": told["problem"]} if piece.problem is not None else {}),
    }


def hash_state(piece: Piece) -> str:
    """Say whether a file's bytes are right.

    Returns:
        `checked`, `differs`, `known` (nobody says what it should be), `unchecked` (there, but not
        read), or empty where it is not there.
    """
    if piece.state in {"checked", "differs"}:
        return piece.state
    if piece.state not in {"present", "wrong-size"}:
        return ""
    return "known" if piece.sha256 else "unchecked"


def _fit_data(fit: Fit) -> dict[str, Any]:
    told = plain(fit)
    return {**{name: told[name] for name in _OF_FIT if name in told}, "tight": is_tight(fit)}


def _needs(entry: Variant | ModelFile) -> dict[str, Any]:
    """Give what a variant or file needs beside itself; null where it needs nothing certain."""
    needs: dict[str, Any] = {
        "loader": entry.loader or None,
        "custom_node": entry.custom_node or None,
        "packages": list(entry.packages),
        "comfyui": entry.min_comfyui or None,
        "min_compute_capability": entry.min_capability or None,
        "max_compute_capability": entry.max_capability or None,
    }
    if isinstance(entry, Variant):
        needs["card_bytes"] = entry.min_card_bytes
        needs["host_ram_bytes"] = entry.min_ram_bytes or None
        needs["cards"] = entry.cards or None
    return needs
