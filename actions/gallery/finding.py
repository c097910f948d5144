"""Which edit, or which picture file, is meant."""

import os
import stat
from datetime import datetime
from pathlib import Path

import msgspec

from actions.session import Session
from console.edits.kept import STATES, KeptEdit
from console.errors import UsageError
from console.paths import expand
from console.store.edits import EditRecords, Filter
from console.text import clean_line


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """Edits, newest first, and how many there are of that kind."""

    edits: tuple[KeptEdit, ...]
    total: int


def one_edit(session: Session, name: str) -> KeptEdit:
    """Give an edit by its id, the only beginning of one, or `last`.

    Raises:
        UsageError: there is none (`edit.unknown`), or several begin so (`edit.ambiguous`).
    """
    found = EditRecords(session.store).one(name)
    if found is None:
        raise UsageError(
            "edit.unknown",
            f"there is no edit {clean_line(name, 40)}",
            "gpuconsole gallery list shows what is kept",
        )
    return found


def find_edits(session: Session, wanted: Filter, limit: int, before: str = "") -> Found:
    """Give the newest edits that are meant.

    Args:
        session: whose.
        wanted: which.
        limit: how many at most.
        before: id of an edit; only what comes after it, being older.
    """
    records = EditRecords(session.store)
    return Found(edits=records.find(wanted, limit, before), total=records.count(wanted))


def wanted_edits(
    *,
    workflow: str = "",
    variant: str = "",
    service: str = "",
    text: str = "",
    group: str = "",
    states: tuple[str, ...] = (),
    since: datetime | None = None,
    until: datetime | None = None,
) -> Filter:
    """Give what a person asks for as a filter.

    Raises:
        UsageError: a state that no edit can be in (`gallery.no-state`).
    """
    for state in states:
        if state not in STATES:
            raise UsageError(
                "gallery.no-state",
                f"no edit can be {clean_line(state, 40)}",
                f"The states are {', '.join(STATES)}",
            )
    return Filter(
        workflow=workflow,
        variant=variant,
        service=service,
        text=text,
        group=group,
        states=states,
        since=since,
        until=until,
    )


def variant_meant(session: Session, text: str) -> str:
    """Give the id of the variant that a person names; one that edits have needs no catalogue.

    Raises:
        UsageError: there is none of that name (`variant.unknown`).
    """
    if EditRecords(session.store).count(Filter(variant=text)):
        return text
    from actions.models.catalogue import variant_named

    return variant_named(session.needed_catalog(), text).id


def as_file(session: Session, name: str) -> Path | None:
    """Give the file that a name means rather than an edit's id; None where it means no file.

    What has a slash in it is a path; what has none is one where there is a file of that name here.
    """
    if not name or "\0" in name:
        return None
    path = expand(name, session.environ)
    if "/" in name:
        return Path(os.path.abspath(path))  # noqa: PTH100 -- links stay as they were typed
    try:
        there = stat.S_ISREG(path.stat().st_mode)
    except OSError:
        return None
    return path.absolute() if there else None
