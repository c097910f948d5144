"""Which compose is found, and how it reaches the engine that the console talks to."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from console.compose.command import Version, environment_for, find_compose
from console.compose.faults import ComposeError
from console.engine.endpoint import resolve
from tests.compose.conftest import docker_in

Surroundings = Callable[[str], dict[str, str]]


def program(folder: Path, name: str, script: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


@pytest.mark.engine
@pytest.mark.parametrize(
    ("flavour", "words", "is_legacy"),
    [
        ("plugin", ("docker", "compose"), False),
        ("standalone", ("docker-compose",), False),
        ("legacy", ("docker-compose",), True),
    ],
)
def test_each_real_compose_is_found(
    surroundings: Surroundings, flavour: str, words: tuple[str, ...], is_legacy: bool
) -> None:
    environ = surroundings(flavour)
    command = find_compose(environ, resolve(environ))
    assert (Path(command.words[0]).name, *command.words[1:]) == words
    assert command.legacy is is_legacy
    assert command.version >= (
        Version(major=1, minor=20) if is_legacy else Version(major=2, minor=0)
    )
    assert command.shown == f"{' '.join(words)} ({command.version})"


@pytest.mark.engine
def test_a_docker_without_the_plugin_leads_to_docker_compose(
    surroundings: Surroundings, tmp_path: Path
) -> None:
    environ = surroundings("standalone")
    docker = docker_in(tmp_path / "docker-only")
    environ["PATH"] = f"{docker}:{environ['PATH']}"
    assert find_compose(environ, resolve(environ)).words[-1].endswith("/docker-compose")


def test_nothing_at_all_says_what_to_install(tmp_path: Path) -> None:
    environ = {"PATH": str(tmp_path), "HOME": str(tmp_path)}
    with pytest.raises(ComposeError) as error:
        find_compose(environ, resolve(environ))
    assert error.value.code == "compose.missing"
    assert "docker-compose-plugin" in error.value.hint


def test_one_that_cannot_run_says_why(tmp_path: Path) -> None:
    folder = tmp_path / "bin"
    program(folder, "docker-compose", "echo 'no module named compose' >&2; exit 1")
    environ = {"PATH": str(folder), "HOME": str(tmp_path)}
    with pytest.raises(ComposeError) as error:
        find_compose(environ, resolve(environ))
    assert (error.value.code, error.value.detail) == (
        "compose.broken",
        "docker-compose: no module named compose",
    )


def test_a_newer_one_behind_an_old_one_is_found(tmp_path: Path) -> None:
    for place, version in (("old", "1.29.2"), ("broken", ""), ("new", "v2.24.1")):
        program(tmp_path / place, "docker-compose", f"echo '{version}'")
    folders = [str(tmp_path / place) for place in ("old", "broken", "new")]
    environ = {"PATH": ":".join(folders), "HOME": str(tmp_path)}
    newest = find_compose(environ, resolve(environ))
    assert (newest.words, newest.legacy) == ((str(tmp_path / "new" / "docker-compose"),), False)
    environ["PATH"] = ":".join(folders[:2])
    only = find_compose(environ, resolve(environ))
    assert (only.version, only.legacy) == (Version(major=1, minor=29, patch=2), True)


def test_its_version_is_asked_for_once_until_it_is_another(tmp_path: Path) -> None:
    """The one written in Python takes long to tell it, and setup looks again and again."""
    folder, asked = tmp_path / "bin", tmp_path / "asked"
    environ = {"PATH": str(folder), "HOME": str(tmp_path)}
    for version in ("1.29.2", "1.29.10"):
        program(folder, "docker", "exit 1")
        program(folder, "docker-compose", f"echo x >> {asked}; echo {version}")
        for _ in range(3):
            assert str(find_compose(environ, resolve(environ)).version) == version
    assert asked.read_text() == "x\n" * 2
    program(folder, "docker-compose", "exit 1")
    with pytest.raises(ComposeError):
        find_compose(environ, resolve(environ))


def test_one_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.compose.command._LOOK_SECONDS", 0.3)
    folder = tmp_path / "bin"
    program(folder, "docker-compose", "/bin/sleep 60 & wait")
    environ = {"PATH": str(folder), "HOME": str(tmp_path)}
    with pytest.raises(ComposeError, match="no compose") as error:
        find_compose(environ, resolve(environ))
    assert "within 0.3 s" in error.value.detail


def test_an_address_goes_by_the_environment_and_never_as_an_argument(tmp_path: Path) -> None:
    folder = tmp_path / "bin"
    program(folder, "docker-compose", 'echo "v2.31.0-desktop.1"')
    address = "tcp://jesse:s3cr3t-pass@127.0.0.1:2375"
    environ = {"PATH": str(folder), "HOME": str(tmp_path), "DOCKER_HOST": address}
    command = find_compose(environ, resolve(environ))
    assert command.version == Version(major=2, minor=31)
    assert command.environ["DOCKER_HOST"] == address
    assert "s3cr3t" not in repr(command) + " ".join(command.words)


def test_a_context_is_followed_by_both_generations(tmp_path: Path) -> None:
    import hashlib

    folder = tmp_path / ".docker"
    meta = folder / "contexts" / "meta" / hashlib.sha256(b"studio").hexdigest()
    meta.mkdir(parents=True)
    (meta / "meta.json").write_text(
        json.dumps({"Name": "studio", "Endpoints": {"docker": {"Host": "unix:///x/y.sock"}}})
    )
    (folder / "config.json").write_text('{"currentContext": "studio"}')
    environ = {"HOME": str(tmp_path)}
    endpoint = resolve(environ)
    new = environment_for(environ, endpoint, legacy=False)
    assert new["DOCKER_CONTEXT"] == "studio"
    assert "DOCKER_HOST" not in new
    old = environment_for(environ, endpoint, legacy=True)
    assert old["DOCKER_HOST"] == "unix:///x/y.sock"
    assert "DOCKER_CONTEXT" not in old
