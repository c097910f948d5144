"""The one hierarchy of errors: each has a code, a title for people, a hint and an exit code."""

from enum import IntEnum


class ExitCode(IntEnum):
    """What the command line exits with; the meanings are a contract."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    REFUSED = 3
    UNREACHABLE = 4
    FINDINGS = 5
    INTERRUPTED = 130


class ConsoleError(Exception):
    """Something went wrong that a person can be told about.

    Attributes:
        code: machine-readable, dotted, such as `engine.permission`.
        title: one line for people, without a full stop at its end.
        hint: what to do next; may be empty.
        detail: the outside thing's own words, cleaned by the caller; may be empty.
    """

    exit_code: ExitCode = ExitCode.FAILED

    def __init__(self, code: str, title: str, hint: str = "", detail: str = "") -> None:
        super().__init__(title)
        self.code = code
        self.title = title
        self.hint = hint
        self.detail = detail


class UsageError(ConsoleError):
    """The command line or the config asks for something that makes no sense (exit 2)."""

    exit_code = ExitCode.USAGE


class RefusedError(ConsoleError):
    """A pre-check, a policy or a missing confirmation refused a plan (exit 3)."""

    exit_code = ExitCode.REFUSED


class UnreachableError(ConsoleError):
    """Something outside that is needed cannot be reached (exit 4)."""

    exit_code = ExitCode.UNREACHABLE


class InterruptedByUser(ConsoleError):  # noqa: N818 -- it is an answer, not a fault
    """The operator asked to stop (exit 130)."""

    exit_code = ExitCode.INTERRUPTED
