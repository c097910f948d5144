"""ComfyUI's answers, typed: tolerant to what is missing, added, or of another type.

Shapes as recorded from 0.3.64 and 0.33.0 (server.py).
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from console.mask import mask_arguments
from console.services.device_name import ON_CPU, parse_device
from console.services.reading import Device
from console.text import clean_line
from console.unknown import Unknown
from console.web.values import items, mapping, odd, size, text, texts, within

Words = Callable[[str], str]

_MOST_ARGUMENTS = 200
_EDITS = ("TextEncodeQwenImageEdit", "FluxKontext", "ReferenceLatent")


class Stats(msgspec.Struct, frozen=True, kw_only=True):
    """`GET /system_stats`; sizes in bytes.

    Attributes:
        version: of ComfyUI.
        device: the card it computes on; 0.33 lists it first among all that it sees.
        devices: all that it sees.
        vram_free_bytes: of the whole card as the driver counts it: ComfyUI adds what its own
            allocator holds unused, which is taken off again here.
        vram_own_bytes: what its allocator (torch) holds.
        arguments: its command line, masked.
    """

    version: str | Unknown
    device: Device | Unknown
    devices: tuple[Device | Unknown, ...]
    vram_free_bytes: int | Unknown
    vram_own_bytes: int | Unknown
    ram_total_bytes: int | Unknown
    ram_free_bytes: int | Unknown
    arguments: tuple[str, ...] | Unknown


class QueueItem(msgspec.Struct, frozen=True, kw_only=True):
    """A prompt in the queue.

    `created_ms` is when it was posted, in Unix milliseconds (0.33 only); `number` orders them.
    """

    ident: str
    number: float = 0.0
    what: str = ""
    created_ms: float | None = None


class Queue(msgspec.Struct, frozen=True, kw_only=True):
    """`GET /queue`: what runs and what waits, the next first."""

    running: tuple[QueueItem, ...]
    pending: tuple[QueueItem, ...]


def parse_remaining(data: object) -> int | Unknown:
    """Read `GET /prompt`: how many prompts run and wait together."""
    return size(data, "exec_info.queue_remaining")


def is_stats(data: object) -> bool:
    """Tell whether this can be an answer to `GET /system_stats` at all."""
    return isinstance(within(data, "system"), dict) and isinstance(within(data, "devices"), list)


def parse_stats(data: object, words: Words = str) -> Stats:
    """Read `GET /system_stats`; what is odd in it blanks its own field."""
    entries = items(within(data, "devices"))
    devices = tuple(_device(entry, words) for entry in entries[:64])
    first: Mapping[str, Any] = mapping(entries[0]) if entries else {}
    device = devices[0] if devices else odd("devices")
    # On the processor these are figures of the host's memory.
    on_cpu = device == ON_CPU
    version = text(data, "system.comfyui_version", 60)
    return Stats(
        version=words(version) if isinstance(version, str) else version,
        device=device,
        devices=devices,
        vram_free_bytes=ON_CPU if on_cpu else _free(first),
        vram_own_bytes=ON_CPU if on_cpu else size(first, "torch_vram_total"),
        ram_total_bytes=size(data, "system.ram_total"),
        ram_free_bytes=size(data, "system.ram_free"),
        arguments=_arguments(within(data, "system.argv"), words),
    )


def _device(entry: object, words: Words) -> Device | Unknown:
    kind = within(entry, "type")
    if kind == "cpu":
        return ON_CPU
    name = text(entry, "name")
    if isinstance(name, Unknown):
        return name
    return parse_device(words(name), size(entry, "vram_total"), "service")


def _free(entry: object) -> int | Unknown:
    free, unused = size(entry, "vram_free"), size(entry, "torch_vram_free")
    if isinstance(free, Unknown) or isinstance(unused, Unknown):
        return free
    return free - unused if unused <= free else free


def _arguments(argv: object, words: Words) -> tuple[str, ...] | Unknown:
    if not isinstance(argv, list):
        return odd("argv")
    lines = [clean_line(part, 500) for part in argv[:_MOST_ARGUMENTS] if isinstance(part, str)]
    return tuple(words(part) for part in mask_arguments(lines))


def parse_queue(data: object, words: Words = str) -> Queue | Unknown:
    """Read `GET /queue`; `queue_pending` is a heap, so it is sorted here."""
    running, pending = within(data, "queue_running"), within(data, "queue_pending")
    if not isinstance(running, list) or not isinstance(pending, list):
        return odd("queue")
    return Queue(
        running=_entries(running, words),
        pending=tuple(sorted(_entries(pending, words), key=lambda item: item.number)),
    )


def _entries(entries: list[Any], words: Words) -> tuple[QueueItem, ...]:
    made = (_entry(entry, words) for entry in items(entries))
    return tuple(item for item in made if item is not None)


def _entry(entry: object, words: Words) -> QueueItem | None:
    """Read `[number, prompt_id, graph, extra_data, outputs]`; None where there is no id."""
    parts = entry if isinstance(entry, list) else []
    if len(parts) < 2 or not isinstance(parts[1], str):
        return None
    number = parts[0]
    plain = isinstance(number, int | float) and not isinstance(number, bool)
    created = within(parts[3], "create_time") if len(parts) > 3 else None
    return QueueItem(
        ident=words(clean_line(parts[1], 100)),
        number=float(number) if plain and abs(number) < 1e15 else 0.0,
        what=describe_graph(parts[2]) if len(parts) > 2 else "",
        created_ms=float(created) if isinstance(created, int) and 0 < created < 1e15 else None,
    )


def describe_graph(graph: object) -> str:
    """Say in a word or two what a graph does, by the kinds of its nodes."""
    nodes = mapping(graph)
    kinds = {
        node["class_type"]
        for node in nodes.values()
        if isinstance(node, dict) and isinstance(node.get("class_type"), str)
    }
    if not kinds:
        return ""
    loads = any(kind.startswith("LoadImage") for kind in kinds)
    if any(kind.startswith(_EDITS) for kind in kinds):
        return "edit" if loads else "text to image"
    if any("Sampler" in kind for kind in kinds):
        return "image to image" if loads else "text to image"
    return f"graph of {len(nodes)} node{'s' if len(nodes) > 1 else ''}"


def parse_names(data: object, words: Words = str) -> tuple[str, ...] | Unknown:
    """Read a list of names, as `/models` and `/models/{folder}` give it."""
    if not isinstance(data, list):
        return odd("list")
    return tuple(words(name) for name in texts(data, 500))
