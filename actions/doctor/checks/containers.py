"""Checks of each container: its state and end, its mounts, its ports, what its log shows."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec

from actions.container_alerts import container_alerts
from actions.doctor.check import Check, Result
from actions.doctor.ground import Ground
from actions.doctor.telling import from_alert, from_runbook, result, said
from actions.runbook.diagnose import diagnose
from actions.runbook.finding import Evidence, Finding
from console.engine.snapshot import UP, Container

_KILLED = 137
_SETTLED = timedelta(seconds=90)
_WIDE = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 -- looked for, not bound


def container_checks(ground: Ground) -> Iterator[Check]:
    """Give the checks of every container that is a service's, wants a card, or is not well."""
    snapshot = ground.snapshot
    ill = {one.subject_id for one in container_alerts(snapshot.engine, snapshot.taken_at)}
    services = {one.container_id for one in snapshot.services}
    for container in snapshot.engine.containers:
        claim = snapshot.claims.get(container.id)
        ours = container.id in services or (claim is not None and claim.uses_gpu)
        if not ours and container.id not in ill:
            continue
        name = ground.name_of(container)
        yield _check("container.state", name, container, _state)
        if ours or container.id in ill:
            yield _check("container.log", name, container, _log, limit=8.0)
        if ours:
            yield _check("container.mounts", name, container, _mounts)
            yield _check("container.ports", name, container, _ports)


def _check(
    kind: str,
    name: str,
    container: Container,
    look: "object",
    limit: float = 2.5,
) -> Check:
    def run(ground: Ground, check: Check) -> Result:
        return look(ground, check, container)  # type: ignore[operator, no-any-return]

    words = {"container.state": "state", "container.log": "log", "container.mounts": "mounts",
             "container.ports": "ports"}  # fmt: skip
    return Check(
        id=f"{kind}:{name}",
        group="containers",
        title=f"{words[kind]} of {name}",
        run=run,
        needs=("engine.reachable",),
        limit_seconds=limit,
        subject=name,
        heavy=kind == "container.log",
    )


def _state(ground: Ground, check: Check, container: Container) -> Result:
    snapshot = ground.snapshot
    alerts = container_alerts(snapshot.engine, snapshot.taken_at, only=(container.id,))
    findings: list[Finding] = []
    for alert in alerts:
        found = msgspec.structs.replace(
            from_alert(alert), subject=check.subject, title=f"{check.subject} {alert.title}"
        )
        findings.append(_killed(found, container) or found)
        if alert.id == "container.failed-start":
            findings += _start_words(ground, check, container)
    return result(check, f"{check.subject}: {container.status or container.state}", findings)


def _killed(found: Finding, container: Container) -> Finding | None:
    """Give what is behind an end by SIGKILL that nobody asked for; None where it was none."""
    if container.state in UP and container.state != "restarting":
        return None
    if found.id == "container.out-of-memory":
        known_case = from_runbook(
            "host.oom-kill", found.subject, found.evidence, name=found.subject
        )
    elif (
        found.id in {"container.exited", "container.crash-loop"} and container.exit_code == _KILLED
    ):
        known_case = from_runbook("process.killed", found.subject, found.evidence)
    else:
        return None
    return msgspec.structs.replace(known_case, severity=found.severity, since=found.since)


def _start_words(ground: Ground, check: Check, container: Container) -> list[Finding]:
    """Give what the engine's own words of a failed start mean."""
    words = container.error if isinstance(container.error, str) else ""
    return list(diagnose([words], ground.runbook, subject=check.subject).findings)


def _log(ground: Ground, check: Check, container: Container) -> Result:
    lines = ground.log(container)
    started = container.started_at
    if _is_settled(ground, container) and isinstance(started, datetime):
        # What was said before this run is of no interest to one that runs well since.
        begin = f"{started - timedelta(seconds=2):%Y-%m-%dT%H:%M:%S}"
        lines = tuple(line for line in lines if line[:19] >= begin or not line[:4].isdigit())
    found = diagnose(lines, ground.runbook, subject=check.subject)
    findings = [
        msgspec.structs.replace(one, subject=check.subject, consequence_of="")
        for one in found.findings
        if one.current or one.severity != "info"
    ]
    if not findings and found.telling and not _is_settled(ground, container):
        findings.append(_unknown(check, container, found.telling))
    title = f"{check.subject}: {found.lines} lines"
    return result(check, f"{title}, {len(findings) or 'nothing'} found", findings)


def _unknown(check: Check, container: Container, telling: tuple[Evidence, ...]) -> Finding:
    """Say of a container that is not well what its log says, where nobody knows what it means."""
    broken = container.state not in UP or container.state == "restarting"
    return Finding(
        id="container.log-unknown",
        severity="warning" if broken else "info",
        subject=check.subject,
        title=f"{check.subject} writes errors that the runbook does not know",
        cause="No entry fits; these lines say most.",
        fix=(f"gpuconsole logs {check.subject}",),
        evidence=telling,
    )


def _is_settled(ground: Ground, container: Container) -> bool:
    """Tell whether a container has been running for a while without an alert."""
    started = container.started_at
    snapshot = ground.snapshot
    if container.state != "running" or not isinstance(started, datetime):
        return False
    ill = any(container_alerts(snapshot.engine, snapshot.taken_at, only=(container.id,)))
    return not ill and snapshot.taken_at - started > _SETTLED


def _mounts(ground: Ground, check: Check, container: Container) -> Result:
    from actions.details.inspected import details_of
    from actions.details.mounts import read_mounts
    from console.unknown import Unknown

    answer = ground.inspect(container.id)
    image = Unknown("doctor.not-asked", "not asked")
    details = details_of(answer, ground.snapshot.taken_at, image, image, ())
    if details is None:
        return result(check, f"{check.subject}: the engine tells none")
    states = read_mounts(ground.session, details.mounts)
    findings = []
    for one in states:
        path = one.mount.source
        if one.present is False and one.mount.kind == "bind":
            evidence = (said("host", f"{path} is not there (mounted at {one.mount.target})"),)
            findings.append(
                from_runbook("docker.mount.source-missing", check.subject, evidence, path=path)
            )
        elif one.read_only is True and one.mount.writable:
            evidence = (said("host", f"{path} lies on a disk that is mounted read-only"),)
            findings.append(from_runbook("service.permission", check.subject, evidence, path=path))
    slow = [one.mount.source for one in states if one.mount.source.startswith("/mnt/")]
    detail = f"{', '.join(slow[:3])}: Windows drives are slow for models" if slow else ""
    return result(check, f"{check.subject}: {len(states)} mounts", findings, detail)


def _ports(ground: Ground, check: Check, container: Container) -> Result:
    taken = _taken(ground, container)
    findings = []
    for port, other in taken:
        evidence = (said("engine", f"{other} publishes port {port} as well"),)
        findings.append(
            from_runbook("docker.port.allocated", check.subject, evidence, port=str(port))
        )
    wide = sorted(
        {
            one.host_port
            for one in container.ports
            if one.host_port is not None and (one.host_ip or "") in _WIDE
        }
    )
    if wide:
        findings.append(_published(check, wide))
    shown = ", ".join(
        f"{one.host_ip}:{one.host_port}" for one in container.ports if one.host_port is not None
    )
    return result(check, f"{check.subject}: {shown or 'none published'}", findings)


def _taken(ground: Ground, container: Container) -> Iterator[tuple[int, str]]:
    """Give the ports that a container which does not run would want, and who has them."""
    if container.state in UP:
        return
    wanted = _wanted(ground, container)
    for other in ground.snapshot.engine.containers:
        if other.id == container.id or other.state not in UP:
            continue
        for one in other.ports:
            if one.host_port in wanted:
                yield one.host_port, ground.name_of(other)


def _wanted(ground: Ground, container: Container) -> set[int]:
    from console.engine.values import items, mapping, text

    bindings = mapping(mapping(ground.inspect(container.id).get("HostConfig")).get("PortBindings"))
    ports = {
        text(mapping(one).get("HostPort"), 10) for several in bindings.values()
        for one in items(several)
    }  # fmt: skip
    return {int(one) for one in ports if one.isdecimal()}


def _published(check: Check, ports: list[int]) -> Finding:
    shown = ", ".join(map(str, ports))
    return Finding(
        id="security.published-widely",
        severity="info",
        subject=check.subject,
        title=f"{check.subject} is published to the whole network: port {shown}",
        cause="A port without an address in front is open on every interface of the host. ComfyUI"
        " has no login and runs whatever it is sent; under WSL's NAT only this host reaches it.",
        fix=(f"publish it as 127.0.0.1:{ports[0]}:… in the compose file, and recreate",),
        evidence=(said("engine", f"published on 0.0.0.0: {shown}"),),
        mend=None,
    )
