"""One entry of the runbook, as data has it."""

import msgspec

SEVERITIES = ("error", "warning", "info")
"""From worst to least."""
WHERE = ("docker", "log", "http", "nvml", "host", "picture")
PLANS = ("", "restart", "free", "pull", "recreate")


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A failure: how it shows, why, and what to do; `assets/runbook.toml` explains each field.

    Attributes:
        id: such as `torch.oom.native`.
        title: in one sentence; `{name}` stands for what a pattern captured under that name.
        where: where it shows: some of `WHERE`.
        severity: one of `SEVERITIES`.
        rank: how near to the root it is, 0 to 100.
        patterns: regular expressions; none where only a picture shows it.
        marks: a text without any of these, in small letters, is not searched; none for always.
        requires: texts in small letters, of which the log must have said one before, such as the
            version that has a fault; none for always.
        fix, next: what to do, and what to look at then, step by step.
        explains: ids, or beginnings of ids that end in `*`, which are its consequences.
        noise: never reported; what it matches is no fault.
        cleared: a start that comes up afterwards shows that it did no harm.
        plan: the kind of plan that would mend it, of `PLANS`.
    """

    id: str
    title: str
    where: tuple[str, ...] = ("log",)
    severity: str = "error"
    rank: int = 50
    patterns: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    cause: str = ""
    fix: tuple[str, ...] = ()
    next: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    explains: tuple[str, ...] = ()
    noise: bool = False
    cleared: bool = False
    plan: str = ""

    def accounts_for(self, other: str) -> bool:
        """Tell whether another entry, by its id, is a consequence of this one."""
        return any(
            other.startswith(one[:-1]) if one.endswith("*") else other == one
            for one in self.explains
        )
