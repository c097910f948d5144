"""Whether model files hold the bytes they should: at once where it is known, in full when asked."""

import difflib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from actions.models.catalogue import entry_named
from actions.models.inventory import wanted_hashes
from actions.models.marks import lies_in, place_of
from actions.session import Session
from console.errors import UsageError
from console.models.catalog import Catalog, ModelFile, Variant
from console.models.hashes import HashRecords, figures
from console.models.inventory.found import FoundFile, Inventory
from console.models.inventory.headers import unreadable
from console.store.hub_files import HubRecords
from console.text import clean_line

Report = Callable[[str, int, int], None]
"""Is told a path, bytes read, and its size."""

GOOD = frozenset({"checked", "known", "unchecked"})
_NO_MODEL = {
    "lfs-pointer": "it is a Git LFS pointer, no model",
    "html": "it is a page of a server, no model",
    "empty": "it is empty",
    "broken-link": "it is a link that leads nowhere",
}


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one file.

    Attributes:
        path: on disk; empty where it is missing.
        id: the catalogue's; may be empty.
        state: `checked` (its bytes are what hub or catalogue say), `known` (nobody says what they
            should be; the hash is remembered), `differs`, `changed` (nobody says, and its bytes are
            others than when they were last read; told once), `truncated`, `damaged`, `unreadable`,
            `missing`.
        sha256: of its bytes; empty where they were not read.
        expected: what it should be; empty where nobody says.
        read_bytes: read for this; 0 where what is remembered still holds.
        title: what is wrong, in words; empty where nothing is.
    """

    path: str
    id: str = ""
    state: str
    size_bytes: int = 0
    sha256: str = ""
    expected: str = ""
    read_bytes: int = 0
    title: str = ""

    @property
    def good(self) -> bool:
        """Whether nothing is wrong with it."""
        return self.state in GOOD


def chosen(
    session: Session, inventory: Inventory, names: Sequence[str], *, everything: bool = False
) -> tuple[tuple[FoundFile, ...], tuple[Verdict, ...]]:
    """Give the files that names mean, and what the names mean that is not there.

    Without a name: those of which catalogue, hub or an earlier look tell what they should be, and
    those that are no whole model at sight.

    Args:
        session: for the catalogue.
        inventory: what is there.
        names: ids of files or variants, names of files, paths of files or of folders.
        everything: without a name, also files nobody tells anything of.

    Raises:
        UsageError: a name means nothing.
    """
    models = [
        one
        for one in inventory.files
        if one.format not in {"part", "other"} or one.problem is not None
    ]
    if not names:
        return tuple(one for one in models if everything or _told(one, session.catalog)), ()
    found: dict[str, FoundFile] = {}
    missing = list[Verdict]()
    for name in names:
        entries = _entries(session.catalog, name)
        meant = [one for one in models if _means(name, one)]
        lacking = []
        for entry in () if meant else entries:
            here = [one for one in models if entry.id == one.catalog_id or _called(one, entry)]
            meant += here
            lacking += [] if here else [entry.id]
        if not meant and not entries:
            raise _unknown(name, session.catalog, models)
        found |= {one.path: one for one in meant}
        missing += [
            Verdict(path="", id=ident, state="missing", title="it is not on this host")
            for ident in lacking
        ]
    return tuple(found.values()), tuple(missing)


def verify(
    session: Session,
    files: Sequence[FoundFile],
    *,
    full: bool = False,
    report: Report | None = None,
    stop: Callable[[], str] | None = None,
) -> Iterator[Verdict]:
    """Give the verdict on each file, as soon as there is one; hashes are remembered.

    Args:
        session: whose store and catalogue count.
        files: as `chosen` gives them.
        full: read everything, also what is known and did not change.
        report: told how far it is, at most every 16 MiB.
        stop: asked as often; anything but an empty text ends it.

    Raises:
        Stopped: `stop` said so.
    """
    records = HashRecords(session.store, session.clock)
    hub = HubRecords(session.store)
    known = dict[tuple[int, int], tuple[str, int]]()
    for file in files:
        yield _verdict(session.catalog, records, hub, file, known, full, report, stop)


def _verdict(
    catalog: Catalog,
    records: HashRecords,
    hub: HubRecords,
    file: FoundFile,
    known: dict[tuple[int, int], tuple[str, int]],
    full: bool,
    report: Report | None,
    stop: Callable[[], str] | None,
) -> Verdict:
    bad = _bad_at_sight(file, catalog)
    if bad is not None:
        return bad
    recalled = records.recall(file.path)
    before = recalled or file.was_sha256
    sha256, read = recalled, 0
    if full or not recalled:
        inode = (file.device, file.inode)
        try:
            # Another name of a file that was read just now has the same bytes.
            sha256, read = known.get(inode) or _read(records, file.path, report, stop)
        except OSError as error:
            return _of(file, "unreadable", title=unreadable(error).title)
        known[inode] = (sha256, 0)
    entry = catalog.file(file.catalog_id)
    wanted = () if entry is None else wanted_hashes(entry, hub, sha256)
    state, title = "checked" if wanted else "known", ""
    if wanted and sha256 not in wanted:
        state, title = "differs", f"it should have sha256 {wanted[0]} and has {sha256}"
    elif before and sha256 != before:
        how = "behind the same size and time" if recalled else "since they were last read"
        state, title = "changed", f"its bytes changed {how}: it had sha256 {before}"
    return msgspec.structs.replace(
        _of(file, state, title=title),
        sha256=sha256,
        expected=wanted[0] if wanted else "",
        read_bytes=read,
    )


def _told(file: FoundFile, catalog: Catalog) -> bool:
    """Tell whether anything says what a file should be, be it its own header."""
    known = file.catalog_id or file.sha256 or file.was_sha256
    return bool(known) or _bad_at_sight(file, catalog) is not None


def _bad_at_sight(file: FoundFile, catalog: Catalog) -> Verdict | None:
    """Give the verdict where no byte need be read for it; None where all of them must be."""
    if file.format in _NO_MODEL:
        return _of(file, "damaged", title=_NO_MODEL[file.format])
    if file.problem is not None:
        state = "unreadable" if file.problem.code == "models.unreadable" else "damaged"
        return _of(file, state, title=file.problem.title)
    if file.promised_bytes is not None and file.size < file.promised_bytes:
        lacking = file.promised_bytes - file.size
        return _of(file, "truncated", title=f"it lacks {lacking} bytes that its header promises")
    entry = next((one for one in catalog.files if not file.catalog_id and _called(file, one)), None)
    if entry is not None and entry.bytes is not None:
        title = f"it has {file.size} bytes and {entry.id} has {entry.bytes}"
        return msgspec.structs.replace(_of(file, "differs", title=title), id=entry.id)
    return None


def _read(
    records: HashRecords, path: str, report: Report | None, stop: Callable[[], str] | None
) -> tuple[str, int]:
    """Read a file in full, and remember its hash.

    Raises:
        OSError: it cannot be read.
    """
    from console.transfer.hashing import sha256_of

    before = figures(path)
    if before is None:
        raise FileNotFoundError(2, "it is not there any more", path)
    tell = None if report is None else lambda done, size: report(path, done, size)
    sha256 = sha256_of(Path(path), report=tell, stop=stop)
    records.remember(path, sha256, before)
    return sha256, before.st_size


def _of(file: FoundFile, state: str, *, title: str) -> Verdict:
    return Verdict(
        path=file.path,
        id=file.catalog_id,
        state=state,
        size_bytes=file.size,
        title=clean_line(title, 400),
    )


def _entries(catalog: Catalog, name: str) -> tuple[ModelFile, ...]:
    """Give the catalogue's files that a name means."""
    try:
        entry = entry_named(catalog, name)
    except UsageError:
        return ()
    return catalog.files_of(entry) if isinstance(entry, Variant) else (entry,)


def _called(file: FoundFile, entry: ModelFile) -> bool:
    return file.path.rpartition("/")[2] == entry.name


def _means(name: str, file: FoundFile) -> bool:
    """Tell whether a name is that of a file, its path, or a folder it lies in."""
    if file.path.rpartition("/")[2] == name or file.path == name:
        return True
    return "/" in name and lies_in(file.path, (place_of(name),))


def _unknown(name: str, catalog: Catalog, models: Sequence[FoundFile]) -> UsageError:
    names = [one.path.rpartition("/")[2] for one in models]
    names += [one.id for one in catalog.variants] + [one.id for one in catalog.files]
    near = difflib.get_close_matches(name, names, 1, 0.5)
    hint = f"Did you mean {clean_line(near[0], 120)}? " if near else ""
    return UsageError(
        "models.no-such-file",
        f"no model file here is called {clean_line(name, 120)!r}, nor any of the catalogue",
        f"{hint}`gpuconsole models inventory` lists what is there",
    )
