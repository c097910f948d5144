"""The way in to one service from outside, and what stands at its beginning."""

import re
import secrets
from typing import TYPE_CHECKING, Any

import msgspec

from actions.doctor.ground import Ground
from actions.services.snapshot import ServiceStatus
from console.errors import ConsoleError
from console.mask import mask_text
from console.outside.address import PublicAddress, is_private, leads, public_address
from console.web.answer import BEHIND, REDIRECTS, Answer, parse_json

if TYPE_CHECKING:
    from console.outside.visit import Visitor

NAME_SECONDS = 2.0
PATIENCE = 2.0
_PASSWORD = re.compile(rb"type\s*=\s*[\"']?password", re.IGNORECASE)
_ASKED = {
    "comfyui": "/system_stats",
    "forge": "/sdapi/v1/progress?skip_current_image=true",
}
_OF_LOGIN = frozenset({401, 407, 511})


class Front(msgspec.Struct, frozen=True, kw_only=True):
    """What answers at a public address.

    Attributes:
        kind: `service` (it is reached), `login` (somebody asks who it is), `barred` (403), `behind`
            (the proxy finds no service), `leaves` (a redirect to where users cannot come),
            `elsewhere` (a redirect to another site), `loop`, `everything` (200 to whatever is
            asked), `other` (something else), `not-found`, or `error`.
        answer: what was answered.
        place: where a redirect leads, for people.
        told: the service's own data, where it is reached.
    """

    kind: str
    answer: Answer
    place: str = ""
    told: dict[str, Any] = {}


class WayIn(msgspec.Struct, frozen=True, kw_only=True):
    """How users reach a service.

    Attributes:
        addresses: what the name resolves to.
        moved: the proxy sends plain http to https on the same host, and `address` is that one.
    """

    address: PublicAddress
    addresses: tuple[str, ...]
    moved: bool = False

    @property
    def private(self) -> bool:
        """Whether all addresses are those of this host or of its own network."""
        return all(is_private(one) for one in self.addresses)


def way_in(ground: Ground, one: ServiceStatus) -> WayIn:
    """Give the way in to a service, its name resolved; read once an examination.

    Raises:
        ConsoleError: `outside.no-address`, `outside.no-name` or `outside.name-late`.
    """
    from console.outside.names import addresses_of

    def read() -> WayIn:
        address = public_address(one.service.public_url)
        return WayIn(address=address, addresses=addresses_of(address, NAME_SECONDS))

    return ground.once(f"outside-name-{one.name}", read)


def visitor_of(
    ground: Ground, way: WayIn, *, patience: float = PATIENCE, verify: bool = True
) -> "Visitor":
    """Give who asks there; without `verify` whatever the certificate is."""
    from console.outside.visit import Visitor

    return Visitor(
        way.address, way.addresses, ground.session.environ, patience=patience, verify=verify
    )


def front_of(ground: Ground, one: ServiceStatus) -> tuple[WayIn, Front]:
    """Give what stands at the beginning of the way in, and the way that leads there in the end.

    Raises:
        ConsoleError: as `way_in`; or `outside.…` of a connection that fails.
    """

    def read() -> tuple[WayIn, Front]:
        way = way_in(ground, one)
        path = asked_of(one)
        answer = visitor_of(ground, way).get(path)
        secure = _moved(way.address, answer)
        if secure is not None:
            way = WayIn(address=secure, addresses=way.addresses, moved=True)
            answer = visitor_of(ground, way).get(path)
        front = judged(way.address, answer, one.service.kind)
        if front.kind == "other" and _answers_all(ground, way, answer):
            front = Front(kind="everything", answer=answer)
        return way, front

    return ground.once(f"outside-front-{one.name}", read)


def asked_of(one: ServiceStatus) -> str:
    """Give the path by which a service shows that it is there, and that tells nothing secret."""
    return _ASKED.get(one.service.kind, "/")


def judged(address: PublicAddress, answer: Answer, kind: str) -> Front:
    """Tell what an answer shows of who gave it."""
    status = answer.status
    if status in REDIRECTS:
        return _led(address, answer)
    if status in _OF_LOGIN:
        return Front(kind="login", answer=answer)
    if status == 403:
        return Front(kind="barred", answer=answer)
    if status in BEHIND:
        return Front(kind="behind", answer=answer)
    told = _told(answer)
    if kind == "forge" and status == 404 and told.get("detail") == "Not Found":
        # It runs without its API, which is its own matter.
        return Front(kind="service", answer=answer, told=told)
    if status in {404, 405, 410}:
        return Front(kind="not-found", answer=answer)
    if not 200 <= status < 300:
        return Front(kind="error", answer=answer)
    if is_its_own(kind, told) or kind == "other":
        return Front(kind="service", answer=answer, told=told)
    if answer.is_html and _PASSWORD.search(answer.body):
        return Front(kind="login", answer=answer)
    return Front(kind="other", answer=answer)


def is_its_own(kind: str, told: dict[str, Any]) -> bool:
    """Tell whether data are what a service of that kind gives for `asked_of`."""
    if kind == "comfyui":
        return isinstance(told.get("system"), dict) and isinstance(told.get("devices"), list)
    return kind == "forge" and "progress" in told and "state" in told


def json_of(answer: Answer) -> dict[str, Any]:
    """Give the JSON object of a successful answer; empty where it is none."""
    return _told(answer) if 200 <= answer.status < 300 else {}


def _told(answer: Answer) -> dict[str, Any]:
    try:
        told = parse_json(answer.body)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _led(address: PublicAddress, answer: Answer) -> Front:
    """Tell where a redirect leads: round, to a login, out of the proxy, or to another site."""
    to = leads(address, answer.location)
    place = mask_text(answer.place)
    if to is None:
        return Front(kind="leaves", answer=answer, place=place)
    if to.origin == address.origin:
        return Front(kind="login" if answer.to_login else "loop", answer=answer, place=place)
    unreachable = is_private(to.host) and not is_private(address.host)
    # A login on another port may well be meant for users; by plain http it is the container's own.
    if answer.to_login and to.secure and not unreachable:
        return Front(kind="login", answer=answer, place=place)
    another_port = to.port != address.port and is_private(to.host)
    downgraded = address.secure and not to.secure and not answer.to_login
    if to.host == address.host or unreachable or downgraded or another_port:
        return Front(kind="leaves", answer=answer, place=place)
    return Front(kind="login" if answer.to_login else "elsewhere", answer=answer, place=place)


def _moved(address: PublicAddress, answer: Answer) -> PublicAddress | None:
    """Give the https address of the same host, where plain http leads to it."""
    if address.secure or answer.status not in REDIRECTS or answer.to_login:
        return None
    to = leads(address, answer.location)
    if to is None or not to.secure or to.host != address.host:
        return None
    return msgspec.structs.replace(to, path=address.path)


def _answers_all(ground: Ground, way: WayIn, answer: Answer) -> bool:
    """Tell whether a path that nobody can know is answered the same way."""
    try:
        other = visitor_of(ground, way).get(f"/gpuconsole-{secrets.token_hex(8)}")
    except ConsoleError:
        return False
    return 200 <= other.status < 300 and other.media == answer.media
