"""The rehearsed hub, whole: both origins on ports of their own, in threads of the caller."""

import socket
from collections.abc import Iterable, Mapping
from typing import Any

from console.simulator.hub.cdn import Cdn
from console.simulator.hub.counts import Asked
from console.simulator.hub.faults import Fault
from console.simulator.hub.listener import Listener
from console.simulator.hub.origin import Origin
from console.simulator.hub.repos import Repo, repo_of
from console.simulator.hub.state import HubState

EVERYTHING = "hf_rehearsal_everything"
"""A token that may read all there is."""

NOTHING = "hf_rehearsal_nothing"
"""A valid token that is on nobody's list."""


TOKENS = {"everything": EVERYTHING, "nothing": NOTHING}


class RehearsalHub:
    """A hub on loopback.

    Attributes:
        state: what it knows; repositories can be added and changed while it is up.
    """

    def __init__(
        self,
        repos: Iterable[Repo],
        *,
        rate: float | None = None,
        port: int = 0,
        controlled: bool = False,
    ) -> None:
        self.state = HubState(repos, rate)
        self.state.tokens = {EVERYTHING: frozenset(self.state.repos), NOTHING: frozenset()}
        self.state.controlled = controlled
        self.state.on_fault = self._follow
        self._origin = Listener(self._at_origin, port)
        self._cdn = Listener(self._at_cdn)
        self.state.hub_url = self._origin.url
        self.state.cdn_url = self._cdn.url

    def _at_origin(self, connection: socket.socket) -> None:
        Origin(connection, self.state)

    def _at_cdn(self, connection: socket.socket) -> None:
        Cdn(connection, self.state)

    def start(self) -> None:
        """Take connections from now on."""
        self._origin.open()
        self._cdn.open()

    def stop(self) -> None:
        """End everything and give up the ports."""
        self.state.faults.heal()
        self._origin.stop()
        self._cdn.stop()

    @property
    def url(self) -> str:
        """What HF_ENDPOINT has to be."""
        return self._origin.url

    @property
    def cdn_url(self) -> str:
        """The origin that large files come from."""
        return self._cdn.url

    @property
    def environ(self) -> dict[str, str]:
        """What to set for a program to meet it, and not to meet anybody else."""
        return {
            "HF_ENDPOINT": self.url,
            "HF_TOKEN": "",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_HUB_DISABLE_UPDATE_CHECK": "1",
            "HF_HUB_DISABLE_XET": "1",
        }

    def fault(self, kind: str, **facts: Any) -> Fault:
        """Let something go wrong from now on; `console.simulator.hub.faults.KINDS` says what.

        Raises:
            ValueError: nobody knows how.
        """
        return self.state.fault(kind, **facts)

    def heal(self, kind: str = "") -> None:
        """End the faults of a kind, or all."""
        self.state.faults.heal(kind)
        if kind in ("", "down"):
            self.start()

    def bytes_served(self, path: str = "") -> int:
        """Give the bytes of bodies sent: of one file (`ORG/NAME/PATH` or its end), or in all."""
        return self.state.counts.bytes_served(path)

    @property
    def requests(self) -> list[Asked]:
        """What was asked, oldest first."""
        return list(self.state.counts.requests)

    def _follow(self, fault: Fault) -> None:
        """Close what is to be down."""
        if fault.kind != "down":
            return
        if fault.where in ("", "hub"):
            self._origin.close()
        if fault.where in ("", "cdn"):
            self._cdn.close()


def repos_of(repos: Mapping[str, Any]) -> list[Repo]:
    """Give repositories of tables of files: `{"ORG/NAME": {"vae/x.safetensors": b"…"}}`."""
    return [
        files if isinstance(files, Repo) else repo_of(name, files) for name, files in repos.items()
    ]
