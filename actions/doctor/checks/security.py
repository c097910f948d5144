"""Checks of open doors: what strangers can use, read or take over."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from actions.doctor.check import Check, Result
from actions.doctor.ground import Ground
from actions.doctor.outside_words import outside_finding
from actions.doctor.telling import result, said
from actions.doctor.wayin import is_its_own, json_of, visitor_of, way_in
from actions.runbook.finding import Finding
from actions.services.snapshot import ServiceStatus
from actions.session import Session
from console.engine.endpoint import Endpoint
from console.engine.snapshot import UP
from console.errors import ConsoleError
from console.mask import mask_text
from console.outside.address import is_private
from console.text import clean_line
from console.web.answer import Answer

_SUPERVISOR = 9001
_PLAIN = ("tcp://", "http://")
_OPEN = {
    "comfyui": ("/system_stats", "/prompt"),
    "forge": ("/sdapi/v1/progress?skip_current_image=true", "/sdapi/v1/options"),
}
_TELLING = {
    "/sdapi/v1/cmd-flags": "security.cmd-flags-open",
    "/internal/sysinfo": "security.sysinfo-open",
}
_MARKS = {
    "/prompt": "exec_info",
    "/sdapi/v1/options": "sd_model_checkpoint",
    "/sdapi/v1/cmd-flags": "listen",
    "/internal/sysinfo": "Platform",
}


def security_checks(_session: Session) -> Sequence[Check]:
    """Give the checks that need no public address."""
    return (
        Check(
            "security.ports", "security", "published ports", _ports, needs=("engine.reachable",),
            limit_seconds=5.0,
        ),
        Check("security.engine", "security", "way to the engine", _engine),
        Check("security.hub", "security", "way to the hub", _hub),
    )  # fmt: skip


def login_check(ground: Ground, check: Check, one: ServiceStatus) -> Result:
    """Ask as a stranger does, whatever the certificate: what answers is open to everybody."""
    way = way_in(ground, one)
    kind = one.service.kind
    visitor = visitor_of(ground, way, verify=False)
    # What is behind an address of another kind may still be a ComfyUI.
    kind = "forge" if kind == "forge" else "comfyui"
    asked = [*_OPEN[kind], *(_TELLING if kind == "forge" else ())]
    answers: dict[str, Answer] = {}
    missed = ""
    for path in asked:
        try:
            answers[path] = visitor.get(path)
        except ConsoleError as error:
            missed = error.title
            # Who does not answer the first time would cost as long each further time.
            break
    if not answers:
        return Result(
            id=check.id, group=check.group, state="skip",
            title=f"{check.title}: not checked, because {missed}",
        )  # fmt: skip
    opened = [path for path, answer in answers.items() if _is_open(kind, path, answer)]
    findings = _open_doors(one, opened)
    title = f"open to everybody: {', '.join(map(_shown, opened))}" if opened else "nothing is open"
    return result(check, title, findings, f"{way.address.base}, seen from this host")


def _open_doors(one: ServiceStatus, opened: list[str]) -> list[Finding]:
    free = [path for path in opened if path not in _TELLING]
    findings = []
    if free:
        evidence = [said("outside", f"GET {_shown(path)} without a login: 200") for path in free]
        paths = " and ".join(map(_shown, free))
        findings.append(outside_finding("security.no-login", one.name, evidence, paths=paths))
    for path, ident in _TELLING.items():
        if path in opened:
            evidence = [said("outside", f"GET {path} without a login: 200")]
            findings.append(outside_finding(ident, one.name, evidence))
    return findings


def _is_open(kind: str, path: str, answer: Answer) -> bool:
    """Tell whether a path gave what the service gives there; pages for everybody are no leak."""
    if not 200 <= answer.status < 300:
        return False
    mark = _MARKS.get(path)
    if mark is None:
        return is_its_own(kind, json_of(answer))
    # Cut at the limit it is no JSON any more, but still what it is.
    return mark in json_of(answer) or (
        answer.body.lstrip()[:1] == b"{" and f'"{mark}"'.encode() in answer.body
    )


def _shown(path: str) -> str:
    return path.partition("?")[0]


def _ports(ground: Ground, check: Check) -> Result:
    findings = []
    for container in ground.snapshot.engine.containers:
        if container.state not in UP:
            continue
        for port in container.ports:
            if port.container_port != _SUPERVISOR or port.host_port is None:
                continue
            name = ground.name_of(container)
            where = f"{port.host_ip or '0.0.0.0'}:{port.host_port}"  # noqa: S104
            here = is_private(port.host_ip or "") and port.host_ip not in {"0.0.0.0", "::"}  # noqa: S104
            findings.append(
                outside_finding(
                    "security.supervisor-published", name,
                    (said("engine", f"{where} leads to port {_SUPERVISOR} of {name}"),),
                    severity="warning" if here else "",
                )
            )  # fmt: skip
    title = "supervisord's port is published" if findings else "supervisord's port is not published"
    return result(check, title, _once_each(findings))


def _once_each(findings: list[Finding]) -> list[Finding]:
    """Give one finding a container: the engine lists a port for each family of addresses."""
    return list({one.subject: one for one in reversed(findings)}.values())


def _engine(ground: Ground, check: Check) -> Result:
    endpoint: Endpoint = ground.session.endpoint
    shown = mask_text(clean_line(endpoint.shown, 120)) or "not known"
    if not endpoint.address.startswith(_PLAIN) or endpoint.tls is not None:
        return result(check, f"{shown} ({endpoint.source})")
    host = _host(endpoint.address)
    severity = "warning" if _loopback(host) else ""
    evidence = (said(endpoint.source, shown),)
    found = outside_finding(
        "security.engine-without-tls", "engine", evidence, severity, address=shown
    )
    return result(check, f"{shown} without TLS", [found])


def _hub(ground: Ground, check: Check) -> Result:
    address = ground.session.environ.get("HF_ENDPOINT", "").strip()
    if not address:
        return result(check, "the hub by https")
    shown = mask_text(clean_line(address.rpartition("@")[2] or address, 120))
    if not address.lower().startswith("http://") or _loopback(_host(address)):
        return result(check, f"HF_ENDPOINT is {shown}")
    severity = "error" if ground.session.environ.get("HF_TOKEN") else ""
    found = outside_finding(
        "security.hub-plain-http", "hub", (said("environment", f"HF_ENDPOINT={shown}"),), severity,
        address=shown,
    )  # fmt: skip
    return result(check, f"plain http to {shown}", [found])


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def _loopback(host: str) -> bool:
    return host in {"localhost", "::1"} or host.startswith("127.") or host.endswith(".localhost")
