"""All ways in from outside that a scene has, each with a port of its own."""

from collections.abc import Mapping

from console.simulator.ports import KeptPort
from console.simulator.proxy.door import Proxy
from console.simulator.scene import Scene

HOST = "localhost"


class Ways:
    """The proxies of a scene.

    `ports` are those of the services, by container; a proxy of one that publishes none is left out.

    Attributes:
        urls: the addresses for users, by container.
    """

    def __init__(self, scene: Scene, ports: Mapping[str, int]) -> None:
        self.urls: dict[str, str] = {}
        self._proxies: list[Proxy] = []
        for name, spec in scene.proxies.items():
            if name not in ports:
                continue
            port = KeptPort()
            scheme = "https" if spec.tls else "http"
            self.urls[name] = f"{scheme}://{HOST}:{port.number}"
            self._proxies.append(Proxy(spec, port, ports[name]))

    async def start(self) -> None:
        """Begin to listen."""
        for one in self._proxies:
            await one.start()

    async def stop(self) -> None:
        """Break what is open and give up the ports."""
        for one in self._proxies:
            await one.stop()
