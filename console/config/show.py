"""The configuration as it is in force: every key, its value and where that comes from."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from console.config.load import Loaded, dotted
from console.mask import MASK, mask_data
from console.units import GIB, KIB, MIB

_SIZES = {"vram_budget", "vram_reserve", "limit"}
_TIMES = {"raise_after", "clear_after", "time_limit"}


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One key in force.

    Attributes:
        key: dotted path.
        value: as the config writes it: sizes as text, paths with `~` resolved; masked.
        source: `file` or `default`.
    """

    key: str
    value: Any
    source: str


def entries(loaded: Loaded) -> list[Entry]:
    """List every key in force; those that are unset are left out."""
    settings = loaded.settings
    return [
        Entry(
            key=dotted(path),
            value=mask_data(_written(path[-1], value), path[-1]),
            source="file" if dotted(path) in loaded.given else "default",
        )
        for path, value in _leaves(settings, ())
        if value is not None and value not in ((), {})
    ]


def toml_value(value: Any) -> str:
    """Give a value as TOML writes it on one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        inner = ", ".join(f"{dotted((key,))} = {toml_value(item)}" for key, item in value.items())
        return f"{{ {inner} }}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(toml_value(item) for item in value)}]"
    if isinstance(value, str):
        # JSON's escapes are TOML's, apart from DEL and the slash, which JSON here leaves alone.
        return msgspec.json.encode(value).decode().replace("\x7f", "\\u007f")
    return str(value)


def exact_size(size: int) -> str:
    """Give a size so that reading it back gives the same bytes, such as `700 MiB`."""
    for unit, name in ((GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB")):
        if size >= unit and size % unit == 0:
            return f"{size // unit} {name}"
    return f"{size} B"


def _leaves(part: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Walk sections down to their keys; services and layouts are one level deeper."""
    for name in part.__struct_fields__:
        value = getattr(part, name)
        if isinstance(value, dict) and not path:
            for key, each in value.items():
                yield from _leaves(each, (name, key))
        elif isinstance(value, msgspec.Struct) and not path:
            yield from _leaves(value, (name,))
        else:
            yield (*path, name), value


def _written(name: str, value: Any) -> Any:
    """Give a typed value as the config would have it."""
    if name in _SIZES:
        return exact_size(value)
    if name in _TIMES:
        return f"{value:g}s"
    if name == "webhook":
        # Of many the path is the secret.
        scheme, _, rest = value.partition("://")
        host, _, path = rest.partition("/")
        return f"{scheme}://{host.partition('?')[0]}/{MASK if path or '?' in host else ''}"
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, msgspec.Struct):
        pairs = msgspec.structs.asdict(value).items()
        return {key: _written(key, item) for key, item in pairs if item is not None}
    if isinstance(value, list | tuple):
        return [_written(name, item) for item in value]
    return value
