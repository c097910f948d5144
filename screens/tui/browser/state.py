"""What the operator looks at in the file browser."""

import msgspec

from console.host.browsing import Folder, Found

NAME, NEWEST = "name", "newest"
ORDERS = (NAME, NEWEST)


class State(msgspec.Struct, kw_only=True):
    """State of the browser.

    Attributes:
        path: the folder that is shown, or is being read.
        folder: what it holds; None until it is read.
        slow: it has not answered for a while.
        name: the entry under the cursor; empty for the first.
        place: where in the list it was last seen; the cursor stays there when it goes.
        top: first line of the list that is shown.
        everything: files that are no pictures, and hidden ones, are listed too.
        order: one of `ORDERS`.
        filter: only names with this in them are listed; `typing` while its line is open.
        picked: paths that are chosen already, in order.
    """

    path: str = ""
    folder: Folder | None = None
    slow: bool = False
    name: str = ""
    place: int = 0
    top: int = 0
    everything: bool = False
    order: str = NAME
    filter: str = ""
    typing: bool = False
    picked: list[str] = msgspec.field(default_factory=list)


def listed(folder: Folder, everything: bool, order: str, wanted: str) -> tuple[Found, ...]:
    """Give the entries that are listed, in their order; folders stay first."""
    text = wanted.casefold()
    found = [
        one
        for one in folder.entries
        if (everything or _usual(one)) and (not text or text in one.name.casefold())
    ]
    if order == NEWEST:
        found.sort(key=lambda one: (one.kind != "folder", -one.mtime))
    return tuple(found)


def _usual(one: Found) -> bool:
    return (one.kind == "folder" or one.picture) and not one.name.startswith(".")
