"""Which engine the server says it is: 20.10 with API 1.41, or 29 with API 1.56."""

from typing import Any

import msgspec

from console.simulator.scene import HostSpec


class Flavour(msgspec.Struct, frozen=True, kw_only=True):
    """An engine version.

    Attributes:
        new: the generation after 20.10, with its words and counters.
        modern: what is asked by is API 1.52 or newer, from which on deprecated fields are left out.
    """

    version: str
    api: str
    minimum: str
    new: bool
    modern: bool
    commit: str
    go: str
    built: str
    containerd: tuple[str, str]
    runc: tuple[str, str]

    @property
    def headers(self) -> dict[str, str]:
        """The headers that stand in every answer."""
        return {
            "Api-Version": self.api,
            "Docker-Experimental": "false",
            "Ostype": "linux",
            "Server": f"Docker/{self.version} (linux)",
        }

    def speaks(self, version: str) -> int:
        """Tell how a client's API version stands: -1 too old, 0 spoken, 1 too new."""
        number = _number(version)
        if number < _number(self.minimum):
            return -1
        return 1 if number > _number(self.api) else 0

    def asked_by(self, version: str) -> "Flavour":
        """Give the flavour as a client of an API version sees it."""
        return msgspec.structs.replace(self, modern=_number(version) >= _DROPPING)


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


_DROPPING = (1, 52)

FLAVOURS = {
    "20.10": Flavour(
        version="20.10.24",
        api="1.41",
        minimum="1.12",
        new=False,
        modern=False,
        commit="5d6db84",
        go="go1.19.8",
        built="2023-05-26T14:14:08.000000000+00:00",
        containerd=("1.6.20", "2806fc1057397dbaeefbea0e4e17bddfbd388f38"),
        runc=("1.1.5", "v1.1.5-0-gf19387a"),
    ),
    "29": Flavour(
        version="29.7.2",
        api="1.56",
        minimum="1.40",
        new=True,
        modern=True,
        commit="3d46d2c",
        go="go1.26.4",
        built="2026-08-20T10:03:17.000000000+00:00",
        containerd=("v2.2.1", "dea7da592f5d1d2b7755e3a161be07f43fad8f75"),
        runc=("1.4.0", "v1.4.0-0-g8bd78a99"),
    ),
}


def version_answer(flavour: Flavour, host: HostSpec) -> dict[str, Any]:
    """Give the answer of `GET /version`."""
    engine = {
        "Name": "Engine",
        "Version": flavour.version,
        "Details": {
            "ApiVersion": flavour.api,
            "Arch": "amd64",
            "BuildTime": flavour.built,
            "Experimental": "false",
            "GitCommit": flavour.commit,
            "GoVersion": flavour.go,
            "KernelVersion": host.kernel,
            "MinAPIVersion": flavour.minimum,
            "Os": "linux",
        },
    }
    parts = [("containerd", flavour.containerd), ("runc", flavour.runc)]
    others = [*parts, ("docker-init", ("0.19.0", "de40ad0"))]
    return {
        "Platform": {"Name": "Docker Engine - Community"},
        "Components": [
            engine,
            *(
                {"Name": name, "Version": version, "Details": {"GitCommit": commit}}
                for name, (version, commit) in others
            ),
        ],
        "Version": flavour.version,
        "ApiVersion": flavour.api,
        "MinAPIVersion": flavour.minimum,
        "GitCommit": flavour.commit,
        "GoVersion": flavour.go,
        "Os": "linux",
        "Arch": "amd64",
        "KernelVersion": host.kernel,
        "BuildTime": flavour.built,
    }
