"""The ports of the host that services are published at: kept from the beginning, or taken later."""

import socket
from collections.abc import Iterator, Mapping

from console.simulator.actor import Actor
from console.simulator.casting import kind_of, outer_port
from console.simulator.ports import LOOPBACK, KeptPort

_REFUSED = (
    "failed to set up container networking: driver failed programming external connectivity on "
    "endpoint {name} ({id}): failed to bind host port {address}:{port}/tcp: address already in use"
)
_EVERYWHERE = "0.0.0.0"  # noqa: S104 -- as the engine says it; nothing is bound there


class _Taken:
    """A port that a container has; raises OSError where somebody else has it.

    Another rehearsal may have it without listening yet: they know of each other by a name.
    """

    def __init__(self, by: str, number: int) -> None:
        self.by = by
        self._name = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._name.bind(f"\0gpuconsole-rehearsal-port-{number}")
            with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tried:
                # What has just been closed there is no obstacle.
                tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                tried.bind((LOOPBACK, number))
            self.port = KeptPort(number)
        except OSError:
            self._name.close()
            raise

    def give_up(self) -> None:
        """Let others have it."""
        self.port.give_up()
        self._name.close()


class PublishedPorts:
    """Ports by their number. One that is taken later is given up with the container that has it.

    With `takes` any port may be published that is free on the machine.
    """

    def __init__(self, kept: Mapping[str, KeptPort], *, takes: bool) -> None:
        self._kept = {port.number: port for port in kept.values()}
        self._taken: dict[int, _Taken] = {}
        self._takes = takes

    def __iter__(self) -> Iterator[int]:
        """Give the numbers."""
        return iter((*self._kept, *self._taken))

    def __getitem__(self, number: int) -> KeptPort:
        """Give the port of a number."""
        return self._kept[number] if number in self._kept else self._taken[number].port

    def refusal(self, actor: Actor) -> str:
        """Take the port that a container wants; gives the engine's words where it cannot be had."""
        number = outer_port(actor.spec) if kind_of(actor.spec) else None
        if number is None or not self._takes or number in self._kept:
            return ""
        held = self._taken.get(number)
        if held is not None and held.by == actor.id:
            return ""
        try:
            self._taken[number] = _Taken(actor.id, number)
        except OSError:
            return _REFUSED.format(
                name=actor.name, id=actor.id[:12], address=_address(actor), port=number
            )
        return ""

    def give_back(self, number: int) -> None:
        """Let others have a port that was taken later."""
        if number in self._taken:
            self._taken.pop(number).give_up()

    def stop(self) -> None:
        """Give up all of them."""
        for number in list(self._taken):
            self.give_back(number)
        for port in self._kept.values():
            port.give_up()


def _address(actor: Actor) -> str:
    for text in actor.spec.ports:
        parts = text.partition("/")[0].split(":")
        if len(parts) == 3:  # address, port, port within
            return parts[0]
    return _EVERYWHERE
