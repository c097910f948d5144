"""The runbook's data: every entry is whole, every known failure is recognised by its example."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actions.runbook.book import open_runbook, packaged_entries
from actions.runbook.diagnose import diagnose
from actions.runbook.entry import PLANS, SEVERITIES, WHERE, Entry

FACTS = Path(__file__).parents[3] / "shared" / "facts" / "failures.json"
ENTRIES = packaged_entries()
PATTERNS = [(one, pattern) for one in ENTRIES for pattern in one.patterns]


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda one: one.id)
def test_an_entry_says_all_that_somebody_needs(entry: Entry) -> None:
    assert entry.severity in SEVERITIES
    assert set(entry.where) <= set(WHERE)
    assert entry.plan in PLANS
    assert entry.title
    assert entry.cause
    assert entry.fix or entry.noise
    assert bool(entry.patterns) == ("picture" not in entry.where)
    assert all(mark == mark.lower() for mark in entry.marks)
    known = {one.id for one in ENTRIES}
    for one in entry.explains:
        assert one in known or (one.endswith("*") and any(i.startswith(one[:-1]) for i in known))


def test_no_id_stands_twice() -> None:
    ids = [one.id for one in ENTRIES]
    assert len(ids) == len(set(ids))


@settings(max_examples=400, suppress_health_check=list(HealthCheck), deadline=None)
@given(data=st.data())
def test_what_a_pattern_fits_has_one_of_its_marks(data: st.DataObject) -> None:
    entry, pattern = data.draw(st.sampled_from(PATTERNS))
    text = data.draw(st.from_regex(re.compile(pattern, re.IGNORECASE | re.MULTILINE | re.ASCII)))
    # A few capitals beyond ASCII have small letters elsewhere; no log is written with them.
    if text.isascii():
        assert any(mark in text.lower() for mark in entry.marks)


@pytest.mark.skipif(not FACTS.is_file(), reason="the recorded failures are not beside this clone")
def test_every_recorded_failure_is_the_first_answer_to_its_own_words() -> None:
    runbook = open_runbook()
    wrong = []
    for one in json.loads(FACTS.read_text("utf-8")):
        found = diagnose(one["example"].split("\n"), runbook, subject="log").findings
        first = found[0].id if found else ""
        if first != ("" if one["id"] == "host.dxg-noise" else one["id"]):
            wrong.append((one["id"], first))
    assert wrong == []
