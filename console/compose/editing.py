"""What every edit of a compose file is: changes gathered setting by setting, and then verified."""

import difflib
import hashlib
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from console.compose.faults import ComposeError
from console.compose.outside import Outside, Setting
from console.compose.project import parse
from console.compose.settings import Spot, variables_of
from console.compose.tree import Change, Node, Tree, is_scalar, is_sequence, shared
from console.mask import mask_text
from console.text import clean, clean_line

REFERENCE = re.compile(r"\$(?:\{([A-Za-z_]\w*)[^}]*\}|([A-Za-z_]\w*))")
_LONGEST_LINE = 400
# What YAML reads as a text without quotes, and neither as a number nor as a switch.
_PLAIN = re.compile(r"(?:[A-Za-z_/]|--?[A-Za-z])[\w./=@+-]*")
_NO_TEXTS = frozenset({"yes", "no", "on", "off", "true", "false", "null", "y", "n"})


class ComposeEdit(msgspec.Struct, frozen=True, kw_only=True):
    """An edit that nobody has written yet.

    Attributes:
        before, text: the whole file as it was and as it is to be.
        diff: a unified diff with secrets masked; empty where nothing is to be changed.
        settings: what changes, in words, such as `CLI_ARGS: --cuda-device 0 becomes 1`.
    """

    before: str
    text: str
    diff: str
    settings: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """Tell the new text from any other."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def unified(before: str, after: str, name: str) -> str:
    """Give a unified diff with secrets masked; empty where both are alike."""
    lines = difflib.unified_diff(
        before.splitlines(), after.splitlines(), f"{name} (now)", f"{name} (then)", lineterm=""
    )
    return "\n".join(mask_text(clean(line.rstrip("\r"))[:_LONGEST_LINE]) for line in lines)


class Gathering:
    """The changes that one edit is made of, gathered setting by setting.

    Attributes:
        subject: what is changed, as errors name it.
        changes, words: what was gathered: pieces of the text, and what they mean.
        added: variables that are still to be added to the environment.
    """

    subject = "the settings"

    def __init__(self, tree: Tree, service: str, outside: Outside | None) -> None:
        self.tree = tree
        self.service = service
        self.node: Node = tree.services()[service]
        self.changes: list[Change] = []
        self.words: list[str] = []
        self.outside = outside
        self.added: list[tuple[str, str]] = []

    def replace(self, spot: Spot, value: str) -> None:
        """Replace a value where it stands."""
        if "$" in spot.value:
            raise self.elsewhere(f"{spot.name} in {spot.where}", spot.value)
        self.refuse_shared([spot.node], spot.where)
        if spot.value != value:
            words = f"{spot.where}: {spot.name} {spot.value} becomes {value}"
            self.note(Change(spot.start, spot.end, value), words)

    def assign(self, name: str, value: str) -> None:
        """Give a variable of the environment a value, adding it where it is not there."""
        variable = variables_of(self.tree, self.node).get(name)
        if variable is None:
            self.added.append((name, value))
            return
        if variable.value is None or "$" in variable.value:
            raise self.elsewhere(name, variable.value or f"${{{name}}}")
        if variable.value.strip() == value:
            return
        self.refuse_shared([variable.node], name)
        words = f"{name}: {variable.value} becomes {value}"
        self.note(Change(variable.start, variable.end, value), words)

    def add(self, variables: Sequence[tuple[str, str]]) -> None:
        """Add variables to the environment, with the environment where there is none."""
        found = self.tree.find(self.node, "environment")
        words = [f"{name} is set to {value}" for name, value in variables]
        if found is None:
            self._refuse_inherited()
            entries = [_pair(name, value) for name, value in variables]
            change = self.tree.added_block(self.node, "environment", entries)
        elif is_scalar(found.value):
            raise self._unusual("environment", found.key)
        else:
            self.refuse_shared([found.value], "environment")
            listed = is_sequence(found.value)
            entries = [quoted("=".join(one)) if listed else _pair(*one) for one in variables]
            change = self.tree.added(found.value, entries)
        self.changes.append(change)
        self.words += words

    def _refuse_inherited(self) -> None:
        """Refuse to give an environment to a service whose settings others take as theirs."""
        services = self.tree.services()
        names = [
            name
            for name in self.tree.others(self.service, [self.node])
            if self.tree.find(services[name], "environment") is None
        ]
        if names:
            raise shared(self.tree, self.service, names, self.node, "environment")

    def gather(self) -> None:
        """Gather the changes; of a text that has them already there are none.

        Raises:
            ComposeError: it cannot be changed here.
        """
        raise NotImplementedError

    def note(self, change: Change, words: str) -> None:
        """Take a change, and what it means."""
        self.changes.append(change)
        self.words.append(words)

    def refuse_shared(self, nodes: Sequence[Node], what: str) -> None:
        """Refuse where a change would befall other services too."""
        names = self.tree.others(self.service, nodes)
        if names:
            raise shared(self.tree, self.service, names, nodes[0], what)

    def line(self, found: object) -> int:
        """Give the line of a key that was found, from 1."""
        return self.tree.line_of(getattr(found, "key", self.node))

    def variable(self, name: str) -> Setting | None:
        """Give what a variable of the compose file stands for, where that is known."""
        return self.outside.variables.get(name) if self.outside else None

    def elsewhere(self, what: str, text: str) -> ComposeError:
        """Say that a value is a variable's, and where that is set, if anybody knows."""
        if text.startswith("$$"):
            return from_elsewhere(
                self.service, what, "a variable of the shell inside the container"
            )
        match = REFERENCE.search(text)
        setting = self.variable(match[1] or match[2]) if match else None
        where = f"set in {setting.where}" if setting else "set in .env or where compose is run"
        return from_elsewhere(
            self.service, what, f"{clean_line(match[0] if match else text, 60)}, {where}"
        )

    def _unusual(self, what: str, node: Node) -> ComposeError:
        return ComposeError(
            "compose.unsafe",
            f"{what} of {self.service} (line {self.tree.line_of(node)}) is empty or no mapping",
            "Correct the compose file, or change it by hand",
        )


def quoted(value: str) -> str:
    """Give a text as YAML that is read as this text; plain where nothing speaks against it."""
    plain = _PLAIN.fullmatch(value) and value.lower() not in _NO_TEXTS
    return value if plain else json.dumps(value, ensure_ascii=False)


def _pair(name: str, value: str) -> str:
    """Give a variable as an entry of a mapping; a number is quoted, as compose's texts are."""
    return f"{name}: {quoted(value)}"


def from_elsewhere(service: str, what: str, where: str) -> ComposeError:
    """Give the error of a setting that another file or program decides."""
    return ComposeError(
        "compose.elsewhere",
        f"{what} of {service} comes from {where}",
        "Change it there, or write the value into the compose file",
    )


def verify(before: object, text: str, again: Callable[[str], Gathering], name: str) -> object:
    """See by reading the new text that all is as it should be and no other service has changed.

    Args:
        before: the content that was.
        text: the new text.
        again: makes the same gathering for a text, and gathers.
        name: of the file.

    Returns:
        The new content.

    Raises:
        ComposeError: `compose.unsafe`.
    """
    try:
        after = parse(text, Path(name))
        made = again(text)
    except ComposeError as error:
        raise ComposeError(
            "compose.unsafe", f"it cannot be changed safely: {error.title}"
        ) from error
    if made.changes:
        raise unsafe(made, made.words[0])
    old, new = services_in(before), services_in(after)
    others = {*old, *new} - {made.service}
    touched = [one for one in others if not alike(old.get(one), new.get(one))]
    if touched:
        raise unsafe(made, f"{', '.join(sorted(touched))} would change too")
    return after


def alike(one: object, other: object) -> bool:
    """Tell whether two contents are equal."""
    return _alike(one, other, set())


def _alike(one: object, other: object, known: set[tuple[int, int]]) -> bool:
    """Tell whether two contents are equal; what is reached twice by aliases is looked at once."""
    both = (id(one), id(other))
    if both in known:
        return True
    known.add(both)
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_alike(one[k], other[k], known) for k in one)
    if isinstance(one, list) and isinstance(other, list):
        pairs = zip(one, other, strict=False)
        return len(one) == len(other) and all(_alike(*pair, known) for pair in pairs)
    return one == other


def services_in(content: object) -> dict[str, object]:
    """Give the services of a file's content by name."""
    found = content["services"] if isinstance(content, dict) else {}
    return dict(found)


def unsafe(edit: Gathering, why: str) -> ComposeError:
    """Give the error of an edit that would not do what it should, or more."""
    return ComposeError(
        "compose.unsafe",
        f"{edit.subject} of {edit.service} cannot be changed safely here: {why}",
        "Set it by hand in the compose file",
    )
