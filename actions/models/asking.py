"""Asking the hub what it has, and whether that is what the catalogue says."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from actions.models.targets import WantedFile, spec_of_entry
from actions.models.words import check
from actions.plan import Check
from actions.session import Session
from console.errors import UsageError
from console.hub.facts import HubFile
from console.models.hashes import HashRecords, figures

if TYPE_CHECKING:
    from console.hub.door import HubDoor
    from console.store.hub_files import HubRecords


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A file that is wanted, with what is known of it now.

    Attributes:
        hub: what the hub said; None where it was not asked, because all is here already.
        sha256: what its bytes must have; empty where only git's own hash is known.
        checks: of the hub's hash against the catalogue's.
    """

    wanted: WantedFile
    hub: HubFile | None
    path: Path
    size: int
    sha256: str
    checks: tuple[Check, ...] = ()


def ask_all(session: Session, wanted: Sequence[WantedFile], *, accept: bool) -> tuple[Asked, ...]:
    """Ask the hub for each file that is not here already.

    Args:
        session: whose environment names hub and token.
        wanted: the files.
        accept: take what the hub has now in place of what the catalogue says.

    Raises:
        ConsoleError: the hub's: unreachable, no such file, no access (`hub.…`).
        UsageError: it cannot be told which folder a file belongs in (`models.no-place`).
    """
    hashes = HashRecords(session.store, session.clock)
    asked: list[Asked] = []
    asking = _Asking(session, accept=accept)
    try:
        for one in wanted:
            here = None if accept else _right_already(one, hashes)
            asked.append(here if here is not None else asking.ask(one))
    finally:
        asking.close()
    return tuple(asked)


def _right_already(wanted: WantedFile, hashes: HashRecords) -> Asked | None:
    """Give a file of the catalogue that is at its place, by its hash; no hub is needed.

    Where nobody has taken its hash, its size tells: the job reads it first. Of another revision
    than the catalogue's nobody but the hub knows what it has.
    """
    entry, path = wanted.entry, wanted.path
    if entry is None or path is None or wanted.spec != spec_of_entry(entry):
        return None
    facts = figures(path)
    if facts is None or not entry.sha256 or not path.is_file():
        return None
    known = hashes.recall(path)
    if known != entry.sha256 and (known or facts.st_size != entry.bytes):
        return None
    return Asked(wanted=wanted, hub=None, path=path, size=facts.st_size, sha256=entry.sha256)


class _Asking:
    """The hub's door, opened at the first question."""

    def __init__(self, session: Session, *, accept: bool) -> None:
        self._session = session
        self._accept = accept
        self._door: HubDoor | None = None

    def ask(self, wanted: WantedFile) -> Asked:
        door, records = self._open()
        hub = door.file(wanted.spec)
        records.remember(hub, self._session.clock.now())
        checks = _against_catalogue(wanted, hub, records, accept=self._accept)
        path = wanted.path or _place_by_header(door, wanted, hub)
        entry = wanted.entry
        sha256 = hub.sha256 or (entry.sha256 if entry is not None and not checks else "") or ""
        return Asked(wanted=wanted, hub=hub, path=path, size=hub.size, sha256=sha256, checks=checks)

    def close(self) -> None:
        """Close the door, if it was opened."""
        if self._door is not None:
            self._door.close()

    def _open(self) -> "tuple[HubDoor, HubRecords]":
        from console.hub.door import HubDoor
        from console.store.hub_files import HubRecords

        if self._door is None:
            self._door = HubDoor(self._session.environ, self._session.clock)
        return self._door, HubRecords(self._session.store)


def _against_catalogue(
    wanted: WantedFile, hub: HubFile, records: "HubRecords", *, accept: bool
) -> tuple[Check, ...]:
    """Compare what the hub has with what the catalogue says; empty where they agree."""
    entry = wanted.entry
    if entry is None:
        return ()
    if entry.sha256 and hub.sha256:
        differs, code = entry.sha256 != hub.sha256, "models.hash-changed"
        words = {"hub": hub.sha256, "catalogue": entry.sha256}
    else:
        differs, code = entry.bytes not in {None, hub.size}, "models.size-changed"
        words = {"hub": str(hub.size), "catalogue": str(entry.bytes)}
    if not differs:
        return ()
    path = wanted.path.name if wanted.path else wanted.id
    if accept or (hub.sha256 and records.accepted(hub.spec.repo, hub.spec.path, hub.sha256)):
        return (check("pull.hash-accepted", "warn", name=path, **words),)
    return (check(code, "refuse", name=path, **words),)


def _place_by_header(door: "HubDoor", wanted: WantedFile, hub: HubFile) -> Path:
    """Tell by its first bytes which folder a file belongs in.

    Raises:
        UsageError: they do not tell (`models.no-place`).
    """
    from actions.models.by_header import folder_by_header

    folder = folder_by_header(door, hub, wanted.id)
    if not folder:
        raise UsageError(
            "models.no-place",
            f"neither its path nor its header tells which folder {wanted.id} belongs in",
            "Name it with --folder, such as loras, vae or diffusion_models; or the very folder "
            "with --to",
        )
    return wanted.root / folder / wanted.id
