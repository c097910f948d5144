"""What a switch would do: its legs as steps, the pre-checks on the way, and its peaks of VRAM."""

import shlex
from pathlib import Path

import msgspec

from actions.fit.model import Fit
from actions.plan import Check, Step
from actions.service_verbs.around import Around
from actions.service_verbs.card_change import edit_draft
from actions.service_verbs.compose_change import restore_step, settle_steps
from actions.service_verbs.course import Leg, Place, course
from actions.service_verbs.draft import FORCEABLE, ServiceDraft, fit_facts
from actions.service_verbs.free import draft_free
from actions.service_verbs.goal import (
    CONFIGURED,
    Goal,
    facts_of,
    places_now,
    with_layout,
)
from actions.service_verbs.jobs import busy, pending
from actions.service_verbs.layout_words import check
from actions.service_verbs.on_the_way import OnTheWay
from actions.service_verbs.start import container_checks
from actions.service_verbs.steps import StartHow, start_steps, stop_steps
from actions.service_verbs.stop import job_checks, stop_how
from actions.service_verbs.way_back import edits_of, patience
from actions.services.snapshot import ServiceStatus
from actions.session import Session
from actions.snapshot import HostSnapshot
from console.config.layout import in_force, noted_layout, noted_path
from console.text import clean_line
from console.units import MIB

NOTE = "note-layout"
SEE = "see-layout"
_CONTEXT = 450 * MIB
_SHOWN_WAYS = 3


class Switch:
    """One switch in the making: a goal, the host as it is, and the options of the plan."""

    def __init__(
        self, session: Session, around: Around, goal: Goal, options: dict[str, object]
    ) -> None:
        self._session = session
        self._options = options
        snapshot = with_layout(session, around.snapshot, goal.layout)
        self._around = msgspec.structs.replace(around, snapshot=snapshot)
        self._status = {status.name: status for status in snapshot.services}
        # A service may be gone from the config since its plan was made.
        here = {name: place for name, place in goal.places.items() if name in self._status}
        goal = self._goal = msgspec.structs.replace(goal, places=self._waited_for_first(here))
        counted = {status.name for status in snapshot.services if _counts(status)}
        self._before = places_now(around, counted | set(goal.places))
        self._now = self._with_cards(self._before)
        self.legs = course(self._now, goal.places, goal.free)
        self._checks: list[Check] = list(goal.checks)
        self._fits: dict[int, Fit] = {}
        self._diffs: list[str] = []
        self._texts: dict[Path, str] = {}
        self._patient = False

    def draft(self) -> ServiceDraft:
        """Give the steps, what speaks for or against them, and what they rest on."""
        if self._refused():
            return ServiceDraft(checks=tuple(self._checks))
        noted = _means_the_same(self._session, self._goal.layout)
        if not (self.legs or self._goal.edits or self._starting()) and noted:
            there = check("back.there" if "back" in self._options else "layout.there")
            return ServiceDraft(checks=(there, *self._checks))
        self._tell_who()
        way = OnTheWay(self._session, self._around, self._goal, self._now, self.legs)
        way.fit_all(force=bool(self._options.get("force")))
        self._fits = way.fits
        steps = self._steps()
        found = way.peaks()
        self._checks += way.checks
        facts = {
            "before": facts_of(
                {n: self._before[n] for n in self._goal.places if n in self._before}
            ),
            "layout_before": noted_layout(self._session.places),
            "edits": edits_of(steps),
            "fits": fit_facts(tuple(self._fits.values())),
            "peaks": [msgspec.structs.asdict(peak) for peak in found],
        }
        return ServiceDraft(
            steps=() if self._refused() else steps,
            checks=tuple(self._checks),
            fits=tuple(self._fits.values()),
            cards=tuple(dict.fromkeys(leg.gpu_uuid for leg in self.legs if leg.gpu_uuid)),
            facts=facts,
            diff="".join(self._diffs),
        )

    def steps_back(self) -> tuple[Step, ...]:
        """Give the steps alone: a way back is not put off by what speaks against it."""
        self._patient = True
        return self._steps()

    def _waited_for_first(self, places: dict[str, Place]) -> dict[str, Place]:
        """Put those that leave and have jobs to be waited for first.

        Where one is not done in time, nothing else has been stopped for it in vain.
        """
        if not self._options.get("wait"):
            return places
        first = {
            name: place
            for name, place in places.items()
            if not place.running and (busy(self._status[name]) or pending(self._status[name]))
        }
        return {**first, **places}

    def _with_cards(self, places: dict[str, Place]) -> dict[str, Place]:
        """Give places with the card that a service is meant for, where no container says one."""
        found = dict(places)
        for name, place in places.items():
            goal = self._goal.places.get(name)
            meant = self._status[name].gpu_expected_uuid
            asked = goal is not None and goal.gpu_uuid is not None
            if place.gpu_uuid is None and isinstance(meant, str) and not asked:
                found[name] = msgspec.structs.replace(place, gpu_uuid=meant)
        return found

    def _refused(self) -> bool:
        return any(one.verdict == "refuse" for one in self._checks)

    def _tell_who(self) -> None:
        """Say who stops, and who goes on untouched."""
        touched = {leg.service for leg in self.legs}
        places = self._goal.places
        stops = [leg.service for leg in self.legs if leg.kind == "stop"]
        leaving = [name for name in stops if not places[name].running]
        kept = [name for name, place in places.items() if place.running and name not in touched]
        if leaving:
            self._checks.append(check("layout.stops", names=", ".join(leaving)))
        if kept:
            self._checks.append(check("layout.kept", names=", ".join(kept)))
        for name in kept:
            status = self._status[name]
            if status.state not in {"ready", "busy", "starting"}:
                values = {"name": name, "state": status.state, "layout": self._goal.layout}
                self._checks.append(check("layout.unwell", "warn", **values))

    def _steps(self) -> tuple[Step, ...]:
        """Give the steps of all legs.

        Which layout is in force is noted before anything gets other settings or starts; files that
        were changed are restored then, whether or not a container was made from them already.
        """
        steps: list[Step] = []
        turned = False
        for number, leg in enumerate(self.legs):
            if not turned and leg.kind in {"place", "start"}:
                steps += self._turn()
                turned = True
            steps += self._leg_steps(leg, self._fits.get(number))
        if not turned:
            steps += self._turn()
        for status in self._starting():
            steps += start_steps(self._around, status, None, self._start_how(status))
        names = [name for name in self._goal.places if name in self._status]
        return (*steps, see_step(self._goal.layout, names))

    def _turn(self) -> tuple[Step, ...]:
        """Give the steps between what stops and what starts."""
        edits = self._goal.edits
        # The last change of a file is undone first: two services may share one.
        restored = (
            restore_step(self._status[name], edits[name])
            for name in reversed(edits)
            if name in self._status
        )
        return (note_step(self._goal.layout, self._session), *restored)

    def _leg_steps(self, leg: Leg, fit: Fit | None) -> tuple[Step, ...]:
        status = self._status[leg.service]
        if leg.kind == "stop":
            how = stop_how(self._options)
            self._say(leg, job_checks(status, how))
            return stop_steps(self._around, status, how)
        if leg.kind == "free":
            draft = draft_free(self._session, self._around, status, self._options)
            self._say(leg, draft.checks)
            return draft.steps
        if leg.kind == "place":
            return self._place_steps(leg, status)
        if not leg.anew:
            self._say(leg, container_checks(self._session, self._around, status))
        how_start = self._start_how(status, leg)
        stopped = msgspec.structs.replace(status, state="stopped", activity="", reading=None)
        return start_steps(self._around, stopped, fit, how_start)

    def _start_how(self, status: ServiceStatus, leg: Leg | None = None) -> StartHow:
        longest = self._options.get("ready_limit")
        if self._patient:
            longest = patience(status, longest)
        return StartHow(
            ready_limit=float(longest) if isinstance(longest, int | float) else None,
            gpu_uuid=leg.gpu_uuid if leg else None,
            recreate=leg.anew if leg else False,
        )

    def _starting(self) -> tuple[ServiceStatus, ...]:
        """Give those that run already and are not ready yet: they are waited for."""
        touched = {leg.service for leg in self.legs}
        return tuple(
            self._status[name]
            for name, place in self._goal.places.items()
            if place.running and name not in touched and self._status[name].state == "starting"
        )

    def _place_steps(self, leg: Leg, status: ServiceStatus) -> tuple[Step, ...]:
        starts = self._goal.places[leg.service].running
        settles = () if starts else settle_steps(self._around, status)
        if leg.service in self._goal.edits:
            return settles  # its file is restored already
        card = self._around.gpu(leg.gpu_uuid)
        assert card is not None  # noqa: S101 -- only cards that are here are a goal
        draft = edit_draft(self._session, self._around, status, card, self._texts)
        self._say(leg, draft.checks)
        if draft.diff:
            self._diffs.append(draft.diff)
        return (*draft.steps, *settles)

    def _say(self, leg: Leg, checks: tuple[Check, ...]) -> None:
        """Keep what is said of one service, under its name; what is fine is not repeated."""
        for one in checks:
            if one.verdict != "pass":
                title = f"{leg.service}: {one.title}"
                self._checks.append(msgspec.structs.replace(one, title=title))


def note_step(layout: str, session: Session) -> Step:
    """Give the step that notes which layout is in force; empty is none."""
    path = shlex.quote(str(noted_path(session.places)))
    shown = clean_line(layout)
    return Step(
        id=NOTE,
        title=f"Note that {shown} is in force" if layout else "Note that no layout is in force",
        touches=("layout in force",),
        command=f"echo {shlex.quote(shown)} > {path}" if layout else f"rm -f {path}",
        undo="gpuconsole jobs back last",
        longest_seconds=10.0,
        target_id=NOTE,
        options={"do": NOTE, "service": layout, "layout": layout},
    )


def see_step(layout: str, names: list[str]) -> Step:
    """Give the step that looks at all services once more and says what runs."""
    return Step(
        id=SEE,
        title="See what runs now",
        touches=(),
        command="gpuconsole status",
        longest_seconds=30.0,
        target_id=SEE,
        options={"do": SEE, "service": layout, "layout": layout, "services": names},
    )


def sum_checks(
    session: Session, snapshot: HostSnapshot, layout: str, *, force: bool
) -> tuple[Check, ...]:
    """Refuse a layout whose services do not fit together even on an empty host."""
    from actions.fit.layout import fit_layout

    whole = fit_layout(session, with_layout(session, snapshot, layout), layout)
    bad = [fit for fit in whole.fits if fit.verdict == "refused"]
    if not bad:
        return ()
    clash = any(len(card.clash) > 1 for card in whole.cards)
    why = whole.reason if clash else "; ".join(f"{fit.service}: {fit.reason}" for fit in bad)
    if force and all(fit.code in FORCEABLE for fit in bad):
        return (check("layout.sum-forced", "warn", layout=layout, why=why),)
    ways = "; ".join(way.title for fit in bad for way in fit.ways_out[:_SHOWN_WAYS])
    hint = f"Ways out: {ways}" if ways else ""
    return (check("layout.sum", "refuse", layout=layout, why=why, ways=hint),)


def _means_the_same(session: Session, layout: str) -> bool:
    """Tell whether the layout in force gives every service the same card and variant."""
    settings = session.config.settings
    before = in_force(settings, noted_layout(session.places))
    return in_force(settings, layout).services == before.services


def _counts(status: ServiceStatus) -> bool:
    """Tell whether a service is looked at: it is the operator's, or it holds VRAM."""
    return status.service.source == CONFIGURED or status.up
