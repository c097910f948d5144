"""What does not go together: pairs of the catalogue, in words, and what to take instead."""

import fnmatch
from collections.abc import Iterable, Sequence

from console.models.catalog import Catalog, ModelFile, Pair, Variant

_MOST_NAMES = 2


def pairs_of(
    catalog: Catalog, variant: Variant, beside: Iterable[str] | None = None
) -> tuple[tuple[Pair, tuple[ModelFile, ...]], ...]:
    """Give each pair that a variant is a side of, with the files of the other side.

    Args:
        catalog: the catalogue.
        variant: of it.
        beside: ids of the files that it is to run with; all that are made for it where it is None.
    """
    own = catalog.files_of(variant)
    if not own:
        return ()
    others = _others(catalog, variant, beside)
    found = []
    for pair in catalog.pairs:
        if not any(catalog.selected(pair.a, file) for file in own):
            continue
        hit = tuple(file for file in others if catalog.selected(pair.b, file))
        if hit:
            found.append((pair, hit))
    return tuple(found)


def warnings_of(
    catalog: Catalog, variant: Variant, beside: Iterable[str] | None = None
) -> tuple[str, ...]:
    """Give in words what a variant must not be run with; of `beside`, or of all made for it."""
    given = None if beside is None else tuple(beside)
    words = [words_of(catalog, variant, *one) for one in pairs_of(catalog, variant, given)]
    strangers = [] if given is None else _strangers(catalog, variant, given)
    return (*words, *strangers)


def instead_of(catalog: Catalog, variant: Variant, pair: Pair) -> tuple[str, ...]:
    """Give the ids of the catalogue that a pair proposes in a variant's place."""
    ids = [file.id for file in catalog.files]
    found: list[str] = []
    for text in pair.instead:
        found += fnmatch.filter(ids, text.replace("{a}", variant.id))
    return tuple(dict.fromkeys(found))


def _others(
    catalog: Catalog, variant: Variant, beside: Iterable[str] | None
) -> tuple[ModelFile, ...]:
    if beside is None:
        return tuple(file for file in catalog.files if variant.family in file.families)
    return tuple(file for ident in beside if (file := catalog.file(ident)) is not None)


def words_of(catalog: Catalog, variant: Variant, pair: Pair, hit: Sequence[ModelFile]) -> str:
    """Say what happens to a variant with the files of a pair's other side, and what to take."""
    text = f"with {_names([file.id for file in hit])}: {pair.effect}"
    instead = instead_of(catalog, variant, pair)
    if instead:
        text += f"; take {_names(instead, ' or ')}"
    if pair.also:
        text += f"; {pair.also}"
    return text


def _names(ids: Sequence[str], last: str = " and ") -> str:
    if len(ids) <= _MOST_NAMES:
        return last.join(ids)
    return f"{', '.join(ids[:_MOST_NAMES])} and {len(ids) - _MOST_NAMES} more"


def _strangers(catalog: Catalog, variant: Variant, beside: Iterable[str]) -> list[str]:
    """Name what is made for other families of models only."""
    words = []
    for ident in beside:
        file = catalog.file(ident)
        if file is not None and file.families and variant.family not in file.families:
            words.append(f"{ident} is made for {' and '.join(file.families)}, not for this one")
    return words
