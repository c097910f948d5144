"""What of a wanted file is on this host already: at its place, elsewhere, or as a part."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from actions.models.aside import aside_path
from actions.models.asking import Asked
from actions.models.item import Item
from actions.models.room import mount_of, nearest_folder
from actions.models.words import check
from actions.plan import Check
from actions.session import Session
from console.models.hashes import HashRecords, figures
from console.models.inventory.found import FoundFile
from console.text import clean_line
from console.transfer.part import PartFacts, is_ours, part_of
from console.units import format_bytes

_MOST_CANDIDATES = 8
_UNFIT = ("part", "lfs-pointer", "html", "empty", "broken-link")


class There(msgspec.Struct, frozen=True, kw_only=True):
    """A file as a step will carry it, and what the operator should know of it before."""

    item: Item
    checks: tuple[Check, ...]


class Looker:
    """Looks for wanted files among those that are known on this host."""

    def __init__(
        self, session: Session, files: Sequence[FoundFile], *, may_link: bool = True
    ) -> None:
        """Take what is known.

        Args:
            session: whose records of hashes count.
            files: in the model folders.
            may_link: whether a file that is here under another name is linked to.
        """
        self._hashes = HashRecords(session.store, session.clock)
        self._files = files
        self._may_link = may_link

    def look(self, asked: Asked) -> There:
        """Tell what is to be done for one file."""
        item = _item(asked)
        at_place = self._at_place(item)
        if at_place is not None and not at_place.item.aside:
            return _with(at_place, asked.checks)
        before = asked.checks if at_place is None else (*asked.checks, *at_place.checks)
        item = item if at_place is None else at_place.item
        return _with(self._elsewhere(item), before)

    def _at_place(self, item: Item) -> There | None:
        """Tell about the file under the final name; None where there is none."""
        path = Path(item.path)
        facts = figures(path)
        if facts is None and not path.is_symlink():
            return None
        if path.is_dir():
            return There(item=item, checks=(check("models.name-taken", "refuse", path=path),))
        if facts is not None and facts.st_size == item.size:
            known = self._hashes.recall(path)
            if item.sha256 and known == item.sha256:
                kept = msgspec.structs.replace(item, action="keep")
                return There(item=kept, checks=(check("pull.here", name=item.name),))
            if not known or not item.sha256:
                kept = msgspec.structs.replace(item, action="keep", candidates=(item.path,))
                return There(item=kept, checks=(check("pull.read-first", path=item.path),))
            why = "its hash is another"
        else:
            size = "a link that leads nowhere" if facts is None else format_bytes(facts.st_size)
            why = f"{size} instead of {format_bytes(item.size)}"
        aside = aside_path(path)
        put = check("pull.aside", "warn", path=path, why=why, aside=aside.name)
        return There(item=msgspec.structs.replace(item, aside=True), checks=(put,))

    def _elsewhere(self, item: Item) -> There:
        """Tell what of a file that is not at its place is to be had without fetching."""
        same, distant = self._sources(item)
        checks: list[Check] = []
        if same and self._may_link:
            linked = msgspec.structs.replace(item, action="link", source=same[0])
            told = check("pull.link", name=item.name, source=clean_line(same[0]))
            return There(item=linked, checks=(told,))
        if same:
            checks.append(check("pull.copy", "warn", name=item.name, source=clean_line(same[0])))
        elif distant:
            words = {"name": item.name, "source": clean_line(distant[0])}
            checks.append(check("pull.other-disk", "warn", **words))
        candidates, far = self._candidates(item) if self._may_link and not same else ((), ())
        checks += [
            check("pull.candidate", name=item.name, source=clean_line(one)) for one in candidates
        ]
        if far and not candidates and not distant:
            words = {"name": item.name, "source": clean_line(far[0])}
            checks.append(check("pull.other-disk-maybe", "warn", **words))
        part = part_to_go_on_with(item)
        done = 0 if part is None else part.done
        if part is not None and done:
            words = {"name": item.name, "done": format_bytes(done)}
            checks.append(check("pull.part", size=format_bytes(item.size), **words))
        parent = Path(item.path).parent
        if not parent.is_dir():
            checks.append(check("pull.makes-folder", path=parent))
        wanted = msgspec.structs.replace(item, candidates=candidates, done=done)
        return There(item=wanted, checks=tuple(checks))

    def _sources(self, item: Item) -> tuple[list[str], list[str]]:
        """Give files with its very bytes: on its file system, and on others."""
        if not item.sha256:
            return [], []
        device = nearest_folder(Path(item.path).parent).stat().st_dev
        found = [one for one in self._hashes.paths_with(item.sha256) if one != item.path]
        by_place: tuple[list[str], list[str]] = ([], [])
        for one in found:
            facts = figures(one)
            if facts is not None and facts.st_size == item.size:
                by_place[facts.st_dev != device].append(one)
        return by_place

    def _candidates(self, item: Item) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Give files of its size whose hash nobody has taken yet: on its file system, on others."""
        if not item.sha256:
            return (), ()
        device = nearest_folder(Path(item.path).parent).stat().st_dev
        inodes = set[tuple[int, int]]()
        near: list[str] = []
        far: list[str] = []
        for one in self._files:
            fits = one.size == item.size and one.format not in _UNFIT and not one.sha256
            inode = (one.device, one.inode)
            if not fits or inode in inodes or one.path == item.path:
                continue
            if is_ours(Path(one.path).name) or self._hashes.recall(one.path):
                continue
            inodes.add(inode)
            (near if one.device == device else far).append(one.path)
        return tuple(near[:_MOST_CANDIDATES]), tuple(far)


def part_to_go_on_with(item: Item) -> PartFacts | None:
    """Give what an earlier attempt at this very file left; None where nothing of it counts."""
    try:
        part = part_of(Path(item.path))
    except OSError:
        return None
    if part is None or part.total != item.size:
        return None
    same = part.origin == item.origin or bool(item.sha256 and part.sha256 == item.sha256)
    return part if same else None


def _item(asked: Asked) -> Item:
    path, root = asked.path, asked.wanted.root
    return Item(
        id=asked.wanted.id,
        spec=asked.wanted.spec,
        hub=asked.hub,
        path=str(path),
        size=asked.size,
        sha256=asked.sha256,
        mount=str(mount_of(path.parent)),
        root=str(root),
        root_there=root.is_dir(),
    )


def _with(there: There, checks: Sequence[Check]) -> There:
    return There(item=there.item, checks=(*checks, *there.checks))
