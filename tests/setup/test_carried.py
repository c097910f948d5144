"""How long a step is carried on without a terminal: until it has no more to do, and no further."""

import msgspec
import pytest

from actions.setup.course import carry_out
from actions.setup.report import Look
from tests.setup.conftest import Bare


def reports(
    bare: Bare, monkeypatch: pytest.MonkeyPatch, looks: list[Look]
) -> tuple[str, list[str]]:
    """Carry one step out that looks as told, the last for ever; gives its end, and what it did."""
    did: list[str] = []

    def look(_ground: object) -> Look:
        now = looks[min(len(did), len(looks) - 1)]

        def write() -> tuple[str, ...]:
            did.append(now.detail)
            return ()

        return now if now.state == "done" else msgspec.structs.replace(now, write=write)

    monkeypatch.setattr("actions.setup.course._LOOKS", {"existing": look})
    (report,) = carry_out(bare.session(), bare.answers(), lambda _: True, lambda *_: None)
    return report.state, did


def test_whatever_a_step_finds_to_do_is_done_in_one_run(
    bare: Bare, monkeypatch: pytest.MonkeyPatch
) -> None:
    forges = [Look(state="needed", detail=f"makes forge-{one} anew") for one in range(9)]
    state, did = reports(bare, monkeypatch, [*forges, Look(state="done", detail="all of it")])
    assert (state, len(did)) == ("done", 9)


def test_what_was_done_and_is_proposed_again_is_not_done_for_ever(
    bare: Bare, monkeypatch: pytest.MonkeyPatch
) -> None:
    state, did = reports(bare, monkeypatch, [Look(state="needed", detail="makes it anew")])
    assert (state, did) == ("needed", ["makes it anew"])
