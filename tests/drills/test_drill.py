"""`gpuconsole demo --drill`: nothing says what it is, and afterwards everything is told."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from console.simulator.scenario import drill_names, load_scenario
from tests.support.terminal import Terminal
from tests.support.waiting import wait_until

ROOT = Path(__file__).parents[2]
PYTHON = [sys.executable, "-P", "-m", "console"]


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[Path]:
    """Give a runtime directory short enough for sockets."""
    folder = Path("/tmp") / f"gcd-{os.getpid()}-{tmp_path.name[-24:]}"
    folder.mkdir(mode=0o700)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def environment(runtime: Path) -> dict[str, str]:
    # Not what pytest says of itself: it names the test, and so the scenario.
    kept = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
    return {
        **kept,
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(ROOT),
        "XDG_RUNTIME_DIR": str(runtime),
    }


def demo(runtime: Path, *args: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*PYTHON, "demo", *args],
        env=environment(runtime),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


def drilled(runtime: Path, name: str, script: str) -> tuple[dict[str, Any], str]:
    """Run a script inside a drill; give what was told of the drill, and what the script wrote."""
    done = demo(runtime, "--drill", name, "--json", "--", "sh", "-c", f"{OWN}; {script}")
    answer = json.loads(done.stdout)
    assert (answer["ok"], answer["rehearsal"]) == (True, True)
    assert list(runtime.iterdir()) == []
    return answer["data"]["drill"], done.stderr


OWN = f'g() {{ "{sys.executable}" -P -m console "$@"; }}'
STOP = """
import os, sys, urllib.request, http.client, socket
class Unix(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX); self.sock.connect(os.environ["DOCKER_HOST"][7:])
for path in sys.argv[1:]:
    c = Unix("localhost"); c.request("POST", path, headers={"Content-Length": "0"})
    print(c.getresponse().status)
"""


def engine(*paths: str) -> str:
    """Give a line of shell that speaks to the engine as docker's own command would."""
    return f"'{sys.executable}' -c '{STOP}' {' '.join(paths)}"


def test_a_fault_is_found_mended_and_told_with_what_was_done_and_when(runtime: Path) -> None:
    told, said = drilled(
        runtime,
        "port-taken",
        f"g doctor; {engine('/containers/old-portal/stop', '/containers/myia-turbo/start')};"
        " g stop caddy --yes",
    )
    assert "docker.port.allocated" in said
    assert (told["scenario"], told["finding"]) == ("port-taken", "docker.port.allocated")
    assert told["cause"]
    assert told["fix"]
    assert told["still_there"] is False
    deeds = {one["target"]: one for one in told["deeds"]}
    by_hand, started, planned = (deeds[name] for name in ("old-portal", "myia-turbo", "caddy"))
    assert len(told["deeds"]) == 3
    assert (by_hand["by"], by_hand["what"]) == ("docker", "stopped")
    assert (started["by"], started["what"]) == ("docker", "started")
    assert (planned["by"], planned["what"], planned["outcome"]) == ("gpuconsole", "stop", "done")
    assert planned["command"].endswith("stop caddy")
    assert 0 < by_hand["seconds"] < planned["seconds"] < told["seconds"]
    assert told["first_deed_seconds"] == by_hand["seconds"]


def test_who_does_nothing_is_told_that_it_is_still_there(runtime: Path) -> None:
    told, _ = drilled(runtime, "driver-mismatch", "exit 7")
    assert (told["still_there"], told["deeds"], told["exit_code"]) == (True, [], 7)
    assert told["first_deed_seconds"] is None
    assert told["seconds"] < 5


def test_a_crash_loop_goes_on_by_itself_and_is_nobodys_deed(runtime: Path) -> None:
    told, _ = drilled(runtime, "crash-loop", "sleep 3")
    assert told["deeds"] == []
    assert told["still_there"] is True


def test_a_restart_by_hand_is_one_deed(runtime: Path) -> None:
    told, _ = drilled(runtime, "needs-auth", engine("/containers/caddy/restart?t=1"))
    assert [(one["what"], one["target"], one["by"]) for one in told["deeds"]] == [
        ("restarted", "caddy", "docker")
    ]


def test_nothing_inside_says_which_scenario_it_is(runtime: Path) -> None:
    name = "truncated-model"
    script = (
        "env; g status; g doctor --json; g timeline;"
        ' folder=$(dirname "${DOCKER_HOST#unix://}"); cat "$folder/host.log"; find "$folder";'
        f' grep -rsF --exclude-dir=models "$(echo {name[::-1]} | rev)" "$folder" && echo LEAKED;'
        " for line in /proc/[0-9]*/cmdline; do"
        " tr '\\0' ' ' < $line | grep simulator.host | grep -v grep; done; :"
    )
    done = subprocess.run(
        [*PYTHON, "demo", "--drill", "random", "--seed", str(seed_of(name)), "--", "sh", "-c",
         f"{OWN}; {script}"],
        env=environment(runtime),
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=90, check=False,
    )  # fmt: skip
    inside, _, after = done.stdout.partition("DRILL      over after")
    assert "GPUCONSOLE_REHEARSAL=drill" in inside
    assert "simulator.host --scenario - " in inside
    assert "LEAKED" not in inside
    for text in (inside, done.stderr):
        assert name not in text
        assert load_scenario(name).title not in text
    assert "REHEARSAL (drill)" in done.stderr
    assert f"It was     {name}: {load_scenario(name).title}" in after
    assert "You did    nothing that changed anything" in after


def seed_of(name: str) -> int:
    """Give a seed with which `random` is this one."""
    import random

    return next(n for n in range(10_000) if random.Random(n).choice(drill_names()) == name)


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--drill", "studio", "--", "true"], "nothing is wrong in the scenario studio"),
        (["--drill", "crashloop", "--", "true"], "did you mean crash-loop"),
        (["--drill", "oom", "--scenario", "studio", "--", "true"], "exclude each other"),
        (["--drill", "oom", "--"], "no command after --"),
        (["--drill", "oom"], "terminal"),
    ],
)
def test_mistakes_are_told_and_give_nothing_away(
    runtime: Path, args: list[str], words: str
) -> None:
    done = demo(runtime, *args)
    assert done.returncode == 2
    assert words in done.stderr
    assert "It was" not in done.stdout
    assert list(runtime.iterdir()) == []


def test_a_drill_that_is_served_is_told_in_a_second_line(runtime: Path) -> None:
    serving = subprocess.Popen(
        [*PYTHON, "demo", "--drill", "no-driver", "--serve", "--json"],
        env=environment(runtime), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert serving.stdout is not None
    met = json.loads(serving.stdout.readline())
    assert met["environment"]["GPUCONSOLE_REHEARSAL"] == "drill"
    serving.send_signal(signal.SIGTERM)
    told = json.loads(serving.stdout.readline())["data"]["drill"]
    assert serving.wait(10) == 0
    assert (told["scenario"], told["still_there"]) == ("no-driver", True)
    assert "exit_code" not in told


@pytest.mark.terminal
def test_the_screen_says_drill_and_the_cause_comes_when_it_is_left(runtime: Path) -> None:
    with Terminal([*PYTHON, "demo", "--drill", "crash-loop"], environment(runtime), 100, 30) as one:
        one.wait_for(rb"REHEARSAL")
        one.wait_for(rb"drill")
        one.wait_for(rb"myia-turbo")
        assert b"crash-loop:" not in one.output
        one.press(b"q", 0.1)
        one.wait_for(rb"It was     crash-loop: ")
        one.wait_for(rb"You did")
        assert one.wait_for_end() == 0
    wait_until(lambda: list(runtime.iterdir()) == [])
