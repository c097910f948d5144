"""Which checks an examination runs: all, or those that are asked for with what they stand on."""

import difflib
from collections.abc import Collection, Sequence
from typing import NamedTuple

from actions.doctor.check import GROUPS, Check
from console.errors import UsageError
from console.text import clean_line


class Choice(NamedTuple):
    """What is asked for; empty is all."""

    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    service: str = ""

    def of(self, checks: Sequence[Check]) -> set[str]:
        """Give the ids of the checks that are to be run."""
        by_id = {one.id: one for one in checks}
        wanted = [one for one in checks if self._wants(one)]
        chosen: set[str] = set()
        while wanted:
            one = wanted.pop()
            if one.id in chosen or any(names(name, one) for name in self.skip):
                continue
            chosen.add(one.id)
            wanted += [by_id[need] for need in one.needs if need in by_id]
        return chosen

    def complain(self, known: Collection[str]) -> None:
        """Refuse names that mean no check at all.

        Raises:
            UsageError: `doctor.no-check` or `doctor.no-service`, with the nearest name.
        """
        if self.service and not any(one.endswith(f":{self.service}") for one in known):
            subjects = {one.partition(":")[2] for one in known} - {""}
            near = difflib.get_close_matches(self.service, subjects, 1, 0.5)
            raise UsageError(
                "doctor.no-service",
                f"there is no service {clean_line(self.service, 60)} to check",
                f"did you mean {near[0]}?" if near else "gpuconsole status lists them",
            )
        heads = {one.partition(":")[0] for one in known}
        for name in (*self.only, *self.skip):
            if not is_known(name, known):
                near = difflib.get_close_matches(name, [*heads, *GROUPS, *known], 1, 0.5)
                advice = f"did you mean {near[0]}?" if near else f"groups: {', '.join(GROUPS)}"
                raise UsageError(
                    "doctor.no-check", f"there is no check {clean_line(name, 60)}", advice
                )

    def refuse_nothing(self) -> None:
        """Refuse a choice that leaves no check at all.

        Raises:
            UsageError: `doctor.nothing-left`.
        """
        raise UsageError(
            "doctor.nothing-left",
            "no check is left: what is asked for is left out, or is not about this service",
            "gpuconsole doctor checks all",
        )

    def _wants(self, one: Check) -> bool:
        if self.service and one.subject != self.service:
            return False
        return not self.only or any(names(name, one) for name in self.only)


def is_known(name: str, known: Collection[str]) -> bool:
    """Tell whether a name means any check at all: an id, a part of ids, or a group."""
    heads = {one.partition(":")[0] for one in known}
    beginning = any(one.startswith(f"{name}.") for one in heads)
    return name in known or name in heads or name in GROUPS or beginning


def names(name: str, one: Check) -> bool:
    """Tell whether a name means a check: its id, the part before `:`, its group, or a beginning."""
    head = one.id.partition(":")[0]
    return name in {one.id, head, one.group} or head.startswith(f"{name}.")
