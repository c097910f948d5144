"""The symbols and words that the command line and the full screen share."""

from collections.abc import Iterable
from datetime import datetime

from actions.services.snapshot import ServiceStatus
from console.engine.snapshot import Container, Port
from console.units import format_age
from console.unknown import NOT_KNOWN, Unknown, known

SYMBOLS = {"error": "✖", "warning": "▲", "info": "·", "ok": "✔"}
"""By severity; a symbol stands beside each colour, and without one where there is none."""
ADVISED = {"now": "★", "offload": "★", "when-free": "☆"}
"""The mark of a variant that is advised for a card, by what that rests on."""
SOURCE_WORDS = {
    "processes": "driver",
    "service": "service",
    "observed": "observed",
    "declared": "declared",
    "unknown": "unknown",
}
"""How we know which card a container uses, by the `source` of its claim."""


def age(moment: datetime | Unknown | None, now: datetime) -> str:
    """Write how long ago a moment was; a dash where it is not known."""
    if moment is None or isinstance(moment, Unknown):
        return NOT_KNOWN
    return format_age((now - moment).total_seconds())


def age_begins(container: Container) -> datetime | Unknown | None:
    """Give the moment that a container's age counts from: its start, or its end if it ended."""
    if container.state in {"exited", "dead"} and known(container.finished_at):
        return container.finished_at
    if container.state == "created":
        return container.created_at
    return container.started_at


def ports_text(ports: Iterable[Port]) -> str:
    """Write published ports, such as `8188 7861→7860 53/udp`; what is only exposed is left out.

    The engine lists a port for IPv4 and for IPv6: it is written once.
    """
    shown: dict[str, None] = {}
    for port in ports:
        if port.host_port is None:
            continue
        same = port.host_port == port.container_port
        text = str(port.host_port) if same else f"{port.host_port}→{port.container_port}"
        shown[text if port.protocol == "tcp" else f"{text}/{port.protocol}"] = None
    return " ".join(shown)


def model_words(status: ServiceStatus) -> str:
    """Name what a service has loaded, without folder and ending; empty where it does not tell."""
    model = status.reading.model if status.reading is not None else ""
    if isinstance(model, Unknown) or not model:
        return ""
    name = model.replace("\\", "/").rpartition("/")[2]
    for ending in (".safetensors", ".gguf", ".ckpt", ".sft"):
        name = name.split(ending)[0]
    return name
