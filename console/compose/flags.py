"""The flags on a compose service's command line: in its command, or in a variable that has some."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from console.compose.settings import unquoted, variables_of
from console.compose.tree import Node, Tree, is_scalar, is_sequence
from console.engine.snapshot import ARGUMENT_NAMES

_COMMANDS = ("command", "entrypoint")
_GAP = r"(?:\s|\\\r?\n)"
# No flag itself, unless it is a number, and no program that the flag stands before.
_NO_FLAG = r"(?!-(?!\.?\d)|\S+\.py\b)"
_PIECE = r"""(?:\$?\$\{[^}]*\}|\\?"[^"\\\n]*\\?"|'[^'\n]*'|[^\s"'\\;&|()<>{}#])"""
_VALUE = f"{_NO_FLAG}{_PIECE}+"
_FLAG = r"--?[A-Za-z][\w.-]*"
_REFERENCE = re.compile(r"\$\{[^}]*\}")
_WORD_VALUE = re.compile(r"(?!-(?!\.?\d)).*", re.DOTALL)


class FlagSpot(NamedTuple):
    """A flag where it stands.

    Attributes:
        name: such as `--port`.
        value: as written; None where it has none. Several are one text.
        start, end: of the flag with its values, in the file's text; a list's items with quotes.
        value_start, value_end: of the values; where there are none, where one would stand.
        where: the setting it is in, such as `command` or `CLI_ARGS`.
        node: the scalar that it is a part of.
        items: of a list of words: its places in there; empty in a text.
        holder: that list; None in a text.
        bound: it is within `${…}`, or its value may be somebody else's.
    """

    name: str
    value: str | None
    start: int
    end: int
    value_start: int
    value_end: int
    where: str
    node: Node
    items: tuple[int, ...] = ()
    holder: Node | None = None
    bound: bool = False


class Carrier(NamedTuple):
    """A setting that holds a command line, or a part of one.

    Attributes:
        where: its name.
        node: of a text the scalar, of a list of words the list.
        start, end: of a text: where it is inside its quotes.
    """

    where: str
    node: Node
    start: int
    end: int

    @property
    def is_list(self) -> bool:
        """Whether it is a list of words."""
        return is_sequence(self.node)


def carriers_of(tree: Tree, service: Node) -> list[Carrier]:
    """Give all that carries flags of a service, variables first."""
    found = [
        Carrier(one.name, one.node, one.start, one.end)
        for one in variables_of(tree, service).values()
        if one.name in ARGUMENT_NAMES and one.value is not None
    ]
    for name in _COMMANDS:
        command = tree.find(service, name)
        if command is None:
            continue
        if is_sequence(command.value):
            found.append(Carrier(name, command.value, *_outer(command.value)))
        elif is_scalar(command.value) and command.value.value:
            found.append(Carrier(name, command.value, *unquoted(tree, command.value)))
    return found


def spots_in(tree: Tree, carrier: Carrier, name: str = "") -> list[FlagSpot]:
    """Give the flags of one carrier, in their order.

    Args:
        tree: the file.
        carrier: the setting.
        name: only this flag; empty is all.
    """
    wanted = re.escape(name) if name else _FLAG
    if not carrier.is_list:
        return list(_in_text(tree, carrier, wanted))
    spots: list[FlagSpot] = []
    items = carrier.node.value
    for place, item in enumerate(items):
        if not is_scalar(item):
            continue
        word = str(item.value)
        if not re.search(r"\s", word):
            spots += _in_words(tree, carrier, place, wanted)
        elif _is_command(items, place):
            inner = Carrier(carrier.where, item, *unquoted(tree, item))
            spots += _in_text(tree, inner, wanted)
    return spots


def text_in(tree: Tree, carrier: Carrier) -> Carrier | None:
    """Give the text for a shell within a list of words, if there is one."""
    items = carrier.node.value if carrier.is_list else ()
    found = [item for place, item in enumerate(items) if _is_command(items, place)]
    return Carrier(carrier.where, found[-1], *unquoted(tree, found[-1])) if found else None


def _is_command(items: Sequence[Node], place: int) -> bool:
    """Tell whether an item is a text for a shell, or a program that is told in one piece."""
    if not is_scalar(items[place]):
        return False
    before = items[place - 1] if place else None
    return before is not None and is_scalar(before) and str(before.value) in {"-c", "-lc", "-ec"}


def _in_text(tree: Tree, carrier: Carrier, wanted: str) -> Iterator[FlagSpot]:
    pattern = re.compile(
        rf"(?<![^\s\"'(])(?P<name>{wanted})(?![\w.-])"
        rf"(?:(?P<equals>=)(?P<one>{_VALUE})?|(?P<more>(?:{_GAP}+{_VALUE})+))?"
    )
    text, base = tree.text[carrier.start : carrier.end], carrier.start
    references = [one.span() for one in _REFERENCE.finditer(text)]
    for match in pattern.finditer(text):
        group = "one" if match["one"] is not None else "more" if match["more"] else ""
        value = match[group] if group else None
        begin, end = match.span(group) if group else (match.end(), match.end())
        if value is not None:
            begin += len(value) - len(value.lstrip(" \t\r\n\\"))
        within = any(start < match.start() < finish for start, finish in references)
        yield FlagSpot(
            name=match["name"],
            value=text[begin:end] if value is not None else None,
            start=base + match.start(),
            end=base + match.end(),
            value_start=base + begin,
            value_end=base + end,
            where=carrier.where,
            node=carrier.node,
            bound=within or (group == "more" and "$" in (value or "")),
        )


def _in_words(tree: Tree, carrier: Carrier, place: int, wanted: str) -> Iterator[FlagSpot]:
    items = carrier.node.value
    word = str(items[place].value)
    match = re.fullmatch(rf"({wanted})(?:=(.*))?", word, re.DOTALL)
    if match is None:
        return
    start, end = unquoted(tree, items[place])
    if match[2] is not None:
        at = start + len(match[1]) + 1
        yield FlagSpot(
            match[1], match[2], start, end, at, end, carrier.where, items[place],
            (place,), carrier.node,
        )  # fmt: skip
        return
    last = place
    while last + 1 < len(items) and _is_value(items[last + 1]):
        last += 1
    values = items[place + 1 : last + 1]
    begin, finish = (unquoted(tree, values[0])) if values else (end, end)
    shown = " ".join(str(one.value) for one in values) if values else None
    yield FlagSpot(
        match[1], shown, start, end, begin, finish, carrier.where, items[place],
        tuple(range(place, last + 1)), carrier.node, bound="$" in (shown or ""),
    )  # fmt: skip


def _is_value(item: Node) -> bool:
    if not is_scalar(item):
        return False
    word = str(item.value)
    return bool(_WORD_VALUE.fullmatch(word)) and not word.endswith(".py")


def _outer(node: Node) -> tuple[int, int]:
    return int(node.start_mark.index), int(node.end_mark.index)
