"""Checks of what browsers need behind the way in: uploads, Host and Origin, the WebSocket."""

from typing import TYPE_CHECKING

from actions.doctor.check import Check, Result
from actions.doctor.ground import Ground
from actions.doctor.outside_words import outside_finding, too_large
from actions.doctor.telling import from_runbook, result, said
from actions.doctor.wayin import Front, WayIn, front_of, visitor_of
from actions.runbook.finding import Finding
from actions.services.snapshot import ServiceStatus
from console.errors import ConsoleError
from console.outside.probes import SIZES, UPLOADS, refused_for_size
from console.outside.visit import Announced, Visitor
from console.units import format_bytes

if TYPE_CHECKING:
    from console.outside.listening import Listened

_SMALL = 8 << 20
_SOCKET_SECONDS = 1.8


def upload_check(ground: Ground, check: Check, one: ServiceStatus) -> Result:
    """Announce large bodies and send none: a proxy with a limit refuses by the announced length."""
    way, front = front_of(ground, one)
    if front.kind != "service":
        return _behind_login(check, front)
    visitor = visitor_of(ground, way, patience=1.2)
    refused: list[Announced] = []
    for size in SIZES:
        target = UPLOADS[one.service.kind]
        told = visitor.announce(target.path, size, target.media)
        if not _refuses(told, one.service.kind):
            break
        refused.append(told)
    if not refused:
        return result(
            check, f"{format_bytes(SIZES[0])} are let in, as far as their announcement tells",
            detail="gpuconsole doctor --probe sends them",
        )  # fmt: skip
    return _limited(check, one, refused)


def _refuses(told: Announced, kind: str) -> bool:
    return told.answer is not None and refused_for_size(told.answer, kind)


def _limited(check: Check, one: ServiceStatus, refused: list[Announced]) -> Result:
    smallest = min(told.size for told in refused)
    passed = [size for size in SIZES if size < smallest]
    title = f"The proxy refuses uploads of {format_bytes(smallest)} to {one.name}"
    if passed:
        title += f", and lets {format_bytes(max(passed))} in"
    answer = refused[-1].answer
    status = answer.status if answer is not None else 0
    severity = "error" if smallest <= _SMALL else "warning"
    return result(
        check,
        title,
        [too_large(one.name, UPLOADS[one.service.kind].path, smallest, status, title, severity)],
    )


def origin_check(ground: Ground, check: Check, one: ServiceStatus) -> Result:
    """Ask as a page of the public address does, with its Origin.

    ComfyUI compares Host and Origin whatever the method: a GET shows it and changes nothing.
    """
    way, front = front_of(ground, one)
    if front.kind != "service":
        return _behind_login(check, front)
    origin = way.address.origin
    headers = {"Origin": origin, "Sec-Fetch-Site": "same-origin"}
    answer = visitor_of(ground, way).get("/queue", headers)
    if answer.status != 403:
        return result(check, f"requests of pages from {origin} are taken")
    evidence = (
        said("outside", f"GET /queue with Origin {origin}: 403"),
        said("outside", "GET /system_stats without Origin: 200"),
    )
    found = from_runbook(
        "comfy.origin-403", one.name, evidence, host="a loopback name", origin=origin
    )
    return result(
        check, f"refused with Origin {origin}: the page loads and cannot do anything", [found]
    )


def websocket_check(ground: Ground, check: Check, one: ServiceStatus) -> Result:
    """Open ComfyUI's WebSocket as browsers do; it passes when the first status has arrived."""
    from console.outside.listening import listen

    way, front = front_of(ground, one)
    if front.kind != "service":
        return _behind_login(check, front)
    visitor = visitor_of(ground, way, patience=_SOCKET_SECONDS)
    heard = listen(visitor)
    if heard.stage == "status":
        how = "compressed" if heard.compressed else "without compression"
        return result(check, f"{heard.words}, {how}")
    found = _lost(visitor, one, way, heard)
    title = f"the handshake is refused: {heard.words}" if heard.stage == "refused" else heard.words
    return result(check, title, [found])


def _lost(visitor: Visitor, one: ServiceStatus, way: WayIn, heard: "Listened") -> Finding:
    """Try again without compression, which tells the fault of ARR from all others."""
    from console.outside.listening import listen

    first = said("outside", f"GET /ws at {way.address.host} with permessage-deflate: {heard.words}")
    try:
        again = listen(visitor, compress=0)
        stage, words = again.stage, again.words
    except ConsoleError as error:
        stage, words = "", error.title
    second = said("outside", f"GET /ws without compression: {words}")
    if stage == "status":
        return from_runbook("http.arr-ws-compression", one.name, (first, second))
    if heard.stage == "refused":
        return from_runbook("http.websocket-refused", one.name, (first, second))
    return outside_finding("outside.websocket-silent", one.name, (first, second))


def _behind_login(check: Check, front: Front) -> Result:
    """Say that it was not looked at: logins are never sent to a public address."""
    why = {
        "login": "a login stands before it, and none is sent to a public address",
        "barred": "the proxy lets nobody in from here",
    }.get(front.kind, "the service is not reached")
    return Result(
        id=check.id, group=check.group, state="skip",
        title=f"{check.title}: not checked, because {why}",
        detail="its first request was all that was asked",
    )  # fmt: skip
