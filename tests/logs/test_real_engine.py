"""Following containers of a real engine: whatever becomes of them, and of the engine."""

from pathlib import Path

import pytest

from actions.logs.book import LogBook
from actions.logs.follower import LogFollower
from tests.logs.conftest import Follow, session_at
from tests.support.engine import PrivateEngine, Workbench
from tests.support.proxy import SlowProxy
from tests.support.waiting import wait_until

pytestmark = pytest.mark.engine
COUNTING = "i=0; while true; do echo line $i; i=$((i+1)); usleep 5000; done"


def texts(book: LogBook) -> list[str]:
    return [line.text for line in book.slice(0, len(book))]


def ended(follower: LogFollower) -> LogBook:
    """Give the book of a follower that has come to its end."""
    wait_until(lambda: follower.state not in {"reading", "following"}, 15)
    wait_until(lambda: not follower._thread.is_alive() or follower.state == "lost", 15)
    return follower.book


def count(book: LogBook) -> list[int]:
    return [int(text.removeprefix("line ")) for text in texts(book)]


def test_a_stopped_containers_log_is_there_with_its_streams(
    workbench: Workbench, follow: Follow
) -> None:
    container = workbench.run("talker", ["sh", "-c", "echo out; echo err >&2; printf 'no end'"])
    workbench.api.wait(container)
    book = ended(follow(container))
    lines = book.slice(0, 9)
    assert {(line.stream, line.text) for line in lines} == {
        ("stdout", "out"), ("stderr", "err"), ("stdout", "no end"),
    }  # fmt: skip
    assert all(line.time is not None and line.time.utcoffset() is not None for line in lines)
    assert lines[0].container == f"{workbench.prefix}talker"


def test_a_terminal_has_one_stream_and_no_frames(workbench: Workbench, follow: Follow) -> None:
    script = "echo one; echo two >&2; head -c 40000 /dev/zero | tr '\\0' x; echo; echo last"
    script = script.replace("head", "busybox head").replace("tr ", "busybox tr ")
    container = workbench.run("tty", ["sh", "-c", script], tty=True)
    workbench.api.wait(container)
    lines = ended(follow(container)).slice(0, 9)
    assert {line.stream for line in lines} == {"stdout"}
    assert [line.text[:5] for line in lines] == ["one", "two", "xxxxx", "last"]
    assert "(7,232 more bytes" in lines[2].text
    assert set(lines[2].text[:32_768]) == {"x"}


def test_following_goes_on_until_the_container_stops(workbench: Workbench, follow: Follow) -> None:
    container = workbench.run("counting", ["sh", "-c", COUNTING])
    changes: list[int] = []
    follower = follow(container, on_change=lambda: changes.append(1))
    wait_until(lambda: follower.state == "following" and len(follower.book) > 100, 15)
    workbench.api.kill(container)
    book = ended(follower)
    assert follower.state == "ended"
    assert follower.problem is None
    assert count(book) == list(range(len(book)))
    assert changes


def test_the_container_is_removed_while_it_is_followed(
    workbench: Workbench, follow: Follow
) -> None:
    container = workbench.run("doomed", ["sh", "-c", COUNTING])
    follower = follow(container)
    wait_until(lambda: len(follower.book) > 20, 15)
    workbench.remove(container)
    book = ended(follower)
    assert follower.state == "removed"
    assert count(book) == list(range(len(book)))


def test_a_container_that_never_was_is_told(follow: Follow) -> None:
    follower = follow("no-such-container-at-all")
    wait_until(lambda: follower.state == "removed")
    assert follower.problem is not None
    assert follower.problem.code == "engine.no-such-container"


def test_what_came_before_a_restart_is_there_and_the_last_start_is_found(
    workbench: Workbench, follow: Follow
) -> None:
    container = workbench.run("twice", ["sh", "-c", "echo begin; sleep 60"])
    wait_until(lambda: workbench.api.logs(container))
    workbench.api.restart(container, timeout=0)
    wait_until(lambda: workbench.api.logs(container).count(b"begin") == 2)
    whole = follow(container)
    # Two equal lines of two runs are one with a count, where nothing came between.
    wait_until(lambda: sum(line.repeats for line in whole.book.slice(0, 9)) == 2)
    only = follow(container, last_start=True)
    wait_until(lambda: only.state == "following" and len(only.book) == 1)
    assert only.book.line(0).repeats == 1
    assert only.book.last_start() == 0


def test_staying_goes_on_with_the_next_run(workbench: Workbench, follow: Follow) -> None:
    container = workbench.run("again", ["sh", "-c", "echo run $$; date +%N; sleep 60"])
    follower = follow(container, stay=True)
    wait_until(lambda: len(follower.book) >= 1, 15)
    workbench.api.kill(container)
    wait_until(lambda: follower.state == "ended", 15)
    before = sum(line.repeats for line in follower.book.slice(0, 99))
    workbench.api.start(container)
    wait_until(
        lambda: (
            follower.state == "following"
            and sum(line.repeats for line in follower.book.slice(0, 99)) == 2 * before
        ),
        15,
    )


def test_a_crash_loop_is_followed_through_its_restarts(
    workbench: Workbench, follow: Follow
) -> None:
    container = workbench.run(
        "looping",
        ["sh", "-c", "echo up; usleep 200000; echo down; exit 1"],
        host={"restart_policy": {"Name": "always"}},
    )
    follower = follow(container)
    wait_until(lambda: texts(follower.book).count("down") >= 3, 30)
    found = texts(follower.book)
    assert found[: len(found) // 2 * 2] == ["up", "down"] * (len(found) // 2)


def test_several_logs_are_one_by_time(workbench: Workbench, follow: Follow) -> None:
    containers = [
        workbench.run(
            f"part{n}", ["sh", "-c", f"for i in 1 2 3 4 5 6; do echo {n} $i; usleep 30000; done"]
        )
        for n in range(3)
    ]
    for container in containers:
        workbench.api.wait(container)
    book = ended(follow(*containers))
    lines = book.slice(0, 99)
    assert len(lines) == 18
    assert [line.time for line in lines] == sorted(line.time for line in lines if line.time)
    assert {line.container for line in lines} == {f"{workbench.prefix}part{n}" for n in range(3)}


def test_since_until_and_tail(workbench: Workbench, follow: Follow) -> None:
    container = workbench.run(
        "parts", ["sh", "-c", "for i in 0 1 2 3 4 5 6 7; do echo line $i; usleep 20000; done"]
    )
    workbench.api.wait(container)
    whole = ended(follow(container)).slice(0, 9)
    assert texts(ended(follow(container, tail=2))) == ["line 6", "line 7"]
    third, sixth = whole[3].time, whole[6].time
    part = texts(ended(follow(container, since=third, until=sixth)))
    assert part[0] in {"line 3", "line 4"}
    assert part[-1] in {"line 5", "line 6"}


def test_a_driver_that_keeps_nothing_is_named_with_what_to_do(
    workbench: Workbench, follow: Follow
) -> None:
    container = workbench.run("silent", ["sleep", "60"], host={"log_config": {"Type": "none"}})
    follower = follow(container)
    wait_until(lambda: follower.state == "ended")
    assert follower.problem is not None
    assert "none" in follower.problem.title
    assert "--log-driver local" in follower.problem.hint


def test_a_cut_connection_leaves_no_gap_and_no_double(
    workbench: Workbench, follow: Follow, tmp_path: Path, socket_path: Path
) -> None:
    container = workbench.run("counting", ["sh", "-c", COUNTING])
    with SlowProxy(socket_path, workbench.address) as proxy:
        follower = follow(container, session=session_at(proxy.address, tmp_path))
        for _ in range(3):
            wait_until(lambda: follower.state == "following", 15)
            before = len(follower.book)
            wait_until(lambda least=before + 20: len(follower.book) > least, 15)  # type: ignore[misc]
            proxy.cut()
        wait_until(lambda: len(follower.book) > 200, 20)
        book = follower.book
        assert count(book) == list(range(len(book)))


def test_the_engine_dies_and_comes_back(
    own_engine: PrivateEngine, tmp_path: Path, follow: Follow
) -> None:
    with Workbench(own_engine.address) as bench:
        container = bench.run("counting", ["sh", "-c", COUNTING])
        follower = follow(container, session=session_at(own_engine.address, tmp_path))
        wait_until(lambda: follower.state == "following" and len(follower.book) > 50, 15)
        own_engine.stop()
        wait_until(lambda: follower.state == "lost", 15)
        assert follower.problem is not None
        held = len(follower.book)
        own_engine.start()
        wait_until(lambda: follower.state in {"following", "ended"}, 30)
        bench.api.start(container)
        assert count(follower.book)[:held] == list(range(held))


def test_stopping_never_waits(workbench: Workbench, follow: Follow) -> None:
    container = workbench.run("quiet", ["sleep", "60"])
    follower = follow(container)
    wait_until(lambda: follower.state == "following")
    follower.stop()
    assert follower.join(2)
