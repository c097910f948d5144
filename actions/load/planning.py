"""The plan of a load run: what is sent where, and what speaks against it."""

import itertools
import secrets
import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from actions.containers.verbs import new_plan_id
from actions.containers.words import worded
from actions.edits.preparing import Prepared, prepare
from actions.edits.request import EditRequest
from actions.load.asked import Asked, asked
from actions.load.carried import carry
from actions.load.folder import folder_of
from actions.load.kinds import checks as check_words
from actions.load.kinds import defaults
from actions.load.model import LoadRequest
from actions.plan import Asker, Check, Plan, Refusal, Step
from actions.services.find import service_named
from actions.services.snapshot import ServiceStatus
from actions.session import Session
from actions.snapshot import HostSnapshot
from actions.workflows.shelf import open_shelf, workflow_named
from actions.workflows.workflow import Workflow
from console.errors import UsageError
from console.pictures.samples import samples
from console.text import clean_line
from console.unknown import known

_SEEDS = 1 << 32
"""Below that every kind of service takes a seed."""


def load_plan(session: Session, verb: str, name: str, options: dict[str, Any], who: Asker) -> Plan:
    """Make the plan of a load run; nothing is sent by it.

    Args:
        session: whose host.
        verb: `load`.
        name: of a workflow; empty takes a usual one for each kind of service.
        options: fields of `Asked`.
        who: asks.

    Raises:
        UsageError: the request makes no sense.
        PictureError: a picture cannot be used.
        UnreachableError: there is no service for it, or it does not run.
        ServiceFault: a service does not answer, or oddly.
    """
    from actions.status import read_status

    wanted = asked(options)
    snapshot = read_status(session)
    seed = secrets.randbelow(_SEEDS - wanted.requests) if wanted.seed is None else wanted.seed
    edits = [_edit(session, name, wanted, one, seed) for one in _services(snapshot, wanted)]
    prepared = [prepare(session, edit, snapshot) for edit in edits]
    request = LoadRequest(
        edits=tuple(one.request for one in prepared),
        requests=wanted.requests,
        at_once=wanted.at_once,
        seed=seed,
        discard=wanted.discard,
        patience=wanted.patience,
        out=wanted.out,
    )
    ident = new_plan_id(session)
    checks = _checks(ident, request, prepared, snapshot, sampled=not wanted.images)
    refusal = next((one.refusal for one in prepared if one.refusal is not None), None)
    warned = any(one.verdict == "warn" for one in checks)
    target = prepared[0].workflow.name
    plan = Plan(
        id=ident,
        verb=verb,
        target=target,
        target_id=target,
        steps=(),
        checks=checks,
        verdict="refused" if refusal else ("warned" if warned else "ready"),
        refusal=refusal and _named(refusal, prepared),
        facts={"services": [one.service for one in prepared], "requests": request.requests},
        options=carry(request),
        longest_seconds=3600.0,
        subject="edits",
        fits=tuple(one.fit for one in prepared if one.fit is not None),
        endless=True,
        pausable=False,
        created_at=session.clock.now(),
        asker=who,
    )
    return plan if refusal else msgspec.structs.replace(plan, steps=_steps(session, plan, request))


def _services(snapshot: HostSnapshot, wanted: Asked) -> tuple[ServiceStatus | None, ...]:
    """Give the services as typed, each once; None alone where none is.

    Raises:
        UsageError: there is none called so (`service.unknown`).
    """
    several = [one.service for one in snapshot.services]
    found: dict[str, ServiceStatus] = {}
    for name in wanted.services:
        service = service_named(several, snapshot.engine.containers, name)
        status = next((one for one in snapshot.services if one.service is service), None)
        if status is None:
            names = ", ".join(one.name for one in several) or "none"
            title = f"there is no service {clean_line(name, 80)!r}"
            raise UsageError("service.unknown", title, f"Services: {names}")
        found[status.name] = status
    return tuple(found.values()) or (None,)


def _edit(
    session: Session, name: str, wanted: Asked, service: ServiceStatus | None, seed: int
) -> EditRequest:
    """Give what one service is sent; what its workflow has no input for is left out."""
    workflow = _workflow(session, name, service)
    inputs = workflow.inputs
    prompt = wanted.prompt
    if prompt is None and inputs.prompt:
        prompt = defaults().prompt
    # Where the workflow is the usual one of a service, one of another kind may take the pictures.
    images = wanted.images if name else wanted.images[: workflow.most_images]
    return EditRequest(
        workflow=workflow.name,
        service="" if service is None else service.name,
        variant=wanted.variant,
        images=images or _samples(workflow),
        prompt=prompt,
        negative=wanted.negative,
        seed=seed if inputs.seed else wanted.seed,
        steps=wanted.steps,
        cfg=wanted.cfg,
        size=wanted.size,
        lightning=wanted.lightning,
        preview=False,
    )


def _workflow(session: Session, name: str, service: ServiceStatus | None) -> Workflow:
    """Give the workflow as named, else the usual one of a service's kind."""
    usual = defaults()
    if not name:
        kind = "comfyui" if service is None else service.service.kind
        name = usual.forge if kind == "forge" else usual.comfyui
    return workflow_named(open_shelf(session), name)


def _samples(workflow: Workflow) -> tuple[str, ...]:
    """Give as many sample pictures as a workflow needs; several of one where there are fewer."""
    several = itertools.cycle(str(one) for one in samples())
    return tuple(itertools.islice(several, workflow.fewest_images))


def _checks(
    ident: str,
    request: LoadRequest,
    prepared: Sequence[Prepared],
    snapshot: HostSnapshot,
    *,
    sampled: bool,
) -> tuple[Check, ...]:
    """Give what was looked at: the run's own first, then each service's, nothing twice."""
    names = " and ".join(one.service for one in prepared)
    found = [
        _check(
            "load.size",
            count=_count(request.requests, "request"),
            services=names,
            at_once=request.at_once,
            seed=request.seed,
        ),
        _check("load.discarded") if request.discard else _check("load.kept", ident=ident),
    ]
    if sampled and any(edit.images for edit in request.edits):
        found.append(_check("load.sample"))
    found += [check for one in prepared for check in one.checks if check.id != "edit.waits"]
    found += _same_card(prepared)
    found += _busy(prepared, snapshot)
    return tuple(dict.fromkeys(found))


def _same_card(prepared: Sequence[Prepared]) -> Iterator[Check]:
    cards = Counter(one.gpu_uuid for one in prepared if one.gpu_uuid)
    for uuid, count in cards.items():
        if count > 1:
            its = [one for one in prepared if one.gpu_uuid == uuid]
            names = " and ".join(one.service for one in its)
            yield _check("load.same-card", "warn", services=names, card=its[0].gpu_name or uuid)


def _busy(prepared: Sequence[Prepared], snapshot: HostSnapshot) -> Iterator[Check]:
    readings = {one.name: one.reading for one in snapshot.services}
    for one in prepared:
        reading = readings.get(one.service)
        if reading is None:
            continue
        told = (reading.queue_running, reading.queue_pending)
        count = sum(part for part in told if known(part))
        if count:
            yield _check("load.busy", service=one.service, count=_count(count, "job"))


def _named(refusal: Refusal, prepared: Sequence[Prepared]) -> Refusal:
    """Give a refusal with the service that it is about, where there are several."""
    if len(prepared) == 1:
        return refusal
    service = next(one.service for one in prepared if one.refusal is refusal)
    return msgspec.structs.replace(refusal, title=f"{service}: {refusal.title}")


def _steps(session: Session, plan: Plan, request: LoadRequest) -> tuple[Step, ...]:
    services = [edit.service for edit in request.edits]
    folder = folder_of(session, plan)
    return (
        Step(
            id="run",
            title=f"{_count(request.requests, 'request')} of {plan.target} to"
            f" {' and '.join(services)}, {request.at_once} at a time",
            touches=tuple(f"service {name}" for name in services),
            command=_command(request),
        ),
        Step(
            id="report",
            title="Write the report",
            touches=(f"folder {folder}",),
            command=f"gpuconsole gallery list --group {plan.id}",
            undo=f"rm -r {shlex.quote(str(folder))}",
        ),
    )


def _command(request: LoadRequest) -> str:
    """Give what a person could type for it, for each service."""
    first, last = request.seed, request.seed + request.requests - 1
    lines = [
        f"seq {first} {last} | xargs -P {request.at_once} -I N gpuconsole edit"
        f" --workflow {shlex.quote(edit.workflow)} --service {shlex.quote(edit.service)}"
        f"{''.join(f' --image {shlex.quote(path)}' for path in edit.images)}"
        f" --prompt {shlex.quote(edit.prompt or '')} --seed N"
        for edit in request.edits
    ]
    return clean_line(" & ".join(lines), 1000)


def _check(check_id: str, verdict: str = "pass", **values: object) -> Check:
    return worded(check_words()[check_id], check_id, verdict, values)


def _count(number: int, noun: str) -> str:
    return f"1 {noun}" if number == 1 else f"{number} {noun}s"
