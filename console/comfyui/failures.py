"""A failed node's own words, as what to tell and what to do."""

import re

from console.comfyui.messages import Broken
from console.edits.words import Trouble, trouble

_MEMORY = re.compile(r"out of memory|OutOfMemory|would exceed allowed memory", re.IGNORECASE)
_PICTURE = re.compile(
    r"UnidentifiedImage|DecompressionBomb|cannot identify image|image file is truncated",
    re.IGNORECASE,
)
_MODEL_FILE = re.compile(
    r"SafetensorError|HeaderTooLarge|HeaderTooSmall|incomplete metadata|UnpicklingError"
    r"|deserializing header|GGUF magic invalid",
    re.IGNORECASE,
)


def explain(broken: Broken) -> Trouble:
    """Give the trouble that a failed node stands for, with ComfyUI's own words in its detail."""
    kind = broken.kind or "a node"
    detail = ": ".join(part for part in (broken.sort, broken.said) if part)
    for pattern, code in (
        (_MEMORY, "edit.out-of-memory"),
        (_PICTURE, "edit.not-a-picture"),
        (_MODEL_FILE, "edit.bad-model-file"),
    ):
        if pattern.search(detail) or (
            code == "edit.out-of-memory" and "OutOfMemory" in broken.sort
        ):
            return trouble(code, detail, kind=kind)
    return trouble("edit.node-failed", detail, kind=kind, said=broken.said[:200] or broken.sort)
