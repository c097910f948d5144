"""The steps that plans of services are made of, and who carries each out."""

import importlib
import shlex
from typing import Any

import msgspec

from actions.containers.drafts import START_LONGEST, STOP_MARGIN
from actions.fit.model import Fit
from actions.plan import Plan, Step
from actions.service_verbs.around import Around
from actions.service_verbs.doing import ServiceWork
from actions.service_verbs.words import command, limit
from actions.services.snapshot import Service, ServiceStatus
from actions.session import Session
from actions.step_thread import Work
from console.compose.project import Project
from console.compose.run import shown_command
from console.unknown import Unknown

# Reading the host and telling of it takes its time after a limit of ours.
_MARGIN = 30.0

# Who carries out which step, as `module:function`; each gets a `Doing` and gives its result.
_DOERS = {
    "drain": "actions.service_verbs.draining:drain",
    "interrupt": "actions.service_verbs.draining:interrupt",
    "stop": "actions.service_verbs.container_steps:stop",
    "start": "actions.service_verbs.container_steps:start",
    "compose-up": "actions.service_verbs.container_steps:compose_up",
    "wait-ready": "actions.service_verbs.ready:wait_ready",
    "check-card": "actions.service_verbs.card:check_card",
    "wait-vram": "actions.service_verbs.vram:wait_vram",
    "free": "actions.service_verbs.freeing:free",
    "edit-compose": "actions.service_verbs.compose_change:edit_compose",
    "compose-create": "actions.service_verbs.container_steps:compose_create",
    "note-config": "actions.service_verbs.move:note_config",
}


class StartHow(msgspec.Struct, frozen=True, kw_only=True):
    """How a service is started.

    Attributes:
        ready_limit: seconds until it must be ready; None is the kind's own limit.
        gpu_uuid: the card it must sit on; None is the one it is meant for.
        recreate: by compose and with a new container, even where there is one.
    """

    ready_limit: float | None = None
    gpu_uuid: str | None = None
    recreate: bool = False


class StopHow(msgspec.Struct, frozen=True, kw_only=True):
    """How a service is stopped.

    Attributes:
        wait: until its jobs are done, `wait_limit` seconds at most (None: the usual limit).
        interrupt: its job first, and see that it ended.
        timeout: seconds of grace for its container; None is as the container is configured.
    """

    wait: bool = False
    wait_limit: float | None = None
    interrupt: bool = False
    timeout: int | None = None


def start_steps(
    around: Around, status: ServiceStatus, fit: Fit | None = None, how: StartHow | None = None
) -> tuple[Step, ...]:
    """Give the steps that start a service, wait until it is ready, and look at its card.

    Empty where it is ready already; without the start itself where its container runs.

    Args:
        around: the look at the host; of a running container nothing else is needed.
        status: the service.
        fit: its pre-check, which names the card it will use; None where there is none.
        how: see there; None is as usual.
    """
    how = how or StartHow()
    running = status.up and not how.recreate
    if running and status.state in {"ready", "busy"}:
        return ()
    begin = () if running else (_begin(around, status, how),)
    card = how.gpu_uuid or _card_of(status, fit)
    ready = ready_limit(status, how)
    wait = service_step(
        "wait-ready",
        status,
        f"Wait until {status.name} is ready",
        command("wait_ready", status.service),
        seconds=ready + _MARGIN,
        limit=ready,
    )
    if card is None:
        return (*begin, wait)
    look = service_step(
        "check-card",
        status,
        f"See that {status.name} is on {around.card_name(card)}",
        command("check_card", status.service),
        seconds=limit("ready", "card_limit") + _MARGIN,
        gpu=card,
    )
    return (*begin, wait, look)


def stop_steps(
    around: Around, status: ServiceStatus, how: StopHow | None = None
) -> tuple[Step, ...]:
    """Give the steps that stop a service and see its VRAM come back; empty where it is not up.

    Args:
        around: the look at the host; has the service's container.
        status: the service.
        how: see there; None stops it at once.
    """
    how = how or StopHow()
    facts = around.container(status)
    if facts is None or not facts.runs:
        return ()
    before = end_job_steps(status, how)
    words = () if how.timeout is None else ("-t", str(how.timeout))
    stop = service_step(
        "stop",
        status,
        f"Stop {status.name}",
        shlex.join((*around.docker, "stop", *words, facts.name)),
        seconds=facts.grace(how.timeout) + STOP_MARGIN + _MARGIN,
        undo="" if facts.auto_remove else f"gpuconsole start {status.name}",
        destructive=facts.auto_remove,
        timeout=how.timeout,
        gpu=_uuid(status.gpu_uuid),
        held=_bytes(status),
    )
    return (*before, stop, *vram_steps(status))


def end_job_steps(status: ServiceStatus, how: StopHow) -> tuple[Step, ...]:
    """Give the step that waits for a service's jobs or interrupts the one under way, if any."""
    if status.service.kind == "other" or not (how.wait or how.interrupt):
        return ()
    if how.interrupt:
        return (
            service_step(
                "interrupt",
                status,
                f"Interrupt the job of {status.name}",
                command("interrupt", status.service),
                seconds=limit("drain", "interrupt_limit") + _MARGIN,
                destructive=True,
            ),
        )
    longest = how.wait_limit or limit("drain", "limit")
    drain = service_step(
        "drain",
        status,
        f"Wait until {status.name} has done its jobs",
        command("drain", status.service),
        seconds=longest + _MARGIN,
        limit=longest,
    )
    return (drain,)


def vram_steps(status: ServiceStatus) -> tuple[Step, ...]:
    """Give the step that sees the VRAM come back; none for a service that uses no card."""
    uuid = _uuid(status.gpu_uuid)
    if uuid is None:
        return ()
    wait = service_step(
        "wait-vram",
        status,
        f"See the VRAM of {status.name} come back",
        command("wait_vram", status.service),
        seconds=limit("vram", "limit") + _MARGIN,
        gpu=uuid,
        held=_bytes(status),
    )
    return (wait,)


def service_step(
    do: str,
    status: ServiceStatus,
    title: str,
    words: str,
    *,
    seconds: float,
    undo: str = "",
    destructive: bool = False,
    **options: Any,
) -> Step:
    """Give a step about one service; `do` names who carries it out, `seconds` its limit."""
    touches = [f"service {status.name}"]
    if do in {"stop", "start", "compose-up"} and status.service.container:
        touches.append(f"container {status.service.container}")
    return Step(
        id=f"{do}-{status.name}",
        title=title,
        touches=tuple(touches),
        command=words,
        destructive=destructive,
        undo=undo,
        longest_seconds=seconds,
        target_id=status.name,
        options={
            "do": do,
            "service": status.name,
            "container": status.container_id,
            **{name: value for name, value in options.items() if value is not None},
        },
    )


def work_for(session: Session, plan: Plan, step: Step) -> Work:
    """Give what carries out a step that `service_step` made.

    Raises:
        KeyError: nobody does: a fault of the program.
    """
    module, _, name = _DOERS[step.options["do"]].partition(":")
    return ServiceWork(session, plan, step, getattr(importlib.import_module(module), name))


def ready_limit(status: ServiceStatus, how: StartHow) -> float:
    """Give the seconds that a service may take until it is ready."""
    return how.ready_limit or limit("ready", status.service.kind)


def _begin(around: Around, status: ServiceStatus, how: StartHow) -> Step:
    """Give the step that starts the container, or has compose create it."""
    facts = around.container(status)
    undo = f"gpuconsole stop {status.name}"
    if facts is not None and not how.recreate:
        return service_step(
            "start",
            status,
            f"Start {status.name}",
            shlex.join((*around.docker, "start", facts.name)),
            seconds=START_LONGEST + _MARGIN,
            undo="" if facts.auto_remove else undo,
        )
    return service_step(
        "compose-up",
        status,
        f"Create {status.name} by compose and start it",
        shown_command(
            project_of(status.service), status.service.compose_service, recreate=how.recreate
        ),
        seconds=limit("compose", "up_limit") + _MARGIN,
        undo=undo,
        recreate=how.recreate,
        limit=limit("compose", "up_limit"),
    )


def project_of(service: Service) -> Project:
    """Give the compose project of a service that has a compose file.

    As the labels of its container tell; where the config names another file, that alone.
    """
    if service.compose_file is None or service.compose_file in service.compose_files:
        return Project(
            files=service.compose_files,
            name=service.compose_project,
            directory=service.compose_dir,
            env_files=service.compose_env_files,
        )
    return Project(files=(service.compose_file,), name=service.compose_project)


def _card_of(status: ServiceStatus, fit: Fit | None) -> str | None:
    """Give the card a service will use: what it is meant for, else where its settings lead."""
    for uuid in (status.gpu_expected_uuid, fit.gpu_uuid if fit else None, status.gpu_declared_uuid):
        if isinstance(uuid, str) and uuid:
            return uuid
    return None


def _uuid(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _bytes(status: ServiceStatus) -> int | None:
    """Give what the service holds, where somebody tells."""
    held = status.vram_used_bytes
    return None if isinstance(held, Unknown) else held
