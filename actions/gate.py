"""The one gate that every change passes: read-only refuses here, and nowhere else."""

from actions.plan import Refusal
from actions.session import Session
from console.errors import ConsoleError, RefusedError, UsageError

READ_ONLY = "policy.read-only"
BAD_CONFIG = "config.invalid"


def refusal(session: Session) -> Refusal | None:
    """Say why nothing may be changed in this session, or None where it may.

    A configuration with mistakes refuses too: what it says about services and policy may be
    missing from the defaults that stand in for it. Looking goes on in both cases.
    """
    findings = session.config.findings
    if findings:
        first = findings[0]
        more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
        return Refusal(
            code=BAD_CONFIG,
            title=f"the configuration has mistakes: {first.title}{more}",
            hint="gpuconsole config validate names each with its line; correct them first",
        )
    if session.read_only:
        return Refusal(
            code=READ_ONLY,
            title="this console is read-only: it changes nothing",
            hint="Start it without --read-only, or set policy.read_only = false in the config",
        )
    return None


def as_error(reason: Refusal) -> ConsoleError:
    """Give a refusal as the error the command line maps to its exit code: 2 for the config."""
    kind = UsageError if reason.code == BAD_CONFIG else RefusedError
    return kind(reason.code, reason.title, reason.hint)
