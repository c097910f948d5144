"""What a plan for a container rests on, taken from one inspect of the engine."""

from collections.abc import Mapping
from typing import Any

import msgspec

from console.engine.exit_codes import meaning
from console.engine.snapshot import UP
from console.mask import mask_arguments, mask_text
from console.text import clean_line

DEFAULT_GRACE = 10
_NO_NETWORK = ("none", "host")


class PublishedPort(msgspec.Struct, frozen=True, kw_only=True):
    """A port of the host that a container takes while it runs; `host_ip` is empty for all."""

    protocol: str
    host_port: int
    host_ip: str = ""

    def clashes(self, other: "PublishedPort") -> bool:
        """Tell whether both cannot be taken at once."""
        everywhere = {"", "0.0.0.0", "::"}  # noqa: S104 -- compared with, not bound to
        same = (self.protocol, self.host_port) == (other.protocol, other.host_port)
        return same and (
            self.host_ip == other.host_ip
            or self.host_ip in everywhere
            or other.host_ip in everywhere
        )


class ContainerFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One container as inspected just now; texts are cleaned, secrets in them masked.

    Attributes:
        started_at: as the engine writes it, compared and never computed with.
        stop_timeout: seconds of grace; below 0 is without end; None is the engine's default.
        stop_signal: as configured; empty is SIGTERM.
        init: an init of the engine's is PID 1.
        arguments: the command line of PID 1.
        ports: of the host, taken once it runs.
    """

    id: str
    name: str
    image: str
    state: str
    started_at: str
    finished_at: str
    restart_count: int
    exit_code: int
    oom_killed: bool
    error: str
    auto_remove: bool
    restart_policy: str
    stop_timeout: int | None
    stop_signal: str
    init: bool
    arguments: tuple[str, ...]
    ports: tuple[PublishedPort, ...]

    @property
    def runs(self) -> bool:
        """Whether it has a process now, or is about to have one again by its policy."""
        return self.state in UP

    def grace(self, asked: int | None) -> int:
        """Give the seconds that a stop waits before it kills.

        A container configured to be waited for without end gets the engine's default instead: a
        plan always says how long it takes at most.
        """
        seconds = asked if asked is not None else self.stop_timeout
        return DEFAULT_GRACE if seconds is None or seconds < 0 else seconds

    def exit_text(self, *, asked: bool = False) -> str:
        """Give the exit code in words; an end that was `asked` for is never told as a failure."""
        said = meaning(self.exit_code, self.oom_killed, asked_to_stop=asked, error=self.error)
        return f"exit {self.exit_code} ({said})" if said else f"exit {self.exit_code}"

    def resting_on(self) -> dict[str, Any]:
        """Give what `run()` compares, as plain data for the plan."""
        return {
            "id": self.id,
            "name": self.name,
            "state": self.state,
            "started_at": self.started_at,
            "finished_at": self.finished_at,
            "restart_count": self.restart_count,
        }


def facts_of(inspected: Mapping[str, Any]) -> ContainerFacts:
    """Read the engine's inspect of a container; whatever is missing or odd gets its default."""
    state = _part(inspected, "State")
    config = _part(inspected, "Config")
    host = _part(inspected, "HostConfig")
    policy = _part(host, "RestartPolicy")
    words = [inspected.get("Path", ""), *_list(inspected.get("Args"))]
    return ContainerFacts(
        id=_text(inspected.get("Id")),
        name=_text(inspected.get("Name")).lstrip("/"),
        image=_text(config.get("Image")),
        state=_text(state.get("Status")) or "unknown",
        started_at=_text(state.get("StartedAt")),
        finished_at=_text(state.get("FinishedAt")),
        restart_count=_number(inspected.get("RestartCount")) or 0,
        exit_code=_number(state.get("ExitCode")) or 0,
        oom_killed=state.get("OOMKilled") is True,
        error=mask_text(_text(state.get("Error"))),
        auto_remove=host.get("AutoRemove") is True,
        restart_policy=_text(policy.get("Name")) or "no",
        stop_timeout=_number(config.get("StopTimeout")),
        stop_signal=_text(config.get("StopSignal")),
        init=host.get("Init") is True,
        arguments=mask_arguments([_text(word) for word in words if word]),
        ports=_ports(host),
    )


def _ports(host: Mapping[str, Any]) -> tuple[PublishedPort, ...]:
    """Give the fixed ports that it publishes; without a network of its own it publishes none."""
    network = _text(host.get("NetworkMode"))
    if network in _NO_NETWORK or network.startswith("container:"):
        return ()
    found = []
    for inside, bindings in _part(host, "PortBindings").items():
        protocol = str(inside).partition("/")[2] or "tcp"
        for binding in _list(bindings):
            port = str(binding.get("HostPort", "")) if isinstance(binding, Mapping) else ""
            if port.isdecimal() and int(port):
                address = _text(binding.get("HostIp"))
                found.append(PublishedPort(protocol=protocol, host_port=int(port), host_ip=address))
    return tuple(found)


def _part(data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = data.get(name)
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    return clean_line(value) if isinstance(value, str) else ""


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
