"""docs/api.md is run as it stands: every block of shell, every Python file in it.

Against the rehearsal host always; against a real ComfyUI where GPUCONSOLE_TEST_COMFYUI names one
for tests.
"""

import os
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import msgspec
import pytest

from console.pictures.look import look
from console.simulator.scene import Scene
from tests.docs.pages import ROOT, Block, blocks
from tests.support.edits import COMFY, FORGE, EditHost, a_png, edit_host
from tests.support.program import private_environment, run_program

ADDRESS = os.environ.get("GPUCONSOLE_TEST_COMFYUI", "")
NEEDS = ("bash", "curl", "jq", "base64")
BLOCKS = blocks("api.md")
PACE = 100.0
"""An edit takes about a second."""

SLOW = """curl -sS --fail -o cue.txt --unix-socket "$CONTROL" http://rehearsal/cue -d \\
    '{"at": 0, "do": "service-odd", "container": "%s", "error": "run-slow", "value": 2}'
"""
"""Makes the next two edits last, so that they can be interrupted on a loaded machine too."""

pytestmark = pytest.mark.skipif(
    not all(map(shutil.which, NEEDS)), reason=f"not all of {', '.join(NEEDS)} are here"
)


def run_blocks(
    folder: Path, environ: Mapping[str, str], wanted: Callable[[Block], bool]
) -> subprocess.CompletedProcess[str]:
    """Run the page in a folder as somebody would who copies it block by block."""
    (folder / "mug.png").write_bytes(a_png(320, 240))
    tools = folder / "bin"
    tools.mkdir()
    for name, run in (("python3", ""), ("gpuconsole", "-m console")):
        (tools / name).write_text(f'#!/bin/sh\nexec {sys.executable} {run} "$@"\n')
        (tools / name).chmod(0o755)
    script = "set -euo pipefail\n"
    for block in filter(wanted, BLOCKS):
        if block.language != "python":
            slow = "CONTROL" in environ and "/interrupt" in block.text and "$COMFY" in block.text
            script += (SLOW % COMFY if slow else "") + block.text
        else:
            name = block.text.splitlines()[0].removeprefix("# ")
            (folder / name).write_text(block.text)
    (folder / "page.sh").write_text(script)
    return subprocess.run(
        ["bash", "page.sh"],
        cwd=folder,
        env={
            **environ,
            "PATH": f"{tools}:{environ['PATH']}",
            "PYTHONPATH": str(ROOT),
        },
        capture_output=True,
        text=True,
        timeout=280 if ADDRESS else 100,
    )


def size_of(picture: Path) -> tuple[int, int]:
    facts = look(picture)
    return facts.width, facts.height


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EditHost]:
    def asked_for_a_login(scene: Scene) -> Scene:
        return msgspec.structs.replace(
            scene, proxies=dict.fromkeys((COMFY, FORGE), scene.proxies[COMFY])
        )

    home = tmp_path_factory.mktemp("home")
    with edit_host(home, scenario="outside", pace=PACE, change=asked_for_a_login) as made:
        yield made


@pytest.fixture(scope="module")
def ran(host: EditHost, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """The whole page, run once: its folder, what it printed, what it told on stderr."""
    folder = tmp_path_factory.mktemp("page")
    # Where the services are, and their logins, the page finds out itself.
    environ = {**host.environ, "CONTROL": str(host.places.folder / "control.sock")}
    done = run_blocks(folder, environ, lambda _: True)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return folder, done.stdout, done.stderr


def test_every_picture_that_the_page_fetches_is_one(ran: tuple[Path, str, str]) -> None:
    folder = ran[0]
    edits = {size_of(folder / name) for name in ("result.png", "light.png", "blue.png")}
    assert len(edits) == 1
    for name in ("text.png", "night.png", "snow.png"):
        assert size_of(folder / name) == (512, 512)
    assert (folder / "small.webp").read_bytes()[8:12] == b"WEBP"
    # Each prompt made another picture.
    names = ("result.png", "light.png", "blue.png", "text.png", "night.png", "snow.png")
    assert len({(folder / name).read_bytes() for name in names}) == len(names)


def test_the_page_says_what_the_services_say(ran: tuple[Path, str, str]) -> None:
    lines = ran[1].splitlines()
    assert lines[0] == "0.33.0"  # here,
    assert lines[lines.index("401") + 1] == "0.33.0"  # and through the proxy, with its login
    assert any('"forge_vram":' in line and line.strip()[-1].isdigit() for line in lines)
    assert lines[1].startswith("cuda:0 NVIDIA")
    assert "success" in lines
    assert "execution_interrupted" in lines
    assert "401" in lines
    assert any('"progress":' in line and '"seconds_left":' in line for line in lines)


def test_a_queue_was_seen_with_one_that_runs_and_one_that_waits(
    ran: tuple[Path, str, str], host: EditHost
) -> None:
    queue = next(line for line in ran[1].splitlines() if line.startswith('{"running":'))
    told = msgspec.json.decode(queue)
    assert len(told["running"]) == len(told["waiting"]) == 1
    # What was deleted from the queue never ran.
    with urllib.request.urlopen(f"{host.url(COMFY)}/history") as answer:
        ended = msgspec.json.decode(answer.read())
    assert told["running"][0] in ended
    assert told["waiting"][0] not in ended


def test_progress_came_while_it_ran(ran: tuple[Path, str, str]) -> None:
    steps = [line for line in ran[2].splitlines() if line.startswith("step ")]
    assert any(line.endswith("of 20") for line in steps)
    assert len(steps) >= 3


def test_logins_were_for_nobody_elses_eyes(ran: tuple[Path, str, str]) -> None:
    for name in ("forge.headers", "site.login", "forge.site"):
        assert (ran[0] / name).stat().st_mode & 0o777 == 0o600
    page = "".join(block.text for block in BLOCKS if block.language == "sh")
    # In a file or the environment, never among arguments that everybody can list.
    assert "curl -u" not in page
    assert "Bearer $" not in page


def test_a_graph_that_is_refused_is_told_with_the_node(tmp_path: Path, host: EditHost) -> None:
    def wanted(block: Block) -> bool:
        return block.language == "python" or "export COMFY=${" in block.text

    run_blocks(tmp_path, {**host.environ, "COMFY": host.url(COMFY)}, wanted)
    (tmp_path / "graph.json").write_text(
        '{"78": {"class_type": "LoadImage", "inputs": {}}, "111": {"class_type": "NoSuchNode", '
        '"inputs": {}}, "3": {"class_type": "SaveImage", "inputs": {"images": ["111", 0]}}}'
    )
    done = subprocess.run(
        [sys.executable, "edit.py", "mug.png", "x", "y.png"],
        cwd=tmp_path,
        env={**host.environ, "COMFY": host.url(COMFY)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert "NoSuchNode" in done.stderr
    assert "Traceback" not in done.stderr


def test_in_a_rehearsal_its_proxy_is_trusted_whatever_certificates_the_host_names(
    tmp_path: Path,
) -> None:
    others = dict.fromkeys(("CURL_CA_BUNDLE", "SSL_CERT_DIR", "SSL_CERT_FILE"), "/nowhere")
    address = f"{sys.executable} -m console status --json | jq -r '.data.services[0].public_url'"
    ask = f'curl -sS -o refused.txt -w "%{{http_code}}" "$({address})"'
    line = ["demo", "--scenario", "outside", "--", "bash", "-c", ask]
    done = run_program(line, tmp_path, {**others, "PYTHONPATH": str(ROOT)})
    assert done.stdout.decode().strip() in {"302", "401"}, done.stderr.decode()


@pytest.mark.timeout(300)
@pytest.mark.skipif(not ADDRESS, reason="GPUCONSOLE_TEST_COMFYUI names no real ComfyUI for tests")
def test_the_part_on_comfyui_holds_for_a_real_one(tmp_path: Path) -> None:
    def wanted(block: Block) -> bool:
        return block.section.startswith(("Addresses", "ComfyUI")) and block.language != "bash"

    environ = {**private_environment(tmp_path), "COMFY": ADDRESS.rstrip("/")}
    done = run_blocks(tmp_path, environ, wanted)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert "success" in done.stdout
    assert "step " in done.stderr
    assert size_of(tmp_path / "result.png") == size_of(tmp_path / "light.png")
