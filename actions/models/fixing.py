"""Plans that tidy up model files: remove, move, put into quarantine, make one file of two."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from actions.containers.verbs import new_plan_id
from actions.models.file_acts import FileAct, quarantine_place
from actions.models.fix_steps import (
    delete_step,
    distant,
    files_text,
    freed,
    longest,
    losses,
    move_step,
    same_file,
    staying,
    way,
)
from actions.models.inventory import look, model_folders
from actions.models.marks import Mark, from_data, lies_below, lock_of, mark_of
from actions.models.needed import fix_check, needed_now
from actions.models.targets_here import Here, files_here, places_of, together
from actions.plan import Asker, Check, Plan, Refusal, Step
from actions.session import Session
from actions.step_thread import Work
from console.errors import RefusedError, UsageError
from console.models.hashes import HashRecords
from console.text import clean_line
from console.units import format_bytes

_OPTIONS: dict[str, dict[str, type]] = {
    "rm": {"quarantine": bool, "also": list},
    "dedupe": {},
    "move-file": {"to": str},
    "delete-file": {},
    "quarantine-file": {},
    "link-file": {"to": str},
}
EVERYTHING = "all"
"""What `dedupe` is asked about where it is not about certain files."""


class FixVerbs:
    """Plans and performs what tidies up; every step looks at its file again before it acts."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def plan(self, verb: str, name: str, options: dict[str, Any], asker: Asker) -> Plan:
        """Make the plan of a verb for a file, a variant or (`dedupe`) everything.

        Args:
            verb: `rm`, `dedupe`, `move-file`, `delete-file`, `quarantine-file`, `link-file`.
            name: a path, of `rm` also what the catalogue knows; of `dedupe` a path or `all`.
            options: `to` (move-file, link-file), `quarantine` and `also`, more names (rm).
            asker: who asks.

        Raises:
            UsageError: no such file, or none in the models folders; a wrong option.
        """
        chosen = _checked(verb, options)
        if verb == "dedupe":
            return self._dedupe(name, asker)
        if verb == "rm":
            return self._rm(name, chosen, asker)
        mark = mark_of(_path(self._session, name), model_folders(self._session))
        title = clean_line(mark.name, 120)
        if verb == "link-file":
            step, checks = self._link(1, mark, _needed_to(chosen), certain=False, saves=mark.size)
            return self._made(verb, title, mark.path, (step,), checks, chosen, asker)
        here = Here(title=title, ident=mark.path, marks=(mark,))
        return self._one_file(verb, here, chosen, asker)

    def replan(self, plan: Plan) -> Plan:
        """Give the plan, refused where a job or a service needs one of its files by now.

        Whether the files are as they were, each step sees when it begins.
        """
        going = [one for one in plan.steps if one.options["act"] != "link"]
        marks = [from_data(step.options["file"]) for step in going]
        if not marks:
            return plan
        checks = needed_now(self._session, marks, places_of(self._session))
        refused = next((one for one in checks if one.verdict == "refuse"), None)
        if refused is None:
            return plan
        reason = Refusal(code=refused.id, title=refused.title, hint=refused.detail)
        return msgspec.structs.replace(
            plan, steps=(), verdict="refused", refusal=reason, checks=(*checks, *plan.checks)
        )

    def work(self, plan: Plan, step: Step) -> Work:  # noqa: ARG002 -- a step carries all it needs
        """Give what carries a step out."""
        return FileAct(self._session, step)

    def left_behind(self, plan: Plan) -> dict[str, Any]:
        """Say how many of a plan's files are where they were."""
        marks = [from_data(step.options["file"]) for step in plan.steps]
        here = sum(os.path.lexists(mark.path) for mark in marks)
        return {"text": f"{here} of {files_text(len(marks))} are at their places"}

    def rollback(self, plan: Plan, done: Sequence[Step], broken: Step | None) -> tuple[Step, ...]:  # noqa: ARG002 -- see below
        """Give no steps: what was done to one file is good whatever became of the next."""
        return ()

    def back(self, plan: Plan, left: Mapping[str, Any]) -> Plan:  # noqa: ARG002 -- disks are looked at
        """Make the plan that moves files back to where they were.

        Raises:
            RefusedError: they were deleted or linked (`undo.none`), or are gone (`undo.changed`).
        """
        moves = [one for one in plan.steps if one.options["act"] in {"move", "quarantine"}]
        if not moves:
            raise RefusedError(
                "undo.none",
                f"{plan.verb} {plan.target} cannot be taken back: nothing was kept for it",
                "gpuconsole models pull fetches again what the catalogue or the hub has",
            )
        roots, steps = model_folders(self._session), list[Step]()
        for number, step in enumerate(moves, start=1):
            was, now = from_data(step.options["file"]), str(step.options["to"])
            if not os.path.lexists(now):
                continue
            mark = mark_of(now, roots)
            if mark.inode == was.inode and not os.path.lexists(was.path):
                steps.append(move_step(number, "move", mark, was.path, f"Move {was.name} back"))
        if not steps:
            raise RefusedError(
                "undo.changed",
                f"{plan.verb} {plan.target} cannot be taken back: its files are not where it "
                "put them, or others are in their places",
            )
        marks = [from_data(step.options["file"]) for step in steps]
        checks = [fix_check("fix.finds-it", path=one.shown, to=clean_line(step.options["to"]))
                  for one, step in zip(marks, steps, strict=True)]  # fmt: skip
        # One move can be planned again under its own name; several are, by taking back again.
        alone = {"to": str(steps[0].options["to"])} if len(steps) == 1 else {}
        ident = steps[0].target_id if alone else plan.target_id
        return self._made("move-file", plan.target, ident, steps, checks, alone, plan.asker)

    def drop(self, plan: Plan) -> str:
        """Remove nothing: such a plan has nothing unfinished on disk."""
        return f"{plan.verb} {plan.target} left nothing unfinished"

    def _rm(self, name: str, options: Mapping[str, Any], asker: Asker) -> Plan:
        session = self._session
        places, roots = places_of(session), model_folders(session)
        names = [name, *options.get("also", ())]
        if len(names) > 1:
            # Of several, those are left that an attempt before this one has not removed yet.
            names = [one for one in names if "/" not in one or os.path.lexists(one)] or names
        here = files_here(session, names[0], roots, places)
        if len(names) > 1:
            here = together([here, *(files_here(session, one, roots, places) for one in names[1:])])
        chosen = {option: value for option, value in options.items() if value}
        quarantine = bool(chosen.get("quarantine"))
        if not here.marks:
            gone = [*here.checks, fix_check("fix.not-here", name=here.title)]
            return self._made("rm", here.title, here.ident, (), gone, chosen, asker)
        act = "quarantine" if quarantine else "delete"
        return self._going("rm", here, act, chosen, asker, places)

    def _one_file(self, verb: str, here: Here, chosen: dict[str, Any], asker: Asker) -> Plan:
        act = verb.removesuffix("-file")
        return self._going(verb, here, act, chosen, asker, places_of(self._session))

    def _going(
        self,
        verb: str,
        here: Here,
        act: str,
        chosen: dict[str, Any],
        asker: Asker,
        places: Mapping[str, str],
    ) -> Plan:
        """Plan what takes files away from where they are."""
        steps, checks = list[Step](), list(needed_now(self._session, here.marks, places))
        stay = staying(here.marks)
        for number, mark in enumerate(here.marks, start=1):
            if act == "delete":
                stays = (mark.device, mark.inode) in stay
                steps.append(delete_step(number, mark, stays=stays))
                checks += losses(mark, here.ids.get(mark.path, ""), stays=stays)
                continue
            to = (
                quarantine_place(mark)
                if act == "quarantine"
                else _target(self._session, mark, chosen)
            )
            title = f"Move {mark.name} to {clean_line(to, 300)}"
            steps.append(move_step(number, act, mark, to, title))
            checks += way(mark, to)
        if act == "delete":
            checks.insert(0, freed(here.marks))
        return self._made(
            verb, here.title, here.ident, steps, [*checks, *here.checks], chosen, asker
        )

    def _dedupe(self, name: str, asker: Asker) -> Plan:
        """Plan to make one file of each set of copies that lie on one file system."""
        from actions.models.duplicates import duplicates

        session = self._session
        wanted = "" if name == EVERYTHING else os.path.realpath(_path(session, name))
        if wanted and not os.path.lexists(wanted):
            shown = clean_line(name, 200)
            raise UsageError("models.no-file", f"there is no file or folder {shown}")
        roots = model_folders(session)
        steps, checks, saved = list[Step](), list[Check](), 0
        for issue in duplicates(look(session)):
            real = {os.path.realpath(path) for path in issue.paths}
            if wanted and not any(one == wanted or one.startswith(f"{wanted}/") for one in real):
                continue
            kept = issue.paths[-1]
            linked = {fix.path for fix in issue.fixes}
            for fix in issue.fixes:
                try:
                    step, told = self._link(
                        len(steps) + 1,
                        mark_of(fix.path, roots),
                        fix.to,
                        certain=issue.severity == "warning",
                        saves=fix.saves_bytes,
                    )
                except UsageError as error:  # one odd name, or one that is gone, stops no other
                    checks.append(fix_check("fix.left-alone", "warn", why=error.title))
                    continue
                steps.append(step)
                checks += told
                saved += fix.saves_bytes
            others = [path for path in issue.paths[:-1] if path not in linked]
            checks += [distant(path, kept) for path in others if not same_file(path, kept)]
        likely = any(check.id == "fix.reads-first" for check in checks)
        words = {"count": files_text(len(steps)), "size": format_bytes(saved)}
        summary = fix_check("fix.frees-up-to" if likely else "fix.frees", **words)
        if not steps:
            summary = fix_check("fix.no-duplicates")
        title = "copies" if not wanted else clean_line(Path(wanted).name, 120)
        checks = [summary, *checks]
        return self._made("dedupe", title, wanted or EVERYTHING, steps, checks, {}, asker)

    def _link(
        self, number: int, mark: Mark, to: str, *, certain: bool, saves: int
    ) -> tuple[Step, list[Check]]:
        """Plan to put a second name of one file in the place of another with the same bytes."""
        other = mark_of(os.path.realpath(_path(self._session, to)), model_folders(self._session))
        hashes = HashRecords(self._session.store, self._session.clock)
        known = hashes.recall(mark.path), hashes.recall(other.path)
        certain = certain or (bool(known[0]) and known[0] == known[1])
        words = {"path": mark.shown, "to": other.shown, "size": format_bytes(saves)}
        if mark.device != other.device:
            checks = [fix_check("fix.other-disk", "refuse", **words)]
        elif mark.inode == other.inode:
            checks = [fix_check("fix.one-name-already", "refuse", **words)]
        else:
            checks = [fix_check("fix.same-bytes" if certain else "fix.reads-first", **words)]
        title = f"Link {mark.name} to {other.shown}"
        return move_step(number, "link", mark, other.path, title), checks

    def _made(
        self,
        verb: str,
        target: str,
        ident: str,
        steps: Sequence[Step],
        checks: Sequence[Check],
        options: Mapping[str, Any],
        asker: Asker,
    ) -> Plan:
        refused = next((one for one in checks if one.verdict == "refuse"), None)
        warned = any(one.verdict == "warn" for one in checks)
        paths = [from_data(step.options["file"]).path for step in steps]
        paths += [str(step.options["to"]) for step in steps if step.options.get("to")]
        return Plan(
            id=new_plan_id(self._session),
            verb=verb,
            target=target,
            target_id=ident,
            steps=() if refused else tuple(steps),
            checks=tuple(checks),
            verdict="refused" if refused else ("warned" if warned else "ready"),
            refusal=Refusal(code=refused.id, title=refused.title, hint=refused.detail)
            if refused
            else None,
            options=dict(options),
            longest_seconds=longest(steps),
            locks=tuple(dict.fromkeys(lock_of(path) for path in paths)),
            subject="models",
            created_at=self._session.clock.now(),
            asker=asker,
        )


def _checked(verb: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Give the options that were set; UsageError for one that the verb does not have."""
    chosen = {name: value for name, value in options.items() if value is not None}
    for name, value in chosen.items():
        kind = _OPTIONS[verb].get(name)
        if kind is None or not isinstance(value, kind):
            shown = clean_line(name, 40).replace("_", "-")
            raise UsageError("plan.bad-option", f"{verb} has no option {shown} of that kind")
    return chosen


def _path(session: Session, name: str) -> Path:
    from console.paths import expand

    return expand(name, session.environ).absolute()


def _needed_to(chosen: Mapping[str, Any]) -> str:
    to = str(chosen.get("to", ""))
    if not to:
        raise UsageError(
            "plan.bad-option", "it has to be said where to: the option `to` is missing"
        )
    return to


def _target(session: Session, mark: Mark, chosen: Mapping[str, Any]) -> str:
    """Give where a file is moved to: a name, or a folder that is there, in a models folder."""
    to = _path(session, _needed_to(chosen))
    target = to / mark.name if to.is_dir() else to
    real = Path(os.path.realpath(target.parent)) / target.name
    if not any(lies_below(real, root) for root in model_folders(session)):
        shown = clean_line(str(real), 300)
        raise UsageError("models.outside", f"{shown} is in none of the models folders")
    return str(real)
