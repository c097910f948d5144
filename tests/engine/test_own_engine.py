"""A real engine of the test's own: killed, stopped, started again, and asked for cards."""

import threading

import pytest
from docker.types import DeviceRequest

from console.clock import SystemClock
from console.engine.client import EngineClient
from console.engine.snapshot import Container, GpuDeclaration
from console.engine.watcher import EngineWatcher
from tests.support.engine import PrivateEngine, Workbench, endpoint_at
from tests.support.waiting import wait_until

pytestmark = pytest.mark.engine


def find(watcher: EngineWatcher, container_id: str) -> Container | None:
    return next((c for c in watcher.snapshot().containers if c.id == container_id), None)


def test_an_engine_that_is_killed_and_comes_back_is_told_truly(own_engine: PrivateEngine) -> None:
    with Workbench(own_engine.address) as bench:
        container_id = bench.run("steady", ["sleep", "600"], stop_signal="SIGKILL")
        states: list[str] = []
        watcher = EngineWatcher(
            endpoint_at(own_engine.address),
            SystemClock(),
            on_change=lambda: states.append(watcher.snapshot().state),
        )
        watcher.start()
        wait_until(lambda: (found := find(watcher, container_id)) and found.pid)
        threads = threading.active_count()
        own_engine.kill()
        wait_until(lambda: watcher.snapshot().state == "lost", 10)
        problem = watcher.snapshot().problem
        assert problem is not None
        assert problem.code in {"engine.lost", "docker.daemon.down", "engine.absent"}
        kept = find(watcher, container_id)
        assert kept is not None
        assert kept.state == "running"
        own_engine.start()
        wait_until(lambda: watcher.snapshot().state == "connected", 20)
        wait_until(lambda: (found := find(watcher, container_id)) and found.state == "exited", 10)
        wait_until(lambda: threading.active_count() <= threads)
        bench.api.start(container_id)
        wait_until(lambda: (found := find(watcher, container_id)) and found.state == "running", 5)
        own_engine.stop()
        wait_until(lambda: watcher.snapshot().state == "lost", 30)
        own_engine.start()
        wait_until(lambda: watcher.snapshot().state == "connected", 20)
        watcher.stop()
        assert watcher.join(5)


def test_a_request_for_cards_is_read_back(own_engine: PrivateEngine) -> None:
    requests = [
        DeviceRequest(driver="nvidia", device_ids=["0", "GPU-1234"], capabilities=[["gpu"]])
    ]
    with Workbench(own_engine.address) as bench:
        container_id = bench.run(
            "cards",
            ["sleep", "600", "--gpu-device-id", "1"],
            environment={"CUDA_DEVICE_ORDER": "PCI_BUS_ID", "SECRET_TOKEN": "geheim"},
            host={"device_requests": requests},
        )
        with EngineClient(endpoint_at(own_engine.address)) as client:
            from console.engine.parse import inspected

            container = inspected(client.inspect(container_id), SystemClock().now())
    assert container is not None
    assert isinstance(container.gpu, GpuDeclaration)
    (request,) = container.gpu.requests
    assert (request.driver, request.device_ids) == ("nvidia", ("0", "GPU-1234"))
    assert request.capabilities == ("gpu",)
    assert container.gpu.environment == (("CUDA_DEVICE_ORDER", "PCI_BUS_ID"),)
    assert container.gpu.arguments == ("sleep", "600", "--gpu-device-id", "1")
