"""Which lines belong to a container's newest run: its start is stamped a little late."""

from datetime import timedelta

import pytest

from actions.logs.runs import run_of
from tests.logs.wire import NOON, stamp


def inspected(status: str, started: str, finished: str) -> dict[str, object]:
    return {"State": {"Status": status, "StartedAt": started, "FinishedAt": finished}}


@pytest.mark.parametrize(
    ("finished", "earlier"),
    [
        ("0001-01-01T00:00:00Z", 2.0),  # the first run
        (stamp(-0.2), 0.1),  # restarted at once: the middle of the pause
        (stamp(-3600), 2.0),  # started again after an hour
        (stamp(60), 0.05),  # has ended meanwhile: the run before is not known
        ("", 2.0),
    ],
)
def test_a_run_begins_between_its_stamp_and_the_run_before(finished: str, earlier: float) -> None:
    assert run_of(inspected("running", stamp(), finished)).begin == NOON - timedelta(
        seconds=earlier
    )


def test_what_never_ran_has_no_begin() -> None:
    assert (
        run_of(inspected("created", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z")).begin is None
    )
    assert run_of({}).begin is None


@pytest.mark.parametrize(
    ("status", "up"), [("running", True), ("restarting", True), ("exited", False)]
)
def test_what_restarts_by_itself_is_up(status: str, up: bool) -> None:
    assert run_of(inspected(status, stamp(), "")).up is up
