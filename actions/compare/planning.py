"""The plan of a comparison: variants one after another, then a report; who performs it."""

import secrets
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from actions.compare.asked import Asked, Course, asked_of, carry_course, course_of
from actions.compare.cases import shots_of
from actions.compare.choosing import Looked, look_at_all
from actions.compare.folder import folder_of
from actions.compare.model import COLD, MORE, Candidate
from actions.compare.words import check, table
from actions.containers.verbs import new_plan_id
from actions.edits.preparing import Prepared
from actions.plan import Asker, Check, Plan, Refusal, Step
from actions.session import Session
from actions.snapshot import HostSnapshot
from actions.step_thread import Work
from console.errors import RefusedError, UsageError
from console.units import format_duration

REPORT_STEP = "report"
_TOLERABLE = frozenset({"edit.service", "edit.picture", "edit.warning"})


class CompareVerbs:
    """Plans and performs `compare`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def plan(self, verb: str, name: str, options: dict[str, Any], asker: Asker) -> Plan:
        """Make the plan that compares variants with a workflow; nothing is changed by it.

        Args:
            verb: `compare`.
            name: of the workflow.
            options: `variants`, `seeds`, `steps`, and the fields of an `EditRequest` that all
                edits have in common.
            asker: who asks.

        Raises:
            UsageError: the edit makes no sense, or there is nothing to compare.
            PictureError, UnreachableError, ServiceFault: as of a single edit.
        """
        from actions.status import read_status

        session, asked = self._session, asked_of(name, options)
        snapshot = read_status(session)
        seeds = asked.seeds or (secrets.randbelow((1 << 32) - 1),)
        looked = look_at_all(session, asked, seeds[0], snapshot)
        prepared = next(one.prepared for one in looked if one.prepared is not None)
        candidates = tuple(one.candidate for one in looked)
        runs = [place for place, one in enumerate(candidates) if one.refusal is None]
        shots = shots_of(runs, seeds, asked.steps or (None,))
        most = int(table()["limits"]["edits"])
        if len(shots) > most:
            raise UsageError(
                "compare.too-many",
                f"that makes {len(shots)} edits, more than {most}",
                "Compare fewer variants, seeds or numbers of steps at once",
            )
        course = Course(
            request=msgspec.structs.replace(
                asked.request, workflow=prepared.workflow.name, service=prepared.service
            ),
            candidates=candidates,
            shots=shots,
            card=prepared.gpu_name,
        )
        ident = new_plan_id(session)
        checks = [*_looked_checks(looked), *self._checks(course, prepared, snapshot, ident)]
        return self._made(verb, ident, course, asked, prepared, checks, asker)

    def replan(self, plan: Plan) -> Plan:
        """Give the plan itself: each of its edits is looked at again before it is sent."""
        return plan

    def work(self, plan: Plan, step: Step) -> Work:
        """Give what runs a variant, or writes the report."""
        from actions.compare.running import ReportWork, VariantWork

        if step.id == REPORT_STEP:
            return ReportWork(self._session, plan)
        return VariantWork(self._session, plan, int(step.options["variant"]))

    def left_behind(self, plan: Plan) -> dict[str, Any]:
        """Say how many of its edits there are."""
        from actions.compare.running import edits_of

        edits = edits_of(self._session, plan, course_of(plan))
        return {"text": f"{len(edits)} of {len(course_of(plan).shots)} edits were made"}

    def rollback(self, plan: Plan, done: Sequence[Step], broken: Step | None) -> tuple[Step, ...]:  # noqa: ARG002 -- what was made is kept
        """Give no steps: pictures that were made are kept."""
        return ()

    def back(self, plan: Plan, left: Mapping[str, Any]) -> Plan:  # noqa: ARG002 -- see below
        """Refuse: pictures are removed by a plan of their own, which says how many.

        Raises:
            RefusedError: always (`undo.none`).
        """
        raise RefusedError(
            "undo.none",
            f"the last plan was compare {plan.target}: its pictures are kept",
            f"gpuconsole gallery list --group {plan.id} lists them, gallery rm removes some",
        )

    def drop(self, plan: Plan) -> str:
        """Cancel what nobody watches any more, and write the report of what there is."""
        from actions.compare.ending import conclude, has_edits
        from actions.compare.running import edits_of
        from actions.edits.running import cancel_left

        for edit in edits_of(self._session, plan, course_of(plan)).values():
            # One that only waits to be collected is finished: it stays as it is.
            if edit.state in {"queued", "running"}:
                cancel_left(self._session, edit)
        if not has_edits(self._session, plan):
            return "nothing of it was begun"
        written = conclude(self._session, plan, "It was cancelled before its end.").written
        where = f"; what there is is in {written.report}" if written.report else ""
        return f"its finished edits are kept{where}"

    def _checks(
        self, course: Course, prepared: Prepared, snapshot: HostSnapshot, ident: str
    ) -> Iterator[Check]:
        runs = [one for one in course.candidates if one.refusal is None]
        if not runs:
            return
        more = sum(one.why == MORE for one in course.shots) // len(runs)
        yield check(
            "compare.edits",
            count=_edits(len(course.shots)),
            variants=f"{len(runs)} variants" if len(runs) != 1 else runs[0].name,
            more=f", and {_edits(more)} more of other seeds or steps" if more else "",
        )
        yield check("compare.frees", service=prepared.service)
        families = sorted({one.family for one in runs})
        if len(families) > 1:
            yield check("compare.mixed-families", families=" and ".join(families))
        yield from _busy(snapshot, prepared.service)
        seconds = self._expected(course)
        if seconds is not None:
            yield check("compare.time", time=format_duration(seconds))
        at = self._session.clock.now()
        yield check("compare.folder", path=str(folder_of(self._session, ident, at)))

    def _expected(self, course: Course) -> float | None:
        """Give how long it takes by what such edits took before; None where some are not known."""
        from console.store.edits import EditRecords, Filter

        records, total = EditRecords(self._session.store), 0.0
        for place, one in enumerate(course.candidates):
            shots = course.of(place)
            if not shots:
                continue
            wanted = Filter(
                workflow=course.request.workflow,
                service=course.request.service,
                variant=one.id,
                states=("done",),
            )
            past = [edit.timings.total for edit in records.find(wanted, limit=6)]
            seconds = [each for each in past if each is not None]
            if not seconds:
                return None
            total += max(seconds) + (len(shots) - 1) * sum(seconds) / len(seconds)
        return total or None

    def _made(
        self,
        verb: str,
        ident: str,
        course: Course,
        asked: Asked,
        prepared: Prepared,
        checks: Sequence[Check],
        asker: Asker,
    ) -> Plan:
        left = [one for one in course.candidates if one.refusal is None]
        refusal = None if left else _nothing_left(course.candidates)
        # That something is left out is told and costs nothing; whatever else warns is asked about.
        warned = any(one.verdict == "warn" and one.id != "compare.left-out" for one in checks)
        now = self._session.clock.now()
        folder = folder_of(self._session, ident, now)
        steps = [*_variant_steps(course), _report_step(ident, folder)]
        return Plan(
            id=ident,
            verb=verb,
            target=course.request.workflow,
            target_id=course.request.workflow,
            steps=tuple(steps) if left else (),
            checks=tuple(checks),
            verdict="refused" if refusal else ("warned" if warned else "ready"),
            refusal=refusal,
            facts={
                "service": prepared.service,
                "gpu_uuid": prepared.gpu_uuid,
                "gpu_name": prepared.gpu_name,
                "edits": len(course.shots),
                "folder": str(folder),
            },
            options=carry_course(course, asked),
            longest_seconds=3600.0,
            # Two at once would unload each other's model, and measure nothing.
            locks=(f"compare-{prepared.service}",),
            subject="edits",
            endless=True,
            pausable=False,
            created_at=now,
            asker=asker,
        )


def _looked_checks(looked: Sequence[Looked]) -> Iterator[Check]:
    """Give what was looked at: once what is of the edit, then what is of each variant."""
    first = next(one.prepared for one in looked if one.prepared is not None)
    yield from (one for one in first.checks if one.id in _TOLERABLE)
    for one in looked:
        name, refusal = one.candidate.name, one.candidate.refusal
        if refusal is not None:
            words = check("compare.left-out", "warn", variant=name, why=refusal.title)
            yield msgspec.structs.replace(words, detail=refusal.hint)
        elif one.candidate.fit == "offload":
            yield check("compare.offload", "warn", variant=name, why=one.candidate.reason)
        elif not one.candidate.fit and one.candidate.id:
            why = one.candidate.reason or "its needs are not known"
            yield check("compare.unknown-fit", variant=name, why=why)


def _nothing_left(candidates: Sequence[Candidate]) -> Refusal:
    reasons = [one.refusal for one in candidates if one.refusal is not None]
    words = check("compare.nothing-left", "refuse", why="; ".join(dict.fromkeys(
        f"{one.name}: {one.refusal.title}" for one in candidates if one.refusal is not None
    )))  # fmt: skip
    hints = dict.fromkeys(one.hint for one in reasons if one.hint)
    hint = ". ".join([words.detail, *hints]) if len(hints) == 1 else words.detail
    return Refusal(code=words.id, title=words.title, hint=hint)


def _variant_steps(course: Course) -> Iterator[Step]:
    for place, candidate in enumerate(course.candidates):
        shots = course.of(place)
        if not shots:
            continue
        runs = ["cold", "warm"] + [f"{sum(one.why == MORE for one in shots)} more"] * (
            len(shots) > 2
        )
        cold = next(one for one in shots if one.why == COLD)
        yield Step(
            id=f"variant-{place + 1}",
            title=f"Run {candidate.name}: {', '.join(runs)}",
            touches=(f"service {course.request.service}",),
            command=_command(course, candidate, cold.seed),
            target_id=candidate.id,
            options={"variant": place},
        )


def _command(course: Course, candidate: Candidate, seed: int) -> str:
    """Give what a person would type for one edit of it; the prompt is left to them."""
    request = course.request
    words = ["gpuconsole", "edit", "--workflow", request.workflow, "--service", request.service]
    words += ["--variant", candidate.id] if candidate.id else []
    for image in request.images:
        words += ["--image", image]
    return f"{shlex.join([*words, '--seed', str(seed)])} --prompt …"


def _report_step(ident: str, folder: Path) -> Step:
    return Step(
        id=REPORT_STEP,
        title="Write the report",
        touches=(f"folder {folder}",),
        command=f"gpuconsole compare --report {ident}",
        undo=f"rm -r {shlex.quote(str(folder))}",
    )


def _busy(snapshot: HostSnapshot, service: str) -> Iterator[Check]:
    status = next((one for one in snapshot.services if one.name == service), None)
    if status is None:
        return
    from actions.service_verbs.jobs import jobs

    if waiting := jobs(status):
        yield check("compare.busy", "warn", service=service, count=_edits(waiting))


def _edits(count: int) -> str:
    return "1 edit" if count == 1 else f"{count} edits"
