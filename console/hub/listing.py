"""What lies in a repository, page by page; what the hub tells is not taken on trust."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from console.errors import UsageError
from console.hub.facts import HubFile, HubSpec
from console.hub.faults import fault
from console.hub.line import COMMIT, SHA256, HubLine
from console.hub.spec import check_path

if TYPE_CHECKING:
    import httpx2

    from console.hub.answers import Asked

LARGEST = 1 << 50
"""Bytes that no file has: a size beyond is a mistake or a trick."""


def commit_of(line: HubLine, repo: str, revision: str, asked: "Asked") -> str:
    """Give the commit that a revision stands for; raises HubFault."""
    if COMMIT.fullmatch(revision):
        return revision
    name, wanted = quote(repo, safe="/"), quote(revision, safe="")
    data, _ = line.json(f"/api/models/{name}/revision/{wanted}", asked)
    commit = data.get("sha") if isinstance(data, dict) else None
    if not isinstance(commit, str) or COMMIT.fullmatch(commit) is None:
        raise fault("hub.not-a-hub", **asked.words())
    return commit


def entries(
    line: HubLine,
    spec: HubSpec,
    folder: str,
    asked: "Asked",
    *,
    deep: bool,
    pages: int,
) -> Iterator[dict[str, Any]]:
    """Give what lies in a folder at a revision; raises HubFault.

    Args:
        line: to the hub.
        spec: repository and revision.
        folder: empty is the repository itself.
        asked: for the words of a fault.
        deep: with what lies in folders below it.
        pages: how many are asked for at most, of a thousand entries each.
    """
    below = f"/{quote(folder.strip('/'), safe='/')}" if folder.strip("/") else ""
    base = f"/api/models/{quote(spec.repo, safe='/')}/tree/{quote(spec.revision, safe='')}"
    page = f"{base}{below}?{urlencode({'recursive': str(deep).lower()})}"
    for _ in range(pages):
        data, headers = line.json(page, asked)
        if not isinstance(data, list):
            raise fault("hub.not-a-hub", **asked.words())
        yield from (entry for entry in data if isinstance(entry, dict))
        page = _next_page(headers)
        if not page or not line.is_home(page):
            return


def path_of(entry: dict[str, Any]) -> str:
    """Give the path of an entry that is a file with a name fit for a disk; else empty."""
    path = entry.get("path")
    if entry.get("type") != "file" or not isinstance(path, str):
        return ""
    try:
        check_path(path)
    except UsageError:
        return ""
    return path


def listed(spec: HubSpec, commit: str, entry: dict[str, Any]) -> HubFile | None:
    """Give an entry as a file; None where it is none, or is not told of in full."""
    path, size, lfs = path_of(entry), entry.get("size"), entry.get("lfs")
    if not path or not isinstance(size, int) or not 0 <= size <= LARGEST:
        return None
    digest = lfs.get("oid") if isinstance(lfs, dict) else entry.get("oid")
    pattern = SHA256 if isinstance(lfs, dict) else COMMIT
    if not isinstance(digest, str) or pattern.fullmatch(digest) is None:
        return None
    return HubFile(
        spec=HubSpec(repo=spec.repo, path=path, revision=spec.revision),
        commit=commit,
        size=size,
        sha256=digest if isinstance(lfs, dict) else "",
        git_oid="" if isinstance(lfs, dict) else digest,
    )


def _next_page(headers: "httpx2.Headers") -> str:
    """Give where the listing goes on, from the Link header; empty at its end."""
    from urllib.request import parse_http_list

    for link in parse_http_list(headers.get("Link", "")):
        target, _, relation = link.partition(";")
        if 'rel="next"' in relation:
            return target.strip().strip("<>")
    return ""
