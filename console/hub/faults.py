"""What can go wrong with the hub, as errors that a person can be told about."""

from functools import cache
from typing import Any

from console.errors import ConsoleError, ExitCode
from console.packaged import read_table


class HubFault(ConsoleError):  # noqa: N818 -- it is what every caller catches and reads as such
    """The hub could not tell or give something; `code` says of what kind it is.

    Attributes:
        passing: another try may go well without anybody doing something.
        retry_after: seconds that the hub wants to be left alone; None where it does not say.
        status: the HTTP status of its answer; 0 where there was none.
    """

    def __init__(
        self,
        code: str,
        title: str,
        hint: str = "",
        detail: str = "",
        *,
        passing: bool = False,
        retry_after: float | None = None,
        status: int = 0,
    ) -> None:
        super().__init__(code, title, hint, detail)
        self.passing = passing
        self.retry_after = retry_after
        self.status = status
        if code in UNREACHABLE:
            self.exit_code = ExitCode.UNREACHABLE

    @property
    def needs_token(self) -> bool:
        """Tell whether a token, or another one, is what is missing."""
        return self.code in NEEDS_TOKEN


UNREACHABLE = frozenset(
    {
        "hub.unreachable",
        "hub.no-host",
        "hub.timeout",
        "hub.certificate",
        "hub.proxy",
        "hub.offline",
        "hub.rate-limited",
        "hub.server-error",
        "hub.cut",
        "hub.web-page",
        "hub.not-a-hub",
    }
)
"""Codes that mean that no hub, or none that works, can be reached (exit 4)."""

NEEDS_TOKEN = frozenset({"hub.no-token", "hub.token-wrong", "hub.token-unusable"})
"""Codes that a token, or another one, puts right."""

_PASSING = frozenset(
    {
        "hub.unreachable",
        "hub.no-host",
        "hub.timeout",
        "hub.proxy",
        "hub.rate-limited",
        "hub.server-error",
        "hub.cut",
        "hub.web-page",
        "hub.odd-answer",
        "hub.wrong-length",
        "hub.address-expired",
    }
)


@cache
def _errors() -> dict[str, Any]:
    entries: dict[str, Any] = read_table("hub.toml")["errors"]
    return entries


def fault(
    code: str,
    *,
    detail: str = "",
    hint: str = "",
    retry_after: float | None = None,
    status: int = 0,
    **values: object,
) -> HubFault:
    """Make an error of the packaged words for `code`; `hint` stands before theirs.

    Words may name another code that they belong to: one code, several ways to say it.

    Raises:
        KeyError: the code or a value it needs is missing; a fault of the program, not of data.
    """
    entry = _errors()[code]
    title, packaged = (
        str(entry[part]).format(status=status, **values) for part in ("title", "hint")
    )
    whole = "; ".join(part for part in (hint, packaged) if part)
    code = str(entry.get("code", code))
    return HubFault(
        code,
        title,
        whole,
        detail,
        passing=code in _PASSING,
        retry_after=retry_after,
        status=status,
    )
