"""The answer of `docker inspect`: everything the engine knows of one container."""

from functools import cache
from typing import Any

from console.packaged import read_table
from console.simulator.actor import Actor, Health
from console.simulator.engine import parts
from console.simulator.engine.flavours import Flavour
from console.simulator.engine.wire import go_time
from console.simulator.scene import seconds
from console.simulator.stage import Stage

_ROOT = "/var/lib/docker"
_NANO = 1_000_000_000


def inspected(stage: Stage, actor: Actor, flavour: Flavour) -> dict[str, Any]:
    """Give a container as `GET /containers/{id}/json` does."""
    folder = f"{_ROOT}/containers/{actor.id}"
    path, *args = parts.argv(actor)
    return {
        "Id": actor.id,
        "Created": go_time(stage, actor.created_at),
        "Path": path,
        "Args": args,
        "State": _state(stage, actor),
        "Image": parts.image_id(actor.spec.image),
        "ResolvConfPath": f"{folder}/resolv.conf",
        "HostnamePath": f"{folder}/hostname",
        "HostsPath": f"{folder}/hosts",
        "LogPath": f"{folder}/{actor.id}-json.log",
        "Name": "/" + actor.name,
        "RestartCount": actor.restart_count,
        **fixed("top", flavour),
        "ExecIDs": actor.exec_ids or None,
        "HostConfig": _host_config(actor, flavour),
        "GraphDriver": {"Data": _layers(actor), "Name": "overlay2"},
        "Mounts": parts.mounts(actor),
        "Config": _config(actor, flavour),
        "NetworkSettings": _network(actor, flavour),
    }


def _state(stage: Stage, actor: Actor) -> dict[str, Any]:
    state: dict[str, Any] = {
        "Status": actor.status,
        "Running": actor.running,
        "Paused": actor.status == "paused",
        "Restarting": actor.status == "restarting",
        "OOMKilled": actor.oom_killed,
        "Dead": actor.status == "dead",
        "Pid": actor.pid,
        "ExitCode": actor.exit_code,
        "Error": actor.error,
        "StartedAt": go_time(stage, actor.started_at),
        "FinishedAt": go_time(stage, actor.finished_at),
    }
    if actor.health is not None:
        state["Health"] = _health(stage, actor.health)
    return state


def _health(stage: Stage, health: Health) -> dict[str, Any]:
    return {
        "Status": health.status,
        "FailingStreak": health.streak,
        "Log": [
            {
                "Start": go_time(stage, probe.start),
                "End": go_time(stage, probe.end),
                "ExitCode": probe.exit_code,
                "Output": probe.output,
            }
            for probe in health.log
        ],
    }


def _host_config(actor: Actor, flavour: Flavour) -> dict[str, Any]:
    spec = actor.spec
    policy, tries = actor.policy
    config = {
        "Binds": [":".join(parts.mount_parts(one)) for one in spec.mounts] or None,
        "LogConfig": {"Type": "json-file", "Config": {}},
        "NetworkMode": spec.network,
        "PortBindings": parts.bindings(actor),
        "RestartPolicy": {"Name": policy, "MaximumRetryCount": tries},
        "Runtime": spec.runtime,
        **fixed("host_config", flavour),
        "DeviceRequests": _device_requests(actor),
    }
    if spec.init:
        config["Init"] = True
    return config


def _device_requests(actor: Actor) -> list[dict[str, Any]] | None:
    gpus = actor.spec.gpus
    if gpus is None:
        return None
    everything = isinstance(gpus, str)
    return [
        {
            "Driver": "nvidia" if not everything else "",
            "Count": -1 if everything else 0,
            "DeviceIDs": None if everything else list(gpus),
            "Capabilities": [["gpu"]],
            "Options": {} if everything else None,
        }
    ]


def _config(actor: Actor, flavour: Flavour) -> dict[str, Any]:
    spec = actor.spec
    exposed: dict[str, Any] = {
        f"{inner}/{protocol}": {} for _, _, inner, protocol in parts.ports(actor)
    }
    config: dict[str, Any] = {
        "Hostname": actor.id[:12],
        **fixed("config", flavour),
        "Tty": spec.tty,
        "Env": [f"{name}={value}" for name, value in spec.env.items()] or None,
        "Cmd": list(spec.command) or None,
        "Image": spec.image,
        "Entrypoint": list(spec.entrypoint) or None,
        "Labels": spec.labels,
    }
    if exposed:
        config["ExposedPorts"] = exposed
    if spec.stop_timeout is not None:
        config["StopTimeout"] = spec.stop_timeout
    if spec.stop_signal:
        config["StopSignal"] = spec.stop_signal
    if spec.health is not None:
        config["Healthcheck"] = {
            "Test": ["CMD-SHELL", spec.health.command],
            "Interval": round(seconds(spec.health.interval) * _NANO),
            "Timeout": round(seconds(spec.health.timeout) * _NANO),
            "StartPeriod": round(seconds(spec.health.start_period) * _NANO),
            "Retries": spec.health.retries,
        }
    return config


def _network(actor: Actor, flavour: Flavour) -> dict[str, Any]:
    joined = parts.networks(actor, flavour)
    address = next(iter(joined.values())) if actor.spec.network == "bridge" else {}
    sandbox = parts.digest("sandbox", actor.id) if actor.alive else ""
    network = {
        "SandboxID": sandbox,
        "SandboxKey": f"/var/run/docker/netns/{sandbox[:12]}" if sandbox else "",
        "Ports": parts.open_ports(actor),
        "EndpointID": address.get("EndpointID", ""),
        "Gateway": address.get("Gateway", ""),
        "IPAddress": address.get("IPAddress", ""),
        "IPPrefixLen": address.get("IPPrefixLen", 0),
        "MacAddress": address.get("MacAddress", ""),
        **fixed("network", flavour),
        "Networks": joined,
    }
    dropped = _texts()["dropped"]["network"] if flavour.modern else []
    return {key: value for key, value in network.items() if key not in dropped}


def _layers(actor: Actor) -> dict[str, str]:
    layer = f"{_ROOT}/overlay2/{parts.digest('layer', actor.id)}"
    below = f"{_ROOT}/overlay2/{parts.digest('layer', actor.spec.image)}/diff"
    return {
        "LowerDir": f"{layer}-init/diff:{below}",
        "MergedDir": f"{layer}/merged",
        "UpperDir": f"{layer}/diff",
        "WorkDir": f"{layer}/work",
    }


def fixed(part: str, flavour: Flavour) -> dict[str, Any]:
    """Give what is alike for all containers (or images); each call gives a new table."""
    texts = _texts()
    facts = {**texts[part], **dict.fromkeys(texts["nulls"].get(part, []))}
    if not flavour.modern:
        return facts
    facts |= texts["new"].get(part, {})
    return {key: value for key, value in facts.items() if key not in texts["dropped"].get(part, [])}


@cache
def _texts() -> dict[str, dict[str, Any]]:
    return read_table("engine_inspect.toml")
