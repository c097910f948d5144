"""What a comparison comes to: its rows, its advice, its report; from the edits that are kept."""

from pathlib import Path
from typing import Any

import msgspec

from actions.compare.apart import with_psnr
from actions.compare.asked import course_of
from actions.compare.figures import cells_of, heads_of
from actions.compare.folder import folder_of, make_folder
from actions.compare.model import Row
from actions.compare.ranking import advise, reference_of
from actions.compare.report import REPORT, SHEET, Compared, Written, write_report
from actions.compare.rows import refused_rows, rows_of
from actions.plan import Plan
from actions.session import Session
from console.edits.keep_faults import EditKeepError
from console.errors import ConsoleError
from console.store.edits import EditRecords
from console.unknown import plain


class Concluded(msgspec.Struct, frozen=True, kw_only=True):
    """How a comparison ended: its sentence, and all of it as JSON has it."""

    text: str
    data: dict[str, Any]
    written: Written


def conclude(session: Session, plan: Plan, note: str = "") -> Concluded:
    """Work out what was measured, and write the report into its folder; also into `--out`.

    It can be done again, and for a comparison that was cancelled: `note` says so in the report.

    Raises:
        UsageError: the plan is none of a comparison.
    """
    compared = compared_of(session, plan, note)
    return _concluded(plan, compared, _written(session, plan, compared))


def conclude_without_report(session: Session, plan: Plan) -> Concluded:
    """Work out what was measured and write nothing; a report that is there is named.

    Raises:
        UsageError: the plan is none of a comparison.
    """
    folder = folder_of(session, plan.id, plan.created_at)
    report, sheet = folder / REPORT, folder / SHEET
    there = Written(
        report=str(report) if report.is_file() else "",
        sheet=str(sheet) if sheet.is_file() else "",
    )
    return _concluded(plan, compared_of(session, plan), there)


def _concluded(plan: Plan, compared: Compared, written: Written) -> Concluded:
    rows = compared.rows
    unavailable = [
        {"field": name, "code": one.code, "title": one.title, "hint": one.hint}
        for name in ("report", "sheet", "plots")
        for one in written.problems[:1]
        if not getattr(written, name)
    ]
    data: dict[str, Any] = {
        "id": plan.id,
        "runs": [_run_data(row) for row in rows],
        "best": compared.advice.best,
        "why": compared.advice.why,
        "fastest": compared.advice.fastest or None,
        "reference": compared.reference,
        "sentence": compared.advice.sentence,
        "card": compared.card or None,
        "service": compared.service,
        "report": written.report or None,
        "sheet": written.sheet or None,
        "plots": list(written.plots),
        "heads": list(heads_of(rows)),
        "cells": [list(cells_of(row, heads_of(rows))) for row in rows],
        **({"unavailable": unavailable} if unavailable else {}),
    }
    where = f" Report: {written.report}" if written.report else ""
    return Concluded(text=f"{compared.advice.sentence}{where}", data=data, written=written)


def compared_of(session: Session, plan: Plan, note: str = "") -> Compared:
    """Work out what was measured, from the edits that are kept."""
    from actions.compare.running import edits_of

    course = course_of(plan)
    edits = edits_of(session, plan, course)
    rows = rows_of(course.candidates, course.shots, edits)
    reference = reference_of(course.candidates, rows)
    seeds, steps = plan.options.get("seeds") or [], plan.options.get("steps") or []
    first = course.shots[0].seed if course.shots else int((seeds or [0])[0])
    left_out = refused_rows(course.candidates, first, steps[0] if steps else None)
    rows = (*with_psnr(rows, reference), *left_out)
    card = next((row.gpu_name for row in rows if row.gpu_name), course.card)
    return Compared(
        ident=plan.id,
        at=plan.created_at,
        request=course.request,
        service=course.request.service,
        card=card,
        candidates=course.candidates,
        rows=rows,
        reference=reference,
        advice=advise(course.candidates, rows, card),
        note=note,
    )


def _written(session: Session, plan: Plan, compared: Compared) -> Written:
    """Write the report; also into the folder that was asked for, where it can be."""
    folder = folder_of(session, plan.id, plan.created_at)
    try:
        make_folder(session, folder)
    except EditKeepError as error:
        return Written(problems=(error,))
    written = write_report(compared, folder)
    out = compared.request.out
    if not out:
        return written
    beside = Path(out) / folder.name
    try:
        beside.mkdir(parents=True, mode=0o700, exist_ok=True)
    except OSError as error:
        said = error.strerror or str(error)
        problem = ConsoleError("compare.out", f"{beside} cannot be made: {said}")
        return msgspec.structs.replace(written, problems=(*written.problems, problem))
    other = write_report(compared, beside)
    return msgspec.structs.replace(written, problems=(*written.problems, *other.problems))


def _run_data(row: Row) -> dict[str, Any]:
    """Give a row as JSON has it."""
    data = plain(row)
    data["output"] = (
        {name: data.pop(name) for name in ("path", "sha256", "width", "height")}
        if row.path
        else None
    )
    for name in ("path", "sha256", "width", "height"):
        data.pop(name, None)
    data["variant"] = row.variant or None
    return data


def has_edits(session: Session, plan: Plan) -> bool:
    """Tell whether anything of a comparison was begun."""
    from console.store.edits import Filter

    return EditRecords(session.store).count(Filter(group=plan.id)) > 0
