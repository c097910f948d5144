"""A catalogue of the operator's, on top of another: it adds entries, or changes their fields."""

import errno
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from console.errors import UsageError
from console.files import read_limited
from console.models.catalog import Catalog, Measured, ModelFile, Pair, Variant
from console.models.catalog_problems import problems_of
from console.text import clean_line

_LARGEST = 8 << 20
_LISTS = ("files", "variants", "pairs", "measured")

E = TypeVar("E", ModelFile, Variant, Pair)


class _WrongError(ValueError):
    """What is wrong in a catalogue, in words."""


def read_catalog(path: Path, base: Catalog, named_by: str = "--catalog") -> Catalog:
    """Read a catalogue on top of another.

    An entry whose id `base` has changes the fields that it gives, and an empty `sha256` makes the
    hash unknown again; any other entry is added. Measured speeds are added. With `alone = true`
    nothing of `base` counts.

    Args:
        path: a TOML file.
        base: the packaged catalogue, or what another file made of it.
        named_by: who names the file, for hints: `--catalog`, `paths.catalog`, or a variable.

    Raises:
        UsageError: it cannot be read, is no TOML, or does not describe a catalogue.
    """
    shown = clean_line(str(path), 200)
    try:
        table = tomllib.loads(read_limited(path, _LARGEST).decode("utf-8-sig"))
        catalog = merged(base, table)
    except OSError as error:
        if error.errno == errno.EFBIG:
            raise _bad(shown, f"it is larger than {_LARGEST >> 20} MiB", named_by) from error
        missing = error.errno == errno.ENOENT
        raise UsageError(
            "catalog.missing" if missing else "catalog.unreadable",
            f"the model catalogue {shown} cannot be read: {error.strerror or error}",
            f"Check {_place(named_by)}",
        ) from error
    except UnicodeDecodeError as error:
        raise _bad(shown, "it is not text in UTF-8", named_by) from error
    except (ValueError, RecursionError) as error:
        raise _bad(shown, clean_line(str(error), 200), named_by) from error
    for problem in problems_of(catalog):
        raise _bad(shown, clean_line(problem, 200), named_by)
    return catalog


def merged(base: Catalog, table: Mapping[str, Any]) -> Catalog:
    """Give `base` with the entries of parsed TOML added to it, or laid over its own.

    Raises:
        ValueError: the table does not describe a catalogue; it says where.
    """
    strange = sorted(table.keys() - {*_LISTS, "alone"})
    if strange:
        raise _WrongError(f"{strange[0]!r} is none of {', '.join(_LISTS)} and alone")
    lists: dict[str, list[dict[str, Any]]] = {name: _entries(table, name) for name in _LISTS}
    alone = table.get("alone", False)
    if not isinstance(alone, bool):
        raise _WrongError("alone must be true or false")
    under = Catalog() if alone else base
    return Catalog(
        files=_laid_over(under.files, lists["files"], ModelFile, "file"),
        variants=_laid_over(under.variants, lists["variants"], Variant, "variant"),
        pairs=_laid_over(under.pairs, lists["pairs"], Pair, "pair"),
        measured=tuple(
            dict.fromkeys(
                (*under.measured, *(_converted(one, Measured) for one in lists["measured"]))
            )
        ),
    )


def _entries(table: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    entries = table.get(name, [])
    if not isinstance(entries, list) or not all(isinstance(one, dict) for one in entries):
        raise _WrongError(f"{name} must be tables: [[{name}]]")
    return entries


def _laid_over(
    under: Iterable[E], entries: Iterable[dict[str, Any]], kind: type[E], what: str
) -> tuple[E, ...]:
    """Lay entries over those of the same id; new ones follow in their order."""
    whole = {one.id: one for one in under}
    seen = set[str]()
    for entry in entries:
        ident = entry.get("id")
        if not isinstance(ident, str):
            raise _WrongError(f"a {what} has no id")
        if ident in seen:
            raise _WrongError(f"the {what} {ident} is there twice")
        seen.add(ident)
        before = whole.get(ident)
        values = {} if before is None else msgspec.structs.asdict(before)
        own = _with_figures(entry) if what == "file" else entry
        try:
            whole[ident] = msgspec.convert({**values, **own}, kind)
        except msgspec.ValidationError as error:
            raise _WrongError(f"the {what} {ident}: {error}") from error
    return tuple(whole.values())


def _with_figures(entry: dict[str, Any]) -> dict[str, Any]:
    """Let a rounded size take the place of an exact one, and an empty hash that of a hash."""
    figures = dict(entry)
    if "approximate_bytes" in entry:
        figures.setdefault("bytes", None)
    if isinstance(sha256 := entry.get("sha256"), str):
        figures["sha256"] = sha256.strip().lower() or None
    return figures


def _converted(entry: dict[str, Any], kind: type[Measured]) -> Measured:
    try:
        return msgspec.convert(entry, kind)
    except msgspec.ValidationError as error:
        raise _WrongError(f"a measured speed: {error}") from error


def _place(named_by: str) -> str:
    if named_by == "--catalog":
        return "the path after --catalog"
    if named_by.isupper():
        return f"the path in the environment variable {named_by}"
    return "catalog under [paths] in the config"


def _bad(shown: str, why: str, named_by: str) -> UsageError:
    without = "Leave out --catalog" if named_by == "--catalog" else f"Leave out {_place(named_by)}"
    return UsageError(
        "catalog.wrong",
        f"the model catalogue {shown} is wrong: {why}",
        f"{without} to use the one that ships with the program",
    )
