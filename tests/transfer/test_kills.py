"""kill -9 at fifty random moments: never a wrong byte, never a part under the final name."""

import contextlib
import hashlib
import os
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

from console.transfer.part import find_bad, part_of
from tests.support.hub import Noise, rehearsal_hub
from tests.transfer.conftest import MIB, NAME, REPO, Scene

KILLS = 50
SIZE = 48 * MIB + 4321
MOST_AGAIN = 16 * MIB


class Starter:
    """A process that starts others, which fetch."""

    def __init__(self, scene: Scene) -> None:
        arguments = [scene.url, str(scene.final), str(scene.body.size), scene.body.sha256]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.transfer.pull", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def start(self) -> int:
        """Start one, and give its process id."""
        return self._say(b"go")

    def end(self) -> int:
        """Wait for it, and give its exit code."""
        return self._say(b"end")

    def close(self) -> None:
        self._process.communicate()

    def _say(self, word: bytes) -> int:
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(word + b"\n")
        process.stdin.flush()
        return int(process.stdout.readline())


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
    with (
        rehearsal_hub({REPO: {NAME: body}}, rate=240 * MIB) as hub,
        contextlib.closing(Starter(scene := Scene(hub, tmp_path, body))) as starter,
    ):
        while kills < KILLS:
            there, served = done(scene), scene.served()
            pid = starter.start()
            pause.wait(chance.uniform(0, 0.2))
            os.kill(pid, signal.SIGKILL)
            kills += starter.end() == -signal.SIGKILL
            again = scene.served() - served - (done(scene) - there)
            most_again = max(most_again, again)
            assert again <= MOST_AGAIN, f"{again / MIB:.1f} MiB after kill {kills}"
            assert find_bad(scene.folder) == ()
            if scene.final.exists():
                finished += 1
                assert _sha256(scene.final) == body.sha256
                scene.final.unlink()
        starter.start()
        assert starter.end() == 0
    assert _sha256(scene.final) == body.sha256
    assert finished >= 1
    # A map whose body has just got its name may be left by a kill; a finished fetch takes it away.
    assert scene.names() == [NAME]
    assert most_again > 0


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
