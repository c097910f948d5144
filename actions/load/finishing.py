"""The end of a run: its figures, its report, and what is kept of it for whoever asks later."""

import contextlib
from pathlib import Path
from typing import Any

import msgspec

from actions.load.carried import carried
from actions.load.folder import copied, folder_of, made
from actions.load.ledger import FOLDER, Ledger
from actions.load.model import Incident, LoadRequest, Outcome, Result, Sample
from actions.load.report import Written, unwritten, write_report
from actions.load.summary import named, outcome
from actions.plan import Plan
from actions.session import Session
from console.errors import ConsoleError
from console.files import read_limited, write_aside
from console.paths import expand
from console.unknown import plain

_LARGEST = 64 << 20


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What a run came to and what was seen meanwhile; `cards` by service, where known."""

    results: tuple[Result, ...]
    samples: tuple[Sample, ...] = ()
    incidents: tuple[Incident, ...] = ()
    cards: dict[str, str] = {}


def finish(session: Session, plan: Plan, seen: Seen) -> Outcome:
    """Work a run's figures out, write its report, and keep both; never raises for a disk."""
    request = carried(plan.options)
    cards = seen.cards or _planned_cards(plan, request)
    seen = msgspec.structs.replace(seen, results=named(seen.results, seen.incidents, cards))
    made_of = outcome(plan.id, request, seen.results, seen.samples, seen.incidents, cards)
    folder = folder_of(session, plan)
    written = _report(session, made_of, request, seen, folder)
    problems = list(written.problems)
    if written.report and request.out:
        try:
            copied(folder, expand(request.out, session.environ))
        except OSError as error:
            problems.append(unwritten(Path(request.out), error))
    whole = msgspec.structs.replace(
        made_of,
        folder=str(folder) if written.report else None,
        report=written.report or None,
        plots=written.plots,
        unavailable=tuple(_told(one, bool(written.report)) for one in problems),
    )
    keep(session, whole)
    Ledger(session.places.state_dir, plan.id).close(remove=True)
    return whole


def keep(session: Session, made_of: Outcome) -> None:
    """Keep a run's figures beside the journal, where a run that was cancelled has none."""
    path = session.places.state_dir / FOLDER / f"{made_of.id}.json"
    with contextlib.suppress(OSError):
        write_aside(path, msgspec.json.encode(plain(made_of)), durable=False)


def kept_data(session: Session, plan_id: str) -> dict[str, Any] | None:
    """Give a run's figures as they were kept; None where it has none, or not yet."""
    path = session.places.state_dir / FOLDER / f"{plan_id}.json"
    try:
        data = msgspec.json.decode(read_limited(path, _LARGEST))
    except (OSError, msgspec.DecodeError):
        return None
    return data if isinstance(data, dict) else None


def _report(
    session: Session, made_of: Outcome, request: LoadRequest, seen: Seen, folder: Path
) -> Written:
    try:
        made(session, folder)
    except OSError as error:
        return Written(problems=(unwritten(folder / "report.md", error),))
    return write_report(made_of, request, seen.results, seen.samples, seen.incidents, folder)


def _planned_cards(plan: Plan, request: LoadRequest) -> dict[str, str]:
    """Give the cards that the plan reckoned with, where nobody saw the services' own."""
    return {
        edit.service: fit.gpu_uuid
        for edit, fit in zip(request.edits, plan.fits, strict=False)
        if len(plan.fits) == len(request.edits)
    }


def _told(problem: ConsoleError, reported: bool) -> dict[str, Any]:
    field = "plots" if reported else "report"
    return {"field": field, "code": problem.code, "title": problem.title, "hint": problem.hint}
