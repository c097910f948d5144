"""The flags by which Forge and ComfyUI pick a card, found in a command or in `FORGE_ARGS`."""

import re
import shlex
from collections.abc import Iterable, Iterator

import msgspec

from console.engine.snapshot import ARGUMENT_NAMES, GpuDeclaration

# How strongly a flag decides where there are several. The first picks among what stays visible. The
# others set CUDA_VISIBLE_DEVICES for the process, whatever the environment said: ComfyUI's
# `--default-device N` to all ordinals with N in front, `--cuda-device` and Forge's
# `--gpu-device-id` to theirs alone, and last. Read in Forge's modules_forge/initialization.py and
# ComfyUI's main.py.
RANKS = {"--device-id": 0, "--default-device": 1, "--gpu-device-id": 2, "--cuda-device": 2}
# Variables that a command may set for itself: `sh -c "CUDA_VISIBLE_DEVICES=1 python main.py"`.
SETTABLE = ("CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER")

_DEEPEST = 3
_SEPARATES = re.compile(r"[\s;&|()<>'\"\\]")


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
    """Find the flag that decides: the strongest, and of equals the last, as argparse keeps it.

    What the environment adds to a command counts as standing before the command's own flags.
    """
    best: CardFlag | None = None
    for flag in _flags(declaration):
        if best is None or RANKS[flag.name] >= RANKS[best.name]:
            best = flag
    return best


def command_variables(declaration: GpuDeclaration) -> dict[str, str]:
    """Give the variables that choose a card and that the command sets for itself."""
    found = {}
    for word in split_words(declaration.arguments):
        name, equals, value = word.partition("=")
        if equals and name in SETTABLE:
            found[name] = value
    return found


def split_words(arguments: Iterable[str]) -> list[str]:
    """Split arguments as a shell would, also inside `sh -c "…"`; with a broken quote at blanks."""
    return list(_split(arguments, 0))


def _split(arguments: Iterable[str], depth: int) -> Iterator[str]:
    for argument in arguments:
        if depth >= _DEEPEST or not _SEPARATES.search(argument):
            yield argument
        else:
            words = _shell_words(argument)
            yield from words if words == [argument] else _split(words, depth + 1)


def _shell_words(text: str) -> list[str]:
    lexer = shlex.shlex(text, posix=True, punctuation_chars=";&|()<>")
    lexer.whitespace_split = True
    lexer.commenters = ""
    try:
        return list(lexer)
    except ValueError:
        return text.split()


def _flags(declaration: GpuDeclaration) -> Iterator[CardFlag]:
    """Give every flag that picks a card, in the order in which the program reads them."""
    for name, value in declaration.environment:
        if name in ARGUMENT_NAMES:
            yield from _flags_among(split_words([value]), name)
    yield from _flags_among(split_words(declaration.arguments), "command")


def _flags_among(words: list[str], where: str) -> Iterator[CardFlag]:
    for position, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name not in RANKS:
            continue
        if not equals:
            value = words[position + 1] if position + 1 < len(words) else ""
        yield CardFlag(name=name, value=value, where=where, overrides_visible=RANKS[name] > 0)
