"""Lists of a service in a compose file: a port taken out, an env file or a folder put in."""

import re
from collections.abc import Callable
from pathlib import Path

from console.compose.editing import ComposeEdit, Gathering, quoted, unified, unsafe, verify
from console.compose.entries import taken_out
from console.compose.project import parse, service_of
from console.compose.tree import Tree, apply, is_mapping, is_scalar, is_sequence

_PORT = re.compile(r"(?:.*:)?(\d+)(?:/\w+)?")


def edit_unpublished(text: str, service: str, port: int, name: str = "compose.yaml") -> ComposeEdit:
    """Give the edit that publishes a container's port no longer; none where it is not published.

    Raises:
        ComposeError: the file is not valid; the ports are shared with other services
            (`compose.shared`) or the port is part of a range (`compose.unsafe`).
    """
    return _edited(text, service, name, lambda tree: _Unpublished(tree, service, port))


def edit_env_file(text: str, service: str, file: str, name: str = "compose.yaml") -> ComposeEdit:
    """Give the edit that has a service read an env file, after those it reads already.

    Raises:
        ComposeError: the file is not valid, or its `env_file` is shared or odd.
    """
    return _edited(text, service, name, lambda tree: _EnvFile(tree, service, file))


def edit_mount(
    text: str, service: str, source: str, target: str, name: str = "compose.yaml"
) -> ComposeEdit:
    """Give the edit that mounts a folder of the host, read only; none where `target` is mounted.

    Raises:
        ComposeError: the file is not valid, its volumes are shared with other services
            (`compose.shared`), or something else is mounted there (`compose.unsafe`).
    """
    return _edited(text, service, name, lambda tree: _Mount(tree, service, source, target))


def _edited(
    text: str, service: str, name: str, gathering: Callable[[Tree], "_Entries"]
) -> ComposeEdit:
    content = parse(text, Path(name))
    service_of(content, service, Path(name))

    def gathered(current: str) -> _Entries:
        edit = gathering(Tree(current))
        edit.gather()
        return edit

    edit = gathered(text)
    changed = apply(text, edit.changes)
    if edit.changes:
        verify(content, changed, gathered, name)
    return ComposeEdit(
        before=text, text=changed, diff=unified(text, changed, name), settings=tuple(edit.words)
    )


class _Entries(Gathering):
    """An edit of a list below a service."""

    def __init__(self, tree: Tree, service: str) -> None:
        super().__init__(tree, service, None)


class _Unpublished(_Entries):
    subject = "the published ports"

    def __init__(self, tree: Tree, service: str, port: int) -> None:
        super().__init__(tree, service)
        self._port = str(port)

    def gather(self) -> None:
        """Gather the entries that publish the port."""
        found = self.tree.find(self.node, "ports")
        if found is None or not is_sequence(found.value):
            return
        places = [n for n, item in enumerate(found.value.value) if self._inside(item)]
        if places:
            self.refuse_shared([found.value], "ports")
            for change in taken_out(self.tree, found.value, places):
                self.note(change, f"ports: {self._port} is taken out")

    def _inside(self, item: object) -> bool:
        """Tell whether an entry publishes the port, written short or long."""
        if is_mapping(item):
            target = self.tree.find(item, "target")
            return target is not None and str(target.value.value) == self._port
        text = str(getattr(item, "value", ""))
        match = _PORT.fullmatch(text)
        if match is not None and "-" not in text:
            return match[1] == self._port
        ends = re.search(r"(\d+)-(\d+)(?:/\w+)?$", text)
        if ends is not None and int(ends[1]) <= int(self._port) <= int(ends[2]):
            raise unsafe(self, f"{self._port} is within {text}")
        return False


class _EnvFile(_Entries):
    subject = "env_file"

    def __init__(self, tree: Tree, service: str, file: str) -> None:
        super().__init__(tree, service)
        self._file = file

    def gather(self) -> None:
        """Gather the entry of the file where it is not there."""
        found = self.tree.find(self.node, "env_file")
        words = f"env_file: {self._file} is added"
        if found is None:
            entries = [f"- {quoted(self._file)}"]
            self.note(self.tree.added_block(self.node, "env_file", entries), words)
        elif is_scalar(found.value):
            if found.value.value != self._file:
                raise unsafe(self, f"it is {found.value.value} already: make it a list")
        elif is_sequence(found.value):
            names = [str(getattr(item, "value", "")) for item in found.value.value]
            if self._file not in names:
                self.refuse_shared([found.value], "env_file")
                self.note(self.tree.added(found.value, [quoted(self._file)]), words)
        else:
            raise unsafe(self, "it is no list")


class _Mount(_Entries):
    subject = "volumes"

    def __init__(self, tree: Tree, service: str, source: str, target: str) -> None:
        super().__init__(tree, service)
        self._source = source.replace("$", "$$")
        self._target = target

    def gather(self) -> None:
        """Gather the entry of the folder where nothing is mounted there."""
        if ":" in self._source:
            raise unsafe(self, "a colon in a path divides it here")
        found = self.tree.find(self.node, "volumes")
        entry = quoted(f"{self._source}:{self._target}:ro")
        words = f"volumes: {self._source} is mounted at {self._target}, read only"
        if found is None:
            self.note(self.tree.added_block(self.node, "volumes", [f"- {entry}"]), words)
            return
        if not is_sequence(found.value):
            raise unsafe(self, "it is no list")
        for item in found.value.value:
            there, target = self._mounted(item)
            if target == self._target:
                if there.replace("$", "$$") == self._source or there == self._source:
                    return
                raise unsafe(self, f"{there} is mounted at {target} already")
        self.refuse_shared([found.value], "volumes")
        self.note(self.tree.added(found.value, [entry]), words)

    def _mounted(self, item: object) -> tuple[str, str]:
        """Give source and target of an entry, written short or long."""
        if is_mapping(item):
            both = (self.tree.find(item, key) for key in ("source", "target"))
            source, target = ("" if one is None else str(one.value.value) for one in both)
            return source, target.rstrip("/")
        parts = str(getattr(item, "value", "")).split(":")
        target = parts[1] if len(parts) > 1 else parts[0]
        return parts[0], target.rstrip("/")
