"""Who needs a file now: a job that fetches it, a service that runs with it."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from actions.containers.words import worded
from actions.models.marks import Mark, place_of
from actions.models.rivals import fetching_now
from actions.plan import Check
from actions.services.snapshot import UP_STATES
from actions.session import Session
from console.errors import ConsoleError
from console.models.catalog import Catalog
from console.packaged import read_table
from console.text import clean_line
from console.transfer.part import PART, find_parts, is_ours, part_name


def fix_check(check_id: str, verdict: str = "pass", **values: object) -> Check:
    """Give a check of a plan that tidies up, in its packaged words."""
    return worded(read_table("fix_plans.toml")["checks"][check_id], check_id, verdict, values)


def needed_now(session: Session, marks: Iterable[Mark], paths: Mapping[str, str]) -> list[Check]:
    """Refuse what a job fetches or what a service that is up needs.

    Args:
        session: whose jobs, services and catalogue count.
        marks: of files that are to go.
        paths: where files of the catalogue lie, by their id.
    """
    marks = tuple(marks)
    checks = [*_jobs(session, marks)]
    return [*checks, *_services(session, marks, paths)]


def _jobs(session: Session, marks: tuple[Mark, ...]) -> Iterable[Check]:
    now = fetching_now(session)
    parts = {str(Path(path).with_name(part_name(Path(path).name))): path for path in now}
    for mark in marks:
        job = now.get(mark.path) or now.get(parts.get(mark.path, ""))
        job = job or _fetcher(mark)
        if job:
            yield fix_check("fix.in-use-by-job", "refuse", name=mark.name, job=job)


def _fetcher(mark: Mark) -> str:
    """Name the process that has a part, of whatever state directory it is."""
    if not (is_ours(mark.name) and mark.name.endswith(PART)):
        return ""
    for part in find_parts(Path(mark.path).parent):
        if part.part.name == mark.name and part.locked_by is not None:
            return f"process {part.locked_by}"
    return ""


def _services(
    session: Session, marks: tuple[Mark, ...], paths: Mapping[str, str]
) -> Iterable[Check]:
    """Look at the services once, and only where one has a variant that needs one of the files."""
    ours = {ident for ident, path in paths.items() for mark in marks if is_at(mark, path)}
    if ours:
        yield from _running(session, session.catalog, marks, ours)


def _running(
    session: Session, catalog: Catalog, marks: tuple[Mark, ...], ours: set[str]
) -> Iterable[Check]:
    from actions.status import read_status

    try:
        services = read_status(session).services
    except ConsoleError as error:
        yield fix_check("fix.services-unknown", "warn", why=error.title)
        return
    for status in services:
        variant = catalog.variant(status.service.variant) if status.service.variant else None
        if variant is None or not ours & set(variant.files):
            continue
        name = ", ".join(mark.name for mark in marks) if len(marks) < 3 else "some of the files"
        words = {"service": clean_line(status.service.name), "variant": variant.id, "name": name}
        if status.state in UP_STATES:
            yield fix_check("fix.in-use-by-service", "refuse", **words)


def is_at(mark: Mark, path: str) -> bool:
    """Tell whether a path leads to a marked file or link; another hard link of it does without."""
    return mark.path in {str(place_of(path)), os.path.realpath(path)}
