"""What moving a service to another card would do, and the way back from it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from actions.plan import Check, Plan, Step
from actions.service_verbs.anew import (
    Anew,
    anew_steps,
    back_anew,
    facts_before,
    rollback_anew,
    softened,
    was_running,
)
from actions.service_verbs.around import Around
from actions.service_verbs.card_change import edit_draft
from actions.service_verbs.cards import card_named, twins
from actions.service_verbs.compose_change import restore_step
from actions.service_verbs.doing import Doing
from actions.service_verbs.draft import ServiceDraft, fit_facts
from actions.service_verbs.goal import runs
from actions.service_verbs.layout_words import check
from actions.service_verbs.start import fit_checks
from actions.service_verbs.steps import service_step
from actions.service_verbs.stop import job_checks, stop_how
from actions.service_verbs.way_back import edits_of
from actions.services.placement import expected_gpu
from actions.services.snapshot import ServiceStatus
from actions.session import Session
from console.config.layout import noted_layout
from console.config.load import dotted
from console.errors import RefusedError, UsageError
from console.gpu.snapshot import Gpu

NOTE = "note-config"
_TRUSTED = ("observed", "processes")


def draft_move(
    session: Session, around: Around, status: ServiceStatus, options: Mapping[str, Any]
) -> ServiceDraft:
    """Give what moving a service to a card would do.

    A service that runs is stopped, gets its new settings, is created anew by compose and has to
    say that it is there. One that does not run gets its new settings, and a container made from
    them where it has one; it stays stopped.

    Args:
        session: for config, commands and journal.
        around: the look at the host.
        status: the service.
        options: `gpu` (UUID, part of a name, driver index), those of stop and start; `back` has
            the facts of a move that is taken back.

    Raises:
        UsageError: there is no such card.
    """
    gpus = around.snapshot.gpu.gpus
    if not options.get("gpu"):
        raise UsageError("plan.bad-option", "move needs --gpu", "Such as --gpu 3090")
    card = card_named(gpus, str(options["gpu"]))
    return _Move(session, around, status, options, card).draft()


class _Move:
    """One move in the making."""

    def __init__(
        self,
        session: Session,
        around: Around,
        status: ServiceStatus,
        options: Mapping[str, Any],
        card: Gpu,
    ) -> None:
        self._session = session
        self._around = around
        self._status = status
        self._options = options
        self._card = card
        self._back: Mapping[str, Any] | None = options.get("back")
        self._runs = runs(around, status)
        self._starts = self._runs or was_running(session, "move", status.name)
        if self._back is not None:
            self._starts = bool(self._back.get("running"))

    def draft(self) -> ServiceDraft:
        """Give steps, checks and facts."""
        edit = self._edit()
        noting = self._noting()
        if edit.refused is not None and not self._is_there():
            return edit
        if self._is_there() or (not edit.steps and self._settled()):
            return self._there(edit, noting)
        if not edit.steps and self._is_deaf():
            return self._deaf()
        fits, fitting = fit_checks(
            self._session,
            self._around,
            self._status,
            self._options,
            gpu_uuid=self._card.uuid,
        )
        checks = (*edit.checks, *softened(fitting, starts=self._starts), *self._words(noting))
        draft = ServiceDraft(
            checks=checks, fits=fits, facts={"fits": fit_facts(fits)}, diff=edit.diff
        )
        if draft.refused is not None:
            return draft
        anew = Anew(runs=self._runs, starts=self._starts, gpu_uuid=self._card.uuid)
        fit = fits[0] if fits else None
        between = (*edit.steps, *noting)
        steps = anew_steps(self._around, self._status, self._options, between, anew, fit)
        return msgspec.structs.replace(
            draft,
            steps=steps,
            cards=(self._card.uuid,) if self._starts else (),
            facts={**draft.facts, **self._facts(steps)},
        )

    def _edit(self) -> ServiceDraft:
        """Give the step that changes the compose file, or that puts it back."""
        if self._back is None:
            return edit_draft(self._session, self._around, self._status, self._card)
        edit = dict(self._back.get("edits") or {}).get(self._status.name)
        return ServiceDraft(steps=(restore_step(self._status, edit),) if edit else ())

    def _is_there(self) -> bool:
        """Tell whether it computes on that card, by its own word or the driver's."""
        status = self._status
        told = status.gpu_source in _TRUSTED and status.gpu_uuid == self._card.uuid
        return self._back is None and self._runs and told

    def _settled(self) -> bool:
        """Tell whether the settings of its container lead there."""
        if self._starts and not self._runs:
            return False
        if self._runs and self._status.gpu_source in _TRUSTED:
            return False
        declared = self._status.gpu_declared_uuid
        return self._around.container(self._status) is None or declared == self._card.uuid

    def _is_deaf(self) -> bool:
        """Tell whether it sits elsewhere though its settings lead there: they do not count."""
        elsewhere = self._runs and self._status.gpu_source in _TRUSTED
        return elsewhere and self._status.gpu_declared_uuid == self._card.uuid

    def _deaf(self) -> ServiceDraft:
        values = {
            "card": self._around.card_name(self._card.uuid),
            "other": self._around.card_name(self._status.gpu_uuid),
            "hint": self._status.advice,
        }
        return ServiceDraft(checks=(check("move.not-honoured", "refuse", **values),))

    def _there(self, edit: ServiceDraft, noting: tuple[Step, ...]) -> ServiceDraft:
        steps = (*(edit.steps if self._back is not None else ()), *noting)
        there = check("move.there", card=self._around.card_name(self._card.uuid))
        if steps:
            there = msgspec.structs.replace(there, title=there.title.partition(":")[0])
        words = self._config_words(noting)
        return ServiceDraft(steps=steps, checks=(there, *words), facts=self._facts(steps))

    def _words(self, noting: tuple[Step, ...]) -> tuple[Check, ...]:
        """Say what is interrupted, what cannot be verified, and what else changes."""
        card = self._around.card_name(self._card.uuid)
        told = list(self._config_words(noting))
        if self._runs:
            told += job_checks(self._status, stop_how(self._options))
        elif not self._starts:
            made = self._around.container(self._status) is not None
            told.append(check("move.remade") if made else check("move.stopped", card=card))
        same = twins(self._around.snapshot.gpu.gpus, self._card)
        if same and self._starts:
            names = ", ".join(gpu.uuid for gpu in same)
            told.append(check("move.twins", "warn", twins=names, card=card))
        layout = noted_layout(self._session.places)
        settings = self._session.config.settings.layouts.get(layout)
        wanted = settings.gpus.get(self._status.name, "") if settings is not None else ""
        if wanted and expected_gpu(wanted, self._around.snapshot.gpu.gpus) != self._card.uuid:
            values = {"layout": layout, "name": self._status.name}
            told.append(check("move.layout", "warn", **values))
        return tuple(told)

    def _config_words(self, noting: tuple[Step, ...]) -> tuple[Check, ...]:
        return tuple(
            check("move.config", name=self._status.name, gpu=step.options["value"])
            for step in noting
        )

    def _noting(self) -> tuple[Step, ...]:
        """Give the step that changes the card in the config, where one is set there."""
        own = self._session.config.settings.services.get(self._status.name)
        if own is None or own.gpu is None:
            return ()
        if self._back is not None:
            before = self._back.get("config_before")
            return () if before in {None, own.gpu} else (note_step(self._status, str(before)),)
        gpus = self._around.snapshot.gpu.gpus
        if expected_gpu(own.gpu, gpus) == self._card.uuid:
            return ()
        typed = str(self._options["gpu"]).strip()
        named = expected_gpu(typed, gpus) == self._card.uuid
        return (note_step(self._status, typed if named else self._card.uuid),)

    def _facts(self, steps: Sequence[Step]) -> dict[str, Any]:
        own = self._session.config.settings.services.get(self._status.name)
        return {
            "running": self._starts,
            "edits": edits_of(steps),
            "config_before": own.gpu if own is not None else None,
            "to": self._card.uuid,
        }


def rollback_move(
    session: Session, plan: Plan, done: Sequence[Step], broken: Step | None
) -> tuple[Step, ...]:
    """Give the steps that put settings and container back as they were, from what is true now."""
    before = facts_before(plan)
    own = before.get("config_before")
    noting = (lambda status: (note_step(status, str(own)),)) if own is not None else None
    return rollback_anew(session, plan, done, broken, noting)


def back_move(session: Session, plan: Plan, left: Mapping[str, Any]) -> Plan:
    """Make the plan that takes a move back: file, config and card as they were before.

    Raises:
        RefusedError: which card it was on nobody knew (`undo.none`), or others have changed the
            service since (`undo.changed`).
    """
    gpu = plan.facts.get("gpu_uuid")
    if not gpu:
        raise RefusedError(
            "undo.none",
            f"which card {plan.target} was on before is not known",
            f"gpuconsole move {plan.target} --gpu GPU moves it to the one you name",
        )
    return back_anew(session, plan, left, ("running", "edits", "config_before"), {"gpu": gpu})


def note_step(status: ServiceStatus, value: str) -> Step:
    """Give the step that sets the service's card in the config."""
    key = dotted(("services", status.name, "gpu"))
    step = service_step(
        NOTE,
        status,
        f'Set {key} = "{value}" in the config',
        "gpuconsole config path",
        seconds=10.0,
        undo="gpuconsole jobs back last",
        key=key,
        value=value,
    )
    return msgspec.structs.replace(step, touches=("config",))


def note_config(doing: Doing) -> str:
    """Set the service's card in the config, comments and all else as they were.

    Raises:
        ConsoleError: the config cannot be written, or is not valid any more.
    """
    from console.config.write import set_values

    path = Path(doing.session.places.config_file)
    set_values(path, {str(doing.options["key"]): doing.options["value"]})
    return f'{doing.options["key"]} = "{doing.options["value"]}" in {path}'
