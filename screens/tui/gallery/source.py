"""Where the gallery gets what it shows; everything here is called in a thread."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Protocol

import msgspec

from actions.session import Session
from console.edits.kept import KeptEdit
from screens.tui.gallery.state import STATES, Wanted

# The database and the rules of what is kept are imported in the thread that uses them.

_NAMED = 400
"""The newest edits, whose workflows, variants and services may be chosen from."""


class Hung(msgspec.Struct, frozen=True, kw_only=True):
    """The edits that are listed.

    Attributes:
        edits: newest first.
        total: how many there are of this kind, listed or not.
        files: what became of each picture's file, by its path: `kept`, `missing` or `changed`.
    """

    edits: tuple[KeptEdit, ...] = ()
    total: int = 0
    files: Mapping[str, str] = {}


class Names(msgspec.Struct, frozen=True, kw_only=True):
    """What edits may be chosen by, each sorted."""

    workflows: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()
    services: tuple[str, ...] = ()


class GallerySource(Protocol):
    """What the gallery needs of the actions."""

    def find(self, wanted: Wanted, most: int) -> Hung:
        """Give the newest edits that are wanted."""
        ...

    def names(self) -> Names:
        """Give what edits may be chosen by."""
        ...

    def collect(self, edit_id: str) -> tuple[str, bool]:
        """Fetch what a service has made of an edit; gives what came of it, and if well.

        Raises:
            ConsoleError: it cannot be fetched at all, such as by a console that is read-only.
        """
        ...


class SessionGallery:
    """The real one. What is as it was the last time is the very same object."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._lock = threading.Lock()
        self._last: Hung | None = None

    def find(self, wanted: Wanted, most: int) -> Hung:
        """Give the newest edits that are wanted."""
        from actions.gallery.data import state_of
        from actions.gallery.finding import find_edits, wanted_edits

        meant = wanted_edits(
            workflow=wanted.workflow,
            variant=wanted.variant,
            service=wanted.service,
            text=wanted.text,
            group=wanted.group,
            states=STATES[wanted.states],
        )
        found = find_edits(self._session, meant, most)
        files = {one.path: state_of(one) for edit in found.edits for one in edit.pictures}
        hung = Hung(edits=found.edits, total=found.total, files=files)
        with self._lock:
            if hung != self._last:
                self._last = hung
            return self._last

    def names(self) -> Names:
        """Give the workflows, variants and services of the newest edits."""
        from actions.gallery.finding import find_edits, wanted_edits

        edits = find_edits(self._session, wanted_edits(), _NAMED).edits

        def all_of(field: str) -> tuple[str, ...]:
            return tuple(sorted({getattr(one, field) for one in edits} - {""}))

        return Names(
            workflows=all_of("workflow"), variants=all_of("variant"), services=all_of("service")
        )

    def collect(self, edit_id: str) -> tuple[str, bool]:
        """Fetch what a service has made of an edit; one that is computed there is waited for."""
        from actions.gallery.collecting import COLLECTED, UNDER_WAY, collect
        from actions.gate import as_error, refusal

        reason = refusal(self._session)
        if reason is not None:
            raise as_error(reason)
        for one in collect(self._session, (edit_id,), lambda _: None, lambda: ""):
            if one.outcome == COLLECTED:
                return "its pictures are here now", True
            if one.outcome == UNDER_WAY:
                return "a job is at it already and brings it here", True
            error = one.error
            if error is not None:
                return f"{error.title}; {error.hint}" if error.hint else error.title, False
        return "there is nothing of it to be fetched", False
