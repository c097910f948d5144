"""From a fix, a file or a typed name to what is asked of the operations."""

from collections.abc import Sequence
from typing import Any

from actions.models.model import Fix
from console.errors import ConsoleError
from console.text import clean_line
from screens.tui.messages import Wanted

VERBS = {
    "move": "move-file",
    "link": "link-file",
    "delete": "delete-file",
    "quarantine": "quarantine-file",
    "pull": "pull",
}


def fix_wanted(fix: Fix) -> Wanted:
    """Give what a fix asks for."""
    options: dict[str, Any] = {"to": fix.to} if fix.to else {}
    return Wanted(VERBS.get(fix.verb, fix.verb), fix.path, _name(fix.path), options)


def removal(names: Sequence[str], aside: bool = False) -> Wanted:
    """Give what removing files or variants, or putting them aside, asks for: one plan for all."""
    first, *more = names
    shown = f"{len(names)} of them" if more else _name(first)
    options: dict[str, Any] = {"also": more} if more else {}
    return Wanted("rm", first, shown, {**options, "quarantine": True} if aside else options)


def _name(path: str) -> str:
    return clean_line(path.rpartition("/")[2] or path, 120)


def wrong_spec(typed: str) -> str:
    """Say what is wrong with a typed file, such as `hf:ORG/REPO/PATH vae`; empty for nothing."""
    spec = typed.partition(" ")[0]
    if not spec:
        return "type what to fetch, such as hf:Comfy-Org/Qwen-Image_ComfyUI/README.md"
    if not spec.startswith(("hf:", "https://", "http://")):
        return ""
    from console.hub.spec import parse_spec

    try:
        parse_spec(spec)
    except ConsoleError as error:
        return f"{error.title}; {error.hint}" if error.hint else error.title
    return ""
