"""Which card a program lands on: what CUDA makes of flags, environment and what Docker lets in.

Written from CUDA's documentation and by itself, so that the program that is rehearsed is compared
with something else than its own idea of it.
"""

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

GIB = 1 << 30
MIB = 1 << 20

_FLAGS = ("--gpu-device-id", "--cuda-device")
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True, kw_only=True)
class Card:
    """A card as CUDA sees it; `index` is the driver's, which follows the PCI bus."""

    index: int
    name: str
    memory: int
    uuid: str = ""
    bus_id: str = ""
    capability: str = "8.6"
    multiprocessors: int = 0
    clock_mhz: int = 0


@dataclass(frozen=True)
class Picked:
    """What a program gets: the cards it sees, in its own order; `ordinal` it was told, if any."""

    cards: tuple[Card, ...]
    ordinal: int | None = None


def read_cards(path: Path) -> tuple[Card, ...]:
    """Read a list of cards: JSON, one object a card in the driver's order.

    Keys: `name`, `memory` (bytes, or GiB below 4096), and where known `uuid`, `bus_id`,
    `capability`, `multiprocessors`, `clock_mhz`.

    Raises:
        ValueError: the file is no such list.
    """
    try:
        rows: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))
        if not isinstance(rows, list):
            raise TypeError("it is no list")
        return tuple(
            Card(**{**row, "index": index, "memory": _bytes(row["memory"])})
            for index, row in enumerate(rows)
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is no list of cards: {error}") from error


def _bytes(size: float) -> int:
    return int(size * GIB) if size < 4096 else int(size)


def pick(
    cards: Sequence[Card],
    arguments: Sequence[str],
    environ: Mapping[str, str],
    allowed: str | Sequence[str] | None = "all",
) -> Picked:
    """Give the cards a program sees, the one it computes on first.

    `allowed` is what Docker lets in where it is obeyed (native Linux): `all`, or ids of cards;
    None lets none in. The flag wins over `CUDA_VISIBLE_DEVICES`, as both programs set the
    variable from it. A wrong entry hides itself and all after it (CUDA programming guide).
    """
    seen = _in_order(_let_in(cards, allowed), environ.get("CUDA_DEVICE_ORDER", ""))
    told = flag(arguments, environ)
    wanted = str(told) if told is not None else environ.get("CUDA_VISIBLE_DEVICES")
    if wanted is None:
        return Picked(tuple(seen), told)
    chosen: list[Card] = []
    for part in wanted.split(","):
        card = _named(seen, part.strip())
        if card is None or card in chosen:
            break
        chosen.append(card)
    return Picked(tuple(chosen), told)


def flag(arguments: Sequence[str], environ: Mapping[str, str]) -> int | None:
    """Give the ordinal that a flag names, in the command line or in ai-dock's FORGE_ARGS."""
    words = [*arguments, *_words(environ.get("FORGE_ARGS", ""))]
    found = None
    for position, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name in _FLAGS:
            value = value if equals else "".join(words[position + 1 : position + 2])
            found = int(value) if _NUMBER.fullmatch(value) else found
    return found


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


def _let_in(cards: Sequence[Card], allowed: str | Sequence[str] | None) -> list[Card]:
    if allowed is None:
        return []
    if isinstance(allowed, str):
        return list(cards) if allowed in {"all", ""} else _let_in(cards, allowed.split(","))
    return [card for card in cards if any(_is(card, name) for name in allowed)]


def _is(card: Card, name: str) -> bool:
    return name == str(card.index) or bool(card.uuid and card.uuid == name)


def _in_order(cards: Sequence[Card], order: str) -> list[Card]:
    by_bus = sorted(cards, key=lambda card: (card.bus_id, card.index))
    if order == "PCI_BUS_ID":
        return by_bus
    return sorted(by_bus, key=_speed, reverse=True)


def _speed(card: Card) -> tuple[tuple[int, ...], int, int]:
    capability = tuple(int(part) for part in card.capability.split("."))
    return capability, card.multiprocessors * (card.clock_mhz or 1), 0


def _named(seen: Sequence[Card], name: str) -> Card | None:
    if _NUMBER.fullmatch(name):
        return seen[int(name)] if int(name) < len(seen) else None
    found = [card for card in seen if name and card.uuid.startswith(name)]
    return found[0] if len(found) == 1 else None
