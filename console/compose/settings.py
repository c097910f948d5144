"""Where a compose service says which card it uses: flags, variables, device requests."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from console.compose.tree import Node, Tree, is_mapping, is_scalar, is_sequence, pairs

STRONG = ("--cuda-device", "--gpu-device-id")
FLAGS = (*STRONG, "--default-device", "--device-id")
_COMMANDS = ("command", "entrypoint")
CHOOSING = ("CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER", "NVIDIA_VISIBLE_DEVICES")
DEVICES = ("deploy", "resources", "reservations", "devices")
# Where a service says which card it uses, its variables aside.
PLACES = (("command",), ("entrypoint",), DEVICES, ("gpus",))
_GAP = r"(?:\s*=\s*|(?:\s|\\\r?\n)+)"
_QUOTE = r"""(?:\\?["'])?"""
_VALUE = r"""(\$\{[^}]*\}|[^\s"'\\;&|()<>{}]+)"""
_REFERENCE = re.compile(r"\$\{[^}]*\}")
_IN_TEXT = re.compile(rf"(?<![\w-])({'|'.join(FLAGS)}){_GAP}{_QUOTE}{_VALUE}")
_ASSIGNED = re.compile(rf"(?<![\w$])(CUDA_VISIBLE_DEVICES|CUDA_DEVICE_ORDER)={_QUOTE}{_VALUE}")


class Spot(NamedTuple):
    """A value that can be replaced where it stands.

    Attributes:
        name: of the flag or variable.
        value: as written, without quotes.
        start, end: its place in the text.
        where: the setting it is in, such as `command` or `CLI_ARGS`.
        node: the value it is a part of.
    """

    name: str
    value: str
    start: int
    end: int
    where: str
    node: Node


class Variable(NamedTuple):
    """A variable of a service's environment.

    `value` is None where it has none, which means: as whoever runs compose has it.
    """

    name: str
    value: str | None
    start: int
    end: int
    node: Node


def variables_of(tree: Tree, service: Node) -> dict[str, Variable]:
    """Give a service's environment, written as a mapping or as a list."""
    found = tree.find(service, "environment")
    if found is None:
        return {}
    if is_mapping(found.value):
        entries = pairs(found.value)
        return {str(one.key.value): _of_pair(tree, one.key, one.value) for one in entries}
    items = found.value.value if is_sequence(found.value) else ()
    read = (_of_item(tree, item) for item in items if is_scalar(item))
    return {one.name: one for one in read}


def flags_in(tree: Tree, service: Node, carriers: tuple[str, ...]) -> list[Spot]:
    """Give the flags that pick a card: of command and entrypoint, and of variables that carry some.

    Args:
        tree: the file.
        service: its node.
        carriers: names of variables whose value the program adds to its command.
    """
    spots = []
    for name in _COMMANDS:
        found = tree.find(service, name)
        if found is not None:
            spots += _in_command(tree, found.value, name, _IN_TEXT)
    for variable in variables_of(tree, service).values():
        if variable.name in carriers and variable.value is not None:
            spots += _in_text(tree, variable.node, variable.name, _IN_TEXT)
    return spots


def assigned_in_command(tree: Tree, service: Node) -> list[Spot]:
    """Give what a command sets for itself, as in `sh -c "CUDA_VISIBLE_DEVICES=1 x"`."""
    spots = []
    for name in _COMMANDS:
        found = tree.find(service, name)
        if found is not None:
            spots += _in_command(tree, found.value, name, _ASSIGNED)
    return spots


def texts_of(tree: Tree, service: Node, carriers: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Give every text in which a flag could hide, with the name of its setting."""
    for name in _COMMANDS:
        found = tree.find(service, name)
        if found is not None:
            nodes = found.value.value if is_sequence(found.value) else [found.value]
            yield from ((name, str(node.value)) for node in nodes if is_scalar(node))
    for variable in variables_of(tree, service).values():
        if variable.name in carriers:
            # Without a value it is what whoever runs compose has under the same name.
            value = f"${{{variable.name}}}" if variable.value is None else variable.value
            yield variable.name, value


def _in_command(tree: Tree, node: Node, where: str, pattern: re.Pattern[str]) -> list[Spot]:
    if is_scalar(node):
        return _in_text(tree, node, where, pattern)
    spots = []
    items = [item for item in node.value if is_scalar(item)] if is_sequence(node) else []
    for item, following in zip(items, [*items[1:], None], strict=True):
        if item.value in FLAGS and following is not None:
            start, end = unquoted(tree, following)
            value = str(following.value)
            spots.append(Spot(str(item.value), value, start, end, where, following))
        else:
            spots += _in_text(tree, item, where, pattern)
    return spots


def _in_text(tree: Tree, node: Node, where: str, pattern: re.Pattern[str]) -> list[Spot]:
    """Find what a pattern names in a value's own text: its first group, with the second's value."""
    start, end = tree.raw(node)
    references = list(_REFERENCE.finditer(tree.text, start, end))
    spots = []
    for match in pattern.finditer(tree.text, start, end):
        # In the default of a variable it only counts while nobody sets that.
        inside = (one[0] for one in references if one.start() < match.start() < one.end())
        value = next(inside, match[2])
        spots.append(Spot(match[1], value, match.start(2), match.end(2), where, node))
    return spots


def unquoted(tree: Tree, node: Node) -> tuple[int, int]:
    """Give the place of a scalar's text inside its quotes."""
    start, end = tree.raw(node)
    return (start + 1, end - 1) if node.style in {'"', "'"} and end - start > 1 else (start, end)


def _of_pair(tree: Tree, key: Node, value: Node) -> Variable:
    name = str(key.value)
    if not is_scalar(value):
        return Variable(name, None, *tree.raw(key), key)
    if value.start_mark.index == value.end_mark.index or value.value in {"null", "~"}:
        return Variable(name, None, *tree.raw(key), value)
    return Variable(name, str(value.value), *unquoted(tree, value), value)


def _of_item(tree: Tree, item: Node) -> Variable:
    name, equals, value = str(item.value).partition("=")
    start, end = unquoted(tree, item)
    at = tree.text.find("=", start, end)
    if not equals or at < 0:
        return Variable(name, None, start, end, item)
    return Variable(name, value, at + 1, end, item)
