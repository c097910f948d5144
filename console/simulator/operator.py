"""The operator of a bare host: their home, what lies in it, and which compose they have."""

import os
import shlex
import shutil
import site
import stat
from collections.abc import Mapping
from pathlib import Path

from console.itself import importable, own_command
from console.simulator.scene import Scene

_OWN = "gpuconsole"
_COMPOSE = "docker-compose"
_STAND_IN = "console.simulator.compose"
_DOCKER, _PLUGINS_HERE = ".docker", "cli-plugins"
_PLUGINS = (
    "/usr/local/lib/docker/cli-plugins",
    "/usr/local/libexec/docker/cli-plugins",
    "/usr/lib/docker/cli-plugins",
    "/usr/libexec/docker/cli-plugins",
)
_NO_PLUGIN = """\
#!/bin/sh
# Of a rehearsal: docker without its plugin compose.
case "$1" in
compose)
  echo "docker: unknown command: docker compose" >&2
  echo "Run 'docker --help' for more information" >&2
  exit 1 ;;
esac
{runs} "$@"
"""
_NO_DOCKER = "echo 'docker: this machine has none, and the rehearsal neither' >&2; exit 127 #"
_IN_THE_WAY = "Of a rehearsal: a folder that takes nothing from you, be you root or not.\n"
"""No mode keeps root from writing into a folder: a file in its place does."""

_STARTS = '#!/bin/sh\nexec {command} "$@"\n'


def lay_out_home(home: Path, scene: Scene) -> None:
    """Lay the operator's files and folders into their home, and what containers mount of it."""
    for spec in scene.containers.values():
        sources = (Path(mount.partition(":")[0]) for mount in spec.mounts)
        for source in sources:
            if source.is_relative_to(home):
                source.mkdir(parents=True, exist_ok=True, mode=0o755)
    for one in scene.files:
        path = home / one.at
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
        text = _IN_THE_WAY if one.mode and not os.geteuid() else one.text
        if text is None:
            path.mkdir(exist_ok=True, mode=0o755)
        else:
            path.write_text(text, encoding="utf-8")
    for one in scene.files:
        if one.mode:
            (home / one.at).chmod(int(one.mode, 8))


def at_home(home: Path, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Give what is to be set for a program to look for the operator's files in their home alone.

    What Python has installed in the caller's own home is found as before.
    """
    return {
        "HOME": str(home),
        "DOCKER_CONFIG": str(home / _DOCKER),
        "PYTHONUSERBASE": environ.get("PYTHONUSERBASE") or site.getuserbase(),
    }


def lay_out_docker(home: Path, environ: Mapping[str, str] = os.environ) -> None:
    """Make the folder where docker keeps what it knows, with the caller's plugins and no logins."""
    folder = home / _DOCKER
    folder.mkdir(mode=0o700)
    plugins = _own_docker(environ) / _PLUGINS_HERE
    if plugins.is_dir():
        (folder / _PLUGINS_HERE).symlink_to(plugins)


def _own_docker(environ: Mapping[str, str]) -> Path:
    return Path(environ.get("DOCKER_CONFIG") or Path(environ.get("HOME", "/"), _DOCKER)).absolute()


def path_of(scene: Scene, folder: Path, environ: Mapping[str, str] = os.environ) -> str:
    """Give the PATH of a bare host's operator; `folder` has what the rehearsal adds to it."""
    return os.pathsep.join(map(str, _path(scene.compose, folder, environ)))


def _path(compose: str, folder: Path, environ: Mapping[str, str]) -> list[Path]:
    """Give the folders of PATH: the host's own compose stays, or none of them does."""
    there = _usual_path(environ)
    if not compose:
        return [*there, folder]  # what is there goes first
    return [folder, *(_links(one, folder) if _has_compose(one) else one for one in there)]


def lay_out_programs(compose: str, folder: Path, environ: Mapping[str, str] = os.environ) -> None:
    """Lay out the programs that PATH names: this one, the stand-in for compose, what hides others.

    A real one that is there needs none of ours.
    """
    folder.mkdir(mode=0o700)
    if shutil.which(_OWN, path=environ.get("PATH")) is None:
        _write_program(folder / _OWN, _starts())
    if compose == "stand-in" or (not compose and not _there_is_one(environ)):
        _write_program(folder / _COMPOSE, _starts(_STAND_IN))
    if not compose:
        return
    there = _usual_path(environ)
    docker = shutil.which("docker", path=os.pathsep.join(map(str, there)))
    runs = f"exec {shlex.quote(docker)}" if docker else _NO_DOCKER
    _write_program(folder / "docker", _NO_PLUGIN.format(runs=runs))
    for place in dict.fromkeys(filter(_has_compose, there)):
        links = _links(place, folder)
        links.mkdir(mode=0o700, exist_ok=True)
        for program in place.iterdir():
            if program.name != _COMPOSE and not (links / program.name).is_symlink():
                (links / program.name).symlink_to(program)


def _usual_path(environ: Mapping[str, str]) -> list[Path]:
    path = environ.get("PATH") or os.defpath
    return [Path(one) for one in path.split(os.pathsep) if one]


def _there_is_one(environ: Mapping[str, str]) -> bool:
    """Tell whether the host has a compose of its own, docker's plugin or a program."""
    path = _usual_path(environ)
    plugins = [_own_docker(environ) / _PLUGINS_HERE, *map(Path, _PLUGINS)]
    docker = any((place / "docker").exists() for place in path)
    return any(map(_has_compose, (*path, *(plugins if docker else ()))))


def _has_compose(place: Path) -> bool:
    return (place / _COMPOSE).exists()


def _links(place: Path, folder: Path) -> Path:
    """Give the folder of links to a folder's programs, but for compose."""
    return folder / f"from{str(place.resolve()).replace(os.sep, '-')}"


def _starts(module: str = "") -> str:
    """Give a program that starts a module of ours, or all of us."""
    given = (f"{name}={value}" for name, value in importable({}).items())
    command = own_command(module) if module else own_command()
    return _STARTS.format(command=shlex.join(["env", *given, *command]))


def _write_program(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    path.chmod(stat.S_IRWXU)
