"""What the engine told of containers, as people need to read it."""

from collections.abc import Iterable
from datetime import timedelta

from actions.watching.container_events import container_happenings
from console.engine.snapshot import EngineEvent
from tests.support.snapshots import NOW, ident


def told(*events: tuple[float, str, str, int | None]) -> list[str]:
    """Give what becomes of events (seconds, name, action, exit code), the oldest first."""
    made = tuple(reversed([event(*one) for one in events]))
    return [
        f"{one.subject} {one.body['outcome']}: {one.body['text']}"
        for one in container_happenings(made)
    ]


def event(seconds: float, name: str, action: str, code: int | None = None) -> EngineEvent:
    """Make an event."""
    return EngineEvent(
        at=NOW + timedelta(seconds=seconds),
        container_id=ident(name),
        container_name=name,
        action=action,
        exit_code=code,
        signal="15" if action == "kill" else None,
    )


def has(lines: Iterable[str], *words: str) -> bool:
    """Tell whether a line has all the words."""
    return any(all(word in line for word in words) for line in lines)


def test_a_stop_is_an_end_that_was_asked_for() -> None:
    lines = told(
        (0, "myia", "kill", None), (10, "myia", "die", 137), (10, "myia", "stop", None),
        (60, "myia", "start", None),
    )  # fmt: skip
    assert len(lines) == 2
    assert "myia info: ended, exit 137: killed, as asked" in lines
    assert has(lines, "myia info: started")


def test_a_crash_is_an_error_and_a_start_forgets_who_asked_before() -> None:
    lines = told(
        (0, "myia", "kill", None), (1, "myia", "die", 0), (2, "myia", "start", None),
        (5, "myia", "die", 1),
    )  # fmt: skip
    assert has(lines, "myia error: ended, exit 1")
    assert not has(lines, "exit 1", "asked")


def test_out_of_memory_explains_the_end_that_follows() -> None:
    lines = told((0, "comfy", "oom", None), (0.1, "comfy", "die", 137))
    assert has(lines, "comfy error: a process in it ran out of memory")
    assert has(lines, "comfy error: ended, exit 137", "memory")


def test_health_checks_and_execs_do_not_flood() -> None:
    lines = told(
        (0, "a", "exec_create: sh", None), (1, "a", "health_status: unhealthy", None),
        (2, "a", "health_status: healthy", None), (3, "a", "top", None),
    )  # fmt: skip
    assert lines == ["a warning: its health check fails", "a ok: its health check passes"]


def test_only_the_new_ones_are_told_but_the_others_explain_them() -> None:
    events = tuple(reversed([event(0, "myia", "kill"), event(1, "myia", "die", 143)]))
    only = container_happenings(events, 1)
    assert [one.body["facts"]["asked"] for one in only] == [True]
