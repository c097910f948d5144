"""The flags by which Forge and ComfyUI pick a card, found in a command or in `FORGE_ARGS`."""

import shlex
from collections.abc import Iterable

import msgspec

from console.engine.snapshot import GpuDeclaration

# Both set CUDA_VISIBLE_DEVICES for the process, whatever the environment said; read in Forge's
# modules_forge/initialization.py and ComfyUI's main.py.
OVERRIDING_FLAGS = ("--gpu-device-id", "--cuda-device")
# These pick among what stays visible.
SELECTING_FLAGS = ("--default-device", "--device-id")
# Environment names whose value is appended to the program's command line.
ARGUMENT_NAMES = ("FORGE_ARGS", "COMMANDLINE_ARGS", "CLI_ARGS", "COMFYUI_ARGS", "EXTRA_ARGS")


class CardFlag(msgspec.Struct, frozen=True, kw_only=True):
    """A flag that picks a card.

    Attributes:
        value: a CUDA ordinal as written, or a comma-separated list of them.
        where: `command`, or the name of the environment variable that carries it.
        overrides_visible: it replaces `CUDA_VISIBLE_DEVICES` instead of choosing within it.
    """

    name: str
    value: str
    where: str
    overrides_visible: bool


def card_flag(declaration: GpuDeclaration) -> CardFlag | None:
    """Find the flag that decides; one in the command wins over one in the environment."""
    found: CardFlag | None = None
    for name, value in declaration.environment:
        if name in ARGUMENT_NAMES:
            found = _last_flag(split_words([value]), name) or found
    return _last_flag(split_words(declaration.arguments), "command") or found


def split_words(arguments: Iterable[str]) -> list[str]:
    """Split arguments as a shell would, also inside `sh -c "…"`; with a broken quote at blanks."""
    words: list[str] = []
    for argument in arguments:
        try:
            words.extend(shlex.split(argument) if " " in argument else [argument])
        except ValueError:
            words.extend(argument.split())
    return words


def _last_flag(words: list[str], where: str) -> CardFlag | None:
    """Give the last flag among `words`, as argparse would keep it; overriding ones win."""
    best: CardFlag | None = None
    for position, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name not in OVERRIDING_FLAGS + SELECTING_FLAGS:
            continue
        if not equals:
            value = words[position + 1] if position + 1 < len(words) else ""
        overrides = name in OVERRIDING_FLAGS
        if best is None or overrides or not best.overrides_visible:
            best = CardFlag(name=name, value=value, where=where, overrides_visible=overrides)
    return best
