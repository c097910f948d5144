"""Files that hold the same bytes, and what linking them would save."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from actions.models.model import Fix, Issue
from console.models.inventory.edges import EDGE
from console.models.inventory.found import FoundFile, Inventory, Root
from console.models.inventory.scan import kind_of_folder
from console.units import format_bytes

_Inode = tuple[int, int]


def duplicates(inventory: Inventory) -> Iterator[Issue]:
    """Give each set of files with the same bytes, the one to be kept last.

    Names of one file (hard links, links) are no duplicates. Files whose hashes are not known are
    told as likely where size, first and last MiB are the same; a small one is that as a whole.
    """
    by_bytes: defaultdict[tuple[int, str], list[FoundFile]] = defaultdict(list)
    sure = set[tuple[int, str]]()
    for file in inventory.files:
        # What was put aside is there because nobody should load it; a link holds no bytes.
        for key, certain in () if file.format == "part" or file.is_link else _keys(file):
            by_bytes[key].append(file)
            if certain:
                sure.add(key)
    told = set[frozenset[str]]()
    for key, files in sorted(by_bytes.items(), key=lambda one: one[0] not in sure):
        several = _by_inode(files, inventory)
        paths = frozenset(one.path for one in files)
        if len(several) < 2 or any(paths <= other for other in told):
            continue
        if key not in sure and _told_apart(files):
            continue
        told.add(paths)
        yield _issue(several, key in sure)


def same_bytes(one: FoundFile, other: FoundFile) -> bool:
    """Tell whether two files are certain to hold the same bytes."""
    if (one.device, one.inode) == (other.device, other.inode):
        return True
    common = set(_keys(one)).intersection(_keys(other))
    return any(certain for _, certain in common)


def _keys(file: FoundFile) -> Iterator[tuple[tuple[int, str], bool]]:
    """Give what files with the same bytes have in common, and whether that is certain."""
    if file.sha256:
        yield (file.size, file.sha256), True
    if file.edges:
        yield (file.size, file.edges), file.size <= 2 * EDGE


def _told_apart(files: Sequence[FoundFile]) -> bool:
    """Tell whether hashes say that all of them differ."""
    hashes = [one.sha256 for one in files]
    return all(hashes) and len(set(hashes)) == len(hashes)


def _by_inode(files: Sequence[FoundFile], inventory: Inventory) -> list[list[FoundFile]]:
    """Give the names of each file on disk; the one that is best kept comes last."""
    roots = {root.path: root for root in inventory.roots}
    order = {path: place for place, path in enumerate(roots)}
    inodes: defaultdict[_Inode, list[FoundFile]] = defaultdict(list)
    for file in files:
        inodes[file.device, file.inode].append(file)

    def worth(names: list[FoundFile]) -> tuple[bool, bool, int, int]:
        found = any(_in_its_folder(one, roots) for one in names)
        known = any(one.catalog_id for one in names)
        first = min(order.get(one.root, len(order)) for one in names)
        return (found, known, names[0].links, -first)

    return sorted(sorted(inodes.values(), key=lambda one: one[0].path, reverse=True), key=worth)


def _in_its_folder(file: FoundFile, roots: Mapping[str, Root]) -> bool:
    root = roots.get(file.root)
    if root is None or not file.kind:
        return False
    return kind_of_folder(root, file.folder) in {file.kind, "other"}


def _issue(inodes: list[list[FoundFile]], certain: bool) -> Issue:
    """Tell of one set; what lies on one file system can be linked to the best one there."""
    *copies, kept = inodes
    keep = kept[0]
    best = {names[0].device: names[0] for names in inodes}
    fixes = tuple(
        Fix(
            verb="link",
            path=one.path,
            to=best[names[0].device].path,
            title="link it to the other" if certain else "compare them, and link if they are same",
            saves_bytes=saved,
        )
        for names in copies
        if names[0] is not best[names[0].device]
        for one, saved in zip(names, _saved(names), strict=True)
    )
    saves = sum(fix.saves_bytes for fix in fixes)
    count = len(inodes)
    if saves:
        title = f"{count} copies of the same bytes: linking them saves {format_bytes(saves)}"
        hint = "`gpuconsole models dedupe` makes hard links of them"
    else:
        title = f"{count} copies of the same bytes, {format_bytes(keep.size)} each"
        hint = (
            "they lie on different file systems, or have names elsewhere: nothing is to be linked"
        )
    if not certain:
        title = title.replace("of the same bytes", "that look alike", 1)
        hint = "`gpuconsole models verify --all` reads them in full; dedupe does so before it links"
    return Issue(
        code="duplicate",
        severity="warning" if certain else "note",
        title=title,
        hint=hint,
        paths=tuple(one.path for names in (*copies, kept) for one in names),
        fixes=fixes,
    )


def _saved(names: Sequence[FoundFile]) -> list[int]:
    """Give what becomes free with each name: all with the last, where no other name is left."""
    saved = [0] * len(names)
    if len(names) >= names[0].links:
        saved[-1] = names[0].size
    return saved
