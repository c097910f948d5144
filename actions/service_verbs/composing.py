"""Having compose make a service's container, and putting the old one's name right if it fails."""

import contextlib
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from actions.plan import Step
from actions.service_verbs.doing import Doing
from actions.service_verbs.steps import project_of
from actions.service_verbs.volumes import has_own_volumes
from actions.services.snapshot import ServiceStatus
from actions.session import Session
from actions.trouble import CancelledStepError, StepError
from console.engine.faults import EngineError, NoSuchContainerError
from console.text import clean_line

if TYPE_CHECKING:
    from console.compose.faults import ComposeError
    from console.engine.client import EngineClient

_BY_COMPOSE = frozenset({"compose-up", "compose-create"})
_PLUGIN = "docker compose"
# An engine that restarts is back long before this.
_ENGINE_SECONDS = 60.0
_AGAIN_SECONDS = 1.0


class _Old(NamedTuple):
    """The container that compose is to replace; its name as it was before."""

    id: str
    name: str


def bring_up(doing: Doing, *, recreate: bool, start: bool = True) -> str:
    """Have compose make the service's container; its output is told as it comes.

    Compose 1.x gives the container that it replaces another name first, and leaves it so where it
    fails or is ended: it gets its name back here, from a new one that never ran if need be.

    Args:
        doing: the step.
        recreate: a new container also where there is one.
        start: also start it; otherwise it is only there.

    Raises:
        ComposeError: compose is missing, or failed, or was not over within the limit.
        StepError: the service is gone, or the engine went away for good.
        CancelledStepError: somebody asked to cancel.
    """
    from console.compose.command import find_compose
    from console.compose.faults import ComposeCancelledError, ComposeError
    from console.compose.project import read_service
    from console.compose.run import up

    status = _found(doing)
    service = status.service
    if service.compose_file is None:
        raise StepError("service.absent", f"{doing.name} has no compose file any more")
    old = _old(doing, status.container_id) if recreate else None
    renew = recreate and not has_own_volumes(doing, status.container_id)
    command = find_compose(doing.session.environ, doing.session.endpoint)
    if doing.cancelled():
        raise CancelledStepError("plan.cancelled", f"compose was not asked to make {doing.name}")
    try:
        return up(
            command,
            read_service(service.compose_file, service.compose_service, project_of(service)),
            service.compose_service,
            recreate=recreate,
            tell=doing.tell,
            cancelled=doing.cancelled,
            limit=float(doing.options["limit"]),
            start=start,
            renew=renew,
        )
    except ComposeCancelledError as error:
        title = _with(error, _name_back(doing, old))
        said = f"{title}; {_state(doing)}"
        raise CancelledStepError(error.code, said, detail=error.detail) from error
    except ComposeError as error:
        title = _with(error, _name_back(doing, old))
        raise ComposeError(error.code, title, error.hint, error.detail) from error


def _found(doing: Doing) -> ServiceStatus:
    """Give the service, once the engine answers.

    Raises:
        StepError: it is gone, or the engine went away for good (`service.state-unknown`).
    """
    while (problem := (seen := doing.look()).problem) is not None:
        if doing.over(_ENGINE_SECONDS):
            title = f"compose was not asked to make {doing.name}: {problem.title}"
            raise StepError("service.state-unknown", title, problem.hint)
        doing.tell(f"the engine does not answer ({problem.title}); looking again")
        doing.pause(_AGAIN_SECONDS, f"compose was not asked to make {doing.name}")
    if seen.status is None:
        raise StepError("service.unknown", f"{doing.name} is not there any more")
    return seen.status


def as_called(session: Session, steps: Sequence[Step]) -> tuple[Step, ...]:
    """Give steps with the commands of compose as this host has it: plugin or `docker-compose`."""
    if not any(step.options.get("do") in _BY_COMPOSE for step in steps):
        return tuple(steps)
    from console.compose.command import find_compose
    from console.compose.faults import ComposeError

    try:
        words = find_compose(session.environ, session.endpoint).words
    except ComposeError:
        return tuple(steps)  # the step itself will say so
    name = " ".join((Path(words[0]).name, *words[1:]))
    return tuple(
        msgspec.structs.replace(step, command=f"{name}{step.command.removeprefix(_PLUGIN)}")
        if step.options.get("do") in _BY_COMPOSE
        else step
        for step in steps
    )


def _old(doing: Doing, container_id: str) -> _Old | None:
    """Give the container that there is.

    Raises:
        EngineError: the engine does not answer as it should.
    """
    if not container_id:
        return None
    with doing.client() as client, contextlib.suppress(NoSuchContainerError):
        inspected = client.inspect(container_id)
        return _Old(container_id, _name(inspected))
    return None


def _name_back(doing: Doing, old: _Old | None) -> str:
    """Give the old container its name back; gives what was done in words, empty where nothing."""
    if old is None:
        return ""
    now = ""
    try:
        with doing.client() as client:
            now = _name(client.inspect(old.id))
            if now in {"", old.name}:
                return ""
            _make_room(client, old.name)
            client.rename(old.id, old.name)
    except NoSuchContainerError:
        return ""
    except EngineError as error:
        if not now:
            return f"what became of its old container is not known: {error.title}"
        by_hand = clean_line(shlex.join(("docker", "rename", now, old.name)), 200)
        return f"its old container goes by another name now, `{by_hand}` gives it back"
    return f"its old container, which compose had renamed, is {clean_line(old.name, 100)} again"


def _make_room(client: "EngineClient", name: str) -> None:
    """Remove the container that compose made under a name, if it never ran."""
    with contextlib.suppress(NoSuchContainerError):
        found = client.inspect(name)
        state = found.get("State")
        never_ran = isinstance(state, Mapping) and state.get("Status") == "created"
        if never_ran and _name(found) == name:
            client.remove(str(found["Id"]))


def _name(inspected: Mapping[str, Any]) -> str:
    return str(inspected.get("Name") or "").lstrip("/")


def _state(doing: Doing) -> str:
    """Say how the service is: compose may have done its work before it heard that it was to end."""
    seen = doing.look()
    if seen.status is not None:
        return f"{doing.name} is {seen.status.state} now"
    why = seen.problem.title if seen.problem is not None else "it is not there any more"
    return f"how {doing.name} is now is not known: {why}"


def _with(error: "ComposeError", more: str) -> str:
    return f"{error.title}; {more}" if more else error.title
