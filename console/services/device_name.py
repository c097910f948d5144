"""A card's name out of how PyTorch programs print it: `cuda:0 NVIDIA … : cudaMallocAsync`."""

import re

from console.services.reading import Device
from console.text import clean_line
from console.unknown import Unknown

ON_CPU = Unknown(
    "service.on-cpu",
    "it computes on the processor, not on a card",
    "it was started with --cpu, or its container was given no card",
)

# ComfyUI and Forge write the same (get_torch_device_name). Older ones fall back to
# `CUDA cuda:0: NAME`; a card's own name may hold colons.
_CUDA = re.compile(
    r"(?:CUDA )?cuda(?::(?P<ordinal>\d{1,4}))?:? +(?P<name>[^\n]{1,200}?)"
    r"(?: *: *(?P<allocator>native|cudaMallocAsync|[A-Za-z][\w.-]{0,40})?)?$"
)
_CPU = re.compile(r"(?:cpu|mps|privateuseone)\b")


def is_on_cpu(device: object) -> bool:
    """Tell whether this is the word of a service that it computes on the processor."""
    return isinstance(device, Unknown) and device.code == ON_CPU.code


def parse_device(told: str, total_bytes: int | Unknown, source: str) -> Device | Unknown:
    """Give the card that a text names.

    Args:
        told: such as `cuda:0 NVIDIA GeForce RTX 3090 : native`, or `cpu`.
        total_bytes: VRAM of that card, where it is told beside.
        source: `service` or `log`.

    Returns:
        The device, or why there is none: on the processor, or not understood.
    """
    line = clean_line(told, 300)
    if _CPU.match(line):
        return ON_CPU
    found = _CUDA.match(line)
    if found is None:
        return Unknown("service.odd-device", f"it names its device in an unknown way: {line[:80]}")
    ordinal = found["ordinal"]
    return Device(
        name=found["name"].strip(),
        ordinal=int(ordinal) if ordinal is not None else 0,
        allocator=found["allocator"] or "",
        total_bytes=total_bytes,
        source=source,
    )
