"""Lists of a service in a compose file: a port taken out, an env file or a folder put in."""

import re
from collections.abc import Callable
from pathlib import Path

from console.compose.editing import ComposeEdit, Gathering, quoted, unified, unsafe, verify
from console.compose.entries import taken_out
from console.compose.outside import Outside
from console.compose.project import parse, service_of
from console.compose.tree import Change, Found, Tree, apply, is_mapping, is_scalar, is_sequence

_PORT = re.compile(r"(?:.*:)?(\d+)(?:-(\d+))?(?:/\w+)?")
# A text without quotes that stays one within brackets.
_PLAIN_IN_LIST = re.compile(r"[\w./@=+-]+")


def edit_unpublished(
    text: str,
    service: str,
    port: int,
    outside: Outside | None = None,
    name: str = "compose.yaml",
) -> ComposeEdit:
    """Give the edit that publishes a container's port no longer; none where it is not published.

    Args:
        text: the compose file's.
        service: its name there.
        port: the one inside.
        outside: what variables stand for; without it, their defaults.
        name: of the file, for the diff.

    Raises:
        ComposeError: the file is not valid; the ports are shared with other services
            (`compose.shared`) or the port is part of a range (`compose.unsafe`).
    """
    return _edited(text, service, name, lambda tree: _Unpublished(tree, service, outside, port))


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

    def __init__(self, tree: Tree, service: str, outside: Outside | None = None) -> None:
        super().__init__(tree, service, outside)

    def refuse_borrowed(self, found: Found, what: str) -> None:
        """Refuse where a list is not the service's own: what others have would change with it."""
        self.refuse_shared([found.value], what)
        start = found.value.start_mark.index
        if found.holder is not self.node or start < found.key.end_mark.index:
            raise unsafe(self, "it is taken from another part of the file")


class _Unpublished(_Entries):
    subject = "the published ports"

    def __init__(self, tree: Tree, service: str, outside: Outside | None, port: int) -> None:
        super().__init__(tree, service, outside)
        self._port = port

    def gather(self) -> None:
        """Gather the entries that publish the port."""
        found = self.tree.find(self.node, "ports")
        if found is None or not is_sequence(found.value):
            return
        places = [n for n, item in enumerate(found.value.value) if self._inside(item)]
        if places:
            self.refuse_borrowed(found, "ports")
            for change in taken_out(self.tree, found.value, places):
                self.note(change, f"ports: {self._port} is taken out")

    def _inside(self, item: object) -> bool:
        """Tell whether an entry publishes the port, written short or long."""
        if is_mapping(item):
            target = self.tree.find(item, "target")
            return target is not None and self._meant(target.value.value) == str(self._port)
        text = self._meant(getattr(item, "value", ""))
        match = _PORT.fullmatch(text)
        if match is None:
            return False
        if match[2] is None:
            return int(match[1]) == self._port
        if int(match[1]) <= self._port <= int(match[2]):
            raise unsafe(self, f"{self._port} is within {text}")
        return False

    def _meant(self, value: object) -> str:
        """Give a text as compose reads it: what variables stand for put in."""
        return (self.outside or Outside()).resolved(str(value))


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
                self.refuse_borrowed(found, "env_file")
                for change in self._as_list(found):
                    self.note(change, words)
        elif is_sequence(found.value):
            names = [str(getattr(item, "value", "")) for item in found.value.value]
            if self._file not in names:
                self.refuse_borrowed(found, "env_file")
                self.note(self.tree.added(found.value, [quoted(self._file)]), words)
        else:
            raise unsafe(self, "it is no list")

    def _as_list(self, found: Found) -> list[Change]:
        """Give the changes that make a list of a single file, or of none, on its line."""
        colon = self.tree.text.index(":", found.key.end_mark.index) + 1
        if found.value.start_mark.index == found.value.end_mark.index:
            return [Change(colon, colon, f" [{quoted(self._file)}]")]
        if found.value.style in {"|", ">"}:
            raise unsafe(self, "it is a block of text")
        start, end = self.tree.raw(found.value)
        written = self.tree.text[start:end]
        if found.value.style is None and not _PLAIN_IN_LIST.fullmatch(written):
            written = quoted(str(found.value.value))
        return [Change(start, end, f"[{written}, {quoted(self._file)}]")]


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
