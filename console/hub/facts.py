"""What the hub says of a file, and how a file on it is named."""

import msgspec


class HubSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A file on the hub, as it is asked for.

    Attributes:
        repo: `ORG/NAME`.
        path: in the repository, with `/`.
        revision: a branch, tag or commit.
    """

    repo: str
    path: str
    revision: str = "main"


class HubFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file on the hub, as it answered.

    Attributes:
        spec: what was asked for.
        commit: 40 hex digits that the revision stands for.
        size: bytes.
        sha256: of a large file (LFS, xet); empty for a small one, which is kept in git itself.
        git_oid: sha1 of git's blob, of a small file; empty for a large one.
    """

    spec: HubSpec
    commit: str
    size: int
    sha256: str = ""
    git_oid: str = ""
