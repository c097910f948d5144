"""From a key to a plan to its end: what the application does with the plan desk's messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actions.fit.model import WayOut
from actions.plan import Plan, PlanDone, PlanFailed
from console.engine.snapshot import Container
from console.errors import ConsoleError
from screens.tui.lab.flow import SUBJECT
from screens.tui.messages import PlanEnded, PlanEvent, PlanProblem, PlanReady, Wanted
from screens.tui.verbs import Verb, verb_for_key, verbs_of

if TYPE_CHECKING:
    from screens.tui.application import Console
    from screens.tui.plan_dialog import Answer

VIEWS = ("logs", "project-logs")
"""Lines of the menu that open something instead of changing it."""
SERVICE_OFFERS = ("start", "stop", "restart", "free", "move")
"""What is offered of a service as a whole; anything else is about its container."""
STARTING = ("start", "restart")
ON_DISK = "on disk"
"""Said of a variant's files by the pre-check where all of them are there."""
LEFT = {
    "paused": ("◑", "text"),
    "cancelled": ("○", "text"),
    "needs_token": ("▲", "warning"),
}
"""How a download may end that is no failure: symbol and role."""
ACCEPT = "accept_new_hash"
"""Option of a pull that takes what the hub has where the catalogue knows another hash."""
CANCEL_WINDOW = 4.0
"""Seconds in which a second Esc cancels what runs."""


class PlanFlow:
    """Asks, confirms, runs and reports; holds what follows a plan, and when Esc was pressed."""

    def __init__(self, app: Console) -> None:
        self._app = app
        self._escaped_at = float("-inf")
        self._then: dict[str, tuple[Wanted, ...]] = {}

    def propose_key(self, container_id: str, key: str) -> None:
        """Propose what a key does to a container now, or say why it does nothing."""
        container = self._app.container(container_id)
        if container is None:
            self._app.say("that container is gone", "warning", "▲")
            return
        verb = verb_for_key(container, key)
        if verb is None:
            self._app.say(f"{container.name} is {container.state}: nothing to do", "warning", "▲")
            return
        self._app.desk.propose(verb.verb, container.id, container.name)

    def open_menu(self, container_id: str) -> None:
        """Open the menu of what can be done with a container."""
        from screens.tui.menu_dialog import MenuDialog

        container = self._app.container(container_id)
        if container is None:
            return
        name = container.name

        def chosen(verb: str | None) -> None:
            if verb in VIEWS:
                self._open_logs(verb, container)
            elif verb:
                self._app.desk.propose(verb, container_id, name)

        menu = MenuDialog(name, container.state, self._offered(container))
        self._app.push_screen(menu, chosen)

    def _offered(self, container: Container) -> tuple[Verb, ...]:
        """Give what can be done with a container now, and what of it can be looked at."""
        alone = len(self._siblings(container)) < 2
        return tuple(
            verb for verb in verbs_of(container) if not (alone and verb.verb == "project-logs")
        )

    def _siblings(self, container: Container) -> tuple[Container, ...]:
        """Give the containers of the same compose project, itself among them."""
        compose = container.compose
        everything = self._app.snapshot.engine.containers
        if compose is None:
            return ()
        return tuple(
            one for one in everything if one.compose and one.compose.project == compose.project
        )

    def _open_logs(self, verb: str | None, container: Container) -> None:
        if verb == "project-logs" and container.compose is not None:
            together = [one.id for one in self._siblings(container)]
            title = f"logs of project {container.compose.project}"
            self._app.open_container(container.id, "logs", together, title)
        else:
            self._app.open_container(container.id, "logs")

    def ready(self, message: PlanReady) -> None:
        """Ask about a plan where the policy or the plan wants it; else run it."""
        plan = message.plan
        if message.joined:
            self._app.say(message.joined, "text", "⇩")
            self._next(message.then)
            return
        if not plan.steps and plan.continues and plan.verdict != "refused":
            # Nothing is left to do; only by running is what was interrupted written down as over.
            self._run(plan)
            return
        if not plan.steps and plan.verdict != "refused":
            text = plan.checks[0].title if plan.checks else "nothing is to be done"
            self._app.say(f"{plan.target}: {text}", "dim", "·")
            self._next(message.then)
            return
        if message.then:
            self._then[plan.id] = message.then
        if not self._asks(plan, message.preface):
            self._run(plan)
            return
        from screens.tui.plan_dialog import PlanDialog

        shown = self._app.screen
        if isinstance(shown, PlanDialog) and shown.asks_the_same(plan):
            return

        def answered(answer: Answer | None) -> None:
            self._answered(message, answer)

        self._app.push_screen(PlanDialog(plan, message.preface), answered)

    def _answered(self, message: PlanReady, answer: Answer | None) -> None:
        """Do what was answered: run it, leave it, or ask for something else instead."""
        plan = message.plan
        word = answer.word if answer is not None else "no"
        if word == "yes":
            self._run(plan)
            if plan.endless:
                # Nobody waits for gigabytes before the next of what was marked is asked for.
                self._next(self._then.pop(plan.id, ()))
            return
        then = self._then.pop(plan.id, ())
        if word == "no" and plan.endless and plan.verdict == "refused":
            # What cannot be fetched keeps nothing else that was marked from being fetched.
            self._next(then)
            return
        wanted = message.wanted or Wanted(plan.verb, plan.target_id, plan.target, plan.options)
        if answer is not None and answer.way is not None:
            self._way_out(plan, wanted, answer.way)
        elif word in {"wait", "interrupt"}:
            self._propose(wanted._replace(options={**wanted.options, word: True}), then=then)
        elif word == "accept":
            # Of what was seen: the plan that takes it is shown too, with both hashes.
            self._propose(wanted._replace(options={**wanted.options, ACCEPT: True}), then=then)
        elif word == "force":
            self._force(wanted, then)
        elif plan.verdict != "refused":
            more = f", and {len(then)} more that were marked" if then and plan.endless else ""
            self._app.say(f"{plan.verb} {plan.target}: left as it is{more}", "dim", "·")

    def _propose(self, wanted: Wanted, preface: str = "", then: tuple[Wanted, ...] = ()) -> None:
        self._app.desk.propose(
            wanted.verb, wanted.target_id, wanted.name, preface, wanted.options, then
        )

    def _next(self, then: tuple[Wanted, ...]) -> None:
        """Ask for what was to follow; the last of it is what the operator wanted first."""
        if then:
            last = len(then) == 1
            said = "This is what you asked for first." if last else "This next."
            if then[0].verb == "pull":
                more = "it is the last one" if last else f"{len(then) - 1} more follow"
                said = f"This was marked too; {more}."
            self._propose(then[0], said, then[1:])

    def _force(self, wanted: Wanted, then: tuple[Wanted, ...]) -> None:
        """Ask for the name to be typed, then for the plan that the pre-check does not hold up."""
        from screens.tui.typed_dialog import TypedDialog, exactly

        text = (
            f"The pre-check refuses this: it may end in out of memory, its own or that of what "
            f"else is on the card. Type {wanted.name} to force it all the same."
        )

        def typed(name: str | None) -> None:
            if name:
                self._propose(wanted._replace(options={**wanted.options, "force": True}), then=then)
            else:
                self._app.say(f"{wanted.verb} {wanted.name}: left as it is", "dim", "·")

        title = f"Force {wanted.verb} {wanted.name}"
        self._app.push_screen(TypedDialog(title, text, exactly(wanted.name)), typed)

    def _way_out(self, plan: Plan, wanted: Wanted, way: WayOut) -> None:
        """Propose what a way out stands for; where it helps first, the plan itself follows it."""
        service = next((fit.service for fit in plan.fits if way in fit.ways_out), "")
        if way.kind in {"stop", "free"}:
            # A way out may need several services: each has its own plan, one after the other.
            first, *more = [Wanted(way.kind, name, name, {}) for name in way.target.split()]
            said = f"First this, then {plan.verb} {plan.target}."
            self._propose(first, said, (*more, wanted))
        elif way.kind == "gpu":
            named = service or wanted.name
            self._propose(Wanted("move", named, named, {"gpu": way.target}))
        elif way.kind == "variant" and wanted.verb in STARTING and way.detail == ON_DISK:
            options = {**wanted.options, "variant": way.target}
            self._propose(wanted._replace(options=options), variant_words(way.target, service))
        elif plan.subject == SUBJECT and way.kind in {"variant", "resolution"}:
            self._edit_otherwise(wanted, way)
        elif way.kind == "offload" and plan.verdict != "refused":
            self._run(plan)
        else:
            self._app.say(f"{way.title}: {way_words(way, service)}", "text", "→", seconds=60)

    def _edit_otherwise(self, wanted: Wanted, way: WayOut) -> None:
        """Propose the same edit with another variant or size; one that is not here is fetched."""
        if way.kind == "resolution" and way.width and way.height:
            self._propose(
                wanted._replace(options={**wanted.options, "size": (way.width, way.height)})
            )
        elif way.kind == "variant" and way.detail != ON_DISK:
            first = Wanted("pull", way.target, way.target, {})
            self._propose(first, "First this; the edit can be made with it once it is here.")
        else:
            options = {**wanted.options, "variant": way.target}
            self._propose(wanted._replace(options=options))

    def _run(self, plan: Plan) -> None:
        self._app.lab.sent(plan)
        if plan.interactive:
            from screens.tui.container.shell import take_over

            take_over(self._app, plan)
        else:
            self._app.desk.run(plan)

    def _asks(self, plan: Plan, preface: str) -> bool:
        confirm = self._app.session.settings.policy.confirm
        destructive = any(step.destructive for step in plan.steps)
        return bool(
            preface
            or plan.subject == "models"
            or plan.verdict != "ready"
            or plan.verb in confirm
            or plan.verb == "set"
            or plan.undoes
            or destructive
        )

    def problem(self, message: PlanProblem) -> None:
        """Say what could not be planned or run."""
        error: ConsoleError = message.error
        hint = f"; {error.hint}" if error.hint else ""
        self._app.say(f"{message.doing}: {error.title}{hint}", "error", "✖")

    def event(self, message: PlanEvent) -> None:
        """Keep the job line up to date and report the end."""
        desk = self._app.desk
        desk.note(message)
        event = message.event
        name = f"{message.verb} {message.target}"
        if isinstance(event, PlanDone):
            said = event.text.removeprefix(f"{message.target}: ") or "done"
            self._app.say(f"{name}: {said}", "ok", "✔")
            self._app.journal_changed()
            self._next(self._then.pop(message.plan_id, ()))
        elif isinstance(event, PlanFailed):
            self._failed(message, event, name)
            self._app.journal_changed()
        else:
            # A download tells five times a second how far it is: the next paint is soon enough. An
            # edit is looked at while it goes, but only in the lab.
            watched = message.subject == SUBJECT and self._app.current_mode == "lab"
            self._app.show_jobs(paint=watched or not message.endless)

    def _failed(self, message: PlanEvent, event: PlanFailed, name: str) -> None:
        self._then.pop(message.plan_id, None)
        if event.outcome in LEFT:
            self._left(event, name)
            return
        hint = f"; {event.hint}" if event.hint else ""
        word = "" if event.outcome == "failed" else f" {event.outcome}"
        left = f" ({event.text})" if event.text else ""
        # Some titles name the plan themselves: once is enough.
        title = event.title if event.title.startswith(name) else f"{name}{word}: {event.title}"
        self._app.say(f"{title}{left}{hint}", "error", "✖")
        offered = event.offers[0] if event.offers else ""
        mine = message.plan_id in self._app.desk.started_here
        if event.plan is not None and mine:
            # What it rested on has changed since: the plan that is right now takes its place.
            self.ready(PlanReady(event.plan, f"{event.title}. This is the plan as things are now."))
        elif offered and mine:
            preface = f"{message.verb.capitalize()} did not succeed: {event.title}"
            self._offer(message.target, offered, preface)

    def _left(self, event: PlanFailed, name: str) -> None:
        """Say that a download was left as somebody wanted, or waits for something."""
        symbol, role = LEFT[event.outcome]
        word = event.outcome.replace("_", " ")
        title = event.title if event.title.startswith(name) else f"{name} {word}: {event.title}"
        hint = f"; {event.hint}" if event.hint else ""
        self._app.say(f"{title}{hint}", role, symbol)

    def _offer(self, target: str, verb: str, preface: str) -> None:
        """Propose what may help after a failure, to the service or the container of a name."""
        service = self._app.service(target)
        if service is not None and verb in SERVICE_OFFERS:
            self._app.desk.propose(verb, service.name, service.name, preface)
            return
        container = self._app.container_by_name(target)
        if container is None and service is not None:
            container = self._app.container(service.container_id)
        if container is not None:
            self._app.desk.propose(verb, container.id, container.name, preface)

    def ended(self, message: PlanEnded) -> None:
        """Forget a plan whose events are over."""
        self._app.desk.ended(message.plan_id)
        self._app.show_jobs()

    def cancel_asked(self) -> None:
        """Cancel what runs at the second Esc within a moment; the first one only warns."""
        jobs = self._app.view.cancellable
        if not jobs:
            return
        job = jobs[-1]
        now = self._app.session.clock.monotonic()
        if now - self._escaped_at <= CANCEL_WINDOW:
            self._escaped_at = float("-inf")
            self._app.desk.cancel(job.plan_id)
            self._app.say(f"asked to cancel {job.verb} {job.target}", "warning", "▲")
            return
        self._escaped_at = now
        self._app.say(
            f"Esc again cancels: {job.verb} {job.target}", "warning", "▲", seconds=CANCEL_WINDOW
        )


def variant_words(variant: str, service: str) -> str:
    """Say what a start with another variant is, and what it is not: it changes no setting."""
    return (
        f"Only this pre-check counts with {variant}; no setting changes, and {service} loads "
        f"what its next job asks for. Ask for this one there; for every pre-check to count with "
        f'it, set variant = "{variant}" for {service} in the config.'
    )


def way_words(way: WayOut, service: str) -> str:
    """Say how to take a way out for which there is no plan."""
    if way.kind == "variant" and service:
        fetched = f" ({way.detail})" if way.detail else ""
        return f'set variant = "{way.target}" for {service} in the config{fetched}'
    if way.kind == "resolution":
        return "choose that when you edit; what is started is the same"
    return way.command or way.detail or "nothing to run"
