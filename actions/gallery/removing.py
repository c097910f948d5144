"""Plans that take edits away: their pictures, and what is known of them."""

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from actions.containers.verbs import new_plan_id
from actions.containers.words import worded
from actions.edits.places import outputs_root
from actions.gallery.finding import one_edit
from actions.gallery.holdings import Holdings, holdings
from actions.gallery.remove_work import RemoveWork
from actions.journal import Journal
from actions.plan import Asker, Check, Plan, Refusal, Step
from actions.session import Session
from actions.step_thread import Work
from console.edits.kept import KeptEdit
from console.errors import RefusedError, UsageError
from console.packaged import read_table
from console.store.edits import EditRecords, Filter
from console.text import clean_line
from console.units import format_bytes

VERB = "gallery-rm"
SELECTED = "all"
"""What such a plan is asked about where options say which edits are meant."""
_OPTIONS: dict[str, type] = {"also": list, "before": str, "failed": bool, "group": str}
_UNDER_WAY = frozenset({"queued", "running", "uncollected"})
_BAD_ENDS = ("failed", "cancelled", "interrupted")
_SECONDS = 10.0
_EACH_SECONDS = 0.1
_SLOW_RATE = 20e6
_MOST = 20_000
_SHOWN = 3
_BARE = 4


class GalleryVerbs:
    """Plans and performs the removal of edits; each is looked at again before it goes."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def plan(self, verb: str, name: str, options: dict[str, Any], asker: Asker) -> Plan:
        """Make the plan that removes edits with all their pictures.

        Args:
            verb: `gallery-rm`.
            name: an edit's id, or `all` where options say which.
            options: `also`, more ids; or, with `all`: `before`, an ISO time; `failed`, those that
                came to nothing; `group`, those of a comparison or load run.
            asker: who asks.

        Raises:
            UsageError: no such edit, or an option that makes no sense.
        """
        chosen = _checked(verb, options)
        picked = self._picked(name, chosen)
        return self._made(name, picked, chosen, asker)

    def replan(self, plan: Plan) -> Plan:
        """Make the same plan from what is true now; the edits are those it was made for."""
        records = EditRecords(self._session.store)
        found = (records.get(edit_id) for edit_id in _ids(plan))
        picked = [one for one in found if one is not None]
        made = self._made(plan.target_id, picked, dict(plan.options), plan.asker)
        return msgspec.structs.replace(made, id=plan.id, target_id=plan.target_id)

    def work(self, plan: Plan, step: Step) -> Work:  # noqa: ARG002 -- a step carries all it needs
        """Give what carries the step out."""
        return RemoveWork(self._session, step)

    def left_behind(self, plan: Plan) -> dict[str, Any]:
        """Say how many of a plan's edits are still there."""
        records, ids = EditRecords(self._session.store), _ids(plan)
        there = sum(records.get(edit_id) is not None for edit_id in ids)
        return {"text": f"{there} of {edits_text(len(ids))} are still there"}

    def rollback(self, plan: Plan, done: Sequence[Step], broken: Step | None) -> tuple[Step, ...]:  # noqa: ARG002 -- see below
        """Give no steps: what is removed is gone, the rest is as it was."""
        return ()

    def back(self, plan: Plan, left: Mapping[str, Any]) -> Plan:  # noqa: ARG002 -- there is none
        """Refuse.

        Raises:
            RefusedError: always (`undo.none`): nothing was kept for it.
        """
        raise RefusedError(
            "undo.none",
            f"the removal of {plan.target} cannot be taken back: the pictures were destroyed",
            "gpuconsole timeline tells what was asked for; the same seed makes the same picture",
        )

    def drop(self, plan: Plan) -> str:
        """Remove nothing: such a plan has nothing unfinished on disk."""
        return f"the removal of {plan.target} left nothing unfinished"

    def _picked(self, name: str, chosen: Mapping[str, Any]) -> list[KeptEdit]:
        """Give the edits that are meant, each once."""
        filters = {"before", "failed", "group"}.intersection(chosen)
        if name != SELECTED:
            if filters:
                raise UsageError(
                    "plan.bad-option", "either edits are named, or options say which, not both"
                )
            named = [one_edit(self._session, one) for one in (name, *chosen.get("also", ()))]
            return list({one.id: one for one in named}.values())
        if not filters:
            raise UsageError(
                "gallery.all",
                "it has to be said which edits are to go",
                "Name them, or give --before, --failed or --group",
            )
        wanted = Filter(
            until=_moment(chosen["before"]) if "before" in chosen else None,
            states=_BAD_ENDS if chosen.get("failed") else (),
            group=str(chosen.get("group", "")),
        )
        return list(EditRecords(self._session.store).find(wanted, _MOST))

    def _made(
        self, name: str, picked: Sequence[KeptEdit], chosen: dict[str, Any], asker: Asker
    ) -> Plan:
        jobs = self._jobs(picked)
        going = [one for one in picked if one.id not in jobs]
        checks = list(self._about_jobs(name, picked, jobs))
        refused = next((one for one in checks if one.verdict == "refuse"), None)
        held = holdings(self._session, going)
        if refused is None:
            checks += [*_checks(going, held), *self._reports(chosen)]
        target = _target(name, picked)
        step = _step(target, going, held, chosen)
        steps = (step,) if going and refused is None else ()
        return Plan(
            id=new_plan_id(self._session),
            verb=VERB,
            target=target,
            target_id=picked[0].id if name != SELECTED and picked else name,
            steps=steps,
            checks=tuple(checks),
            verdict=_verdict(checks),
            refusal=Refusal(code=refused.id, title=refused.title, hint=refused.detail)
            if refused
            else None,
            options=dict(chosen),
            longest_seconds=step.longest_seconds or _SECONDS,
            locks=("gallery",),
            subject="edits",
            created_at=self._session.clock.now(),
            asker=asker,
        )

    def _reports(self, chosen: Mapping[str, Any]) -> Iterable[Check]:
        """Say where the report of a comparison or load run is, which has pictures in it too."""
        group = str(chosen.get("group", ""))
        if not re.fullmatch(r"[\w-]+", group):
            return
        for folder in sorted(outputs_root(self._session).glob(f"*/*-{group}")):
            if folder.is_dir():
                yield gallery_check("gallery.report-stays", "warn", name=folder)

    def _jobs(self, picked: Iterable[KeptEdit]) -> dict[str, str]:
        """Give the jobs that still work on edits, by the edit's id."""
        open_ones = [one for one in picked if one.state in _UNDER_WAY]
        if not open_ones:
            return {}
        now = {row.id for row in Journal(self._session).under_way()}
        pairs = ((one.id, next((job for job in (one.id, one.group) if job in now), ""))
                 for one in open_ones)  # fmt: skip
        return {edit_id: job for edit_id, job in pairs if job}

    def _about_jobs(
        self, name: str, picked: Sequence[KeptEdit], jobs: Mapping[str, str]
    ) -> Iterable[Check]:
        """Refuse what was named and is under way; of a selection it is left out."""
        if name == SELECTED:
            if jobs:
                yield gallery_check("gallery.left-out", "warn", count=edits_text(len(jobs)))
            return
        for one in picked:
            if one.id in jobs:
                yield gallery_check("gallery.under-way", "refuse", id=one.id, job=jobs[one.id])


def gallery_check(check_id: str, verdict: str = "pass", **values: object) -> Check:
    """Give a check of a plan about the gallery, in its packaged words."""
    return worded(read_table("gallery_plans.toml")["checks"][check_id], check_id, verdict, values)


def edits_text(count: int) -> str:
    """Give a number of edits in words."""
    return "1 edit" if count == 1 else f"{count} edits"


def pictures_text(count: int) -> str:
    """Give a number of pictures in words."""
    return "1 picture" if count == 1 else f"{count} pictures"


def _checks(going: Sequence[KeptEdit], held: Holdings) -> Iterable[Check]:
    """Say what removing edits destroys, and what stays."""
    if not going:
        yield gallery_check("gallery.none")
        return
    count = edits_text(len(going))
    if held.files:
        words = {"pictures": pictures_text(held.files), "size": format_bytes(held.size)}
        yield gallery_check("gallery.destroys", "warn", count=count, **words)
    else:
        yield gallery_check("gallery.forgets", count=count)
    waiting = sum(one.state == "uncollected" for one in going)
    if waiting:
        yield gallery_check("gallery.uncollected", "warn", count=edits_text(waiting))
    if held.shared:
        yield gallery_check("gallery.shared", count=pictures_text(held.shared))
    if held.missing:
        yield gallery_check("gallery.missing", count=pictures_text(held.missing))
    for name, why in held.strange[:_SHOWN]:
        yield gallery_check("gallery.left-alone", "warn", name=name, why=why)
    if held.files:
        yield gallery_check("gallery.copies-stay")


def _verdict(checks: Iterable[Check]) -> str:
    verdicts = {one.verdict for one in checks}
    if "refuse" in verdicts:
        return "refused"
    return "warned" if "warn" in verdicts else "ready"


def _step(
    target: str, going: Sequence[KeptEdit], held: Holdings, chosen: Mapping[str, Any]
) -> Step:
    size = f" ({format_bytes(held.size)})" if held.files else ""
    return Step(
        id="remove",
        title=clean_line(f"Remove {target}: {pictures_text(held.files)}{size}"),
        touches=tuple(f"edit {one.id}" for one in going[:_SHOWN]),
        command=_command(going, chosen),
        destructive=True,
        longest_seconds=max(_SECONDS, _EACH_SECONDS * len(going) + 2 * held.size / _SLOW_RATE),
        options={"edits": [[one.id, one.state, len(one.pictures)] for one in going]},
    )


def _command(going: Sequence[KeptEdit], chosen: Mapping[str, Any]) -> str:
    """Give the command line that asks for the same."""
    words = ["gpuconsole", "gallery", "rm", "--yes"]
    words += ["--failed"] if chosen.get("failed") else []
    for name in ("before", "group"):
        words += [f"--{name}", str(chosen[name])] if chosen.get(name) else []
    if len(words) == _BARE:
        words += [one.id for one in going]
    return shlex.join(clean_line(word, 60) for word in words)


def _target(name: str, picked: Sequence[KeptEdit]) -> str:
    if name != SELECTED and len(picked) == 1:
        return f"edit {picked[0].id}"
    return edits_text(len(picked))


def _ids(plan: Plan) -> list[str]:
    """Give the edits that a plan was made for."""
    return [str(edit[0]) for step in plan.steps for edit in step.options["edits"]]


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError as error:
        raise UsageError("plan.bad-option", "`before` is an ISO time") from error


def _checked(verb: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Give the options that were set; UsageError for one that the verb does not have."""
    if verb != VERB:
        raise UsageError("plan.unknown-verb", f"there is no verb {clean_line(verb, 40)}")
    chosen = {name: value for name, value in options.items() if value}
    for name, value in chosen.items():
        kind = _OPTIONS.get(name)
        if kind is None or not isinstance(value, kind):
            shown = clean_line(name, 40).replace("_", "-")
            raise UsageError("plan.bad-option", f"gallery rm has no option {shown} of that kind")
    return chosen
