"""The catalogue as an operator asks for it: entries by the names people use, and all about one."""

import difflib
from collections.abc import Callable, Sequence
from typing import TypeVar

from console.errors import UsageError
from console.models.catalog import Catalog, ModelFile, Variant
from console.text import clean_line

T = TypeVar("T")

_MOST_NEAR = 3


def short_id(variant: str) -> str:
    """Give a variant's id as tables show it, such as `2509-q4_k_m`."""
    short = variant.removeprefix("qwen-edit-")
    return short.replace("-gguf-", "-").replace("-nunchaku-", "-")


def variant_named(catalog: Catalog, text: str) -> Variant:
    """Give the variant that a person names: in full, as a table shows it, or by its title.

    Raises:
        UsageError: there is none of that name (`variant.unknown`); the hint has the nearest.
    """
    found = catalog.variant(text) or _only(_alike(catalog.variants, text, _names_of_variant))
    if found is not None:
        return found
    word = letters(text)
    near = [
        short_id(one.id)
        for one in catalog.variants
        if word and any(word in letters(name) for name in _names_of_variant(one))
    ]
    short = [short_id(one.id) for one in catalog.variants]
    near = near or difflib.get_close_matches(short_id(text.strip().lower()), short, 1, 0.4)
    raise UsageError(
        "variant.unknown",
        f"there is no variant {clean_line(text, 80)!r}",
        f"{_did_you_mean(near)}`gpuconsole models list` lists them",
    )


def entry_named(catalog: Catalog, text: str) -> Variant | ModelFile:
    """Give the variant, or else the file, that a person names; a file also by its name on disk.

    Raises:
        UsageError: there is none of that name (`model.unknown`); the hint has the nearest.
    """
    found: Variant | ModelFile | None = catalog.variant(text) or catalog.file(text)
    found = found or _only(_alike(catalog.variants, text, _names_of_variant))
    found = found or _only(_alike(catalog.files, text, _names_of_file))
    if found is not None:
        return found
    word = letters(text)
    variants = [one.id for one in catalog.variants]
    ids = list(dict.fromkeys((*variants, *(one.id for one in catalog.files))))
    near = [ident for ident in ids if word and word in letters(ident)]
    near = near or difflib.get_close_matches(text.strip().lower(), ids, _MOST_NEAR, 0.5)
    raise UsageError(
        "model.unknown",
        f"there is no variant or file {clean_line(text, 80)!r} in the catalogue",
        f"{_did_you_mean(near)}`gpuconsole models list --files` lists all of it",
    )


def used_by(catalog: Catalog, file: ModelFile) -> tuple[Variant, ...]:
    """Give the variants that need a file."""
    return tuple(one for one in catalog.variants if file.id in one.files)


def letters(text: str) -> str:
    """Leave out what people write now so, now so: case, blanks, hyphens, underscores."""
    return "".join(letter for letter in text.lower() if letter.isalnum())


def _names_of_variant(variant: Variant) -> tuple[str, ...]:
    return variant.id, short_id(variant.id), variant.title


def _names_of_file(file: ModelFile) -> tuple[str, ...]:
    return file.id, file.name, f"{file.repo}/{file.path}"


def _alike(many: Sequence[T], text: str, names: Callable[[T], tuple[str, ...]]) -> list[T]:
    word = letters(text)
    return [one for one in many if word and word in map(letters, names(one))]


def _only(found: Sequence[T]) -> T | None:
    return found[0] if len(found) == 1 else None


def _did_you_mean(near: Sequence[str]) -> str:
    return f"Did you mean {' or '.join(near[:_MOST_NEAR])}? " if near else ""
