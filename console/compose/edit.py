"""Giving a compose service another card: the few characters that say so, and nothing else."""

import re
from pathlib import Path

import msgspec

from console.compose.devices import device_changes
from console.compose.editing import (
    REFERENCE,
    ComposeEdit,
    Gathering,
    from_elsewhere,
    unified,
    verify,
)
from console.compose.faults import ComposeError
from console.compose.outside import Outside
from console.compose.project import parse, service_of
from console.compose.settings import (
    FLAGS,
    STRONG,
    assigned_in_command,
    flags_in,
    texts_of,
    variables_of,
)
from console.compose.tree import Tree, apply
from console.compose.writing import restore, write_edit
from console.engine.snapshot import ARGUMENT_NAMES
from console.mask import mask_text

__all__ = ["CardChange", "ComposeEdit", "edit_card", "restore", "write_edit"]

_VISIBLE = "CUDA_VISIBLE_DEVICES"
_ORDER = "CUDA_DEVICE_ORDER"
_BY_BUS = "PCI_BUS_ID"
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

    def gathered(current: str) -> _CardEdit:
        edit = _CardEdit(Tree(current), service, outside, change)
        edit.gather()
        return edit

    edit = gathered(text)
    changed = apply(text, edit.changes)
    verify(content, changed, gathered, name)
    return ComposeEdit(
        before=text,
        text=changed,
        diff=unified(text, changed, name),
        settings=tuple(mask_text(word) for word in edit.words),
    )


class _CardEdit(Gathering):
    """The changes that give a service another card."""

    subject = "the card"

    def __init__(
        self, tree: Tree, service: str, outside: Outside | None, change: CardChange
    ) -> None:
        super().__init__(tree, service, outside)
        self._change = change

    def gather(self) -> None:
        """Gather what gives the service the card."""
        change = self._change
        if self.outside is not None and self.outside.overrides:
            raise from_elsewhere(self.service, "its card", f"{self.outside.overrides[0]} too")
        if change.by_device:
            self._by_device(change.gpu_uuid)
        else:
            self._by_process(str(change.index))
        if self.added:
            self.add(self.added)

    def _by_device(self, uuid: str) -> None:
        """Have the engine give it this one card, and the process take the only one it sees."""
        found = device_changes(self.tree, self.node, uuid)
        variables = variables_of(self.tree, self.node)
        if found is not None:
            for one in found:
                self.refuse_shared(one.nodes, one.what)
                self.note(one.change, one.words)
        elif "NVIDIA_VISIBLE_DEVICES" in variables:
            self.assign("NVIDIA_VISIBLE_DEVICES", uuid)
        else:
            raise self._no_card()
        for spot in flags_in(self.tree, self.node, ARGUMENT_NAMES):
            self.replace(spot, "0")
        if _VISIBLE in variables:
            self.assign(_VISIBLE, "0")

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
                self.assign(_VISIBLE, index)
            if sees_one:
                # A flag that counts among what is visible counts one card only.
                for spot in flags:
                    self.replace(spot, "0")
                chosen = visible
        for spot in chosen:
            self.replace(spot, index)
        for spot in assigned:
            if spot.name == _ORDER:
                self.replace(spot, _BY_BUS)
        self.assign(_ORDER, _BY_BUS)

    def _refuse_hidden(self) -> None:
        """Refuse where a flag that decides may come from elsewhere."""
        own = variables_of(self.tree, self.node)
        for name, setting in (self.outside.environment if self.outside else {}).items():
            if name in ARGUMENT_NAMES and name not in own and _ANY_FLAG.search(setting.value):
                raise from_elsewhere(self.service, name, setting.where)
        for where, text in texts_of(self.tree, self.node, ARGUMENT_NAMES):
            for match in REFERENCE.finditer(text.replace("$$", "")):
                if self._may_hide(match):
                    raise self.elsewhere(where, match[0])
        found = self.tree.find(self.node, "extends")
        if found is not None:
            raise from_elsewhere(
                self.service, "its card", f"what it extends (line {self.line(found)})"
            )

    def _may_hide(self, reference: re.Match[str]) -> bool:
        """Tell whether a variable may stand for a flag that picks a card."""
        if self.outside is None or _ANY_FLAG.search(_DEFAULT.sub(" ", reference[0], 1)):
            return True
        setting = self.variable(reference[1] or reference[2])
        return setting is not None and bool(_ANY_FLAG.search(setting.value))

    def _no_card(self) -> ComposeError:
        found = self.tree.find(self.node, "extends")
        if found is not None:
            return from_elsewhere(
                self.service, "its card", f"what it extends (line {self.line(found)})"
            )
        return ComposeError(
            "compose.no-card",
            f"nothing in the compose file gives {self.service} a card",
            "Add deploy.resources.reservations.devices to it, with driver nvidia",
        )
