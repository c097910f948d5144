"""What is wrong with the files in the model folders, and what would put it right."""

import os
from collections import defaultdict
from collections.abc import Iterator, Sequence

from actions.models.duplicates import duplicates
from actions.models.misplaced import misplaced
from actions.models.model import Fix, Issue
from actions.models.vision_tower import vision_towers
from console.models.catalog import Catalog, ModelFile
from console.models.inventory.found import FoundFile, Inventory
from console.models.inventory.headers import is_quarantined
from console.text import clean_line
from console.units import format_bytes

SEVERITIES = ("error", "warning", "note")
_NOTHING = frozenset({"lfs-pointer", "html", "empty"})
_NOT_OURS = frozenset({"models.unreadable", "models.no-file"})
_ARIA2 = ".aria2"


def issues(inventory: Inventory, catalog: Catalog) -> tuple[Issue, ...]:
    """Give everything that should not be so, the worst first, then by path.

    It asks no disk: what it says is as true as the inventory is.

    Args:
        inventory: as `look` gives it.
        catalog: tells what can be fetched anew, and names that workflows use.
    """
    found = [issue for file in inventory.files for issue in _of_file(file, catalog)]
    found += _unfinished(inventory)
    found += misplaced(inventory, catalog)
    found += vision_towers(inventory, catalog)
    found += duplicates(inventory)
    found += _case_clashes(inventory, catalog)
    return tuple(sorted(found, key=lambda one: (SEVERITIES.index(one.severity), one.paths)))


def base_name(path: str) -> str:
    """Give a path's last part, as it is."""
    return os.path.basename(path)  # noqa: PTH119 -- may hold any bytes


def _of_file(file: FoundFile, catalog: Catalog) -> Iterator[Issue]:
    """Give what is wrong with a file on its own."""
    if file.format == "part":
        yield from _part(file)
    elif file.format == "broken-link":
        title = "a link that leads nowhere"
        yield _issue(
            "broken-link", file, title, "warning", fixes=(_delete(file, "delete the link"),)
        )
    elif file.format in _NOTHING:
        yield _nothing(file, catalog)
    elif file.problem is not None:
        title, hint = clean_line(file.problem.title, 300), file.problem.hint
        fixes = () if file.problem.code in _NOT_OURS else _anew(file, catalog)
        yield _issue("unreadable", file, title, hint=hint, fixes=fixes)
    elif file.promised_bytes is not None and file.promised_bytes != file.size:
        yield _wrong_size(file, catalog)
    elif file.hash_state == "differs":
        title = f"its bytes are not those of {file.catalog_id}: it has sha256 {file.sha256[:12]}…"
        hint = "it was changed, damaged or is another version: put it aside and fetch it again"
        yield _issue("hash-differs", file, title, hint=hint, fixes=_anew(file, catalog))
    if file.format == "pickle":
        title = "a pickle: loading it can run code that is hidden in it"
        hint = "look for a .safetensors of it; load it only if you trust whoever made it"
        fixes = (Fix(verb="quarantine", path=file.path, title="put it aside"),)
        yield _issue("pickle", file, title, "warning", hint=hint, fixes=fixes)


def _part(file: FoundFile) -> Iterator[Issue]:
    """Tell of what was not fetched in full or put aside, unless a job will go on with it."""
    if file.job_id:
        return
    fix = _delete(file, "delete it", saves=file.disk_bytes)
    if is_quarantined(base_name(file.path)):
        title = f"was put aside and is loaded by nobody: {format_bytes(file.disk_bytes)} of disk"
        hint = "delete it when nobody wants it back; `gpuconsole jobs back` undoes a quarantine"
        yield _issue("orphaned-part", file, title, "note", hint=hint, fixes=(fix,))
        return
    title = "a part of a download that no job goes on with"
    hint = "`models pull` goes on with one of ours; delete it unless its program still fetches"
    yield _issue("orphaned-part", file, title, "warning", hint=hint, fixes=(fix,))


def _unfinished(inventory: Inventory) -> Iterator[Issue]:
    """Tell of models that aria2 still writes to: at their full size from the start, with holes."""
    there = {file.path for file in inventory.files}
    for file in inventory.files:
        control = f"{file.path}{_ARIA2}"
        if control in there:
            yield Issue(
                code="truncated",
                severity="error",
                title="aria2 has not fetched all of it: its list of what is missing lies beside it",
                hint="let aria2 go on, or put both aside",
                paths=(file.path, control),
                fixes=(Fix(verb="quarantine", path=file.path, title="put it aside"),),
            )


def _nothing(file: FoundFile, catalog: Catalog) -> Issue:
    """Tell of a file that holds no model at all."""
    titles = {
        "lfs-pointer": "a Git LFS pointer: git fetched the note about the model, not the model",
        "html": "a page or a message of a server that was saved as a model",
        "empty": "it is empty",
    }
    hints = {
        "lfs-pointer": "fetch the model itself: `git lfs pull` there, or `models pull`",
        "html": "the download needed a login or another address",
    }
    fixes = (_delete(file, "delete it"), *_pull(file, catalog))
    hint = hints.get(file.format, "")
    return _issue(file.format, file, titles[file.format], hint=hint, fixes=fixes)


def _wrong_size(file: FoundFile, catalog: Catalog) -> Issue:
    promised = file.promised_bytes or 0
    if promised > file.size:
        missing = format_bytes(promised - file.size)
        title = (
            f"cut off: its header promises {missing} more than the {format_bytes(file.size)} here"
        )
        hint = "the download broke off: fetch it again"
        return _issue("truncated", file, title, hint=hint, fixes=_anew(file, catalog))
    more = format_bytes(file.size - promised)
    if file.format == "gguf":
        # What lies behind its tensors bothers nobody who reads a GGUF.
        title = f"it has {more} more than its header tells of"
        return _issue("unreadable", file, title, "note")
    title = f"it has {more} more than its header promises, which no program loads"
    return _issue("unreadable", file, title, fixes=_anew(file, catalog))


def _anew(file: FoundFile, catalog: Catalog) -> tuple[Fix, ...]:
    aside = Fix(verb="quarantine", path=file.path, title="put it aside", saves_bytes=0)
    return (aside, *_pull(file, catalog))


def _pull(file: FoundFile, catalog: Catalog) -> tuple[Fix, ...]:
    """Give the fix that fetches a file again, where the catalogue knows one of that name."""
    entry = catalog.file(file.catalog_id) or _named(file, catalog)
    if entry is None:
        return ()
    folder = file.path.rpartition("/")[0]
    return (Fix(verb="pull", path=entry.id, to=folder, title=f"fetch {entry.id} in its place"),)


def _named(file: FoundFile, catalog: Catalog) -> ModelFile | None:
    name = base_name(file.path)
    return next((one for one in catalog.files if one.name == name), None)


def _delete(file: FoundFile, title: str, saves: int = 0) -> Fix:
    return Fix(verb="delete", path=file.path, title=title, saves_bytes=saves)


def _issue(
    code: str,
    file: FoundFile,
    title: str,
    severity: str = "error",
    *,
    hint: str = "",
    fixes: tuple[Fix, ...] = (),
) -> Issue:
    return Issue(
        code=code, severity=severity, title=title, hint=hint, paths=(file.path,), fixes=fixes
    )


def _case_clashes(inventory: Inventory, catalog: Catalog) -> Iterator[Issue]:
    """Tell of names that differ in case only: one of them hides the other on a Windows drive."""
    alike: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for path in (*(file.path for file in inventory.files), *inventory.folders):
        folder, _, name = path.rpartition("/")
        alike[folder, name.casefold()].append(path)
    clashing = [sorted(set(paths)) for paths in alike.values() if len(set(paths)) > 1]
    for paths in clashing:
        names = " and ".join(clean_line(base_name(path), 80) for path in paths)
        yield Issue(
            code="case-clash",
            severity="warning",
            title=f"{names} differ in upper and lower case only",
            hint="on a Windows drive one hides the other: rename one",
            paths=tuple(paths),
        )
    taken = {path for paths in clashing for path in paths}
    yield from _other_case([one for one in inventory.files if one.path not in taken], catalog)


def _other_case(files: Sequence[FoundFile], catalog: Catalog) -> Iterator[Issue]:
    """Tell of a file of the catalogue that is written otherwise than workflows name it."""
    for file in files:
        entry = catalog.file(file.catalog_id)
        name = base_name(file.path)
        if entry is None or name == entry.name or name.casefold() != entry.name.casefold():
            continue
        to = f"{file.path.rpartition('/')[0]}/{entry.name}"
        yield Issue(
            code="case-clash",
            severity="note",
            title=f"workflows call it {entry.name}",
            paths=(file.path,),
            fixes=(Fix(verb="move", path=file.path, to=to, title=f"rename it to {entry.name}"),),
        )
