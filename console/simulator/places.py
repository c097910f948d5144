"""The folders of one rehearsal, and the environment by which the program meets it."""

import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from console.packaged import read_text
from console.simulator.config_text import config_tables, services, token
from console.simulator.hub.hub import TOKENS
from console.simulator.model_files import (
    catalog_text,
    lay_out_models,
    lay_out_pictures,
    lay_out_samples,
)
from console.simulator.operator import (
    at_home,
    lay_out_docker,
    lay_out_home,
    lay_out_programs,
    path_of,
)
from console.simulator.placing import write_compose_files
from console.simulator.ports import LOOPBACK
from console.simulator.proxy.door import authority
from console.simulator.scene import Scene

_LONGEST_SOCKET = 100
"""A unix socket's path has room for 107 bytes."""

_SOCKET_TAIL = 50
_URL_MARKS = set("%?#")

_DRIVER = Path(__file__).with_name("driver.py")

_AGE_SECONDS = 30 * 86_400
"""What lies there was written so long before the rehearsal: none of it is what has just changed."""


class RehearsalPlaces:
    """Where everything of one rehearsal lies; all of it below one folder of mode 0700."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.engine_socket = folder / "engine.sock"
        self.control_socket = folder / "control.sock"
        self.table = folder / "driver-table"
        self.root = folder / "root"
        self.work = folder / "work"
        self.models = self.work / "ComfyUI" / "models"
        self.config_home = folder / "config"
        self.catalog = self.config_home / "gpuconsole" / "catalog.toml"
        self.programs = folder / "bin"
        self.hub_home = folder / "huggingface"
        self.log = folder / "host.log"

    def build(
        self, scene: Scene, ports: Mapping[str, int], public: Mapping[str, str] | None = None
    ) -> None:
        """Make the folders and write what an operator would have written: config, compose files.

        `ports` are those of the services, `public` the addresses for users; both by container.
        """
        for name in ("state", "cache", "data", "runtime"):
            (self.folder / name).mkdir(mode=0o700)
        lay_out_models(self.models, scene)
        lay_out_samples(self.work / "pictures")
        write_compose_files(scene, self.work)
        lay_out_docker(self.work)
        catalog = self.catalog
        catalog.parent.mkdir(parents=True, mode=0o700)
        catalog.write_text(catalog_text(scene.hub.miniature), encoding="utf-8")
        if scene.bare:
            lay_out_home(self.work, scene)
            lay_out_programs(scene.compose, self.programs)
        else:
            lay_out_pictures(self.models.parent / "input")
            (self.work / "outputs").mkdir(mode=0o700)
            self._write_config(scene, ports, public or {})
        _age((self.models, catalog.parent, *self.work.glob("**/*.y*ml")))
        self._log_in(scene)

    def _write_config(
        self, scene: Scene, ports: Mapping[str, int], public: Mapping[str, str]
    ) -> None:
        """Write the config, and the tokens that it names."""
        config = self.catalog.with_name("config.toml")
        self._write_tokens(scene, config.parent)
        template = read_text("rehearsal_config.toml")
        tables = config_tables(scene, self.work, ports, config.parent, public)
        text = template.replace("{work}", str(self.work)).replace("{services}", tables)
        config.write_text(text.replace("{catalog}", str(self.catalog)), encoding="utf-8")

    def _log_in(self, scene: Scene) -> None:
        """Make the hub's folder, with the operator's token where there is one."""
        self.hub_home.mkdir(mode=0o700)
        if scene.hub.token:
            path = self.hub_home / "token"
            path.touch(0o600)
            path.write_text(TOKENS[scene.hub.token], encoding="utf-8")

    def _write_tokens(self, scene: Scene, folder: Path) -> None:
        for name, spec in services(scene).items():
            if token(spec):
                path = folder / f"{name}.token"
                path.touch(0o600)
                path.write_text(f"{token(spec)}\n", encoding="utf-8")

    def environ(self, scene: Scene, hub: str) -> dict[str, str]:
        """Give what has to be set for the program, or any other, to meet this rehearsal.

        Empty values take away what would lead docker's and the hub's clients elsewhere, or give
        the operator's own token away; `docker build` is to take the classic builder, which is the
        one that the engine has. `hub` is the address of the rehearsed one.
        """
        direct = ",".join(filter(None, (_not_by_proxy(), LOOPBACK)))
        library = _DRIVER if scene.driver.library == "present" else self.folder / "no-nvml.so.1"
        trusted = dict.fromkeys(("SSL_CERT_FILE", "CURL_CA_BUNDLE"), str(authority()))
        trusted = {**trusted, "SSL_CERT_DIR": ""} if scene.proxies else {}
        bare = {"GPUCONSOLE_CATALOG": str(self.catalog), "PATH": path_of(scene, self.programs)}
        return {
            **trusted,
            **at_home(self.work),
            **(bare if scene.bare else {}),
            "DOCKER_HOST": f"unix://{self.engine_socket}",
            "DOCKER_CONTEXT": "",
            "DOCKER_TLS_VERIFY": "",
            "DOCKER_CERT_PATH": "",
            "DOCKER_API_VERSION": "",
            "DOCKER_BUILDKIT": "0",
            "GPUCONSOLE_NVML_LIBRARY": str(library),
            "GPUCONSOLE_DRIVER_TABLE": str(self.table),
            "GPUCONSOLE_ROOT": str(self.root),
            "GPUCONSOLE_REHEARSAL": scene.id,
            "HF_ENDPOINT": hub,
            "HF_HOME": str(self.hub_home),
            "HF_HUB_CACHE": str(self.hub_home / "hub"),
            "HF_TOKEN_PATH": str(self.hub_home / "token"),
            "HF_TOKEN": "",
            "HUGGING_FACE_HUB_TOKEN": "",
            "HF_HUB_OFFLINE": "",
            "TRANSFORMERS_OFFLINE": "",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_HUB_DISABLE_UPDATE_CHECK": "1",
            "NO_PROXY": direct,
            "no_proxy": direct,
            "XDG_CONFIG_HOME": str(self.config_home),
            "XDG_STATE_HOME": str(self.folder / "state"),
            "XDG_CACHE_HOME": str(self.folder / "cache"),
            "XDG_DATA_HOME": str(self.folder / "data"),
            "XDG_RUNTIME_DIR": str(self.folder / "runtime"),
        }

    def remove(self) -> None:
        """Remove everything; what has gone already is no fault."""
        shutil.rmtree(self.folder, ignore_errors=True)


def _age(paths: Iterable[Path]) -> None:
    """Let files, and all files in folders, have been written long ago."""
    then = time.time() - _AGE_SECONDS
    for path in paths:
        for one in path.rglob("*") if path.is_dir() else (path,):
            os.utime(one, (then, then), follow_symlinks=False)


def _not_by_proxy() -> str:
    """Give the hosts that the operator reaches without a proxy; the smaller name wins."""
    return os.environ.get("no_proxy") or os.environ.get("NO_PROXY", "")


def new_places(environ: Mapping[str, str] = os.environ) -> RehearsalPlaces:
    """Make a new folder, in the runtime directory or, where there is none, the temporary one."""
    for base in (environ.get("XDG_RUNTIME_DIR", ""), tempfile.gettempdir(), "/tmp"):  # noqa: S108
        if _fits(base) and os.access(base, os.W_OK):
            return RehearsalPlaces(Path(tempfile.mkdtemp(prefix="gpuconsole-demo-", dir=base)))
    return RehearsalPlaces(Path(tempfile.mkdtemp(prefix="gpuconsole-demo-")))


def _fits(base: str) -> bool:
    """Tell whether an engine's socket can lie below a folder, and be named in DOCKER_HOST."""
    short = len(os.fsencode(base)) + _SOCKET_TAIL < _LONGEST_SOCKET
    return base.startswith("/") and short and not set(base) & _URL_MARKS
