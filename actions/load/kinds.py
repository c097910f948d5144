"""What a failure is called, and whether a request may be sent again: `assets/load.toml`."""

from collections.abc import Iterable
from functools import cache
from typing import Any

import msgspec

from actions.load.model import Incident
from console.edits.kept import EditError, KeptEdit
from console.edits.words import Trouble
from console.edits.words import trouble as edit_trouble
from console.packaged import read_table

OUT_OF_MEMORY, NOT_SENT, OTHER = "out-of-memory", "not-sent", "other"
QUEUE_FULL = "queue-full"
_SERVICE_DIED, _NODE_FAILED = "service-died", "node-failed"
_ENGINE, _CARD, _AWAY = "engine-restarted", "card-lost", "console-away"
_REMOVED, _NOT_FOUND, _RESTARTED = "edit.removed", "edit.not-found", "edit.restarted"
_QUEUE_GONE = frozenset({_REMOVED, _NOT_FOUND})
SEEN_SECONDS = 5.0
"""So long after it is felt may it be seen what went wrong on the host."""


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of failure; `pauses`: its service is left alone until it is well again."""

    name: str
    title: str
    pauses: bool = False
    codes: tuple[str, ...] = ()


class Course(msgspec.Struct, frozen=True, kw_only=True):
    """How a run goes; see the packaged table."""

    patience_seconds: float
    attempts: int
    most_requests: int
    most_at_once: int
    look_seconds: float


class Defaults(msgspec.Struct, frozen=True, kw_only=True):
    """What is taken where nothing is said; `comfyui` and `forge` are workflows."""

    requests: int
    at_once: int
    comfyui: str
    forge: str
    prompt: str


@cache
def _table() -> dict[str, Any]:
    return read_table("load.toml")


@cache
def course() -> Course:
    """Give the packaged rules of a run."""
    return msgspec.convert(_table()["course"], Course)


@cache
def defaults() -> Defaults:
    """Give the packaged defaults."""
    return msgspec.convert(_table()["defaults"], Defaults)


@cache
def kinds() -> dict[str, Kind]:
    """Give the kinds of failures by name, in their order."""
    several = msgspec.convert(_table()["kinds"], tuple[Kind, ...])
    return {one.name: one for one in several}


def notes() -> tuple[str, ...]:
    """Give how the figures of a report came about, a sentence each."""
    return tuple(_table()["report"]["notes"])


def checks() -> dict[str, Any]:
    """Give the words of a plan's checks."""
    entries: dict[str, Any] = _table()["checks"]
    return entries


def trouble(code: str, detail: str = "", **values: object) -> Trouble:
    """Give the packaged words for what goes wrong with a run itself."""
    entry = _table()["troubles"][code]
    title, hint = (str(entry[part]).format(**values) for part in ("title", "hint"))
    return Trouble(code=code, title=title, hint=hint, detail=detail)


def incident_title(incident: Incident) -> str:
    """Say what happened in a line."""
    words = str(_table()["incidents"][incident.kind])
    return words.format(subject=incident.subject, detail=incident.detail).rstrip(": ")


def kind_by_code(code: str) -> Kind:
    """Give the kind of a failure by its code alone."""
    for kind in kinds().values():
        if any(_means(one, code) for one in kind.codes):
            return kind
    return kinds()[OTHER]


def kind_of(
    error: EditError | None,
    begun: float,
    ended: float,
    service: str,
    card: str,
    incidents: Iterable[Incident],
) -> Kind:
    """Give the kind of a failure by its code and by what was seen of the host meanwhile.

    Args:
        error: of the edit; None where nobody can tell how it ended.
        begun: seconds since the run began, of the failed attempt.
        ended: when it was over.
        service: that it went to.
        card: UUID of that service's card; empty where it is not known.
        incidents: all of the run so far.
    """
    code = error.code if error else ""
    kind = kind_by_code(code)
    several = tuple(incidents)
    # It is seen a moment after it is felt.
    meanwhile = [one for one in several if one.lasts_at(begun, ended + SEEN_SECONDS)]
    if code in _QUEUE_GONE and any(_of_service(one, service) for one in meanwhile):
        kind = kinds()[_SERVICE_DIED]  # nobody took it off the queue: the queue itself is gone
    elif code == _NOT_FOUND and any(one.kind == _AWAY for one in several):
        return kinds()[_AWAY]  # only what an earlier process of this run has sent is looked for so
    if kind.name not in {_SERVICE_DIED, _NODE_FAILED, OTHER}:
        return kind
    lost = [one for one in several if one.kind == "card-lost" and one.ident == card]
    if kind.name == _NODE_FAILED:
        # A program whose card was gone once does not get it back before it is started anew.
        after = any(one.begun <= ended + SEEN_SECONDS for one in lost) and _speaks_of_card(error)
        return kinds()[_CARD] if after else kind
    if any(one in meanwhile for one in lost):
        return kinds()[_CARD]
    if kind.name == _SERVICE_DIED and any(one.kind == "engine-away" for one in meanwhile):
        return kinds()[_ENGINE]
    return kind


def error_as(error: EditError, kind: Kind, service: str) -> EditError:
    """Give an error in words that go with its kind: who lost a whole queue was not robbed of it."""
    if error.code != _REMOVED or kind_by_code(error.code) == kind:
        return error
    words = edit_trouble(_RESTARTED, error.detail, address=service)
    return EditError(code=words.code, title=words.title, hint=words.hint, detail=words.detail)


def surely_not_taken(edit: KeptEdit) -> bool:
    """Tell whether the service surely has not taken an edit, so that it may be sent again."""
    return edit.state == "failed" and not edit.submitted


def _means(entry: str, code: str) -> bool:
    return code.startswith(entry[:-1]) if entry.endswith("*") else code == entry


def _of_service(incident: Incident, service: str) -> bool:
    its = incident.kind in {"service-down", "service-restarted"} and incident.ident == service
    return its or incident.kind == "engine-away"


def _speaks_of_card(error: EditError | None) -> bool:
    words = "" if error is None else f"{error.title} {error.detail}".lower()
    return any(word in words for word in _table()["card"]["words"])
