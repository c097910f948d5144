"""The step `host`: driver, container engine and disks, as the doctor sees them."""

import re
from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from actions.doctor.check import Examination, Result
from actions.doctor.checks.engine import ways_to_cards
from actions.doctor.ground import Ground as DoctorGround
from actions.runbook.finding import Finding
from actions.setup.examined import commands_of, examined
from actions.setup.ground import Ground
from actions.setup.host_help import Help, help_for, host_words, lines_of, place_of
from actions.setup.report import Look
from console.engine.snapshot import UP
from console.errors import ConsoleError
from console.unknown import Unknown, known

_NO_RIGHTS, _REFUSED = "docker.daemon.permission", "engine.denied"
_BENEATH = ("host", "driver", "engine")
_SYSTEMD = "run/systemd/system"
_LEAST_CUDA = 12
"""PyTorch's wheels for it run with any driver of the same major version of CUDA, and newer ones."""
_FREE = re.compile(r"(.+) (\S+ \S+ free)")


def look_at_host(ground: Ground) -> Look:
    """Run the doctor's checks of host, driver and engine, and say in plain words what is wrong."""
    doctor = DoctorGround(ground.session)
    whole = examined(ground, _BENEATH, doctor=doctor)
    order = list(host_words().checks)
    results = sorted(
        (one for one in whole.results if one.state != "skip"),
        key=lambda one: order.index(one.id) if one.id in order else len(order),
    )
    found = tuple(_line(one) for one in results)
    findings = [*_findings(whole, doctor), *_missing(ground, doctor, whole)]
    commands = tuple(_commands(findings, doctor))
    errors = [one for one in findings if one.severity == "error"]
    if errors:
        return Look(
            state="blocked", detail=_said(errors), found=found, commands=commands,
            proposes=("do what is below, then have it checked again: nothing is installed here",),
        )  # fmt: skip
    said = f"; to look at: {_said(findings)}" if findings else ""
    return Look(
        state="done",
        detail=f"{len(found)} checks, nothing in the way{said}",
        found=found,
        commands=commands,
    )


def _line(one: Result) -> str:
    words = host_words()
    title = _disks(one.title) if one.id == "host.disks" else one.title
    return f"{words.states[one.state]:<5} {words.checks.get(one.id, one.id)}: {title}"


def _disks(title: str) -> str:
    """Name disks that have as much room together: they are one."""
    rooms: dict[str, list[str]] = {}
    for part in title.split(", "):
        match = _FREE.fullmatch(part)
        if match is None:
            return title
        rooms.setdefault(match[2], []).append(match[1])
    if len(rooms) == 1:
        return next(iter(rooms))
    return ", ".join(f"{room} ({', '.join(names)})" for room, names in rooms.items())


def _findings(whole: Examination, doctor: DoctorGround) -> list[Finding]:
    """Give what is to be said: what is wrong now, and what is only to be known if it has a way."""
    problem = doctor.snapshot.engine.problem
    code = problem.code if problem is not None else ""
    return [
        # Refused by the socket's rights, or by whoever answers there: the ways out are others.
        replace(one, id=code) if one.id == _NO_RIGHTS and code == _REFUSED else one
        for one in whole.findings
        if one.current and (one.severity != "info" or _has_way(one)) and not one.consequence_of
    ]


def _has_way(one: Finding) -> bool:
    return one.id == "host.memory"


def _missing(ground: Ground, doctor: DoctorGround, whole: Examination) -> Iterator[Finding]:
    """Give what this path needs and the doctor does not ask for: driver, toolkit, compose."""
    yield from _old_driver(doctor)
    states = {one.id: one.state for one in whole.results}
    if states.get("engine.reachable") not in {"pass", "warn"}:
        return
    if not any(one.severity == "error" for one in whole.findings if one.subject == "engine"):
        yield from _no_toolkit(doctor)
    yield from _no_compose(ground)


def _old_driver(doctor: DoctorGround) -> Iterator[Finding]:
    driver = doctor.snapshot.gpu.driver
    cuda = driver.cuda_version if not isinstance(driver, Unknown) else driver
    if isinstance(cuda, Unknown):
        return
    major = cuda.partition(".")[0]
    if major.isdecimal() and int(major) < _LEAST_CUDA:
        yield _finding("setup.old-driver", "error")


def _no_toolkit(doctor: DoctorGround) -> Iterator[Finding]:
    containers = doctor.snapshot.engine.containers
    has_one = any(
        one.state in UP and known(one.gpu) and (one.gpu.requests or one.gpu.runtime == "nvidia")
        for one in containers
    )
    try:
        ways = ways_to_cards(doctor)
    except ConsoleError:
        return
    if not ways and not has_one:
        yield _finding("setup.no-toolkit", "error")


def _no_compose(ground: Ground) -> Iterator[Finding]:
    """Say that compose is missing: an error where a ComfyUI is yet to be made by it."""
    from console.compose.command import find_compose

    try:
        find_compose(ground.session.environ, ground.session.endpoint)
    except ConsoleError:
        here = any(one.service.kind == "comfyui" for one in ground.snapshot.services)
        yield _finding("setup.no-compose", "warning" if here else "error")


def _finding(ident: str, severity: str) -> Finding:
    one = help_for(ident)
    return Finding(
        id=ident, severity=severity, subject="engine", title=one.words if one is not None else ident
    )


def _said(findings: Sequence[Finding]) -> str:
    lines = (
        one.words if (one := help_for(each.id)) is not None else each.title for each in findings
    )
    return "; ".join(dict.fromkeys(lines))


def _commands(findings: Sequence[Finding], doctor: DoctorGround) -> Iterator[str]:
    """Give what only root or Windows can do: ours where we know it, else the doctor's lines."""
    systemd = (doctor.session.root / _SYSTEMD).is_dir()
    place = place_of(doctor.host, systemd=systemd)
    told: list[Help] = []
    for one in findings:
        known_help = help_for(one.id)
        if known_help is None:
            yield from commands_of([one])
        elif known_help not in told:
            told.append(known_help)
            yield from lines_of(known_help, place)
