"""A small GPU host for tests: a real engine, real compose files, simulated driver, real servers.

Its services are the rehearsal's own programs in real containers. They pick their card as the real
ones do, write down what they hold, and the simulated driver tells it: so VRAM comes and goes with
the containers, whoever starts and stops them.
"""

import contextlib
import json
import shutil
import socket
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from docker.api.client import APIClient
from docker.errors import DockerException

from actions.operations import Operations
from actions.plan import AnyEvent, Plan, PlanDone, PlanFailed
from actions.session import Session, open_session
from console.simulator.driver_table import DriverTable, Flavour, write_table
from console.simulator.services.ledger import held
from tests.gpu.world import BIG, GIB, LAPTOP, big_card, laptop_card
from tests.plans.command import start
from tests.support.engine import needed
from tests.support.waiting import wait_until

ROOT = Path(__file__).parents[2]
SMALL = LAPTOP
_DRIVER = ROOT / "console" / "simulator" / "driver.py"
_LEGACY = Path("/usr/bin/docker-compose")
_NEW = Path(sys.executable).with_name("docker-compose")
_DESKTOP = 300 << 20
_REFRESH_SECONDS = 0.1
COMPOSES = ("1.29", "v5", "plugin")


class Bench:
    """The host; `forge` and `comfyui` are its services, `small` and `big` its cards.

    Attributes:
        environ: of a user of this host alone.
        compose: which compose it has: one of `COMPOSES`.
        file: its compose file.
        obeys: whether containers see only the card that they were given.
    """

    def __init__(self, folder: Path, address: str, compose: str = "v5", *, wsl: bool) -> None:
        self.folder = folder
        self.compose = compose
        self.wsl = wsl
        self.prefix = f"gpuconsole-{uuid.uuid4().hex[:8]}-"
        self.file = folder / "compose.yaml"
        self.ports = {"forge": _free_port(), "comfyui": _free_port()}
        self.extra: dict[str, list[str]] = {"forge": [], "comfyui": []}
        self.cards = {"forge": 0, "comfyui": 1}
        self.obeys = True
        self.ledger = folder / "ledger"
        self._api = APIClient(address, version="auto", timeout=60)
        self._table = folder / "driver.table"
        self._ended = threading.Event()
        self._sessions: list[Session] = []
        self.ledger.mkdir()
        self.environ = {
            "PATH": f"{self._programs()}:/usr/local/bin:/usr/bin:/bin",
            "HOME": str(folder),
            "XDG_RUNTIME_DIR": str(folder / "run"),
            "DOCKER_HOST": address,
            "DOCKER_CONFIG": str(folder / "docker"),
            "GPUCONSOLE_NVML_LIBRARY": str(_DRIVER),
            "GPUCONSOLE_DRIVER_TABLE": str(self._table),
            "GPUCONSOLE_ROOT": str(self._root()),
        }
        self._write_table()
        self.write_config()
        self.write_compose()
        threading.Thread(target=self._drive, name="bench-driver", daemon=True).start()

    def close(self) -> None:
        """Remove all containers, and what else there is."""
        self._ended.set()
        for session in self._sessions:
            session.store.close()
        with contextlib.suppress(DockerException, OSError):
            for entry in self._api.containers(all=True, filters={"name": self.prefix}):
                with contextlib.suppress(DockerException, OSError):
                    self._api.remove_container(entry["Id"], force=True)
        self._api.close()

    def write_config(self, layouts: str = "") -> None:
        """Write the config: two services, and the layouts `both`, `forge-only`, `comfyui-only`."""
        path = self.folder / ".config" / "gpuconsole" / "config.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        text = "\n".join(self._service_table(name) for name in ("forge", "comfyui"))
        text += """
[layouts.both]
services = ["forge", "comfyui"]

[layouts.forge-only]
services = ["forge"]

[layouts.comfyui-only]
services = ["comfyui"]
"""
        path.write_text(text + layouts)

    def _service_table(self, name: str) -> str:
        card = "3080" if self.cards[name] == 0 else "3090"
        return f"""
[services.{name}]  # of the bench
kind = "{name}"
container = "{self.prefix}{name}"
compose_file = "{self.file}"
compose_service = "{name}"
url = "http://127.0.0.1:{self.ports[name]}"
gpu = "{card}"
vram_budget = "{"7 GiB" if name == "forge" else "13 GiB"}"
"""

    def write_compose(self) -> None:
        """Write the compose file as the host's operator would, comments and all."""
        parts = [self._compose_service(name) for name in ("forge", "comfyui")]
        self.file.write_text("# The two services of this host.\nservices:\n" + "\n".join(parts))

    def _compose_service(self, name: str) -> str:
        words = [
            "busybox", "chroot", "/host", sys.executable, "-m", "console.simulator.services",
            "--kind", name, "--port", str(self.ports[name]), "--cards", str(self._cards_file()),
            "--ledger", str(self.ledger), "--files", str(self.ledger / f"files-{name}"),
            "--start-log", "--preloaded",
            "--vram-idle", "6GiB" if name == "forge" else "12GiB", *self.extra[name],
        ]  # fmt: skip
        lines = [
            f"  {name}:",
            "    image: gpuconsole-test:1",
            f"    container_name: {self.prefix}{name}",
            "    network_mode: host",
            f"    # what {name} runs",
            "    command:",
            *(f"      - {json.dumps(word)}" for word in (*words, *self._picks(name))),
            "    environment:",
            f"      PYTHONPATH: {json.dumps(str(ROOT))}",
            "      PYTHONDONTWRITEBYTECODE: '1'",
            "    volumes:",
            "      - /:/host:ro",
            f"      - {self.ledger}:/host{self.ledger}",
            "    stop_grace_period: 5s",
        ]
        uuid_here = (SMALL, BIG)[self.cards[name]]
        lines += [
            "    deploy:",
            "      resources:",
            "        reservations:",
            "          devices:",
            "            - driver: nvidia",
            f"              device_ids: [{json.dumps(uuid_here)}]  # its card",
            "              capabilities: [gpu]",
        ]
        return "\n".join(lines) + "\n"

    def _picks(self, name: str) -> list[str]:
        """Give how the service is told its card where Docker's choice is not honoured."""
        if not self.wsl:
            return ["--native"] if self.obeys else []
        flag = "--gpu-device-id" if name == "forge" else "--cuda-device"
        # CUDA counts the fastest card first: 0 is the 3090.
        return [flag, str(1 - self.cards[name])]

    def _cards_file(self) -> Path:
        path = self.folder / "cards.json"
        rows = [
            {
                "name": card.name, "memory": card.memory_total, "uuid": card.uuid,
                "bus_id": card.pci_bus_id, "multiprocessors": card.multiprocessors,
                "clock_mhz": card.max_clock_graphics,
            }
            for card in (laptop_card(), big_card())
        ]  # fmt: skip
        path.write_text(json.dumps(rows))
        return path

    def _programs(self) -> Path:
        """Make the programs of this host: the one compose that it has, and docker."""
        place = self.folder / "bin"
        place.mkdir()
        source = _LEGACY if self.compose == "1.29" else _NEW
        if not source.exists():
            needed(f"no compose for tests at {source}")
        docker = shutil.which("docker")
        if self.compose == "plugin":
            if docker is None:
                needed("no docker command for the compose plugin")
            plugins = self.folder / "docker" / "cli-plugins"
            plugins.mkdir(parents=True)
            (plugins / "docker-compose").symlink_to(source)
        else:
            (self.folder / "docker").mkdir()
            (place / "docker-compose").symlink_to(source)
        return place

    def _root(self) -> Path:
        """Make a /proc that tells WSL2 from native Linux."""
        root = self.folder / "root"
        (root / "proc/sys/kernel").mkdir(parents=True)
        kernel = "5.15.167.4-microsoft-standard-WSL2" if self.wsl else "6.8.0-45-generic"
        (root / "proc/sys/kernel/osrelease").write_text(f"{kernel}\n")
        (root / "proc/version").write_text(f"Linux version {kernel} (root@builder)\n")
        for name in ("meminfo", "uptime", "cpuinfo"):
            shutil.copy(f"/proc/{name}", root / "proc" / name)
        (root / "proc/meminfo").write_text(
            "MemTotal: 67108864 kB\nMemFree: 50331648 kB\nMemAvailable: 52428800 kB\n"
        )
        if self.wsl:
            (root / "usr/lib/wsl/lib").mkdir(parents=True)
            (root / "run/WSL").mkdir(parents=True)
            (root / "dev").mkdir()
            (root / "dev/dxg").write_text("")
        return root

    def _drive(self) -> None:
        while not self._ended.wait(_REFRESH_SECONDS):
            with contextlib.suppress(OSError):
                self._write_table()

    def _write_table(self) -> None:
        """Have the driver tell what the services hold."""
        taken = held(self.ledger)
        cards = [
            msgspec.structs.replace(
                card, memory_used=taken.get(index, 0) + _DESKTOP, memory_reserved=0
            )
            for index, card in enumerate((laptop_card(), big_card()))
        ]
        flavour: Flavour = "wsl" if self.wsl else "native"
        write_table(self._table, DriverTable(flavour=flavour, cards=tuple(cards)))

    def session(self) -> Session:
        """Give a console's session."""
        session = open_session(self.environ)
        self._sessions.append(session)
        return session

    def operations(self) -> Operations:
        """Give the operations of one console."""
        return Operations(self.session())

    def run(self, plan: Plan) -> PlanDone | PlanFailed:
        """Run a plan as a console does and give its end."""
        return ended(list(self.operations().run(plan)))

    def command(self, *words: str) -> "subprocess.Popen[str]":
        """Start the command line on this host."""
        return start(self.environ, *words)

    def up(self, *names: str) -> None:
        """Have compose bring services up, as the operator did some day, and wait until ready."""
        words = ["docker", "compose"] if self.compose == "plugin" else ["docker-compose"]
        subprocess.run(
            [*words, "-f", str(self.file), "up", "-d", *names],
            env=self.environ, cwd=self.folder, check=True, capture_output=True,
        )  # fmt: skip
        for name in names:
            wait_until(partial(self.is_ready, name), 30, f"{name} is ready")
        loaded = len(names) * (6 << 30)
        wait_until(lambda: sum(held(self.ledger).values()) >= loaded, 10, "models are loaded")
        self._write_table()

    def is_ready(self, name: str) -> bool:
        """Tell whether a service is ready, wherever it sits."""
        return self.state(name) in {"ready", "busy", "misplaced"}

    def state(self, name: str) -> str:
        """Give a service's state as `status` tells it."""
        from actions.status import read_status

        snapshot = read_status(self.session_for_looks)
        return next(one.state for one in snapshot.services if one.name == name)

    @property
    def session_for_looks(self) -> Session:
        """Give a session that tests look through, one for all looks."""
        if not hasattr(self, "_looks"):
            self._looks = self.session()
        return self._looks

    def card(self, name: str) -> Any:
        """Give the UUID of the card a service says it is on."""
        from actions.status import read_status

        snapshot = read_status(self.session_for_looks)
        return next(one.gpu_uuid for one in snapshot.services if one.name == name)

    def container(self, name: str) -> dict[str, Any]:
        """Give what the engine says of a service's container; empty where there is none."""
        try:
            return dict(self._api.inspect_container(self.prefix + name))
        except DockerException:
            return {}

    def runs(self, name: str) -> bool:
        """Tell whether a service's container runs."""
        return bool(self.container(name).get("State", {}).get("Running"))

    def stop(self, name: str) -> None:
        """Stop a service's container past the console."""
        self._api.stop(self.prefix + name, timeout=5)

    def kill(self, name: str) -> None:
        """Kill a service's container, as somebody else might."""
        self._api.kill(self.prefix + name)

    def held(self, card: int) -> int:
        """Give the bytes that services hold on a card, by its driver index."""
        return held(self.ledger).get(card, 0)


def ended(events: list[AnyEvent]) -> PlanDone | PlanFailed:
    """Give the last event, which is an end."""
    last = events[-1]
    assert isinstance(last, PlanDone | PlanFailed)
    return last


@contextlib.contextmanager
def bench_on(
    folder: Path, address: str, compose: str = "v5", *, wsl: bool = False
) -> Iterator[Bench]:
    """Give a bench, and remove all of it in the end."""
    bench = Bench(folder, address, compose, wsl=wsl)
    try:
        yield bench
    finally:
        bench.close()


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


__all__ = ["BIG", "COMPOSES", "GIB", "SMALL", "Bench", "bench_on", "ended"]
