"""Checks of the way in from outside: the name, the certificate, and who answers."""

from collections.abc import Callable, Iterator
from datetime import datetime

import msgspec

from actions.doctor.check import Check, Result
from actions.doctor.ground import Ground
from actions.doctor.outside_words import outside_finding
from actions.doctor.telling import from_runbook, result, said
from actions.doctor.wayin import Front, WayIn, asked_of, front_of, visitor_of, way_in
from actions.runbook.finding import Evidence, Finding
from actions.services.snapshot import ServiceStatus
from console.errors import ConsoleError
from console.outside.address import public_address
from console.text import clean_line
from console.unknown import known
from console.web.answer import REDIRECTS

Look = Callable[[Ground, Check, ServiceStatus], Result]

_SOON_DAYS = 14
_DAY = 86_400
_OFF = frozenset({"stopped", "created", "absent"})
_PROBLEMS = {
    "expired": "outside.certificate-expired",
    "name": "outside.certificate-name",
    "issuer": "outside.certificate-untrusted",
}
_OUT_OF_REACH = frozenset({"outside.unreachable", "outside.late"})


def outside_checks(ground: Ground) -> Iterator[Check]:
    """Give the checks of each service that has a public address."""
    reached = [one for one in ground.snapshot.services if one.service.public_url]
    if not reached:
        yield Check("outside.address", "outside", "way in from outside", _no_address)
        return
    from actions.doctor.checks.outside_use import origin_check, upload_check, websocket_check
    from actions.doctor.checks.security import login_check

    for one in reached:
        name, tls, http = (f"outside.{part}:{one.name}" for part in ("name", "tls", "http"))
        yield bound("outside.name", f"public name of {one.name}", one, _name, limit=3.0)
        yield bound("outside.tls", f"certificate of {one.name}", one, _tls, (name,))
        yield bound("outside.http", f"way in to {one.name}", one, _http, (name, tls))
        yield bound(
            "security.login", f"login before {one.name}", one, login_check, (name,),
            group="security",
        )  # fmt: skip
        if one.service.kind == "other":
            continue
        yield bound("outside.upload", f"upload limit of {one.name}", one, upload_check, (http,))
        if one.service.kind == "comfyui":
            origin = f"outside.origin:{one.name}"
            yield bound(
                "outside.origin", f"Host and Origin of {one.name}", one, origin_check, (http,)
            )
            yield bound(
                "outside.websocket", f"WebSocket of {one.name}", one, websocket_check,
                (http, origin),
            )  # fmt: skip


def _no_address(_ground: Ground, check: Check) -> Result:
    return Result(
        id=check.id, group=check.group, state="skip",
        title=f"{check.title}: not checked, because no service has public_url in the config",
    )  # fmt: skip


def bound(
    kind: str,
    title: str,
    one: ServiceStatus,
    look: Look,
    needs: tuple[str, ...] = (),
    *,
    limit: float = 5.0,
    group: str = "outside",
) -> Check:
    """Give a check about one service."""
    return Check(
        id=f"{kind}:{one.name}",
        group=group,
        title=title,
        run=lambda ground, check: look(ground, check, one),
        needs=needs,
        limit_seconds=limit,
        subject=one.name,
    )


def _name(ground: Ground, check: Check, one: ServiceStatus) -> Result:
    host = public_address(one.service.public_url).host
    try:
        way = way_in(ground, one)
    except ConsoleError as error:
        evidence = (said("name server", f"{host}: {error.detail or error.title}"),)
        return result(
            check,
            error.title,
            [outside_finding("outside.no-name", one.name, evidence, host=host)],
            error.hint,
        )
    if way.address.numeric:
        return result(check, f"{host} is an address")
    only_here = ": only its own network reaches it" if way.private else ""
    return result(check, f"{host} is {', '.join(way.addresses[:3])}{only_here}")


def _tls(ground: Ground, check: Check, one: ServiceStatus) -> Result:
    from console.outside.certificate import read_certificate

    way = way_in(ground, one)
    address = way.address
    if not address.secure:
        found = outside_finding("outside.plain-http", one.name, (_asked(one, "plain http"),))
        private = way.private or address.here
        return result(check, "plain http: no certificate", () if private else (found,))
    try:
        certificate = read_certificate(address, way.addresses, ground.session.environ, 2.5)
    except ConsoleError as error:
        return result(check, error.title, [_unmet(error, one, way)], error.hint)
    now = ground.session.clock.now()
    if certificate.problem:
        evidence = (said("certificate", f"{certificate.words}{_until(certificate.ends)}"),)
        found = outside_finding(
            _PROBLEMS.get(certificate.problem, "outside.certificate-odd"), one.name, evidence,
            host=address.host, port=address.port, why=certificate.words,
            ago=_ago(certificate.ends, now),
        )  # fmt: skip
        return result(check, found.title, [found])
    if certificate.ends is None:
        return result(check, "accepted; it does not tell until when")
    days = int((certificate.ends - now).total_seconds() // _DAY)
    shown = f"{days} day{'' if days == 1 else 's'}"
    title = f"accepted, {shown} left"
    if days >= _SOON_DAYS:
        return result(check, title)
    evidence = (said("certificate", f"valid{_until(certificate.ends)}"),)
    found = outside_finding(
        "outside.certificate-ends", one.name, evidence, host=address.host,
        days=shown if days else "less than a day",
    )  # fmt: skip
    return result(check, title, [found])


def _until(ends: datetime | None) -> str:
    return f", until {ends:%Y-%m-%d %H:%M} UTC" if ends is not None else ""


def _ago(ends: datetime | None, now: datetime) -> str:
    if ends is None or ends > now:
        return ""
    days = int((now - ends).total_seconds() // _DAY)
    return f" {days} day{'' if days == 1 else 's'} ago" if days else " today"


def _http(ground: Ground, check: Check, one: ServiceStatus) -> Result:
    try:
        way, front = front_of(ground, one)
    except ConsoleError as error:
        return result(check, error.title, [_unmet(error, one, way_in(ground, one))], error.hint)
    findings = [*_moved(way, one), *_of_front(ground, one, way, front)]
    if front.kind == "service":
        findings += _of_page(ground, one, way)
    return result(check, _title(one, front), findings, way.address.base)


def _title(one: ServiceStatus, front: Front) -> str:
    status = front.answer.status
    words = {
        "service": f"{one.name} is reached",
        "login": "a login stands before it: nothing behind it is asked for, no login is sent",
        "barred": "nobody is let in from here (403)",
        "behind": f"the proxy answers {status}: it does not reach {one.name}",
        "leaves": f"sent out of the proxy, to {front.place}",
        "elsewhere": f"sent to another site, {front.place}",
        "loop": "sent round in a circle",
        "everything": "answers 200 to whatever is asked",
        "other": "something else answers",
        "not-found": f"the proxy knows no way to it ({status})",
    }
    return words.get(front.kind, f"the proxy answers {status}")


def _unmet(error: ConsoleError, one: ServiceStatus, way: WayIn) -> Finding:
    """Give the finding of an address where no answer comes from."""
    address = way.address
    evidence = (said("outside", f"{error.title} {error.detail}".rstrip()),)
    ident = "outside.closed"
    if error.code in _OUT_OF_REACH:
        ident = "outside.unreachable"
    elif error.code == "outside.no-tls":
        ident = error.code
    return outside_finding(
        ident, one.name, evidence, base=address.base, host=address.host, port=address.port,
        why=error.title,
    )  # fmt: skip


def _moved(way: WayIn, one: ServiceStatus) -> list[Finding]:
    if not way.moved:
        return []
    evidence = (_asked(one, f"sends to {way.address.base}"),)
    return [outside_finding("outside.moved", one.name, evidence, place=way.address.base)]


def _of_front(ground: Ground, one: ServiceStatus, way: WayIn, front: Front) -> list[Finding]:
    answer = front.answer
    evidence = (_asked(one, f"{answer.status} {front.place or answer.title}".rstrip()),)
    if front.kind in {"login", "barred"}:
        return []
    if front.kind == "service":
        return _another(one, front, evidence)
    if front.kind == "behind":
        return [_nobody_behind(one, evidence)]
    if front.kind == "leaves":
        return [_leaving(one, front, evidence)]
    if front.kind == "error":
        return [_broken(ground, one, front, evidence)]
    idents = {
        "elsewhere": "outside.redirect-elsewhere",
        "loop": "outside.redirect-loop",
        "everything": "outside.answers-everything",
        "not-found": "outside.not-found",
    }
    found = outside_finding(
        idents.get(front.kind, "outside.other-answers"), one.name, evidence, place=front.place,
        host=way.address.host, local=one.service.url, status=answer.status,
        path=asked_of(one).partition("?")[0],
    )  # fmt: skip
    return [found]


def _another(one: ServiceStatus, front: Front, evidence: tuple[Evidence, ...]) -> list[Finding]:
    """Compare with what the service says of itself here: the proxy may lead to its twin."""
    here = one.reading.version if one.reading is not None else None
    there = (front.told.get("system") or {}).get("comfyui_version") if front.told else None
    if not isinstance(here, str) or not isinstance(there, str) or not known(here):
        return []
    if here.removeprefix("v") == there.removeprefix("v"):
        return []
    return [
        outside_finding(
            "outside.other-service", one.name, evidence, here=here, there=clean_line(there, 40),
            local=one.service.url,
        )
    ]  # fmt: skip


def _nobody_behind(one: ServiceStatus, evidence: tuple[Evidence, ...]) -> Finding:
    entry = from_runbook("http.iis-502.3", one.name, evidence)
    if one.state in _OFF:
        title = f"{one.name} is {one.state}: the proxy has nothing to lead to"
        return msgspec.structs.replace(entry, severity="info", title=title)
    if one.up:
        local = said("console", f"{one.name} is {one.state} at {one.service.url}")
        return msgspec.structs.replace(entry, evidence=(*evidence, local))
    return entry


def _leaving(one: ServiceStatus, front: Front, evidence: tuple[Evidence, ...]) -> Finding:
    found = outside_finding("outside.redirect-leaves", one.name, evidence, place=front.place)
    if not front.answer.to_login or one.service.kind != "forge":
        return found
    entry = from_runbook("http.aidock-login-redirect", one.name, evidence)
    fix = (
        "WEB_ENABLE_AUTH=false for the container, and a login that the proxy asks for",
        *found.fix[2:],
    )
    title = f"The login page of {one.name} lies outside the proxy: {front.place}"
    return msgspec.structs.replace(entry, title=title, fix=fix)


def _broken(
    ground: Ground, one: ServiceStatus, front: Front, evidence: tuple[Evidence, ...]
) -> Finding:
    """Give what the proxy's own page says, where the runbook knows it."""
    words = front.answer.words()
    for match in ground.runbook.search(words):
        if match.entry.id.startswith("http."):
            captured = {"var": "?", **match.captured}
            return from_runbook(match.entry.id, one.name, evidence, **captured)
    shown = evidence[0].text.rpartition(": ")[2]
    return outside_finding(
        "outside.proxy-error", one.name, evidence, status=front.answer.status, words=shown
    )


def _of_page(ground: Ground, one: ServiceStatus, way: WayIn) -> list[Finding]:
    """Look where the page that people open leads to; its data may well be reached."""
    from actions.doctor.wayin import judged

    try:
        answer = visitor_of(ground, way).get("/", limit=1024)
    except ConsoleError:
        # Its data were reached a moment ago: that it is slow now is no finding.
        return []
    if answer.status not in REDIRECTS:
        return []
    front = judged(way.address, answer, "other")
    evidence = (said("outside", f"GET /: {answer.status} {front.place}"),)
    if front.kind == "leaves":
        return [_leaving(one, front, evidence)]
    if front.kind == "loop":
        return [outside_finding("outside.redirect-loop", one.name, evidence)]
    return []


def _asked(one: ServiceStatus, answered: str) -> Evidence:
    return said("outside", f"GET {asked_of(one).partition('?')[0]}: {answered}")
