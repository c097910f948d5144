"""Parts of the engine's answers about a container that several of them share."""

import hashlib
from typing import Any

from console.simulator.actor import Actor
from console.simulator.engine.flavours import Flavour

Port = tuple[str, str, str, str]
"""Host address, host port (both empty where only exposed), container port, protocol."""

_EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 -- what an engine tells; nothing is bound here
_NETWORK_SORTS = {"none", "host"}


def digest(*what: str) -> str:
    """Give a 64-digit id that depends on `what` alone."""
    return hashlib.sha256("/".join(what).encode("utf-8", "replace")).hexdigest()


def image_id(name: str) -> str:
    """Give the id of an image."""
    return f"sha256:{digest('image', name)}"


def ports(actor: Actor) -> list[Port]:
    """Read the ports of a container's settings."""
    found: list[Port] = []
    for text in actor.spec.ports:
        rest, _, protocol = text.partition("/")
        *address, inner = rest.rsplit(":", 2) if rest.count(":") > 1 else rest.split(":")
        outer = address[-1] if address else ""
        host = address[0] if len(address) > 1 else ""
        found.append((host, outer, inner, protocol or "tcp"))
    return found


def listed_ports(actor: Actor) -> list[dict[str, Any]]:
    """Give the ports as the list has them; a container that does not run has none."""
    listed: list[dict[str, Any]] = []
    for host, outer, inner, protocol in ports(actor) if actor.alive else []:
        if not outer:
            listed.append({"PrivatePort": int(inner), "Type": protocol})
            continue
        addresses = (host,) if host else _EVERYWHERE
        facts = {"PrivatePort": int(inner), "PublicPort": int(outer), "Type": protocol}
        listed.extend({"IP": address, **facts} for address in addresses)
    return listed


def bindings(actor: Actor) -> dict[str, Any]:
    """Give `HostConfig.PortBindings`: what was asked for."""
    asked: dict[str, Any] = {}
    for host, outer, inner, protocol in ports(actor):
        if outer:
            asked.setdefault(f"{inner}/{protocol}", []).append({"HostIp": host, "HostPort": outer})
    return asked


def open_ports(actor: Actor) -> dict[str, Any]:
    """Give `NetworkSettings.Ports`: what is open now."""
    opened: dict[str, Any] = {}
    for host, outer, inner, protocol in ports(actor) if actor.alive else []:
        addresses = (host,) if host else _EVERYWHERE
        key = f"{inner}/{protocol}"
        if outer:
            known = opened.setdefault(key, [])
            known.extend({"HostIp": address, "HostPort": outer} for address in addresses)
        else:
            opened.setdefault(key, None)
    return opened


def networks(actor: Actor, flavour: Flavour) -> dict[str, Any]:
    """Give the networks of a container with its address on them."""
    name, alive = actor.spec.network, actor.alive
    number = int(actor.id[:2], 16) % 250 + 2
    plain = name in _NETWORK_SORTS
    address = "" if plain or not alive else f"172.17.0.{number}"
    facts: dict[str, Any] = {
        "IPAMConfig": None,
        "Links": None,
        "Aliases": None,
        "NetworkID": digest("network", name) if actor.started_at is not None else "",
        "EndpointID": digest("endpoint", actor.id) if alive else "",
        "Gateway": "172.17.0.1" if address else "",
        "IPAddress": address,
        "IPPrefixLen": 16 if address else 0,
        "IPv6Gateway": "",
        "GlobalIPv6Address": "",
        "GlobalIPv6PrefixLen": 0,
        "MacAddress": f"02:42:ac:11:00:{number:02x}" if address else "",
        "DriverOpts": None,
    }
    if flavour.modern:
        facts |= {"GwPriority": 0, "DNSNames": None}
    return {name: facts}


def mounts(actor: Actor) -> list[dict[str, Any]]:
    """Give the bind mounts of a container."""
    return [
        {
            "Type": "bind",
            "Source": source,
            "Destination": target,
            "Mode": mode,
            "RW": mode == "rw",
            "Propagation": "rprivate",
        }
        for source, target, mode in map(mount_parts, actor.spec.mounts)
    ]


def mount_parts(text: str) -> tuple[str, str, str]:
    """Give source, target and mode (`rw` or `ro`) of a bind mount; a source may have colons."""
    head, _, mode = text.rpartition(":")
    if mode.startswith("/"):
        head, mode = text, ""
    source, _, target = head.rpartition(":")
    return source, target, "ro" if "ro" in mode.split(",") else "rw"


def argv(actor: Actor) -> list[str]:
    """Give the whole command line: entrypoint and command."""
    return [*actor.spec.entrypoint, *actor.spec.command] or ["/bin/sh"]


def command_line(actor: Actor) -> str:
    """Give the command as the list shows it: arguments with a blank in single quotes."""
    return " ".join(f"'{part}'" if " " in part else part for part in argv(actor))
