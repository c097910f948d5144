"""Discovered services are offered for the config; whoever says yes keeps every comment in it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from actions.services.adopt import adopt, adoptable, sections_of, values_of
from actions.session import open_session
from actions.snapshot import HostSnapshot
from console.config.load import load
from console.errors import RefusedError, UsageError
from tests.services.build import Studio, comfyui, forge
from tests.support.snapshots import host

CONFIG = """# what I run
[policy] # careful
confirm = ["stop"]  # only that

[services.qwen]  # the big one
kind = "comfyui"
container = "comfyui-qwen"
"""


def snapshot(*names: str) -> HostSnapshot:
    studio = Studio(comfyui(), *(forge(name) for name in names), config=CONFIG)
    return host(engine=studio.engine, services=studio.all())


def test_all_that_was_discovered_is_adopted_and_nothing_else_changes(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(CONFIG)
    session = open_session({"HOME": str(tmp_path)}, str(path))
    adopt(session, adoptable(snapshot("myia", "odd name.x"), ()))
    text = path.read_text()
    assert text.startswith(CONFIG.rstrip())
    loaded = load(path)
    assert loaded.findings == ()
    assert list(loaded.settings.services) == ["qwen", "myia", "odd name.x"]
    myia = loaded.settings.services["myia"]
    assert (myia.kind, myia.container, myia.compose_service) == ("forge", "myia", "forge")
    assert (myia.compose_file, myia.url) == (
        Path("/srv/sd/docker-compose.yml"),
        "http://127.0.0.1:7860",
    )
    assert myia.gpu is None


def test_only_those_named_are_adopted_by_any_of_their_names() -> None:
    seen = snapshot("myia", "other")
    assert [one.name for one in adoptable(seen, ("other", "other"))] == ["other"]
    container = next(item for item in seen.engine.containers if item.name == "myia")
    assert [one.name for one in adoptable(seen, (container.id[:12],))] == ["myia"]


@pytest.mark.parametrize(
    ("name", "code", "hint"),
    [
        ("qwen", "service.configured", "config print"),
        ("comfyui-qwen", "service.configured", "config print"),
        ("myja", "service.unknown", "Did you mean myia?"),
        ("nothing-like-it", "service.unknown", "Discovered are myia"),
    ],
)
def test_a_name_that_cannot_be_adopted_is_explained(name: str, code: str, hint: str) -> None:
    with pytest.raises(UsageError) as told:
        adoptable(snapshot("myia"), (name,))
    assert told.value.code == code
    assert hint in told.value.hint


def test_what_is_shown_is_what_is_written_with_the_reasons() -> None:
    (myia,) = adoptable(snapshot("myia"), ())
    text = sections_of((myia,))
    assert "# its environment has FORGE_ARGS" in text
    assert '[services.myia]\nkind = "forge"\n' in text
    assert set(values_of((myia,))) == {
        f"services.myia.{key}"
        for key in ("kind", "container", "compose_file", "compose_service", "url")
    }


def test_read_only_and_a_config_with_mistakes_keep_it_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(CONFIG)
    chosen = adoptable(snapshot("myia"), ())
    with pytest.raises(RefusedError):
        adopt(open_session({"HOME": str(tmp_path)}, str(path), read_only=True), chosen)
    path.write_text(CONFIG + "colour = 1\n")
    with pytest.raises(UsageError):
        adopt(open_session({"HOME": str(tmp_path)}, str(path)), chosen)
    assert "myia" not in path.read_text()


def run(config: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run a command inside the rehearsal, with a config of the test's own."""
    return subprocess.run(
        [sys.executable, "-m", "console", "demo", "--", "gpuconsole", "--config", str(config),
         *arguments],
        capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )  # fmt: skip


def test_on_a_host_without_services_in_its_config_status_offers_to_adopt_them(
    tmp_path: Path,
) -> None:
    path = tmp_path / "config.toml"
    path.write_text("# mine\n[ui]\nmouse = false # no\n")
    told = run(path, "status").stdout
    assert "discovered, not in the config: comfyui-qwen, myia, myia-turbo" in told
    assert "gpuconsole config adopt" in told
    refused = run(path, "config", "adopt")
    assert refused.returncode == 3
    assert "nothing is changed without a yes" in refused.stderr
    shown = run(path, "config", "adopt", "--dry-run", "--json", "myia")
    data = json.loads(shown.stdout)["data"]
    assert [one["name"] for one in data["services"]] == ["myia"]
    assert data["services"][0]["reasons"]
    assert "[services" not in path.read_text()
    done = run(path, "config", "adopt", "--yes")
    assert done.returncode == 0, done.stderr
    assert path.read_text().startswith("# mine\n[ui]\nmouse = false # no\n")
    assert "discovered" not in run(path, "status").stdout
    again = run(path, "config", "adopt", "--yes")
    assert "Nothing was discovered" in again.stdout
