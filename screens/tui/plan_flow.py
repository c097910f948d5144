"""From a key to a plan to its end: what the application does with the plan desk's messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actions.plan import Plan, PlanDone, PlanFailed
from console.engine.snapshot import Container
from console.errors import ConsoleError
from screens.tui.messages import PlanEnded, PlanEvent, PlanProblem, PlanReady
from screens.tui.verbs import Verb, verb_for_key, verbs_of

if TYPE_CHECKING:
    from screens.tui.application import Console

VIEWS = ("logs", "project-logs")
"""Lines of the menu that open something instead of changing it."""
CANCEL_WINDOW = 4.0
"""Seconds in which a second Esc cancels what runs."""


class PlanFlow:
    """Asks, confirms, runs and reports; holds nothing but when Esc was last pressed."""

    def __init__(self, app: Console) -> None:
        self._app = app
        self._escaped_at = float("-inf")

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
        if not plan.steps and plan.verdict != "refused":
            text = plan.checks[0].title if plan.checks else "nothing is to be done"
            self._app.say(f"{plan.target}: {text}", "dim", "·")
            return
        if not self._asks(plan, message.preface):
            self._run(plan)
            return
        from screens.tui.plan_dialog import PlanDialog

        shown = self._app.screen
        if isinstance(shown, PlanDialog) and shown.asks_the_same(plan):
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self._run(plan)
            elif plan.verdict != "refused":
                self._app.say(f"{plan.verb} {plan.target}: left as it is", "dim", "·")

        self._app.push_screen(PlanDialog(plan, message.preface), answered)

    def _run(self, plan: Plan) -> None:
        if plan.interactive:
            from screens.tui.container.shell import take_over

            take_over(self._app, plan)
        else:
            self._app.desk.run(plan)

    def _asks(self, plan: Plan, preface: str) -> bool:
        confirm = self._app.session.settings.policy.confirm
        destructive = any(step.destructive for step in plan.steps)
        return bool(
            preface or plan.verdict != "ready" or plan.verb in confirm or plan.undoes or destructive
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
            self._app.say(f"{name}: {event.text or 'done'}", "ok", "✔")
            self._app.journal_changed()
        elif isinstance(event, PlanFailed):
            self._failed(message, event, name)
            self._app.journal_changed()
        else:
            self._app.show_jobs()

    def _failed(self, message: PlanEvent, event: PlanFailed, name: str) -> None:
        hint = f"; {event.hint}" if event.hint else ""
        word = "" if event.outcome == "failed" else f" {event.outcome}"
        left = f" ({event.text})" if event.text else ""
        self._app.say(f"{name}{word}: {event.title}{left}{hint}", "error", "✖")
        offered = event.offers[0] if event.offers else ""
        container = self._app.container_by_name(message.target)
        mine = message.plan_id in self._app.desk.started_here
        if offered and container is not None and mine:
            preface = f"{message.verb.capitalize()} did not succeed: {event.title}"
            self._app.desk.propose(offered, container.id, container.name, preface)

    def ended(self, message: PlanEnded) -> None:
        """Forget a plan whose events are over."""
        self._app.desk.ended(message.plan_id)
        self._app.show_jobs()

    def cancel_asked(self) -> None:
        """Cancel what runs at the second Esc within a moment; the first one only warns."""
        jobs = [job for job in self._app.view.jobs if job.detached]
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
