"""One file of a pull: what it is, where it comes from, where it goes, and what is there already."""

from pathlib import Path
from typing import Any

import msgspec

from actions.plan import Plan, Step
from console.hub.facts import HubFile, HubSpec
from console.store.bodies import safe_text


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One file, as a step of a plan carries it: no address with a signature, and no token.

    Attributes:
        id: the catalogue's, else its name on disk.
        spec: the file on the hub, as it is asked for.
        hub: what the hub said of it; None where it was not asked, because all is here already.
        path: its final name.
        size: bytes.
        sha256: what its bytes must have; empty where only `hub.git_oid` is known.
        action: what the plan expects to do: `keep`, `link` or `fetch`.
        source: the file to link to, of a `link`.
        candidates: files of its size whose hash is not known; read before anything is fetched.
        aside: another file is at `path`, and is put aside.
        done: bytes of it that an earlier attempt fetched.
        mount: where the file system of `path` is mounted.
        root: the models folder, or the folder of `--to`.
        root_there: whether that folder was there when the plan was made.
    """

    id: str
    spec: HubSpec
    hub: HubFile | None = None
    path: str
    size: int
    sha256: str = ""
    action: str = "fetch"
    source: str = ""
    candidates: tuple[str, ...] = ()
    aside: bool = False
    done: int = 0
    mount: str = ""
    root: str = ""
    root_there: bool = True

    @property
    def name(self) -> str:
        """Its name on disk."""
        return Path(self.path).name

    @property
    def git_oid(self) -> str:
        """The sha1 of git's blob, of a small file; empty for a large one."""
        return "" if self.hub is None else self.hub.git_oid

    @property
    def origin(self) -> str:
        """Tell one version from another, such as `ORG/REPO@COMMIT/PATH`."""
        commit = self.spec.revision if self.hub is None else self.hub.commit
        return f"{self.spec.repo}@{commit}/{self.spec.path}"


def options_of(item: Item) -> dict[str, Any]:
    """Give an item as the options of its step."""
    return {"item": msgspec.to_builtins(item)}


def item_of(step: Step) -> Item:
    """Read the item back from its step."""
    return msgspec.convert(step.options["item"], Item)


def items_of(plan: Plan) -> tuple[Item, ...]:
    """Give the files of a pull, in the order of its steps."""
    return tuple(item_of(step) for step in plan.steps)


def survives_the_journal(item: Item) -> bool:
    """Tell whether the journal keeps every word of an item: it masks what reads like a secret."""
    texts = (item.id, item.path, item.spec.repo, item.spec.path, item.spec.revision, item.source)
    return all(safe_text(text) == text for text in (*texts, *item.candidates))
