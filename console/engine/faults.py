"""What can go wrong with the engine, as errors that a person can be told about."""

import errno
import re
from collections.abc import Iterator

from console.engine.texts import explain, words
from console.errors import ConsoleError, ExitCode, UnreachableError
from console.mask import mask_text
from console.text import clean_line
from console.unknown import Unknown

_LONGEST_CHAIN = 12


class EngineError(ConsoleError):
    """The engine could not do or tell something; subclasses say of what kind it is."""

    def unknown(self) -> Unknown:
        """Give the same as a value for a snapshot, with the engine's own words in the hint."""
        hint = f"{self.hint} ({self.detail})" if self.hint and self.detail else self.hint
        return Unknown(self.code, self.title, hint or self.detail)


class EngineUnreachableError(EngineError, UnreachableError):
    """No engine to talk to: absent, stopped, forbidden, hung up, not an engine (exit 4)."""

    exit_code = ExitCode.UNREACHABLE


class EngineTimeoutError(EngineUnreachableError):
    """The engine did not answer in time; whether it did what was asked is not known."""


class NoSuchContainerError(EngineError):
    """The container is not there (any more)."""


class EngineConflictError(EngineError):
    """The engine refuses because of the container's present state."""


class EngineRefusedError(EngineError):
    """The engine tried and failed, or rejects the request; `detail` has its own words."""


def fault(kind: type[EngineError], code: str, *, detail: str = "", **values: object) -> EngineError:
    """Make an error of the packaged words for `code`."""
    title, hint = words(code, **values)
    return kind(code, title, hint, detail)


def translate(error: BaseException, *, address: str, what: str, limit: float = 0) -> EngineError:
    """Turn whatever the docker SDK, requests, urllib3 or the system raised into an EngineError.

    Args:
        error: the exception; the system's own error is looked for along its causes.
        address: the engine's address, for the title.
        what: what was asked, such as `list of containers` or `stop myia`.
        limit: the time limit in force, seconds, for the title of a timeout.
    """
    if isinstance(error, EngineError):
        return error
    status = getattr(getattr(error, "response", None), "status_code", None)
    if isinstance(status, int):
        explanation = str(getattr(error, "explanation", "") or "")
        return _by_status(status, explanation, address, what)
    chain = tuple(_chain(error))
    code = _by_system_error(chain) or _by_kind(chain)
    kind = EngineTimeoutError if code == "engine.timeout" else EngineUnreachableError
    values = {"address": address, "what": what, "limit": f"{limit:.3g}"}
    return fault(kind, code, detail=_detail(chain), **values)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Walk the causes of an error: what was raised from it, wrapped in it or given to it."""
    waiting: list[object] = [error]
    seen: list[BaseException] = []
    while waiting and len(seen) < _LONGEST_CHAIN:
        link = waiting.pop(0)
        if not isinstance(link, BaseException) or any(link is known for known in seen):
            continue
        seen.append(link)
        yield link
        waiting += [*link.args, getattr(link, "reason", None), link.__cause__, link.__context__]


def _by_system_error(chain: tuple[BaseException, ...]) -> str | None:
    """Choose the code by the first system error number we know."""
    numbers = (link.errno for link in chain if isinstance(link, OSError))
    return next((_BY_ERRNO[number] for number in numbers if number in _BY_ERRNO), None)


def _by_kind(chain: tuple[BaseException, ...]) -> str:
    """Choose the code by the exceptions' own classes, for what has no system error number."""
    told = " ".join(str(link) for link in chain)
    if any(words in told for words in _ADDRESS_WORDS):
        return "engine.address"
    names = {kind.__name__ for link in chain for kind in type(link).__mro__}
    for code, kinds in _BY_KIND:
        if names & kinds:
            return code
    return next((code for word, code in _BY_WORD if word in told), "engine.unreachable")


_BY_ERRNO = {
    errno.ENOENT: "engine.absent",
    errno.ENOTDIR: "engine.absent",
    errno.ELOOP: "engine.absent",
    errno.EACCES: "docker.daemon.permission",
    errno.EPERM: "docker.daemon.permission",
    errno.ECONNREFUSED: "docker.daemon.down",
    errno.ECONNRESET: "engine.lost",
    errno.EPIPE: "engine.lost",
    errno.EBADF: "engine.lost",
    errno.ENOTCONN: "engine.lost",
    errno.ECONNABORTED: "engine.lost",
    errno.ETIMEDOUT: "engine.timeout",
    errno.EAGAIN: "engine.timeout",
}

# First match counts: urllib3 derives its "no connection" from its "timed out".
_BY_KIND = (
    ("engine.unreachable", {"NameResolutionError", "gaierror", "NewConnectionError"}),
    ("engine.tls", {"SSLError", "TLSParameterError"}),
    ("engine.timeout", {"Timeout", "TimeoutError"}),
    ("engine.lost", {"ProtocolError", "IncompleteRead", "RemoteDisconnected", "BadStatusLine"}),
    ("engine.address", {"InvalidURL", "InvalidSchema", "LocationParseError", "OverflowError"}),
    ("engine.unreachable", {"ConnectionError"}),
)
# Nobody was asked yet: the address itself will not do, though the error's class says otherwise.
_ADDRESS_WORDS = (
    "AF_UNIX path too long",
    "Port out of range",
    "Port could not be cast",
    "Invalid IPv6 URL",
    "protocol is not implemented",
)
_BY_WORD = (
    ("paramiko", "engine.ssh"),
    ("bind address", "engine.address"),
    ("only supported on Windows", "engine.address"),
    ("", "engine.odd-answer"),
)


def _by_status(status: int, explanation: str, address: str, what: str) -> EngineError:
    """Turn the engine's refusal into an error, with the catalogue's words where it knows them."""
    detail = mask_text(clean_line(explanation, 600))
    kind, code = _kind_of(status, detail)
    known = explain(explanation)
    if known is not None:
        return kind(known.code, known.title, known.hint, detail)
    values = {"address": address, "what": what, "name": what.rpartition(" ")[2]}
    return fault(kind, code, detail=detail, **values)


def _kind_of(status: int, detail: str) -> tuple[type[EngineError], str]:
    if status == 404:
        if "no such container" in detail.lower():
            return NoSuchContainerError, "engine.no-such-container"
        return EngineRefusedError, "engine.not-found"
    if status in {401, 403}:
        return EngineUnreachableError, "engine.denied"
    if status == 409:
        return EngineConflictError, "engine.conflict"
    if 400 <= status < 500:
        return EngineRefusedError, "engine.bad-request"
    return EngineRefusedError, "engine.refused"


# urllib3 begins with the repr of its pool, which tells people nothing.
_POOL = re.compile(r"\w*Pool\(host=[^)]*\): ")


def _detail(chain: tuple[BaseException, ...]) -> str:
    """Give the most telling words of a chain: the system's own, else the outermost."""
    for link in chain:
        if isinstance(link, OSError) and link.strerror:
            return clean_line(link.strerror, 300)
    return mask_text(clean_line(_POOL.sub("", str(chain[0])), 300)) if chain else ""
