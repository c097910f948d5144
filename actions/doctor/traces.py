"""What things tell of themselves, whoever watched: when they were made, written, started."""

import os
from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import PurePath

from actions.session import Session
from actions.snapshot import HostSnapshot
from console.engine.snapshot import Container
from console.store.model_files import ModelFileRecords
from console.store.rows import Happening
from console.text import clean_line
from console.unknown import Unknown

_MOST_FILES = 100
_NAMED = 4
_TOGETHER = timedelta(minutes=10)
"""Model files that were written within so long of each other are told of as one."""


def traces(
    session: Session, snapshot: HostSnapshot, containers: Collection[str]
) -> Iterator[Happening]:
    """Give when the host was started, containers were made, settings and models were written.

    Args:
        session: whose config and known model files.
        snapshot: the host as it is now.
        containers: ids of those whose making is of interest.
    """
    yield from _boot(snapshot)
    for one in snapshot.engine.containers:
        if one.id in containers and isinstance(one.created_at, datetime):
            yield _trace(
                one.created_at,
                "container",
                one.name,
                "create",
                f"created from {clean_line(one.image, 200)}",
                one.id,
            )
    yield from _settings(session, snapshot.engine.containers)
    yield from _models(session)


def _boot(snapshot: HostSnapshot) -> Iterator[Happening]:
    host = snapshot.host
    if isinstance(host, Unknown) or isinstance(host.uptime_seconds, Unknown):
        return
    at = snapshot.taken_at - timedelta(seconds=host.uptime_seconds)
    yield _trace(at, "host", "host", "boot", "the host (or its WSL) was started")


def compose_files(container: Container) -> Iterator[str]:
    """Give the paths of the files that compose made a container from; of labels, so any text."""
    compose = container.compose
    if compose is not None:
        for name in compose.config_files:
            yield os.path.join(compose.working_dir, name)  # noqa: PTH118 -- as compose does


def _settings(session: Session, containers: Collection[Container]) -> Iterator[Happening]:
    paths = [str(session.places.config_file)]
    for one in containers:
        paths += compose_files(one)
    for path in list(dict.fromkeys(paths))[:_MOST_FILES]:
        written = _written(path)
        if written is not None:
            name = clean_line(PurePath(path).name, 100)
            text = f"{clean_line(path, 300)} was edited"
            yield _trace(written, "config", name, "edited", text, facts={"path": path})


def _written(path: str) -> datetime | None:
    if not os.path.isabs(path):  # noqa: PTH117 -- may be any text of a label
        return None
    try:
        return datetime.fromtimestamp(os.stat(path).st_mtime, UTC)  # noqa: PTH116 -- as above
    except (OSError, ValueError, OverflowError):
        return None


def _models(session: Session) -> Iterator[Happening]:
    """Give model files by when they were written, those of one download or copy together."""
    group: list[tuple[datetime, str]] = []
    found = [(one.mtime_ns, one.path) for one in ModelFileRecords(session.store).all()]
    for mtime_ns, path in sorted(found):
        try:
            at = datetime.fromtimestamp(mtime_ns / 1e9, UTC)
        except (ValueError, OverflowError, OSError):
            continue
        if group and at - group[-1][0] > _TOGETHER:
            yield _group(group)
            group = []
        group.append((at, clean_line(PurePath(path).name, 120)))
    if group:
        yield _group(group)


def _group(group: list[tuple[datetime, str]]) -> Happening:
    names = [name for _, name in group]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    count = "a model file was" if len(names) == 1 else f"{len(names)} model files were"
    text = f"{count} written: {', '.join(names[:_NAMED])}{more}"
    subject = names[0] if len(names) == 1 else "models"
    return _trace(group[-1][0], "models", subject, "changed", text)


def _trace(
    at: datetime,
    kind: str,
    subject: str,
    verb: str,
    text: str,
    subject_id: str = "",
    facts: dict[str, str] | None = None,
) -> Happening:
    body = {"verb": verb, "outcome": "info", "text": text, "facts": facts or {}}
    return Happening(at=at, kind=kind, subject=subject, subject_id=subject_id, body=body)
