"""kill -9 at fifty random moments: never a wrong byte, never a part under the final name."""

import hashlib
import random
import subprocess
import sys
import threading
from pathlib import Path

from console.transfer.part import find_bad, part_of
from tests.support.hub import Noise, rehearsal_hub
from tests.transfer.conftest import MIB, NAME, REPO, Scene

KILLS = 50
SIZE = 72 * MIB + 4321
MOST_AGAIN = 16 * MIB


def start(scene: Scene) -> subprocess.Popen[bytes]:
    """Start a process that fetches, and come back as it begins."""
    arguments = [scene.url, str(scene.final), str(scene.body.size), scene.body.sha256]
    command = [sys.executable, "-m", "tests.transfer.pull", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"begins\n", process.communicate()
    return process


def done(scene: Scene) -> int:
    if scene.final.exists():
        return scene.body.size
    facts = part_of(scene.final)
    if facts is None:
        return 0
    assert facts.locked_by is None
    return facts.done


def test_fifty_kills_cost_at_most_sixteen_mib_each_and_never_a_wrong_byte(tmp_path: Path) -> None:
    chance, pause = random.Random(5), threading.Event()
    body = Noise(SIZE, 3)
    kills = finished = 0
    most_again = 0
    with rehearsal_hub({REPO: {NAME: body}}, rate=160 * MIB) as hub:
        scene = Scene(hub, tmp_path, body)
        while kills < KILLS:
            there, served = done(scene), scene.served()
            process = start(scene)
            pause.wait(chance.uniform(0, 0.35))
            process.kill()
            process.communicate()
            kills += process.returncode == -9
            again = scene.served() - served - (done(scene) - there)
            most_again = max(most_again, again)
            assert again <= MOST_AGAIN, f"{again / MIB:.1f} MiB after kill {kills}"
            assert find_bad(scene.folder) == ()
            if scene.final.exists():
                finished += 1
                assert _sha256(scene.final) == body.sha256
                scene.final.unlink()
        process = start(scene)
        _, told = process.communicate(timeout=30)
        assert process.returncode == 0, told
    assert _sha256(scene.final) == body.sha256
    assert finished >= 1
    # A map whose body has just got its name may be left by a kill; a finished fetch takes it away.
    assert scene.names() == [NAME]
    assert most_again > 0


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
