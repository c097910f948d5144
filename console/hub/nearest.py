"""The names on the hub that are nearest to a wrong one, for whoever mistyped it."""

import contextlib
import difflib
import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from console.errors import UsageError
from console.hub.facts import HubSpec
from console.hub.faults import HubFault
from console.hub.line import HubLine
from console.hub.listing import entries, path_of
from console.hub.spec import check_repo, check_revision

if TYPE_CHECKING:
    from console.hub.answers import Asked

_PAGES = 3
_MOST = 3
_REPOS = 500


def add_nearest(error: HubFault, line: HubLine, spec: HubSpec, asked: "Asked") -> None:
    """Put the nearest names into the hint of a fault about a name, where there are any."""
    find = _FINDERS.get(error.code)
    names: list[str] = []
    # Whether names can be had or not, the fault stays what it is.
    with contextlib.suppress(HubFault):
        names = find(line, spec, asked) if find is not None else []
    if names:
        error.hint = f"did you mean {' or '.join(names)}? {error.hint}"


def _near_files(line: HubLine, spec: HubSpec, asked: "Asked") -> list[str]:
    """Give files in a folder of that path, of the same name elsewhere, of a like name or path."""
    folder, _, name = spec.path.rpartition("/")
    found = entries(line, spec, "", asked, deep=True, pages=_PAGES)
    paths = [path for path in map(path_of, found) if path]
    inside = [path for path in paths if path.startswith(f"{spec.path}/")]
    same = [path for path in paths if path.rpartition("/")[2].lower() == name.lower()]
    beside = [path for path in paths if path.rpartition("/")[0] == folder]
    near = difflib.get_close_matches(spec.path, beside, _MOST, 0.6)
    far = difflib.get_close_matches(spec.path, paths, _MOST, 0.75)
    return list(dict.fromkeys([*inside, *same, *near, *far]))[:_MOST]


def _near_revisions(line: HubLine, spec: HubSpec, asked: "Asked") -> list[str]:
    """Give branches and tags of a like name, else the first ones."""
    data, _ = line.json(f"/api/models/{quote(spec.repo, safe='/')}/refs", asked)
    kinds = (data.get(kind) for kind in ("branches", "tags")) if isinstance(data, dict) else ()
    refs = itertools.chain.from_iterable(kind for kind in kinds if isinstance(kind, list))
    names = [str(ref.get("name", "")) for ref in refs if isinstance(ref, dict)]
    fine = [name for name in names if _passes(check_revision, name)]
    return difflib.get_close_matches(spec.revision, fine, _MOST, 0.4) or fine[:_MOST]


def _near_repos(line: HubLine, spec: HubSpec, asked: "Asked") -> list[str]:
    """Give repositories of the same owner with a like name, of those that are shown."""
    query = urlencode({"author": spec.repo.partition("/")[0], "limit": _REPOS})
    data, _ = line.json(f"/api/models?{query}", asked)
    told = data if isinstance(data, list) else []
    names = [str(entry.get("id", "")) for entry in told if isinstance(entry, dict)]
    fine = [name for name in names if _passes(check_repo, name)]
    return difflib.get_close_matches(spec.repo, fine, _MOST, 0.75)


_FINDERS: dict[str, Callable[[HubLine, HubSpec, "Asked"], list[str]]] = {
    "hub.no-file": _near_files,
    "hub.no-revision": _near_revisions,
    "hub.no-repo": _near_repos,
}


def _passes(check: Callable[[str], None], name: str) -> bool:
    try:
        check(name)
    except UsageError:
        return False
    return True
