"""Giving a compose service another card: the few characters that say so, and nothing else."""

import difflib
import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

import msgspec

from console.compose.devices import device_changes
from console.compose.faults import ComposeError
from console.compose.outside import Outside, Setting
from console.compose.project import parse, service_of
from console.compose.settings import (
    FLAGS,
    STRONG,
    Spot,
    assigned_in_command,
    flags_in,
    texts_of,
    variables_of,
)
from console.compose.tree import Change, Node, Tree, apply, is_scalar, is_sequence, shared
from console.compose.writing import restore, write_edit
from console.engine.snapshot import ARGUMENT_NAMES
from console.mask import mask_text
from console.text import clean, clean_line

__all__ = ["CardChange", "ComposeEdit", "edit_card", "restore", "write_edit"]

_VISIBLE = "CUDA_VISIBLE_DEVICES"
_ORDER = "CUDA_DEVICE_ORDER"
_BY_BUS = "PCI_BUS_ID"
_LONGEST_LINE = 400
_REFERENCE = re.compile(r"\$(?:\{([A-Za-z_]\w*)[^}]*\}|([A-Za-z_]\w*))")
_DEFAULT = re.compile(r":?[-+?]")
_ANY_FLAG = re.compile(rf"(?<![\w-])(?:{'|'.join(FLAGS)})(?![\w-])")


class CardChange(msgspec.Struct, frozen=True, kw_only=True):
    """The card that a service is to use.

    Attributes:
        index: its place among all cards in the order of their PCI bus ids, from 0.
        gpu_uuid: the same card by its name for the engine.
        by_device: whether the engine's choice counts, as on native Linux; on WSL2 it does not,
            and the process chooses.
    """

    index: int
    gpu_uuid: str
    by_device: bool = False


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


def edit_card(
    text: str,
    service: str,
    change: CardChange,
    outside: Outside | None = None,
    name: str = "compose.yaml",
) -> ComposeEdit:
    """Give the edit by which a service gets another card; comments and layout stay as they are.

    Args:
        text: the compose file's.
        service: its name there.
        change: the card.
        outside: what `.env` and `env_file` say; without it, whatever may come from there is taken
            for something that decides.
        name: of the file, for the diff.

    Raises:
        ComposeError: it is not valid or has no such service; the setting is shared with other
            services (`compose.shared`) or comes from elsewhere (`compose.elsewhere`); nothing says
            that the service has a card (`compose.no-card`); the edit would change something else
            (`compose.unsafe`).
    """
    content = parse(text, Path(name))
    service_of(content, service, Path(name))
    edit = _Edit(Tree(text), service, outside)
    edit.make(change)
    changed = apply(text, edit.changes)
    _verify(content, changed, service, change, edit, name)
    return ComposeEdit(
        before=text,
        text=changed,
        diff=unified(text, changed, name),
        settings=tuple(mask_text(word) for word in edit.words),
    )


def unified(before: str, after: str, name: str) -> str:
    """Give a unified diff with secrets masked; empty where both are alike."""
    lines = difflib.unified_diff(
        before.splitlines(), after.splitlines(), f"{name} (now)", f"{name} (then)", lineterm=""
    )
    return "\n".join(mask_text(clean(line.rstrip("\r"))[:_LONGEST_LINE]) for line in lines)


class _Edit:
    """The changes that one edit is made of, gathered setting by setting."""

    def __init__(self, tree: Tree, service: str, outside: Outside | None) -> None:
        self.tree = tree
        self.service = service
        self.node: Node = tree.services()[service]
        self.changes: list[Change] = []
        self.words: list[str] = []
        self.outside = outside
        self._added: list[tuple[str, str]] = []

    def make(self, change: CardChange) -> None:
        """Gather what gives the service the card."""
        if self.outside is not None and self.outside.overrides:
            raise _from(self.service, "its card", f"{self.outside.overrides[0]} too")
        if change.by_device:
            self._by_device(change.gpu_uuid)
        else:
            self._by_process(str(change.index))
        if self._added:
            self._add(self._added)

    def _by_device(self, uuid: str) -> None:
        """Have the engine give it this one card, and the process take the only one it sees."""
        found = device_changes(self.tree, self.node, uuid)
        variables = variables_of(self.tree, self.node)
        if found is not None:
            for one in found:
                self._refuse_shared(one.nodes, one.what)
                self._note(one.change, one.words)
        elif "NVIDIA_VISIBLE_DEVICES" in variables:
            self._set("NVIDIA_VISIBLE_DEVICES", uuid)
        else:
            raise self._no_card()
        for spot in flags_in(self.tree, self.node, ARGUMENT_NAMES):
            self._replace(spot, "0")
        if _VISIBLE in variables:
            self._set(_VISIBLE, "0")

    def _by_process(self, index: str) -> None:
        """Have the process count the cards by their bus and take the one."""
        flags = flags_in(self.tree, self.node, ARGUMENT_NAMES)
        assigned = assigned_in_command(self.tree, self.node)
        visible = [spot for spot in assigned if spot.name == _VISIBLE]
        strong = [spot for spot in flags if spot.name in STRONG]
        chosen = strong or [spot for spot in flags if spot.name == "--default-device"]
        if not chosen:
            self._refuse_hidden()
            chosen = visible or flags
            sees_one = visible or _VISIBLE in variables_of(self.tree, self.node)
            if not chosen or (sees_one and not visible):
                self._set(_VISIBLE, index)
            if sees_one:
                # A flag that counts among what is visible counts one card only.
                for spot in flags:
                    self._replace(spot, "0")
                chosen = visible
        for spot in chosen:
            self._replace(spot, index)
        for spot in assigned:
            if spot.name == _ORDER:
                self._replace(spot, _BY_BUS)
        self._set(_ORDER, _BY_BUS)

    def _replace(self, spot: Spot, value: str) -> None:
        """Replace a value where it stands."""
        if "$" in spot.value:
            raise self._elsewhere(f"{spot.name} in {spot.where}", spot.value)
        self._refuse_shared([spot.node], spot.where)
        if spot.value != value:
            words = f"{spot.where}: {spot.name} {spot.value} becomes {value}"
            self._note(Change(spot.start, spot.end, value), words)

    def _set(self, name: str, value: str) -> None:
        """Give a variable of the environment a value, adding it where it is not there."""
        variable = variables_of(self.tree, self.node).get(name)
        if variable is None:
            self._added.append((name, value))
            return
        if variable.value is None or "$" in variable.value:
            raise self._elsewhere(name, variable.value or f"${{{name}}}")
        if variable.value.strip() == value:
            return
        self._refuse_shared([variable.node], name)
        words = f"{name}: {variable.value} becomes {value}"
        self._note(Change(variable.start, variable.end, value), words)

    def _add(self, variables: Sequence[tuple[str, str]]) -> None:
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
            self._refuse_shared([found.value], "environment")
            listed = is_sequence(found.value)
            entries = [f"{one[0]}={one[1]}" if listed else _pair(*one) for one in variables]
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

    def _note(self, change: Change, words: str) -> None:
        self.changes.append(change)
        self.words.append(words)

    def _refuse_shared(self, nodes: Sequence[Node], what: str) -> None:
        names = self.tree.others(self.service, nodes)
        if names:
            raise shared(self.tree, self.service, names, nodes[0], what)

    def _refuse_hidden(self) -> None:
        """Refuse where a flag that decides may come from elsewhere."""
        own = variables_of(self.tree, self.node)
        for name, setting in (self.outside.environment if self.outside else {}).items():
            if name in ARGUMENT_NAMES and name not in own and _ANY_FLAG.search(setting.value):
                raise _from(self.service, name, setting.where)
        for where, text in texts_of(self.tree, self.node, ARGUMENT_NAMES):
            for match in _REFERENCE.finditer(text.replace("$$", "")):
                if self._may_hide(match):
                    raise self._elsewhere(where, match[0])
        found = self.tree.find(self.node, "extends")
        if found is not None:
            raise _from(self.service, "its card", f"what it extends (line {self._line(found)})")

    def _may_hide(self, reference: re.Match[str]) -> bool:
        """Tell whether a variable may stand for a flag that picks a card."""
        if self.outside is None or _ANY_FLAG.search(_DEFAULT.sub(" ", reference[0], 1)):
            return True
        setting = self._variable(reference[1] or reference[2])
        return setting is not None and bool(_ANY_FLAG.search(setting.value))

    def _line(self, found: object) -> int:
        return self.tree.line_of(getattr(found, "key", self.node))

    def _variable(self, name: str) -> Setting | None:
        return self.outside.variables.get(name) if self.outside else None

    def _elsewhere(self, what: str, text: str) -> ComposeError:
        """Say that a value is a variable's, and where that is set, if anybody knows."""
        if text.startswith("$$"):
            return _from(self.service, what, "a variable of the shell inside the container")
        match = _REFERENCE.search(text)
        setting = self._variable(match[1] or match[2]) if match else None
        where = f"set in {setting.where}" if setting else "set in .env or where compose is run"
        return _from(self.service, what, f"{clean_line(match[0] if match else text, 60)}, {where}")

    def _no_card(self) -> ComposeError:
        found = self.tree.find(self.node, "extends")
        if found is not None:
            return _from(self.service, "its card", f"what it extends (line {self._line(found)})")
        return ComposeError(
            "compose.no-card",
            f"nothing in the compose file gives {self.service} a card",
            "Add deploy.resources.reservations.devices to it, with driver nvidia",
        )

    def _unusual(self, what: str, node: Node) -> ComposeError:
        return ComposeError(
            "compose.unsafe",
            f"{what} of {self.service} (line {self.tree.line_of(node)}) is empty or no mapping",
            "Correct the compose file, or set the card by hand",
        )


def _pair(name: str, value: str) -> str:
    """Give a variable as an entry of a mapping; a number is quoted, as compose's texts are."""
    return f'{name}: "{value}"' if value.isdecimal() else f"{name}: {value}"


def _from(service: str, what: str, where: str) -> ComposeError:
    return ComposeError(
        "compose.elsewhere",
        f"{what} of {service} comes from {where}",
        "Change it there, or write the value into the compose file",
    )


def _verify(
    before: object, text: str, service: str, change: CardChange, edit: _Edit, name: str
) -> None:
    """See by reading the new text that the service has its card and nobody else has changed.

    Raises:
        ComposeError: `compose.unsafe`.
    """
    try:
        after = parse(text, Path(name))
        again = _Edit(Tree(text), service, edit.outside)
        again.make(change)
    except ComposeError as error:
        raise _unsafe(service, error.title) from error
    if again.changes:
        raise _unsafe(service, again.words[0])
    old, new = _services(before), _services(after)
    others = {*old, *new} - {service}
    touched = [one for one in others if not _alike(old.get(one), new.get(one), set())]
    if touched:
        raise _unsafe(service, f"{', '.join(sorted(touched))} would change too")


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


def _services(content: object) -> dict[str, object]:
    found = content["services"] if isinstance(content, dict) else {}
    return dict(found)


def _unsafe(service: str, why: str) -> ComposeError:
    return ComposeError(
        "compose.unsafe",
        f"the card of {service} cannot be changed safely here: {why}",
        "Set it by hand in the compose file",
    )
