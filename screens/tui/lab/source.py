"""Where the lab gets what it shows; everything here is called in a thread."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import msgspec

from actions.edits.request import EditRequest
from actions.fit.model import Fit
from actions.plan import Check, Refusal
from actions.session import Session
from actions.snapshot import HostSnapshot
from actions.workflows.workflow import Workflow
from console.edits.kept import KeptEdit, KeptPicture
from console.models.catalog import Catalog, Variant
from console.unknown import Unknown

if TYPE_CHECKING:
    from console.pictures.look import PictureFacts

# Workflows, pictures and the database are imported in the thread that uses them.


class Bench(msgspec.Struct, frozen=True, kw_only=True):
    """What an edit is put together from.

    Attributes:
        workflows: those that ship with the program, then the operator's own.
        problems: the operator's own that cannot be read, by their files.
        folder: where the operator's own belong.
        catalog: the models.
    """

    workflows: tuple[Workflow, ...]
    problems: tuple[tuple[str, Unknown], ...] = ()
    folder: str = ""
    catalog: Catalog

    def workflow(self, name: str) -> Workflow | None:
        """Give a workflow by its name; the first where there is none of that name."""
        found = next((one for one in self.workflows if one.name == name), None)
        return found or (self.workflows[0] if self.workflows else None)

    def variants(self, workflow: Workflow) -> tuple[Variant, ...]:
        """Give the variants that a workflow is made for."""
        return tuple(one for one in self.catalog.variants if one.family in workflow.families)


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """What speaks for and against the edit that the form holds.

    Attributes:
        service, variant: that it would run on and with.
        fit: the pre-check of this very edit; None where none is made, as for Forge.
        checks: everything that was looked at.
        refusal: why it will not be sent; None where it may.
        steps, cfg, size: as they stand in what would be sent; None where the workflow has none.
        pulls: what `gpuconsole models pull` would have to fetch first.
        verdict: `ready`, `warned` or `refused`.
    """

    service: str = ""
    variant: str = ""
    fit: Fit | None = None
    checks: tuple[Check, ...] = ()
    refusal: Refusal | None = None
    steps: int | None = None
    cfg: float | None = None
    size: tuple[int, int] | None = None
    pulls: tuple[str, ...] = ()
    verdict: str = "ready"


class LabSource(Protocol):
    """What the lab needs of the actions."""

    def bench(self) -> Bench:
        """Read workflows and catalogue."""
        ...

    def edits(self, limit: int) -> tuple[KeptEdit, ...]:
        """Give the newest edits of all consoles."""
        ...

    def words(self, workflow: str, negative: bool) -> tuple[str, ...]:
        """Give the prompts that were used, newest first: this workflow's, then all others."""
        ...

    def check(self, request: EditRequest, snapshot: HostSnapshot) -> Checked:
        """Check the edit that the form holds; changes nothing."""
        ...

    def facts(self, path: str) -> PictureFacts:
        """Look at a picture's header."""
        ...

    def again(self, edit: KeptEdit) -> EditRequest:
        """Give the request that makes an edit once more, its pictures found."""
        ...

    def save(self, pictures: Sequence[KeptPicture], folder: str) -> Sequence[str]:
        """Copy pictures into a folder without replacing anything; gives their paths there."""
        ...


class SessionLab:
    """The real one."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def bench(self) -> Bench:
        """Read workflows and catalogue."""
        from actions.workflows.shelf import open_shelf

        shelf = open_shelf(self._session)
        return Bench(
            workflows=shelf.workflows,
            problems=shelf.problems,
            folder=str(shelf.folder),
            catalog=self._session.catalog,
        )

    def edits(self, limit: int) -> tuple[KeptEdit, ...]:
        """Give the newest edits of all consoles."""
        from console.store.edits import EditRecords

        return EditRecords(self._session.store).find(limit=limit)

    def words(self, workflow: str, negative: bool) -> tuple[str, ...]:
        """Give the prompts that were used, newest first."""
        from console.store.edits import EditRecords

        records = EditRecords(self._session.store)
        read = records.negatives if negative else records.prompts
        own = read(workflow)
        return (*own, *(text for text in read() if text not in own))

    def check(self, request: EditRequest, snapshot: HostSnapshot) -> Checked:
        """Check the edit that the form holds."""
        from screens.tui.lab.checking import check

        return check(self._session, request, snapshot)

    def facts(self, path: str) -> PictureFacts:
        """Look at a picture's header."""
        from console.pictures.look import look

        return look(Path(path))

    def again(self, edit: KeptEdit) -> EditRequest:
        """Give the request that makes an edit once more."""
        from actions.gallery.again import request_of

        return request_of(edit)

    def save(self, pictures: Sequence[KeptPicture], folder: str) -> Sequence[str]:
        """Copy pictures into a folder."""
        from screens.tui.lab.saving import save

        return save(self._session, pictures, folder)
