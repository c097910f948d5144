"""The plan that fetches models: what comes from where, what is here, what it takes."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from actions.containers.verbs import new_plan_id
from actions.models.asking import ask_all
from actions.models.board import Board
from actions.models.item import (
    Item,
    item_of,
    items_of,
    options_of,
    survives_the_journal,
)
from actions.models.known import known_files
from actions.models.pulling import FileWork
from actions.models.room import answering, folder_checks, room_checks
from actions.models.suits import suit_checks
from actions.models.targets import Target, target_of
from actions.models.there import Looker
from actions.models.words import check
from actions.plan import Asker, Check, Plan, Refusal, Step
from actions.session import Session
from actions.step_thread import Work
from console.errors import RefusedError, UsageError
from console.hub.spec import spec_text
from console.text import clean_line
from console.transfer.faults import TransferFault
from console.units import format_bytes, format_duration

_OPTIONS = {
    "folder": str,
    "to": str,
    "accept_new_hash": bool,
    "link": bool,
    "limit": int,
}
_DOES = {"fetch": "fetches", "link": "links", "keep": "keeps"}


class PullVerbs:
    """Plans and performs `pull`; the figures of a run are kept here from step to step."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._boards: dict[str, Board] = {}

    def plan(self, verb: str, name: str, options: dict[str, Any], asker: Asker) -> Plan:
        """Make the plan that has a variant or a file at its place; nothing is changed by it.

        Raises:
            UsageError: no such model, or an option that makes no sense.
            ConsoleError: the hub's own, where it has to be asked.
        """
        session, chosen = self._session, checked_options(options)
        target = target_of(session, name, chosen)
        roots = dict.fromkeys(one.root for one in target.files)
        blocked = [made for root in roots if (made := answering(root)) is not None]
        suits = suit_checks(session, target.ident, chosen)
        blocked += [one for one in suits if one.verdict == "refuse"]
        if blocked:
            return self._plan(verb, target, chosen, asker, (), blocked)
        accept = bool(chosen.get("accept_new_hash"))
        asked = ask_all(session, target.files, accept=accept)
        may_link = chosen.get("link") is not False
        looker = Looker(session, known_files(session), may_link=may_link)
        there = [looker.look(one) for one in asked]
        items = [one.item for one in there]
        _refuse_masked(items)
        checks = [_summary(items), *(made for one in there for made in one.checks), *suits]
        checks += self._rivals(items)
        checks += folder_checks(items)
        checks += room_checks(session, items)
        checks += self._time(items, chosen)
        return self._plan(verb, target, chosen, asker, items, checks)

    def replan(self, plan: Plan) -> Plan:
        """Give the plan itself: each of its steps looks at what is true when it begins."""
        return plan

    def work(self, plan: Plan, step: Step) -> Work:
        """Give what has one file at its place."""
        board = self._boards.get(plan.id)
        if board is None:
            board = self._boards[plan.id] = Board(items_of(plan))
        return FileWork(self._session, plan, item_of(step), board)

    def left_behind(self, plan: Plan) -> dict[str, Any]:
        """Say which files of a plan are at their places now."""
        here = [item for item in items_of(plan) if Path(item.path).is_file()]
        return {"text": f"{len(here)} of {_files(len(plan.steps))} are in place"}

    def rollback(self, plan: Plan, done: Sequence[Step], broken: Step | None) -> tuple[Step, ...]:  # noqa: ARG002 -- files that are in place are whole, and stay
        """Give no steps: files that are in place are whole, and parts are gone on with."""
        return ()

    def back(self, plan: Plan, left: Mapping[str, Any]) -> Plan:  # noqa: ARG002 -- see below
        """Refuse: files are removed by a plan of their own, which says who needs them.

        Raises:
            RefusedError: always (`undo.none`).
        """
        raise RefusedError(
            "undo.none",
            f"the last plan was pull {plan.target}: files are not taken back without being named",
            f"gpuconsole models rm {shlex.quote(plan.target_id)} removes them",
        )

    def drop(self, plan: Plan) -> str:
        """Remove the parts of a plan's files; those that are in place are whole, and stay."""
        from console.transfer.part import remove_part

        freed, kept = 0, []
        for item in items_of(plan):
            try:
                freed += remove_part(Path(item.path))
            except (TransferFault, OSError) as error:
                kept.append(f"{item.name}: {error}")
        here = sum(Path(item.path).is_file() for item in items_of(plan))
        words = [f"{format_bytes(freed)} of parts removed" if freed else "no parts were left"]
        words += [f"{here} of {_files(len(plan.steps))} are in place and stay"] if here else []
        words += [f"not removed: {clean_line('; '.join(kept))}"] if kept else []
        return "; ".join(words)

    def _plan(
        self,
        verb: str,
        target: Target,
        options: Mapping[str, Any],
        asker: Asker,
        items: Sequence[Item],
        checks: Sequence[Check],
    ) -> Plan:
        refused = next((one for one in checks if one.verdict == "refuse"), None)
        warned = any(one.verdict == "warn" for one in checks)
        return Plan(
            id=new_plan_id(self._session),
            verb=verb,
            target=target.title,
            target_id=target.ident,
            steps=() if refused else tuple(_step(*pair) for pair in enumerate(items, start=1)),
            checks=tuple(checks),
            verdict="refused" if refused else ("warned" if warned else "ready"),
            refusal=Refusal(code=refused.id, title=refused.title, hint=refused.detail)
            if refused
            else None,
            facts=_facts(items),
            options=dict(options),
            longest_seconds=3600.0,
            subject="models",
            endless=True,
            created_at=self._session.clock.now(),
            asker=asker,
        )

    def _rivals(self, items: Sequence[Item]) -> list[Check]:
        """Say which files another job fetches now."""
        from actions.models.rivals import fetching_now

        now = fetching_now(self._session)
        return [
            check("pull.under-way", name=item.name, who=f"job {now[item.path]}")
            for item in items
            if item.action == "fetch" and item.path in now
        ]

    def _time(self, items: Sequence[Item], options: Mapping[str, Any]) -> list[Check]:
        """Say how long it takes at the rate that was measured, or that nobody knows."""
        from console.hub.door import HubDoor
        from console.store.hub_files import HubRecords

        left = sum(item.size - item.done for item in items if item.action == "fetch")
        if not left:
            return []
        endpoint = HubDoor(self._session.environ, self._session.clock).endpoint
        rate = HubRecords(self._session.store).rate(endpoint)
        limit = options.get("limit") or self._session.settings.downloads.limit
        if limit is not None and (rate is None or rate > limit):
            words = {"time": format_duration(left / limit), "rate": f"{format_bytes(limit)}/s"}
            return [check("pull.time-limited", code="pull.time", **words)]
        if rate is None:
            return [check("pull.time-unknown", code="pull.time")]
        words = {"time": format_duration(left / rate), "rate": f"{format_bytes(rate)}/s"}
        return [check("pull.time", **words)]


def checked_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Give the options that were set.

    Raises:
        UsageError: one that pull does not have, or of another kind (`plan.bad-option`).
    """
    chosen = {name: value for name, value in options.items() if value is not None}
    for name, value in chosen.items():
        kind = _OPTIONS.get(name)
        wrong = kind is None or not isinstance(value, kind)
        if wrong or (kind is int and (isinstance(value, bool) or value <= 0)):
            shown = clean_line(name, 40).replace("_", "-")
            raise UsageError("plan.bad-option", f"pull has no option {shown} of that kind")
    return chosen


def _step(number: int, item: Item) -> Step:
    """Give the step that has one file at its place, with what a person would type for it."""
    size, here = format_bytes(item.size), shlex.quote(item.path)
    if item.action == "keep":
        title, command = f"Keep {item.name} ({size})", f"sha256sum {here}"
    elif item.action == "link":
        title = f"Link {item.name} to {item.source} ({size})"
        command = f"ln {shlex.quote(item.source)} {here}"
    else:
        folder = Path(item.path).parent
        title = f"Fetch {item.name} ({size}) from {spec_text(item.spec)} to {folder}"
        commit = "" if item.hub is None else f" --revision {item.hub.commit}"
        command = (
            f"hf download {shlex.quote(item.spec.repo)} {shlex.quote(item.spec.path)}{commit} "
            f"--local-dir {shlex.quote(str(folder))}"
        )
        if "/" in item.spec.path:  # which it repeats below that folder
            command += f" && mv {shlex.quote(str(folder / item.spec.path))} {here}"
    return Step(
        id=f"{item.action}-{number}",
        title=clean_line(title),
        touches=(f"file {clean_line(item.path)}",),
        command=command,
        undo="" if item.action == "keep" else f"rm {here}",
        target_id=item.id,
        options=options_of(item),
    )


def _summary(items: Sequence[Item]) -> Check:
    """Say in a line what is done to how many files and bytes."""
    words = []
    for action, does in _DOES.items():
        some = [item for item in items if item.action == action]
        if some:
            left = sum(item.size - item.done for item in some)
            words.append(f"{does} {_files(len(some))}, {format_bytes(left)}")
    return check("pull.files", count=_files(len(items)), what="; ".join(words))


def _facts(items: Sequence[Item]) -> dict[str, Any]:
    """Give the bytes that a plan moves, and those that it does not."""
    fetched = [item for item in items if item.action == "fetch"]
    return {
        "bytes_total": sum(item.size for item in items),
        "bytes_to_fetch": sum(item.size - item.done for item in fetched),
        "bytes_there": sum(item.done for item in fetched),
        "bytes_linked": sum(item.size for item in items if item.action == "link"),
        "bytes_kept": sum(item.size for item in items if item.action == "keep"),
    }


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count} files"


def _refuse_masked(items: Sequence[Item]) -> None:
    """See that the journal can keep a plan, which masks what reads like a secret.

    Raises:
        UsageError: it cannot (`models.odd-name`).
    """
    for item in items:
        if not survives_the_journal(item):
            raise UsageError(
                "models.odd-name",
                f"{clean_line(item.name, 120)} or its folder is named like a secret, or with "
                "characters that are no text: the journal could not keep the plan",
                "Put it in another folder with --to, or take another file",
            )
