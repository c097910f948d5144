"""The rules by which models are told from each other, read from `assets/model_families.toml`."""

import re
import zlib
from fnmatch import translate
from functools import cache

import msgspec

from console.packaged import read_table, read_text

TABLE = "model_families.toml"
FORMATS = "model_formats.toml"

_READING = "3"
"""Counted up whenever the code reads something else from the same header."""


class Shape(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A tensor whose length along an axis is one of `lengths`."""

    key: str
    axis: int
    lengths: frozenset[int] = msgspec.field(name="is")


class Deeper(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A number behind the word `of` in a tensor's name that is above `than`."""

    of: str
    than: int


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One rule; everything it names has to hold. The table says what each word means."""

    kind: str | tuple[str, ...]
    family: str = ""
    arch: frozenset[str] = frozenset()
    group: str = ""
    all: tuple[str, ...] = ()
    any: tuple[str, ...] = ()
    none: tuple[str, ...] = ()
    shape: Shape | None = None
    deeper: Deeper | None = None

    @property
    def kinds(self) -> tuple[str, ...]:
        """What it may be, the likeliest first."""
        return (self.kind,) if isinstance(self.kind, str) else self.kind


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Beginnings of the tensors' names of each part of a checkpoint."""

    text_encoder: tuple[str, ...]
    vae: tuple[str, ...]
    inside: tuple[str, ...]


class Notes(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Texts in a header's notes, under these keys, that tell a family."""

    keys: tuple[str, ...]
    families: tuple[tuple[str, str], ...]


class Names(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Patterns of file names that tell a family or a kind; `without` have no family by name."""

    families: tuple[tuple[str, str], ...]
    kinds: tuple[tuple[str, str], ...]
    without: frozenset[str]


class Refine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A family that a name tells more of than the tensors."""

    family: str
    names: tuple[str, ...]
    becomes: str
    kinds: frozenset[str]


class Rules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole table."""

    prefixes: tuple[str, ...]
    checkpoint: Checkpoint
    folder_aliases: dict[str, str]
    groups: dict[str, tuple[str, ...]]
    rules: tuple[Rule, ...]
    notes: tuple[Notes, ...]
    names: Names
    refine: tuple[Refine, ...]


@cache
def rules() -> Rules:
    """Give the table of rules."""
    return msgspec.convert(read_table(TABLE), Rules)


@cache
def rules_stamp() -> str:
    """Give what changes whenever the rules do: what was told by others is told anew."""
    texts = (read_text(TABLE), read_text(FORMATS), _READING)
    return f"{zlib.crc32(chr(0).join(texts).encode()):08x}"


@cache
def pattern(text: str) -> re.Pattern[str]:
    """Give a pattern with `*` as one to match a whole name with."""
    return re.compile(translate(text))


@cache
def line_pattern(text: str) -> re.Pattern[str]:
    """Give a pattern with `*` as one to search for among names, one a line.

    What a `*` took is not given back (the first fit is as good as any), so that no name, however
    long, takes minutes.
    """
    first, *rest = (re.escape(part) for part in text.split("*"))
    between = "".join(f"(?>.*?{part})" for part in rest[:-1])
    last = f".*{rest[-1]}" if rest else ""
    return re.compile(f"^{first}{between}{last}$", re.MULTILINE)
