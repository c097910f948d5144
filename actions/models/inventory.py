"""What lies in the model folders: the inventory, with what catalogue and hub say of each file."""

import os
from collections.abc import Iterable, Mapping

import msgspec

from actions.session import Session
from console.models.catalog import Catalog, ModelFile
from console.models.disk import right_size
from console.models.hashes import HashRecords
from console.models.inventory.found import FoundFile, Inventory, Root
from console.models.inventory.roots import ReadsModels, roots_of
from console.models.inventory.scan import scan
from console.store.hub_files import HubRecords

SHOULD_HAVE = frozenset({"safetensors", "gguf", "pickle"})
"""Formats that a hash is asked of; what is none of them is wrong anyway."""


def model_folders(session: Session, services: Iterable[ReadsModels] = ()) -> tuple[Root, ...]:
    """Give every place with models, the main one first.

    Args:
        session: whose config names them.
        services: found ones beside those of the config, whose compose files name more.
    """
    settings = session.settings
    return roots_of(settings, (*settings.services.values(), *services), session.environ)


def look(session: Session, services: Iterable[ReadsModels] = ()) -> Inventory:
    """Look through all model folders.

    Headers are read of new and changed files only. It asks disks, which may take seconds; call it
    from a thread where something else has to go on. Never raises.

    Args:
        session: whose config, store and catalogue count.
        services: as for `model_folders`.
    """
    records = HashRecords(session.store, session.clock)
    inventory = scan(model_folders(session, services), records)
    return known_of(session, inventory)


def known_of(session: Session, inventory: Inventory) -> Inventory:
    """Fill in which entry of the catalogue each file is, how its hash stands, whose part it is."""
    identify = _Identify(session.catalog, HubRecords(session.store), inventory.files)
    owners = _owners(session) if any(one.format == "part" for one in inventory.files) else {}
    files = tuple(
        msgspec.structs.replace(file, job_id=owners[file.path])
        if file.path in owners
        else identify(file)
        for file in inventory.files
    )
    return msgspec.structs.replace(inventory, files=files)


def wanted_hashes(file: ModelFile, hub: HubRecords, sha256: str = "") -> tuple[str, ...]:
    """Give the hashes that a file of the catalogue may have; none where nobody tells.

    Args:
        file: of the catalogue.
        hub: what the hub said, and which of its hashes the operator accepted.
        sha256: what it has, to see whether that was accepted.
    """
    from console.hub.facts import HubSpec

    found = [file.sha256] if file.sha256 else []
    if sha256 and hub.accepted(file.repo, file.path, sha256):
        found.append(sha256)
    if not found:
        told = hub.recall(HubSpec(repo=file.repo, path=file.path, revision=file.asked_revision))
        found += [told.sha256] if told is not None and told.sha256 else []
    return tuple(found)


class _Identify:
    """Says which entry of the catalogue a file is."""

    def __init__(self, catalog: Catalog, hub: HubRecords, files: Iterable[FoundFile]) -> None:
        self._hub = hub
        self._by_hash = {one.sha256: one for one in catalog.files if one.sha256}
        self._by_name: dict[str, list[ModelFile]] = {}
        for entry in catalog.files:
            for name in {entry.name, entry.path.rpartition("/")[2]}:
                self._by_name.setdefault(name.lower(), []).append(entry)
        # A hard link that was never hashed has the hash of its other name.
        self._by_inode = {
            (one.device, one.inode, one.size): one.sha256 for one in files if one.sha256
        }

    def __call__(self, file: FoundFile) -> FoundFile:
        """Give the file with its entry, hash and the state of that."""
        if file.format not in SHOULD_HAVE:
            return file
        key = (file.device, file.inode, file.size)
        sha256 = file.sha256 or self._by_inode.get(key, "")
        entry = self._by_hash.get(sha256) if sha256 else None
        entry = entry or self._named(file)
        if not sha256 and entry is None:
            return file
        return msgspec.structs.replace(
            file,
            sha256=sha256,
            catalog_id="" if entry is None else entry.id,
            hash_state=self._state(entry, sha256),
        )

    def _named(self, file: FoundFile) -> ModelFile | None:
        name = os.path.basename(file.path).lower()  # noqa: PTH119 -- may hold any bytes
        alike = self._by_name.get(name, ())
        return next((one for one in alike if right_size(one, file.size)), None)

    def _state(self, entry: ModelFile | None, sha256: str) -> str:
        if not sha256:
            return "unchecked"
        wanted = () if entry is None else wanted_hashes(entry, self._hub, sha256)
        if not wanted:
            return "known"
        return "checked" if sha256 in wanted else "differs"


def _owners(session: Session) -> Mapping[str, str]:
    """Give for each part, by its path, the job that can go on with it."""
    from actions.jobs import read_jobs
    from console.transfer.part import part_name

    owners = {}
    for job in read_jobs(session):
        for one in job.files:
            folder, _, name = one.path.rpartition("/")
            owners[f"{folder}/{part_name(name)}"] = job.id
    return owners
