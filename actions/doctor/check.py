"""What a check is, and what comes of one."""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from actions.runbook.finding import Finding

if TYPE_CHECKING:
    from actions.doctor.ground import Ground

STATES = ("pass", "warn", "fail", "skip")
GROUPS = ("host", "driver", "engine", "containers", "services", "models", "outside", "security")
"""In the order in which one stands on the other."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one check.

    Attributes:
        id: such as `host.memory`, or `service.ready:comfyui-qwen` where there is one for each.
        group: one of `GROUPS`.
        state: one of `STATES`; `skip` was not checked, and `detail` says why.
        title: what was found, in one line.
        detail: more, with figures and their sources; may be empty.
        seconds: it took.
        findings: what is wrong, or will be; empty where all is well.
    """

    id: str
    group: str
    state: str
    title: str
    detail: str = ""
    seconds: float = 0.0
    findings: tuple[Finding, ...] = ()


class Check(NamedTuple):
    """A check that can be run.

    Attributes:
        id: as in its result.
        group: one of `GROUPS`.
        title: what it looks at, in a few words.
        run: looks, given itself; its time limit is kept by whoever runs it. A
            ConsoleError that it raises becomes a `skip` or a `fail` with its words.
        needs: ids of checks that must not have failed or been skipped; else it is skipped.
        limit_seconds: given up after so long, as `fail`.
        subject: the service or container it is about; empty for the host.
        heavy: it reads much: few such run at once, and none begins late.
    """

    id: str
    group: str
    title: str
    run: "Callable[[Ground, Check], Result]"
    needs: tuple[str, ...] = ()
    limit_seconds: float = 2.5
    subject: str = ""
    heavy: bool = False


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """One check has come to its end; `done` of `of` have."""

    result: Result
    done: int
    of: int


class Examination(msgspec.Struct, frozen=True, kw_only=True):
    """All of it: results in the order of their groups, findings with root causes first."""

    results: tuple[Result, ...]
    findings: tuple[Finding, ...]
    seconds: float

    @property
    def bad(self) -> bool:
        """Whether something of severity error is wrong now."""
        return any(one.severity == "error" and one.current for one in self.findings)
