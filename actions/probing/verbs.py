"""The verb `probe`: a throw-away container with the cards, and large requests from outside."""

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from actions.containers.docker import docker_command
from actions.containers.verbs import new_plan_id
from actions.plan import Asker, Check, Plan, Refusal, Step
from actions.probing.card_probe import CardProbe
from actions.probing.upload_probe import UploadProbe
from actions.services.snapshot import ServiceStatus
from actions.session import Session
from actions.snapshot import HostSnapshot
from actions.status import read_status
from actions.step_thread import Work
from console.errors import ConsoleError, RefusedError, UsageError
from console.mask import mask_text
from console.outside.address import public_address
from console.outside.probes import SENT_BYTES, UPLOADS
from console.text import clean_line
from console.units import format_bytes
from console.unknown import known

EVERYTHING = "host"
_CARD_SECONDS = 60.0
_UPLOAD_SECONDS = 90.0
_COMMAND = ("nvidia-smi", "-L")


class ProbeVerbs:
    """Plans and performs `probe`; what a step finds is its result, `checks` and their findings."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def plan(self, verb: str, name: str, options: dict[str, Any], asker: Asker) -> Plan:
        """Make the plan of the probes of everything (`host`), or of one service.

        Raises:
            UsageError: there is no such service, or there are options: it takes none.
        """
        if any(value is not None for value in options.values()):
            raise UsageError("probe.options", "a probe takes no options", "")
        snapshot = read_status(self._session)
        wanted = [one for one in snapshot.services if name in {EVERYTHING, one.name}]
        if not wanted and name != EVERYTHING:
            raise UsageError(
                "service.unknown",
                f"There is no service {clean_line(name, 80)}",
                "gpuconsole status lists them",
            )
        checks: list[Check] = []
        steps = [
            *self._card_steps(snapshot, wanted, checks),
            *self._upload_steps(wanted, checks),
        ]
        return Plan(
            id=new_plan_id(self._session),
            verb=verb,
            target=name,
            target_id=name,
            steps=tuple(steps),
            checks=tuple(checks),
            verdict="ready" if steps else "refused",
            refusal=None
            if steps
            else Refusal(
                code="probe.nothing",
                title="there is nothing to probe",
                hint="a probe needs a container with a card, or a service with public_url",
            ),
            longest_seconds=sum(step.longest_seconds or 1.0 for step in steps) or 1.0,
            locks=("probe",),
            subject="probe",
            created_at=self._session.clock.now(),
            asker=asker,
        )

    def replan(self, plan: Plan) -> Plan:
        """Give the plan itself: its steps look at what is there."""
        return plan

    def work(self, plan: Plan, step: Step) -> Work:  # noqa: ARG002 -- a step says it all
        """Give what carries a step out."""
        if step.id == "card":
            return CardProbe(self._session, step)
        return UploadProbe(self._session, step)

    def left_behind(self, plan: Plan) -> dict[str, Any]:  # noqa: ARG002
        """Say how things are: as before."""
        return {"text": "nothing was changed"}

    def rollback(
        self,
        plan: Plan,  # noqa: ARG002
        done: Sequence[Step],  # noqa: ARG002
        broken: Step | None,  # noqa: ARG002
    ) -> tuple[Step, ...]:
        """Give no steps: each removes what it made."""
        return ()

    def back(self, plan: Plan, left: Mapping[str, Any]) -> Plan:  # noqa: ARG002
        """Refuse: a probe changed nothing.

        Raises:
            RefusedError: `undo.none`.
        """
        raise RefusedError(
            "undo.none", "the last plan was a probe: there is nothing to go back to", ""
        )

    def _card_steps(
        self, snapshot: HostSnapshot, wanted: Sequence[ServiceStatus], checks: list[Check]
    ) -> list[Step]:
        image = _image_of(snapshot, {one.container_id for one in wanted})
        if not image:
            checks.append(
                Check(
                    id="probe.no-image",
                    title="no container here asks for a card: none is tried",
                    verdict="pass",
                )
            )
            return []
        words = [
            *docker_command(self._session.endpoint), "run", "--rm", "--gpus", "all", "--network",
            "none", "--entrypoint", _COMMAND[0], image, *_COMMAND[1:],
        ]  # fmt: skip
        cards = [gpu.uuid for gpu in snapshot.gpu.gpus]
        return [
            Step(
                id="card",
                title=f"List the cards in a throw-away container of {image} that is given all",
                touches=("a container of its own, removed afterwards",),
                command=shlex.join(words),
                longest_seconds=_CARD_SECONDS,
                options={"image": image, "command": list(_COMMAND), "cards": cards},
            )
        ]

    def _upload_steps(self, wanted: Sequence[ServiceStatus], checks: list[Check]) -> list[Step]:
        steps = []
        for one in wanted:
            service = one.service
            if not service.public_url or service.kind not in UPLOADS:
                continue
            path = UPLOADS[service.kind].path
            try:
                base = mask_text(public_address(service.public_url).base)
            except ConsoleError as error:
                checks.append(Check(id="probe.no-address", title=error.title, verdict="warn"))
                continue
            steps.append(
                Step(
                    id=f"upload-{one.name}",
                    title=f"Send {format_bytes(SENT_BYTES)} to {base}{path}, which stores nothing",
                    touches=(f"the way in to {one.name}",),
                    command=f"head -c {SENT_BYTES} /dev/zero | curl --data-binary @- {base}{path}",
                    longest_seconds=_UPLOAD_SECONDS,
                    target_id=one.name,
                    options={"service": one.name, "url": base, "kind": service.kind},
                )
            )
        if not steps:
            checks.append(
                Check(
                    id="probe.no-url",
                    title="no service has a public_url: nothing is sent from outside",
                    verdict="pass",
                )
            )
        return steps


def _image_of(snapshot: HostSnapshot, idents: set[str]) -> str:
    """Give the image of a container that asks for a card, one that runs before others.

    An image that is here already: nothing is fetched for a probe.
    """
    asking = [
        one
        for one in snapshot.engine.containers
        if known(one.gpu)
        and (one.gpu.requests or one.gpu.runtime == "nvidia")
        and (one.id in idents or not idents)
    ]
    asking.sort(key=lambda one: one.state != "running")
    return asking[0].image if asking else ""
