"""Telling of an alert outside: to a command of the operator's, or to a webhook."""

import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

import msgspec

from actions.session import Session
from actions.snapshot import Alert
from actions.watching.hysteresis import Change, key_of
from console.config.schema import Auth, WatchSettings
from console.hook import Hook
from console.mask import mask_data
from console.unknown import Unknown, iso_time

if TYPE_CHECKING:
    from console.web.faults import ServiceFault

COMMAND, WEBHOOK = "command", "webhook"
WAYS = (COMMAND, WEBHOOK)

TEST = Alert(
    id="watch.test",
    severity="info",
    subject="watch",
    title="this is a test: alerts of this host come this way",
    hint="nothing is wrong",
)


def event_data(session: Session, change: Change) -> dict[str, object]:
    """Give an event as it is told: one JSON object of the program's usual shape."""
    alert = change.alert
    whole: dict[str, object] = {"schema": "gpuconsole/1", "ok": True}
    if session.rehearsal:
        whole["rehearsal"] = True
    whole["data"] = mask_data(
        {
            "event": change.event,
            "fingerprint": key_of(alert),
            "id": alert.id,
            "severity": alert.severity,
            "subject": alert.subject.rstrip(":"),
            "subject_id": alert.subject_id,
            "title": alert.title,
            "hint": alert.hint,
            "since": None if alert.since is None else iso_time(alert.since),
            "count": alert.count,
            "host": socket.gethostname(),
            "at": iso_time(session.clock.now()),
        }
    )
    return whole


def ways_of(settings: WatchSettings) -> tuple[str, ...]:
    """Give the ways that are set: `command`, `webhook`, both or none."""
    hook = settings.webhook is not None or settings.webhook_file is not None
    return (*((COMMAND,) if settings.command else ()), *((WEBHOOK,) if hook else ()))


class Teller:
    """Tells one event one way; one thread's own, but any may `abort()` it."""

    def __init__(self, session: Session, way: str) -> None:
        self._session = session
        self._way = way
        self._hook = Hook()
        self._aborted = False
        self._client: object = None

    def tell(self, data: dict[str, object]) -> Unknown | None:
        """Tell an event; gives why it was not taken, None where it was."""
        settings = self._session.settings.watch
        if self._way not in ways_of(settings):
            return None
        if self._way == COMMAND:
            line = msgspec.json.encode(data) + b"\n"
            end = self._hook.run(settings.command, line, self._session.environ, settings.time_limit)
            return end.problem
        return self._post(settings, data)

    def abort(self) -> None:
        """End what is under way; nothing is told any more."""
        self._aborted = True
        self._hook.abort()
        from console.web.client import WebClient

        if isinstance(self._client, WebClient):
            self._client.abort()

    def _post(self, settings: WatchSettings, data: dict[str, object]) -> Unknown | None:
        from console.config.secret import read_secret
        from console.web.client import WebClient
        from console.web.credential import Credential
        from console.web.faults import ServiceFault

        address = settings.webhook
        if settings.webhook_file is not None:
            found = read_secret(Auth(scheme="bearer", file=settings.webhook_file), {})
            if isinstance(found, Unknown):
                return found
            address = found
        base, path = _apart(address or "")
        credential = (
            Credential(settings.auth, self._session.environ) if settings.auth is not None else None
        )
        client = self._client = WebClient(base, credential, settings.time_limit)
        try:
            client.prepare()
            if self._aborted:
                return Unknown("hook.aborted", "the webhook was not asked: we end")
            client.post(path, data)
        except ServiceFault as error:
            title = f"the webhook did not take it: {_reason(error)}"
            return Unknown(error.code, title, _hint(error))
        finally:
            self._client = None
            client.close()
        return None


def _reason(error: "ServiceFault") -> str:
    """Say what went wrong without the path of the address, which may be a secret."""
    if error.status:
        return f"it answered {error.status}"
    return error.title.partition(" (POST ")[0]


def _hint(error: "ServiceFault") -> str:
    """Say what to look at: no service of ours is meant, and it has no container's log."""
    if error.status in {401, 403}:
        return "check auth under [watch] in the config, or the token in the address"
    if 300 <= error.status < 400:
        return error.hint
    return "check webhook or webhook_file under [watch] in the config, and what answers there"


def _apart(address: str) -> tuple[str, str]:
    """Give an address as the service it is of, and the path with its query."""
    try:
        parts = urlsplit(address.strip())
    except ValueError:
        return "", "/"
    path = urlunsplit(("", "", parts.path or "/", parts.query, ""))
    return f"{parts.scheme}://{parts.netloc}", path
