"""The real engine where it is slow, is cut off, or kills for want of memory."""

import time
from pathlib import Path

import pytest

from console.clock import SystemClock
from console.engine.client import EngineClient
from console.engine.faults import EngineTimeoutError
from console.engine.reader import read_once
from console.engine.watcher import EngineWatcher
from tests.support.engine import Workbench, endpoint_at
from tests.support.proxy import SlowProxy
from tests.support.waiting import wait_until

pytestmark = pytest.mark.engine


def test_a_slow_line_gives_late_answers_and_a_cut_one_is_told(
    workbench: Workbench, socket_path: Path
) -> None:
    container_id = workbench.run("far-away", ["sleep", "600"])
    with SlowProxy(socket_path, workbench.address, delay=0.3) as proxy:
        watcher = EngineWatcher(endpoint_at(proxy.address), SystemClock())
        watcher.start()
        wait_until(lambda: any(
            found.id == container_id and found.pid for found in watcher.snapshot().containers
        ), 30)  # fmt: skip
        proxy.delay = 0
        proxy.cut()
        wait_until(lambda: watcher.snapshot().state == "lost")
        assert any(found.id == container_id for found in watcher.snapshot().containers)
        wait_until(lambda: watcher.snapshot().state == "connected")
        watcher.stop()
        assert watcher.join(5)


def test_an_engine_that_needs_ten_seconds_freezes_nobody(
    workbench: Workbench, socket_path: Path
) -> None:
    with SlowProxy(socket_path, workbench.address, delay=10) as proxy:
        began = time.monotonic()
        snapshot = read_once(endpoint_at(proxy.address), SystemClock(), limit=0.5)
        assert time.monotonic() - began < 2
        assert snapshot.problem is not None
        assert snapshot.problem.code == "engine.timeout"
        watcher = EngineWatcher(endpoint_at(proxy.address), SystemClock())
        began = time.monotonic()
        watcher.start()
        assert watcher.snapshot().state == "connecting"
        watcher.stop()
        assert time.monotonic() - began < 0.2
        assert watcher.join(5)


def test_a_command_that_does_not_end_is_given_up(workbench: Workbench) -> None:
    container_id = workbench.run("endless", ["sleep", "600"])
    with EngineClient(endpoint_at(workbench.address)) as client:
        for command in (["sleep", "60"], ["sh", "-c", "while true; do echo x; sleep 0.1; done"]):
            began = time.monotonic()
            with pytest.raises(EngineTimeoutError):
                client.exec_run(container_id, command, limit=0.5)
            assert time.monotonic() - began < 3
        assert client.exec_run(container_id, ["echo", "well"]).output == b"well\n"


def test_killed_by_its_memory_limit_is_told_as_such(workbench: Workbench) -> None:
    greedy = "x=aaaaaaaaaaaaaaaa; while true; do x=$x$x; done"
    limits = {"mem_limit": "16m", "memswap_limit": "16m"}
    container_id = workbench.run("greedy", ["sh", "-c", greedy], host=limits)

    def ended() -> bool:
        found = read_once(endpoint_at(workbench.address), SystemClock())
        return any(
            one.id == container_id and one.exit_code == 137 and one.oom_killed is True
            for one in found.containers
        )

    wait_until(ended, 20)
    snapshot = read_once(endpoint_at(workbench.address), SystemClock())
    actions = [told.action for told in snapshot.events if told.container_id == container_id]
    assert "oom" in actions
    assert container_id not in snapshot.asked_to_stop


def test_an_engine_over_tcp_is_watched_as_well(workbench: Workbench) -> None:
    container_id = workbench.run("tcp", ["sleep", "600"])
    with SlowProxy(None, workbench.address) as proxy:
        watcher = EngineWatcher(endpoint_at(proxy.address), SystemClock())
        watcher.start()
        wait_until(lambda: any(
            found.id == container_id and found.pid for found in watcher.snapshot().containers
        ), 10)  # fmt: skip
        workbench.api.kill(container_id)
        wait_until(lambda: container_id in watcher.snapshot().asked_to_stop)
        began = time.monotonic()
        watcher.stop()
        assert time.monotonic() - began < 0.2
        assert watcher.join(5)
