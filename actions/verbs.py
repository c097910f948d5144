"""Who plans and performs a verb: found by what a plan is about, or by what a name means."""

import importlib
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec

from actions.plan import Asker, Plan, Step
from actions.session import Session
from actions.step_thread import Work
from console.errors import UsageError
from console.text import clean_line

CONTAINER_VERBS = ("start", "stop", "restart", "kill")
SHELL = "shell"
# Verbs whose name is looked for among the services first.
_SERVICE_FIRST = ("start", "stop", "restart")
_SERVICES_ONLY = ("move", "free", "set")
_LAYOUTS_ONLY = ("switch",)
_MODELS_ONLY = (
    "pull", "rm", "dedupe", "move-file", "delete-file", "quarantine-file", "link-file",
)  # fmt: skip

_PROBES_ONLY = ("probe",)
_IMAGES_ONLY = ("build",)
# Who knows every verb of a subject; imported where it is asked for.
_BY_SUBJECT = {
    "service": "actions.service_verbs.verbs:ServiceVerbs",
    "layout": "actions.service_verbs.layouts:LayoutVerbs",
    "models": "actions.models.verbs:ModelVerbs",
    "probe": "actions.probing.verbs:ProbeVerbs",
    "image": "actions.building.verbs:BuildVerbs",
}
_EDITS_ONLY = ("compare", "edit", "gallery-rm", "load")


class Verbs(Protocol):
    """What the executor asks of whoever knows a kind of target."""

    def plan(self, verb: str, name: str, options: dict[str, Any], asker: Asker) -> Plan:
        """Make a plan."""
        ...

    def replan(self, plan: Plan) -> Plan:
        """Make the same plan from what is true now."""
        ...

    def work(self, plan: Plan, step: Step) -> Work:
        """Give what carries a step out, one of the plan's or one that goes back."""
        ...

    def left_behind(self, plan: Plan) -> dict[str, Any]:
        """Give the target's facts as they are now: `state`, or all of it in words under `text`."""
        ...

    def rollback(self, plan: Plan, done: Sequence[Step], broken: Step | None) -> tuple[Step, ...]:
        """Give the steps that restore what was before a plan that did not end well.

        Args:
            plan: the plan, whose locks are still held.
            done: its steps that ended well, in their order.
            broken: the step that failed or was cancelled; None where it ended between two.

        Returns:
            In the order in which they are to be done, each with a limit of its own; a step that
            fails does not keep those of another `target_id` from being done. Empty where there is
            no way back that could be gone without asking.
        """
        ...

    def back(self, plan: Plan, left: Mapping[str, Any]) -> Plan:
        """Make the plan that restores what was before an earlier plan, from what is true now.

        Args:
            plan: as it is in the journal; where it went on with an interrupted one, the first.
            left: how the newest plan of that target left it; empty where nobody saw it.

        Raises:
            RefusedError: there is nothing to go back to (`undo.none`), or others have changed it
                since (`undo.changed`).
        """
        ...


def verbs_for(session: Session, verb: str, subject: str = "container") -> Verbs:
    """Give who plans and performs a verb on a kind of target, as a plan names them.

    Raises:
        UsageError: nobody does.
    """
    if subject in _BY_SUBJECT:
        module, _, name = _BY_SUBJECT[subject].partition(":")
        made: Verbs = getattr(importlib.import_module(module), name)(session)
        return made
    if subject == "edits" and verb == "edit":
        from actions.edits.verbs import EditVerbs

        return EditVerbs(session)
    if subject == "edits" and verb == "compare":
        from actions.compare.planning import CompareVerbs

        return CompareVerbs(session)
    if subject == "edits" and verb == "gallery-rm":
        from actions.gallery.removing import GalleryVerbs

        return GalleryVerbs(session)
    if subject == "edits" and verb == "load":
        from actions.load.doing import LoadVerbs

        return LoadVerbs(session)
    if verb in CONTAINER_VERBS:
        from actions.containers.verbs import ContainerVerbs

        return ContainerVerbs(session)
    if verb == SHELL:
        from actions.details.shell import ShellVerbs

        return ShellVerbs(session)
    raise UsageError("plan.unknown-verb", f"There is no verb {clean_line(verb, 40)}")


def verbs_of(session: Session, verb: str, name: str) -> Verbs:
    """Give who plans a verb for what a name means: a service first, then a container.

    Raises:
        UsageError: there is no such verb.
        EngineError: the engine cannot be asked whether it is a service's container.
    """
    if verb in _LAYOUTS_ONLY:
        return verbs_for(session, verb, "layout")
    if verb in _MODELS_ONLY:
        return verbs_for(session, verb, "models")
    if verb in _EDITS_ONLY:
        return verbs_for(session, verb, "edits")
    if verb in _IMAGES_ONLY:
        return verbs_for(session, verb, "image")
    if verb in _PROBES_ONLY:
        return verbs_for(session, verb, "probe")
    if verb in _SERVICES_ONLY:
        return verbs_for(session, verb, "service")
    if verb in _SERVICE_FIRST and _is_service(session, name):
        return verbs_for(session, verb, "service")
    return verbs_for(session, verb)


def _is_service(session: Session, name: str) -> bool:
    """Tell whether a name, id or beginning of an id is a service's or its container's."""
    from actions.service_verbs.verbs import ServiceVerbs

    return ServiceVerbs(session).knows(name)


def locking_service(session: Session, plan: Plan) -> Plan:
    """Give a container's plan with the lock of the service that the container is, if it is one's.

    Nobody ends a service's container while a plan for the service is under way.
    """
    if plan.subject != "container" or not plan.locks:
        return plan
    from actions.service_verbs.verbs import ServiceVerbs

    name = ServiceVerbs(session).named(plan.target_id)
    if name is None:
        return plan
    return msgspec.structs.replace(plan, locks=(*plan.locks, f"service-{name}"))
