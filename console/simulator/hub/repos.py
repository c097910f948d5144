"""Repositories: what is in which commit, and who may see it."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from console.simulator.hub.bodies import Bent, Body, Held, OnDisk, git_oid

_LARGE = 1 << 20
_LARGE_NAMES = (".safetensors", ".gguf", ".bin", ".ckpt", ".pt", ".pth", ".onnx")
_POINTER_BYTES = 135


class File:
    """A file in a commit; large ones lie outside git, known by their sha256."""

    def __init__(self, path: str, body: Body) -> None:
        self.path = path
        self.body = body
        self.large = path.lower().endswith(_LARGE_NAMES) or body.size > _LARGE

    @cached_property
    def oid(self) -> str:
        """The sha1 that git has: of the file itself, or of the pointer to a large one."""
        return git_oid(self.pointer if self.large else self.body)

    @property
    def pointer(self) -> Body:
        """What git keeps in the place of a large file."""
        words = "version https://git-lfs.github.com/spec/v1\n"
        words += f"oid sha256:{self.body.sha256}\nsize {self.body.size}\n"
        return Held(words.encode())

    @property
    def etag(self) -> str:
        """What tells one version from another: the sha256 of a large one, else git's sha1."""
        return self.body.sha256 if self.large else self.oid

    def listed(self) -> dict[str, object]:
        """Give it as the hub lists it."""
        told: dict[str, object] = {
            "type": "file",
            "oid": self.oid,
            "size": self.body.size,
            "path": self.path,
        }
        if self.large:
            told["lfs"] = {
                "oid": self.body.sha256,
                "size": self.body.size,
                "pointerSize": _POINTER_BYTES,
            }
        return told


@dataclass
class Commit:
    """A state of a repository."""

    id: str
    title: str
    files: dict[str, File]


@dataclass
class Repo:
    """A repository.

    Attributes:
        name: `ORG/NAME`.
        gated: who wants its files has to be on the list first: `auto`, `manual`, or not.
        moved_from: names it had before; asked for by one of them the hub redirects.
        commits: oldest first; `main` is the last one unless `branches` says otherwise.
        all_commits: those too whose history was rewritten: their large files still lie there.
    """

    name: str
    private: bool = False
    gated: str = ""
    moved_from: tuple[str, ...] = ()
    commits: dict[str, Commit] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    all_commits: dict[str, Commit] = field(default_factory=dict)

    def find(self, revision: str) -> Commit | None:
        """Give the commit that a branch, a tag or an id (whole, or its beginning) stands for."""
        found = self.branches.get(revision) or self.tags.get(revision) or revision
        if found in self.commits:
            return self.commits[found]
        long_enough = len(revision) >= 7
        near = [one for one in self.commits if long_enough and one.startswith(revision)]
        return self.commits[near[0]] if len(near) == 1 else None

    def commit(self, files: Mapping[str, Body], title: str = "Upload files") -> Commit:
        """Put a new state on `main`."""
        text = [self.name, str(len(self.commits)), title]
        text += [f"{path}:{body.size}" for path, body in files.items()]
        ident = hashlib.sha1("\n".join(text).encode(), usedforsecurity=False).hexdigest()
        made = Commit(ident, title, {path: File(path, body) for path, body in files.items()})
        self.commits[ident] = self.all_commits[ident] = made
        self.branches["main"] = ident
        return made

    def change(self, path: str, body: Body | None = None, *, forget: bool = False) -> Commit:
        """Commit another version of a file, by default with one byte changed.

        `forget`: the history is rewritten, and what was there before is gone.
        """
        last = self.commits[self.branches["main"]]
        old = last.files[path].body
        files = {name: file.body for name, file in last.files.items()}
        files[path] = body or Bent(old, old.size // 2)
        made = self.commit(files, f"Update {path}")
        if forget:
            self.commits = {made.id: made}
        return made


Content = bytes | Path | Body
"""A file of a test's repository: what is in it, or where it lies."""


def repo_of(
    name: str,
    files: Mapping[str, Content],
    *,
    private: bool = False,
    gated: str = "",
    moved_from: Iterable[str] = (),
) -> Repo:
    """Give a repository with one commit."""
    made = Repo(name, private=private, gated=gated, moved_from=tuple(moved_from))
    made.commit({path: body_of(content) for path, content in files.items()})
    return made


def body_of(content: Content) -> Body:
    """Give a body of bytes, or of a file on disk; a body is one already."""
    if isinstance(content, bytes):
        return Held(content)
    return OnDisk(content) if isinstance(content, Path) else content
