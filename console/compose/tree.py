"""A compose file as nodes with their places in the text, so that an edit touches nothing else.

What is read by an alias or a merge key is the very node of its anchor: who else reaches a node, and
so would be changed with it, can be asked.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from console.compose.faults import ComposeError
from console.compose.project import reader
from console.text import clean_line

# A node of ruamel's: typed too loosely there to be of help, and its import is not for start-up.
Node = Any

_MERGE = "tag:yaml.org,2002:merge"
# An anchor or a tag before a value belongs to its node, and is not its text.
_PROPERTIES = re.compile(r"(?:[&!][^\s]*\s+)+")


class Change(NamedTuple):
    """A piece of the text, from `start` to before `end`, that gets another text."""

    start: int
    end: int
    text: str


class Found(NamedTuple):
    """A key's value, and the mapping it stands in (another than asked where it was merged)."""

    key: Node
    value: Node
    holder: Node


class Tree:
    """A compose file's nodes.

    Attributes:
        text: the file's, as it is.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._newline = "\r\n" if "\r\n" in text else "\n"
        self.root: Node = reader().compose(text)

    def services(self) -> dict[str, Node]:
        """Give the services' nodes by name."""
        found = self.find(self.root, "services")
        own = () if found is None else _own(found.value)
        return {str(key.value): value for key, value in own if not _is_merge(key)}

    def find(self, mapping: Node, *path: str) -> Found | None:
        """Give what stands at a path of keys below a mapping, merged keys after its own."""
        found: Found | None = None
        for name in path:
            found = _get(mapping, name)
            if found is None:
                return None
            mapping = found.value
        return found

    def others(self, service: str, nodes: Sequence[Node]) -> list[str]:
        """Give the names of other services that reach one of the nodes too."""
        wanted = {id(node) for node in nodes}
        return [
            name
            for name, node in self.services().items()
            if name != service and any(id(one) in wanted for one in _below(node))
        ]

    def raw(self, node: Node) -> tuple[int, int]:
        """Give where a scalar's own text begins and ends, without anchor, tag and blank lines."""
        start, end = node.start_mark.index, node.end_mark.index
        properties = _PROPERTIES.match(self.text, start, end)
        start = properties.end() if properties else start
        return start, start + len(self.text[start:end].rstrip())

    def end_of(self, node: Node) -> int:
        """Give where what a node says ends, without comments and blank lines behind it."""
        if is_scalar(node):
            return self.raw(node)[1]
        end = self._last_place(node) + 1
        return end + 1 if self.text[end : end + 1] == ":" else end  # of a key without a value

    def line_of(self, node: Node) -> int:
        """Give the line of a node, from 1."""
        return int(node.start_mark.line) + 1

    def added(self, holder: Node, entries: Sequence[str]) -> Change:
        """Give the change that adds entries (`A: b`, or items) at the end of a collection.

        In flow style they come first: there is no trailing comma or comment to mind.
        """
        if holder.flow_style:
            bracket = "[" if is_sequence(holder) else "{"
            start = self.text.index(bracket, holder.start_mark.index) + 1
            rest = self.text[start : holder.end_mark.index - 1].strip()
            text = ", ".join(entries)
            return Change(start, start, f"{text}, " if rest else text)
        column, at = self._end_of(holder)
        dash = "- " if is_sequence(holder) else ""
        return self._lines_after(at, [f"{' ' * column}{dash}{entry}" for entry in entries])

    def added_block(self, mapping: Node, key: str, entries: Sequence[str]) -> Change:
        """Give the change that adds a mapping of some entries to a mapping."""
        if mapping.flow_style:
            return self.added(mapping, [f"{key}: {{{', '.join(entries)}}}"])
        column, at = self._end_of(mapping)
        inner = [f"{' ' * (column + 2)}{entry}" for entry in entries]
        return self._lines_after(at, [f"{' ' * column}{key}:", *inner])

    def _end_of(self, holder: Node) -> tuple[int, int]:
        """Give the column of a block collection's entries, and a place in its last line."""
        if is_sequence(holder):
            return self._dash_column(holder), self._last_place(holder)
        first = holder.value[0][0]
        return int(first.start_mark.column), self._last_place(holder)

    def _dash_column(self, sequence: Node) -> int:
        """Give the column of a block sequence's dashes."""
        start = sequence.start_mark.index
        properties = _PROPERTIES.match(self.text, start)
        dash = self.text.index("-", properties.end() if properties else start)
        return dash - (self.text.rfind("\n", 0, dash) + 1)

    def _last_place(self, node: Node) -> int:
        """Give a place in the last line that belongs to a node, blank lines and comments aside."""
        kind = type(node).__name__
        if kind == "ScalarNode" or node.flow_style or not node.value:
            start, end = self.raw(node) if kind == "ScalarNode" else _span(node)
            return max(start, end - 1)
        if kind == "MappingNode":
            key, value = node.value[-1]
            # An alias' node stands where its anchor is; an empty value's may be anywhere after.
            empty = value.start_mark.index == value.end_mark.index
            if empty or value.start_mark.index < key.end_mark.index:
                return int(key.end_mark.index) - 1
            return self._last_place(value)
        item = node.value[-1]
        if item.start_mark.index >= node.start_mark.index:
            return self._last_place(item)
        return self._last_dash(node)

    def _last_dash(self, sequence: Node) -> int:
        """Give the place of the last dash of a sequence whose last item is an alias."""
        text = self.text[sequence.start_mark.index : sequence.end_mark.index]
        column = self._dash_column(sequence)
        lines = re.finditer(rf"^ {{{column}}}- ", f"{' ' * column}{text}", re.MULTILINE)
        last = max(match.start() for match in lines)
        return int(sequence.start_mark.index) + last

    def _lines_after(self, place: int, lines: Sequence[str]) -> Change:
        """Give the change that adds lines after the one of a place."""
        text = self._newline.join(lines)
        end = self.text.find("\n", place)
        if end < 0:
            return Change(len(self.text), len(self.text), f"{self._newline}{text}")
        return Change(end + 1, end + 1, f"{text}{self._newline}")


def apply(text: str, changes: Sequence[Change]) -> str:
    """Give the text with the changes made; of those at one place the first comes first."""
    numbered = sorted(enumerate(changes), key=lambda pair: (pair[1].start, pair[0]), reverse=True)
    for _, change in numbered:
        text = text[: change.start] + change.text + text[change.end :]
    return text


def shared(tree: Tree, service: str, names: Sequence[str], node: Node, what: str) -> ComposeError:
    """Give the error of a setting that others have too."""
    others = ", ".join(clean_line(name, 60) for name in names)
    return ComposeError(
        "compose.shared",
        f"{what} of {service} (line {tree.line_of(node)}) stands in a part that {others} use too",
        f"Give {service} its own {what} in the compose file",
    )


def pairs(mapping: Node) -> Iterator[Found]:
    """Give the keys of a mapping with their values, its own first, each key once."""
    seen = set[str]()
    for found in _all_pairs(mapping):
        if str(found.key.value) not in seen:
            seen.add(str(found.key.value))
            yield found


def is_scalar(node: Node) -> bool:
    """Tell whether a node is a plain value."""
    return type(node).__name__ == "ScalarNode"


def is_sequence(node: Node) -> bool:
    """Tell whether a node is a list."""
    return type(node).__name__ == "SequenceNode"


def is_mapping(node: Node) -> bool:
    """Tell whether a node is a mapping."""
    return type(node).__name__ == "MappingNode"


def _span(node: Node) -> tuple[int, int]:
    return int(node.start_mark.index), int(node.end_mark.index)


def _own(mapping: Node) -> Sequence[tuple[Any, Any]]:
    return mapping.value if is_mapping(mapping) else ()


def _is_merge(key: Node) -> bool:
    return str(key.tag) == _MERGE or (is_scalar(key) and key.value == "<<" and key.style is None)


def _get(mapping: Node, name: str) -> Found | None:
    return next((found for found in _all_pairs(mapping) if found.key.value == name), None)


def _all_pairs(mapping: Node, seen: set[int] | None = None) -> Iterator[Found]:
    """Give all keys in the order in which they count: own ones, then what is merged in.

    A mapping that is merged in twice has nothing to add the second time; files that do so in many
    layers would not end otherwise.
    """
    seen = set() if seen is None else seen
    if id(mapping) in seen:
        return
    seen.add(id(mapping))
    merged: list[Node] = []
    for key, value in _own(mapping):
        if _is_merge(key):
            merged += value.value if is_sequence(value) else [value]
        elif is_scalar(key):
            yield Found(key, value, mapping)
    for one in merged:
        yield from _all_pairs(one, seen)


def _below(node: Node, seen: set[int] | None = None) -> Iterator[Node]:
    """Give a node and all that counts below it, each once; what its own keys replace does not."""
    seen = set() if seen is None else seen
    if id(node) in seen:
        return
    seen.add(id(node))
    yield node
    if is_mapping(node):
        for found in pairs(node):
            yield from (found.key, found.holder)
            yield from _below(found.value, seen)
    elif is_sequence(node):
        for item in node.value:
            yield from _below(item, seen)
