"""What probes found, as results of the doctor."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from actions.doctor.check import GROUPS, Examination, Result
from actions.doctor.gathering import gathered


def results_of(result: Mapping[str, Any]) -> tuple[Result, ...]:
    """Give the results that a plan of probes ended with."""
    return msgspec.convert(result.get("checks", []), tuple[Result, ...])


def with_probes(whole: Examination, probes: Sequence[Result]) -> Examination:
    """Give an examination with what probes found beside it, gathered anew."""
    results = sorted((*whole.results, *probes), key=lambda one: (GROUPS.index(one.group), one.id))
    return msgspec.structs.replace(whole, results=tuple(results), findings=gathered(results))
