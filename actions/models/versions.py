"""Whether the ComfyUI that runs is new enough for a variant."""

import re
from collections.abc import Sequence

from actions.services.snapshot import ServiceStatus
from console.models.catalog import ModelFile, Variant

_VERSION = re.compile(r"v?(\d{1,6})\.(\d{1,6})(?:\.(\d{1,6}))?")


def too_old(entry: Variant | ModelFile, services: Sequence[ServiceStatus]) -> tuple[str, ...]:
    """Give in words each service whose ComfyUI is older than a variant or file needs.

    One that does not tell its version is not judged.
    """
    least = version_of(entry.min_comfyui)
    if least is None:
        return ()
    words = []
    for one in services:
        told = one.reading.version if one.reading is not None else ""
        has = version_of(told) if isinstance(told, str) else None
        if one.service.kind == "comfyui" and has is not None and has < least:
            words.append(f"{one.name} runs ComfyUI {told}: this needs {entry.min_comfyui} or newer")
    return tuple(words)


def version_of(text: str) -> tuple[int, int, int] | None:
    """Read a version such as `0.3.60` or `v0.27.0-12-gabc`; None where it is none."""
    match = _VERSION.match(text.strip())
    if match is None:
        return None
    return int(match[1]), int(match[2]), int(match[3] or 0)
