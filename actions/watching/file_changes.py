"""Files that matter and changed: the config, compose files, and the models on disk."""

import logging
import os
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from actions.session import Session
from actions.snapshot import HostSnapshot
from console.packaged import read_table
from console.paths import expand
from console.store.rows import Happening
from console.text import clean_line
from console.units import format_bytes

log = logging.getLogger("gpuconsole.watching")

MOST_FILES = 100
NEW_WITHIN = timedelta(minutes=2)
MOST_MODELS = 5_000
NAMED = 4
SETTLED_SECONDS = 5.0
"""A model that was written to this lately is still on its way."""


def settings_files(
    session: Session, snapshot: HostSnapshot, known: Collection[str] = ()
) -> dict[str, Any]:
    """Give size and time of the config and of the compose files, by path.

    Args:
        session: whose config it is.
        snapshot: whose containers name compose files.
        known: paths that were looked at before: a file is there though its containers are gone,
            or the engine does not answer yet.
    """
    paths = {str(session.places.config_file)}
    paths |= {str(one.compose_file) for one in session.settings.services.values()}
    for container in snapshot.engine.containers:
        if container.compose is not None:
            paths |= {
                os.path.join(container.compose.working_dir, name)  # noqa: PTH118 -- as compose does
                for name in container.compose.config_files
            }
    found: dict[str, Any] = {}
    named = sorted(paths - {"None"})
    for path in [*named, *sorted(set(known) - paths)][:MOST_FILES]:
        stamp = _stamp(path)
        if stamp is not None and os.path.isabs(path):  # noqa: PTH117 -- many, and cheap
            found[path] = stamp
    return found


def settings_changes(
    before: Mapping[str, Any], after: Mapping[str, Any], now: datetime
) -> Iterator[Happening]:
    """Tell which of those files was written; one that is gone is told as such.

    A file that was not known before may be old, and named only by a container that is new: it is
    told only where it was written just now.
    """
    for path in {**before, **after}:
        was, is_now = before.get(path), after.get(path)
        if was == is_now:
            continue
        verb, at = ("removed", now) if is_now is None else ("edited", _time_of(is_now, now))
        if was is None and now - at > NEW_WITHIN:
            continue
        if is_now is None and _stamp(path) is not None:
            continue
        yield Happening(
            at=at,
            kind="config",
            subject=clean_line(Path(path).name, 100),
            key=f"file {path} {is_now}"[:400],
            body={
                "verb": verb,
                "outcome": "info",
                "text": f"{clean_line(path, 300)} was {verb}",
                "facts": {"path": path},
            },
        )


class ModelLook:
    """Looks through the model folders in threads that may hang with their disk; never waits."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._thread: threading.Thread | None = None
        self._found: dict[str, Any] | None = None

    def begin(self) -> None:
        """Begin to look, unless an earlier look still goes on."""
        if self._thread is not None and self._thread.is_alive():
            return
        paths = self._session.settings.paths
        named = [paths.models, *(root.models for root in paths.extra)]
        roots = [str(expand(str(one), self._session.environ)) for one in named if one is not None]
        if roots:
            self._thread = threading.Thread(
                target=self._look, args=(roots,), name="watch-models", daemon=True
            )
            self._thread.start()

    def take(self) -> dict[str, Any] | None:
        """Give what was found since the last time, once: size and time by path; else None."""
        found, self._found = self._found, None
        return found

    def _look(self, roots: list[str]) -> None:
        try:
            self._found = _models_in(roots)
        except Exception:
            log.exception("looking for models failed")


def _models_in(roots: Iterable[str]) -> dict[str, Any] | None:
    """Give size and time of every model by path; None where a root is away or they are too many."""
    found: dict[str, Any] = {}
    for root in roots:
        if not os.path.isdir(root):  # noqa: PTH112 -- a drive that is away is no lost models
            return None
        for path in _models_below(root):
            stamp = _stamp(path)
            if stamp is not None:
                found[path] = stamp
            if len(found) > MOST_MODELS:
                return None
    return found


def model_changes(
    before: Mapping[str, Any], after: Mapping[str, Any], now: datetime
) -> tuple[tuple[Happening, ...], dict[str, Any]]:
    """Tell which models came, went or were written anew.

    Returns:
        What happened, and what is known from now on: a file that is still being written stays as
        it was until it is whole.
    """
    known = dict(after)
    for path, stamp in after.items():
        if now.timestamp() - stamp[1] / 1e9 < SETTLED_SECONDS and stamp != before.get(path):
            if path in before:
                known[path] = before[path]
            else:
                del known[path]
    groups = {
        "added": [path for path in known if path not in before],
        "removed": [path for path in before if path not in known and path not in after],
        "changed": [path for path in known if path in before and before[path] != known[path]],
    }
    told = [_models(verb, paths, known, now) for verb, paths in groups.items() if paths]
    return tuple(told), known


def _models(verb: str, paths: list[str], known: Mapping[str, Any], now: datetime) -> Happening:
    names = [
        clean_line(Path(path).name, 120)
        + (f" ({format_bytes(known[path][0])})" if path in known else "")
        for path in paths[:NAMED]
    ]
    more = f" and {len(paths) - NAMED} more" if len(paths) > NAMED else ""
    count = "a model file was" if len(paths) == 1 else f"{len(paths)} model files were"
    subject = clean_line(Path(paths[0]).name, 120) if len(paths) == 1 else "models"
    return Happening(
        at=now,
        kind="models",
        subject=subject,
        key=f"models {verb} {paths[0]} {len(paths)}"[:400],
        body={
            "verb": verb,
            "outcome": "info",
            "text": f"{count} {verb}: {', '.join(names)}{more}",
            "facts": {"paths": paths[:50]},
        },
    )


def _models_below(root: str) -> Iterable[str]:
    for folder, below, names in os.walk(root):
        below[:] = [name for name in below if not name.startswith(".")]
        for name in names:
            if name.rpartition(".")[2].lower() in _extensions():
                yield os.path.join(folder, name)  # noqa: PTH118 -- a path object for each would cost as much


@cache
def _extensions() -> frozenset[str]:
    return frozenset(read_table("model_formats.toml")["extensions"])


def _stamp(path: str) -> list[int] | None:
    try:
        facts = os.stat(path)  # noqa: PTH116 -- as above
        path.encode()
    except (OSError, ValueError):
        return None
    return [facts.st_size, facts.st_mtime_ns]


def _time_of(stamp: list[int], now: datetime) -> datetime:
    """Give when a file was written; now where that is in the future or absurd."""
    try:
        at = datetime.fromtimestamp(stamp[1] // 1_000_000_000, UTC)
    except (OverflowError, OSError, ValueError):
        return now
    return min(at, now)
