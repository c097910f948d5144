r"""The driver table: the text file in which a scene tells the simulated drivers what to answer.

One fact a line, `#` starts a comment line. Facts of the driver are `key value`, facts of a card
`gpu N key value`. Keys, with their types, are the fields of `DriverTable` and `CardTable`; a
missing line or `-` is a value the driver does not support. Four keys are lists:

    fault init DRIVER_NOT_LOADED        gpu 0 fault nvmlDeviceGetFanSpeed NOT_SUPPORTED
    hang nvmlDeviceGetCount_v2 30       gpu 0 hang nvmlDeviceGetMemoryInfo 30
    gpu 0 process 1234 compute 6442450944

Texts are UTF-8; any byte may be written as `\xHH`, and is where it would not print. Both the
Python driver and the C library of the tests read this format.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, get_args

import msgspec

Flavour = Literal["wsl", "native"]
ProcessKind = Literal["compute", "graphics"]

_ESCAPE = re.compile(rb"\\x([0-9A-Fa-f]{2})")


class TableError(ValueError):
    """A line of a driver table that makes no sense; the message names the line."""


class TableProcess(msgspec.Struct, frozen=True):
    """A process on a card; `used_bytes` None is what WSL2 always says: not available."""

    pid: int
    kind: ProcessKind = "compute"
    used_bytes: int | None = None


class CardTable(msgspec.Struct, frozen=True, kw_only=True):
    """What the driver answers about one card; None is `NVML_ERROR_NOT_SUPPORTED`.

    Memory is in bytes, power in milliwatts, clocks in MHz, percentages 0-100. `memory_used` leaves
    `memory_reserved` out, as version 2 of NVML's struct does; `memory_free` is the rest unless
    told. `faults` maps an NVML function's name (or `*`: the whole card) to an error's name without
    `NVML_ERROR_`; `hangs` maps a function's name (or `*`) to the seconds that it blocks.
    """

    uuid: str | None = None
    name: str | None = None
    pci_bus_id: str | None = None
    compute_capability: str | None = None
    multiprocessors: int | None = None
    max_clock_graphics: int | None = None
    memory_total: int | None = None
    memory_used: int | None = None
    memory_reserved: int | None = None
    memory_free: int | None = None
    utilization: int | None = None
    memory_utilization: int | None = None
    temperature: int | None = None
    power_mw: int | None = None
    power_limit_mw: int | None = None
    clock_graphics: int | None = None
    clock_memory: int | None = None
    fan: int | None = None
    throttle: int | None = None
    pcie_generation: int | None = None
    pcie_width: int | None = None
    ecc: int | None = None
    ecc_errors: int | None = None
    pstate: int | None = None
    processes: tuple[TableProcess, ...] = ()
    faults: Mapping[str, str] = msgspec.field(default_factory=dict)
    hangs: Mapping[str, float] = msgspec.field(default_factory=dict)


class DriverTable(msgspec.Struct, frozen=True, kw_only=True):
    """What the whole driver answers; `faults` knows `init` besides the functions' names.

    `cuda_version` is 1000 * major + 10 * minor, as NVML gives it; `cards` are in NVML's order.
    """

    driver_version: str | None = None
    nvml_version: str | None = None
    cuda_version: int | None = None
    flavour: Flavour = "native"
    cards: tuple[CardTable, ...] = ()
    faults: Mapping[str, str] = msgspec.field(default_factory=dict)
    hangs: Mapping[str, float] = msgspec.field(default_factory=dict)


_LISTS = frozenset({"processes", "faults", "hangs", "cards"})
_DRIVER_TEXTS = frozenset({"driver_version", "nvml_version", "flavour"})
_DRIVER_KEYS = frozenset(DriverTable.__struct_fields__) - _LISTS
_CARD_TEXTS = frozenset({"uuid", "name", "pci_bus_id", "compute_capability"})
_CARD_KEYS = tuple(key for key in CardTable.__struct_fields__ if key not in _LISTS)


def write_table(path: Path, facts: DriverTable) -> None:
    """Put a table in place whole: written beside `path`, then renamed over it.

    The drivers look at the file's inode and change time, so a rename is always noticed.
    """
    aside = path.with_name(path.name + ".next")
    aside.write_bytes(render_table(facts).encode())
    aside.replace(path)


def render_table(table: DriverTable) -> str:
    """Give a table as text, which `parse_table` turns into an equal table."""
    lines = [
        f"{key} {_show(getattr(table, key))}"
        for key in sorted(_DRIVER_KEYS)
        if getattr(table, key) is not None
    ]
    lines += _render_lists("", table.faults, table.hangs)
    for index, card in enumerate(table.cards):
        lines += _render_card(f"gpu {index} ", card)
    return "\n".join(lines) + "\n"


def _render_card(prefix: str, card: CardTable) -> Iterator[str]:
    """Give one card's lines; the uuid line always, so that a card of no facts is still there."""
    for key in _CARD_KEYS:
        value = getattr(card, key)
        if value is not None or key == "uuid":
            yield f"{prefix}{key} {hex(value) if key == 'throttle' else _show(value)}"
    for process in card.processes:
        yield f"{prefix}process {process.pid} {process.kind} {_show(process.used_bytes)}"
    yield from _render_lists(prefix, card.faults, card.hangs)


def _render_lists(
    prefix: str, faults: Mapping[str, str], hangs: Mapping[str, float]
) -> Iterator[str]:
    yield from (f"{prefix}fault {function} {error}" for function, error in faults.items())
    yield from (f"{prefix}hang {function} {seconds!r}" for function, seconds in hangs.items())


def _show(value: str | int | None) -> str:
    r"""Give a value as it stands in a line: `-` for none, texts with `\xHH` where needed."""
    if value is None:
        return "-"
    if isinstance(value, int):
        return str(value)
    raw = value.encode("utf-8", "surrogateescape")
    if not raw:
        return r"\x00"  # a C string that ends where it begins
    return "".join(
        chr(byte) if _prints(byte, raw, at) else f"\\x{byte:02x}" for at, byte in enumerate(raw)
    )


def _prints(byte: int, raw: bytes, at: int) -> bool:
    """Tell whether a byte may stand as it is: printable, no escape, no blank at an end."""
    if byte == 0x20:
        return 0 < at < len(raw) - 1
    return 0x20 < byte < 0x7F and byte != 0x5C and raw != b"-"


def parse_table(text: str) -> DriverTable:
    """Read a table from its text.

    Raises:
        TableError: a line has an unknown key or a value that is not of its type.
    """
    driver: dict[str, Any] = {"faults": {}, "hangs": {}}
    cards: dict[int, dict[str, Any]] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        words = line.strip(" \r\t")
        if words and not words.startswith("#"):
            try:
                _take(driver, cards, words)
            except ValueError as problem:
                raise TableError(f"line {number}: {words!r}: {problem}") from problem
    if sorted(cards) != list(range(len(cards))):
        raise TableError(f"cards are not numbered 0 to {len(cards) - 1}: {sorted(cards)}")
    found = tuple(_card(cards[index]) for index in sorted(cards))
    return DriverTable(cards=found, **driver)


def _take(driver: dict[str, Any], cards: dict[int, dict[str, Any]], line: str) -> None:
    """Put one line's fact where it belongs."""
    key, _, rest = line.partition(" ")
    if key == "gpu":
        index, key, value = [*rest.split(" ", 2), "", ""][:3]
        card = cards.setdefault(int(index), {"processes": [], "faults": {}, "hangs": {}})
        _take_card(card, key, value)
    elif key in ("fault", "hang"):
        _take_list(driver, key, rest)
    elif key == "flavour":
        if rest not in get_args(Flavour):
            raise ValueError(f"flavour is one of {get_args(Flavour)}")
        driver[key] = rest
    elif key in _DRIVER_KEYS:
        driver[key] = _value(rest, is_text=key in _DRIVER_TEXTS)
    else:
        raise ValueError("unknown key")


def _take_card(card: dict[str, Any], key: str, value: str) -> None:
    if key in ("fault", "hang"):
        _take_list(card, key, value)
    elif key == "process":
        pid, kind, used = value.split()
        if kind not in get_args(ProcessKind):
            raise ValueError(f"a process is one of {get_args(ProcessKind)}")
        card["processes"].append(TableProcess(int(pid), kind, _value(used, is_text=False)))  # type: ignore[arg-type]
    elif key in _CARD_KEYS:
        card[key] = _value(value, is_text=key in _CARD_TEXTS)
    else:
        raise ValueError("unknown key")


def _take_list(facts: dict[str, Any], key: str, value: str) -> None:
    function, what = value.split()
    facts[f"{key}s"][function] = what if key == "fault" else float(what)


def _card(facts: dict[str, Any]) -> CardTable:
    return CardTable(**{**facts, "processes": tuple(facts["processes"])})


def _value(text: str, *, is_text: bool) -> Any:
    """Turn a value's text into a text, a number (also `0x...`) or None for `-`."""
    if text in ("-", ""):
        return None
    if not is_text:
        return int(text, 0)
    raw = _ESCAPE.sub(
        lambda found: bytes([int(found[1], 16)]), text.encode("utf-8", "surrogateescape")
    )
    return raw.split(b"\0", 1)[0].decode("utf-8", "surrogateescape")
