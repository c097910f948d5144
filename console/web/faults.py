"""What can go wrong with a service, as errors that a person can be told about."""

from functools import cache
from typing import Any, TypeVar

from console.errors import ConsoleError, ExitCode, UnreachableError
from console.packaged import read_table
from console.unknown import Unknown


class ServiceFault(ConsoleError):  # noqa: N818 -- it is what every caller catches and reads as such
    """A service could not do or tell something; subclasses say of what kind it is.

    Attributes:
        status: the HTTP status of its answer; 0 where there was none.
    """

    status: int = 0

    def unknown(self) -> Unknown:
        """Give the same as a value for a snapshot, with the service's own words in the hint."""
        hint = f"{self.hint} ({self.detail})" if self.hint and self.detail else self.hint
        return Unknown(self.code, self.title, hint or self.detail)


class ServiceUnreachableError(ServiceFault, UnreachableError):
    """No service to talk to: refused, no such host, hung up, no secure connection (exit 4)."""

    exit_code = ExitCode.UNREACHABLE


class ServiceTimeoutError(ServiceUnreachableError):
    """No connection or no answer in time; whether it did what was asked is not known."""


class FrontOnlyError(ServiceUnreachableError):
    """A proxy answers, the service behind it does not."""


class NeedsAuthError(ServiceFault):
    """A login is in the way, or the one that was sent is not accepted."""


class OddAnswerError(ServiceFault):
    """Something answers, but not as this kind of service does."""


class BadStatusError(ServiceFault):
    """The service refused the request; `detail` has its own words."""


F = TypeVar("F", bound=ServiceFault)


@cache
def _errors() -> dict[str, Any]:
    entries: dict[str, Any] = read_table("web.toml")["errors"]
    return entries


def fault(kind: type[F], code: str, *, detail: str = "", status: int = 0, **values: object) -> F:
    """Make an error of the packaged words for `code`.

    Raises:
        KeyError: the code or a value it needs is missing; a fault of the program, not of data.
    """
    entry = _errors()[code]
    title, hint = (str(entry[part]).format(status=status, **values) for part in ("title", "hint"))
    made = kind(code, title, hint, detail)
    made.status = status
    return made
