"""What the hub tells of a commit: its files, folders, and the repository they are in."""

from typing import Any

from console.simulator.hub.repos import Commit, Repo

_MADE = "2026-09-25T10:15:22.000Z"


def listed(commit: Commit, folder: str, *, deep: bool) -> list[dict[str, object]] | None:
    """Give the entries of a folder, folders first; None where there is no such folder."""
    prefix = f"{folder}/" if folder else ""
    below = [path for path in commit.files if path.startswith(prefix)]
    if not below and folder:
        return None
    folders: dict[str, None] = {}
    files = []
    for path in sorted(below):
        steps = path[len(prefix) :].split("/")
        for depth in range(1, len(steps) if deep else min(2, len(steps))):
            folders[prefix + "/".join(steps[:depth])] = None
        if deep or len(steps) == 1:
            files.append(commit.files[path].listed())
    return [*(_folder(path) for path in folders), *files]


def _folder(path: str) -> dict[str, object]:
    return {"type": "directory", "oid": "0" * 40, "size": 0, "path": path}


def found_paths(commit: Commit, paths: list[str]) -> list[dict[str, object]]:
    """Give the entries of these paths, without those that are not there."""
    found = []
    for path in paths:
        if path in commit.files:
            found.append(commit.files[path].listed())
        elif any(name.startswith(f"{path}/") for name in commit.files):
            found.append(_folder(path))
    return found


def model_info(repo: Repo, commit: Commit, *, blobs: bool) -> dict[str, Any]:
    """Give what the hub tells of a model; `blobs`: with sizes and hashes of its files."""
    siblings: list[dict[str, Any]] = []
    for path, file in commit.files.items():
        told: dict[str, Any] = {"rfilename": path}
        if blobs:
            entry = file.listed()
            told |= {"size": entry["size"], "blobId": entry["oid"]}
            if file.large:
                told["lfs"] = {
                    "size": file.body.size,
                    "sha256": file.body.sha256,
                    "pointerSize": 135,
                }
        siblings.append(told)
    return {
        "_id": commit.id[:24],
        "id": repo.name,
        "modelId": repo.name,
        "author": repo.name.partition("/")[0],
        "sha": commit.id,
        "private": repo.private,
        "gated": repo.gated or False,
        "disabled": False,
        "lastModified": _MADE,
        "createdAt": _MADE,
        "downloads": 0,
        "likes": 0,
        "tags": [],
        "siblings": siblings,
    }
