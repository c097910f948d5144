"""Going through the folders of one root, in a thread that may never end.

A root may lie on a network share or a Windows drive that no longer answers. Whoever waits looks at
`pulse`; a root that hangs is not asked again while it does.
"""

import os
import stat
import threading
from collections.abc import Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING

import msgspec

from console.clock import Clock, SystemClock
from console.models.disk import TOO_MANY
from console.models.inventory.found import Root
from console.models.inventory.header import formats
from console.models.inventory.headers import is_ignored, is_part, is_quarantined, unreadable
from console.text import clean_line
from console.unknown import Unknown

if TYPE_CHECKING:
    from console.models.inventory.seen import Seen

MOST_FOLDERS = 20_000
NO_DIRECTORY = Unknown("models.no-such-folder", "this is a file, not a folder", "name its folder")
_PACE: Clock = SystemClock()


class Entry(msgspec.Struct, frozen=True, gc=False):
    """A name in a folder that may be a model.

    Attributes:
        path, name: as the file system has it.
        folder: below the root, with `/`; empty for the root itself.
        facts: of the file, links followed; of the link where it leads nowhere.
        state: `file`, `part`, `broken-link` or `unreadable`.
        parent: device and inode of its folder: what is reached twice is there once.
        problem: why it could not be looked at; None otherwise.
        is_link: it is a symbolic link.
    """

    path: str
    name: str
    folder: str
    facts: os.stat_result
    state: str
    parent: tuple[int, int]
    problem: Unknown | None = None
    is_link: bool = False


class Walk(threading.Thread):
    """One root being gone through.

    Attributes:
        seen: what was found so far, in the order of the names.
        folders: mtime by path of the folders that were gone through to the end.
        problem: why something could not be seen; None while all could.
        pulse: when the disk last answered.
        missing: there is no such folder.
    """

    def __init__(self, root: Root, look: "Callable[[Entry], Seen]") -> None:
        super().__init__(name="models", daemon=True)
        self.root = root
        self.seen: list[Seen] = []
        self.folders: dict[str, int] = {}
        self.problem: Unknown | None = None
        self.missing = False
        self.pulse = _PACE.monotonic()
        self._look = look

    def run(self) -> None:
        """Go through the root; what is found is there as it comes."""
        for entry in self._entries():
            self.seen.append(self._look(entry))
            self.pulse = _PACE.monotonic()

    def _entries(self) -> Iterator[Entry]:
        """Give every entry; folders that links lead to once only."""
        seen = set[tuple[int, int]]()
        waiting = self._starts()
        while waiting:
            path, folder = waiting.pop()
            if len(seen) >= MOST_FOLDERS:
                self.problem = TOO_MANY
                return
            try:
                facts = os.stat(path)  # noqa: PTH116 -- a path object for each would cost as much
                identity = (facts.st_dev, facts.st_ino)
                if identity in seen:
                    continue
                seen.add(identity)
                below, found = self._list(path, folder, identity)
            except FileNotFoundError:
                self.missing = self.missing or not folder
                continue
            except NotADirectoryError:
                self.problem = self.problem if folder else NO_DIRECTORY
                continue
            except (OSError, ValueError) as error:
                self.problem = _named(path, error)
                continue
            waiting += below
            yield from found
            # Only now: what a folder lacks is forgotten once it was gone through to its end.
            self.folders[path] = facts.st_mtime_ns

    def _starts(self) -> list[tuple[str, str]]:
        top = self.root.path
        if not self.root.only_listed:
            return [(top, "")]
        listed = sorted(self.root.kind_by_folder, reverse=True)
        return [(os.path.join(top, name) if name else top, name) for name in listed]  # noqa: PTH118

    def _list(
        self, path: str, folder: str, identity: tuple[int, int]
    ) -> tuple[list[tuple[str, str]], list[Entry]]:
        """Give a folder's sub-folders and its files, each by name; the first goes last."""
        below, found = [], []
        with os.scandir(path) as names:
            entries = sorted(names, key=lambda one: one.name, reverse=True)
        for entry in entries:
            self.pulse = _PACE.monotonic()
            try:
                if _is_dir(entry):
                    below.append((entry.path, f"{folder}/{entry.name}".lstrip("/")))
                    continue
                one = _entry(entry, folder, identity)
            except (OSError, ValueError) as error:
                self.problem = _named(entry.path, error)
                continue
            if one is not None:
                found.append(one)
        return below, found[::-1]


def _is_dir(entry: "os.DirEntry[str]") -> bool:
    """Tell whether a name is a folder's; a link that leads in a circle is none, like a broken one.

    Raises:
        OSError: the disk does not say.
    """
    try:
        return entry.is_dir()
    except OSError:
        if entry.is_symlink():
            return False
        raise


def is_model_name(name: str) -> bool:
    """Tell whether a name is one that models, or parts of them, have."""
    ending = name.rpartition(".")[2].lower()
    return ending in _extensions() or is_part(name) or is_quarantined(name)


@cache
def _extensions() -> frozenset[str]:
    return frozenset(formats()["extensions"])


def _entry(entry: "os.DirEntry[str]", folder: str, identity: tuple[int, int]) -> Entry | None:
    """Give what a name is; None where it is nothing that matters here."""
    name = entry.name
    named = is_model_name(name)
    if is_ignored(name) or (not named and name.startswith(".")):
        return None
    state = "part" if is_part(name) else "file"
    try:
        facts = entry.stat()
    except OSError as error:
        if not named:
            return None
        facts = entry.stat(follow_symlinks=False)
        broken = entry.is_symlink()
        state, problem = ("broken-link", None) if broken else ("unreadable", unreadable(error))
        return Entry(entry.path, name, folder, facts, state, identity, problem)
    if not named and (not stat.S_ISREG(facts.st_mode) or facts.st_size < formats()["large_bytes"]):
        return None
    link = entry.is_symlink()
    return Entry(entry.path, name, folder, facts, state, identity, is_link=link)


def _named(path: str, error: OSError | ValueError) -> Unknown:
    why = unreadable(error)
    return Unknown(why.code, f"{clean_line(path, 200)}: {why.title}")
