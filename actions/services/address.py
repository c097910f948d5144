"""Where a discovered service's API is reached from this host, from its container's settings."""

from collections.abc import Sequence
from ipaddress import ip_address

from actions.services.recognise import port_flag
from actions.services.rules import KindRules, service_rules
from console.engine.snapshot import Container, Port
from console.unknown import Unknown, known

LOOPBACK = "127.0.0.1"
# What stands beside an API in the same container and is none: SSH, portals, notebooks, web ports.
_NO_API = frozenset({22, 53, 80, 443, 1111, 8384, 8888, 9001})


def address_of(container: Container, kind: str) -> str | Unknown:
    """Give the URL of a service's API, or why there is none.

    Its published port on this host; with the host's network, its own port. A port published on one
    address only is reached there, else on 127.0.0.1.
    """
    rules = service_rules().kind(kind)
    own = port_flag(container.gpu) if known(container.gpu) else None
    if container.network_mode == "host":
        port = own or (rules.own_port if rules else None)
        if port is None:
            return _unknown("it shares the host's network and nothing tells its port")
        return f"http://{LOOPBACK}:{port}"
    if container.state not in {"running", "paused", "restarting"}:
        return _unknown("it does not run, so none of its ports is published")
    published = [port for port in container.ports if port.host_port and port.protocol == "tcp"]
    chosen = _chosen(published, _wanted(own, rules))
    if chosen is None:
        if published:
            ports = ", ".join(dict.fromkeys(str(port.container_port) for port in published))
            return _unknown(f"none of its published ports ({ports}) is known to be its API")
        return _unknown("none of its ports is published on this host")
    return f"http://{_host(chosen)}:{chosen.host_port}"


def _unknown(why: str) -> Unknown:
    return Unknown("service.no-url", why, "publish its port, or set its url in the config")


def _wanted(own: int | None, rules: KindRules | None) -> list[int]:
    wanted = [own] if own is not None else []
    return [*wanted, *(rules.url_ports if rules else ())]


def _chosen(published: Sequence[Port], wanted: Sequence[int]) -> Port | None:
    """Give the first wanted port that is published, else the only one that may be an API."""
    for number in wanted:
        for port in sorted(published, key=_reach):
            if port.container_port == number:
                return port
    others = [port for port in published if port.container_port not in _NO_API]
    if len({port.container_port for port in others}) == 1:
        return min(others, key=_reach)
    return None


def _reach(port: Port) -> tuple[int, int]:
    """Order the bindings of one port: on every address of IPv4, on loopback, then the rest."""
    host = _host(port)
    return (0 if host == LOOPBACK else 1, port.host_port or 0)


def _host(port: Port) -> str:
    try:
        address = ip_address(port.host_ip or "0.0.0.0")  # noqa: S104 -- read, not bound
    except ValueError:
        return LOOPBACK
    if address.is_unspecified:
        return LOOPBACK
    return f"[{address}]" if address.version == 6 else str(address)
