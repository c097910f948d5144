"""What somebody means to remove: a variant's files, a file of the catalogue, a path, a name."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from actions.models.catalogue import entry_named
from actions.models.choosing import pieces_by_id
from actions.models.inventory import look
from actions.models.marks import Mark, mark_of
from actions.models.needed import fix_check
from actions.plan import Check
from actions.session import Session
from console.errors import UsageError
from console.models.catalog import Catalog, ModelFile, Variant
from console.models.inventory.found import Inventory, Root
from console.paths import expand
from console.text import clean_line


class Here(msgspec.Struct, frozen=True, kw_only=True):
    """Files on this host that a name means.

    Attributes:
        title: as people call it. ident: what finds it again.
        marks: the files; empty where nothing of it is here.
        ids: entries of the catalogue by the files' paths.
        checks: what stays, and why.
    """

    title: str
    ident: str
    marks: tuple[Mark, ...]
    ids: dict[str, str] = {}
    checks: tuple[Check, ...] = ()


def places_of(session: Session) -> dict[str, str]:
    """Give where files of the catalogue lie on this host, by their id.

    Of copies the one counts that has the very name, which is the one that workflows ask for.
    """
    inventory, catalog = look(session), session.needed_catalog()
    named = {
        one.catalog_id: one.path
        for one in inventory.files
        if (entry := catalog.file(one.catalog_id)) and Path(one.path).name == entry.name
    }
    pieces = pieces_by_id(session, inventory)
    places = {ident: named.get(ident, one.path) for ident, one in pieces.items()}
    return {ident: path for ident, path in places.items() if path and os.path.lexists(path)}


def files_here(
    session: Session, name: str, roots: Sequence[Root], places: Mapping[str, str]
) -> Here:
    """Find what a name means.

    Raises:
        UsageError: nothing, or several things.
    """
    written = expand(name, session.environ)
    catalog = session.needed_catalog()
    if "/" in name or (not name.strip() and os.path.lexists(written)):
        return _of_path(catalog, written, roots, places)
    try:
        entry = entry_named(catalog, name)
    except UsageError:
        found = _named(look(session), name)
        if len(found) == 1:
            return _of_path(catalog, Path(found[0]), roots, places)
        if found:
            shown = ", ".join(clean_line(path, 120) for path in found[:5])
            raise UsageError("models.ambiguous", f"several files have that name: {shown}") from None
        raise
    if isinstance(entry, ModelFile):
        marks = _marks([entry.id], roots, places)
        ids = {mark.path: entry.id for mark in marks}
        checks = _needed_by(catalog, entry.id, places) if marks else ()
        return Here(title=entry.name, ident=entry.id, marks=marks, ids=ids, checks=checks)
    return _of_variant(catalog, entry, roots, places)


def together(found: Sequence[Here]) -> Here:
    """Give what several names mean as one; the first of them finds it again."""
    marks = tuple({mark.path: mark for one in found for mark in one.marks}.values())
    return Here(
        title=found[0].title if len(marks) < 2 else f"{len(marks)} files",
        ident=found[0].ident,
        marks=marks,
        ids={path: ident for one in found for path, ident in one.ids.items()},
        checks=tuple(dict.fromkeys(check for one in found for check in one.checks)),
    )


def _of_path(
    catalog: Catalog, path: Path, roots: Sequence[Root], places: Mapping[str, str]
) -> Here:
    mark = mark_of(path, roots)
    own = {os.path.realpath(place): ident for ident, place in places.items()}
    ident = own.get(os.path.realpath(mark.path), "")
    return Here(
        title=clean_line(mark.name, 120),
        ident=mark.path,
        marks=(mark,),
        ids={mark.path: ident} if ident else {},
        checks=_needed_by(catalog, ident, places) if ident else (),
    )


def _needed_by(catalog: Catalog, ident: str, places: Mapping[str, str]) -> tuple[Check, ...]:
    """Warn of the variants here that do not run without a file that is named itself."""
    entry = catalog.file(ident)
    if entry is None or entry.kind == "diffusion_model":
        return ()
    needing = [
        one.id
        for one in catalog.variants
        if ident in one.files and _model_is_here(catalog, one, places)
    ]
    if not needing:
        return ()
    more = f" (and {len(needing) - 1} more)" if len(needing) > 1 else ""
    return (fix_check("fix.needed-by", "warn", name=entry.name, who=f"{needing[0]}{more}"),)


def _of_variant(
    catalog: Catalog, variant: Variant, roots: Sequence[Root], places: Mapping[str, str]
) -> Here:
    """Give the files that only this variant needs, of those variants whose model is here."""
    needed: dict[str, str] = {}
    for other in catalog.variants:
        if other.id != variant.id and _model_is_here(catalog, other, places):
            needed.update(dict.fromkeys(other.files, other.id))
    own = [ident for ident in variant.files if ident not in needed]
    checks = [
        fix_check("fix.shared", name=Path(places[ident]).name, who=needed[ident])
        for ident in variant.files
        if ident in needed and ident in places
    ]
    marks = _marks(own, roots, places)
    ids = {mark.path: ident for ident in own for mark in marks if ident in _ids(mark, places)}
    return Here(title=variant.id, ident=variant.id, marks=marks, ids=ids, checks=tuple(checks))


def _model_is_here(catalog: Catalog, variant: Variant, places: Mapping[str, str]) -> bool:
    models = [one.id for one in catalog.files_of(variant) if one.kind == "diffusion_model"]
    return bool(models) and all(ident in places for ident in models)


def _marks(
    idents: Sequence[str], roots: Sequence[Root], places: Mapping[str, str]
) -> tuple[Mark, ...]:
    return tuple(mark_of(places[ident], roots) for ident in idents if ident in places)


def _ids(mark: Mark, places: Mapping[str, str]) -> set[str]:
    real = os.path.realpath(mark.path)
    return {ident for ident, place in places.items() if os.path.realpath(place) == real}


def _named(inventory: Inventory, name: str) -> list[str]:
    return [one.path for one in inventory.files if Path(one.path).name == name]
