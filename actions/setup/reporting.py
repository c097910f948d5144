"""How a step of setup stands, for views and JSON, by what it found or what it failed with."""

import msgspec

from actions.setup.report import Look, StepReport
from actions.setup.words import words
from console.errors import ConsoleError


def report_of(ident: str, look: Look, diff: str) -> StepReport:
    """Give how a step stands by its look; `diff` is what its values change in the config."""
    named = words().steps[ident]
    plan = look.plan
    steps = tuple(one.command for one in plan.steps) if plan is not None else ()
    parts = (diff, look.diff, plan.diff if plan is not None else "")
    return StepReport(
        id=ident,
        title=named.title,
        why=named.why,
        state=look.state,
        detail=look.detail,
        found=look.found,
        proposes=look.proposes,
        diff="\n".join(part for part in parts if part),
        steps=steps or ((look.command,) if look.command else ()),
        commands=look.commands,
        asks=look.asks,
        table=look.table,
        layouts=look.layouts,
        pictures=look.pictures,
        able=bool(look.values or look.plan or look.write or look.folder),
        runs=plan is not None,
    )


def failed(report: StepReport, error: ConsoleError) -> StepReport:
    """Give how a step stands that was begun and did not end well; what helps comes first."""
    hint = (error.hint,) if error.hint else ()
    return msgspec.structs.replace(
        report,
        state="failed",
        detail=error.title,
        found=tuple(error.detail.splitlines()) or report.found,
        commands=(*hint, *report.commands),
        exit_code=int(error.exit_code),
    )
