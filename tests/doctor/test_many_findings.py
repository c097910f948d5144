"""A thousand findings are put in order at once, as few are."""

import time

from actions.doctor.check import Result
from actions.doctor.gathering import gathered
from actions.runbook.book import packaged_entries
from actions.runbook.finding import Finding


def found(count: int) -> list[Result]:
    ids = [one.id for one in packaged_entries()]
    findings = tuple(
        Finding(
            id=ids[place % len(ids)],
            severity=("error", "warning", "info")[place % 3],
            subject=f"service-{place // 20}",
            title=f"thing {place}",
        )
        for place in range(count)
    )
    return [Result(id="x", group="containers", state="fail", title="", findings=findings)]


def test_a_thousand_findings_are_gathered_within_a_blink() -> None:
    results = found(1000)
    began = time.perf_counter()
    ordered = gathered(results)
    assert time.perf_counter() - began < 2, "half a minute, where each is held against each"
    assert len(ordered) == 1000
    assert not ordered[0].consequence_of


def test_a_consequence_stands_behind_its_cause_among_many() -> None:
    ordered = gathered(found(200))
    roots = {one.id for one in ordered if not one.consequence_of}
    root = ordered[0]
    for one in ordered:
        if one.consequence_of:
            assert one.consequence_of == root.id
            assert one.consequence_of in roots
        else:
            root = one
