"""How often the first answer is right, on logs with all the noise that hosts add, and how often a
healthy log is called ill."""

import json
from collections.abc import Callable, Sequence
from itertools import zip_longest

import pytest

from actions.runbook.book import open_runbook
from actions.runbook.diagnose import diagnose
from actions.runbook.finding import Diagnosis
from tests.runbook.corpus import Case, cases

RUNBOOK = open_runbook()
FAULTS = tuple(cases("faults"))
HEALTHY = tuple(cases("healthy"))
BESIDE = next(one.lines for one in HEALTHY if one.wanted == ("comfyui-0.17-levels",))
BEFORE = next(one.lines for one in HEALTHY if one.wanted == ("comfyui-stopped-and-started",))
RESTART = ("** ComfyUI startup time: 2026-01-20 09:30:05.123", "** Platform: Linux")
STAMP = "2026-01-20T08:{:02d}:{:02d}.{:09d}Z "


def stamped(lines: Sequence[str]) -> list[str]:
    """As `docker logs --timestamps` prints them."""
    return [STAMP.format(n // 60 % 60, n % 60, n) + line for n, line in enumerate(lines)]


def composed(lines: Sequence[str]) -> list[str]:
    """As `docker compose logs` does: every line with its container, another's in between."""
    if any(" | " in line[:30] or " exited with code" in line for line in lines):
        return list(lines)
    ours = [f"sd-a-1      | {line}" for line in lines]
    theirs = [f"\x1b[33mcomfyui-b-1 |\x1b[0m {line}" for line in BESIDE]
    return [line for pair in zip_longest(ours, theirs) for line in pair if line is not None]


def engine_file(lines: Sequence[str]) -> list[str]:
    """As the engine keeps them."""
    return [
        json.dumps({"log": line + "\n", "stream": "stderr", "time": "2026-01-20T08:00:00.1Z"})
        for line in lines
    ]


def coloured(lines: Sequence[str]) -> list[str]:
    """With colours, and a progress bar on its way."""
    whole = [f"\x1b[0;31m{line}\x1b[0m" for line in lines]
    return [" 50%|#####     | 10/20 [00:35<00:35,  3.52s/it]", *whole]


def after_a_start(lines: Sequence[str]) -> list[str]:
    """After an earlier, healthy run and a start anew."""
    return [*BEFORE, *RESTART, *lines]


WAYS: dict[str, Callable[[Sequence[str]], list[str]]] = {
    "plain": list,
    "stamped": stamped,
    "composed": composed,
    "engine-file": engine_file,
    "coloured": coloured,
    "after-a-start": after_a_start,
}


def told(lines: Sequence[str]) -> Diagnosis:
    return diagnose(lines, RUNBOOK, subject="log")


def right(case: Case, lines: Sequence[str]) -> bool:
    found = told(lines).findings
    return bool(found) and found[0].id in case.wanted and found[0].current


@pytest.mark.parametrize("way", WAYS)
def test_the_first_answer_is_the_right_one(way: str) -> None:
    wrong = [
        (case.wanted, [one.id for one in told(WAYS[way](case.lines)).findings][:3], case.lines[0])
        for case in FAULTS
        if not right(case, WAYS[way](case.lines))
    ]
    assert len(FAULTS) >= 300
    assert wrong == []


@pytest.mark.parametrize("case", HEALTHY, ids=lambda one: one.wanted[0])
def test_a_healthy_log_gives_no_finding(case: Case) -> None:
    for way in WAYS.values():
        found = told(way(case.lines))
        assert [one.id for one in found.findings if one.current] == []
        assert not found.findings or "long-ago" in case.wanted[0]


def test_a_fault_before_the_last_start_is_not_the_answer() -> None:
    for case in FAULTS:
        if any(" | " in line[:30] for line in case.lines):
            continue
        found = told([*BEFORE, *case.lines, *RESTART, *BEFORE[:-3], *BEFORE])
        assert [one.id for one in found.findings if one.current] == [], case.wanted
