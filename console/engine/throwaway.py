"""A container for one command: made, run, read and removed again, whatever comes of it."""

import contextlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from console.engine.endpoint import Endpoint

if TYPE_CHECKING:
    from console.engine.client import EngineClient, ExecResult

LABEL = "org.gpuconsole.probe"
_LAST_LINES = 200
_FINISH_SECONDS = 15.0
_NAME = "gpuconsole-probe"


def run_with_cards(
    client: "EngineClient", image: str, command: Sequence[str], limit: float
) -> "ExecResult":
    """Run a command of an image that is here, with all cards, no network and nothing mounted.

    What an earlier one left behind is removed first; this one is removed in the end, by another
    connection where this one was cut.

    Raises:
        EngineRefusedError: the engine cannot make or start it; the detail has its own words.
        EngineTimeoutError: the command did not end within `limit` seconds.
    """
    remove_left(client)
    made = client.make_with_cards(image, command, {LABEL: "1"}, _NAME)
    try:
        client.start(made)
        return client.finished(made, limit, _LAST_LINES)
    finally:
        _remove(client.endpoint, made)


def remove_left(client: "EngineClient") -> int:
    """Remove what earlier ones left behind; gives how many there were."""
    from console.engine.values import mapping

    left = [one for one in client.list() if LABEL in mapping(one.get("Labels"))]
    for one in left:
        client.discard(str(one.get("Id", "")))
    return len(left)


def _remove(endpoint: Endpoint, ident: str) -> None:
    from console.engine.client import EngineClient
    from console.engine.faults import EngineError

    # What cannot be removed now is by the next one: it carries the label.
    with contextlib.suppress(EngineError), EngineClient(endpoint, _FINISH_SECONDS) as client:
        client.discard(ident)


def settings(api: Any, image: str, command: Sequence[str], labels: dict[str, str]) -> Any:
    """Give the settings of such a container, as the engine's API takes them."""
    from docker.types import DeviceRequest

    host = api.create_host_config(
        device_requests=[DeviceRequest(count=-1, capabilities=[["gpu"]])],
        network_mode="none",
        read_only=False,
    )
    return api.create_container_config(
        image,
        list(command[1:]),
        entrypoint=[command[0]],
        labels=labels,
        host_config=host,
        environment={"NVIDIA_DRIVER_CAPABILITIES": "compute,utility"},
    )
