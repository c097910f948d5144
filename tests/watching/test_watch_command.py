"""`gpuconsole watch` as a process: through what a host does to it, and how it ends."""

import json
import os
import pty
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from actions.timeline import read_timeline
from console.paths import find_places
from tests.support.edits import EditHost
from tests.support.waiting import wait_until
from tests.watching.test_hook import is_over, script

PROGRAM = [sys.executable, "-m", "console"]
QUICK = 'severity = "warning"\nraise_after = "0s"\nclear_after = "1s"\n'
ROOT = Path(__file__).parents[2]


class Watching:
    """A watch that runs, and the lines that it says."""

    def __init__(self, host: EditHost, *options: str) -> None:
        self.process = subprocess.Popen(
            [*PROGRAM, "watch", "--json", *options],
            env=host.environ,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self.lines: list[dict[str, Any]] = []
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(json.loads(line))

    def heard(self, event: str, words: str = "", seconds: float = 30) -> dict[str, Any]:
        """Wait until it says something; give its data."""

        def found() -> dict[str, Any] | None:
            for line in list(self.lines):
                data: dict[str, Any] = line["data"]
                if data["event"] == event and words in json.dumps(data):
                    return data
            return None

        return wait_until(found, seconds, f"{event} {words} in {self.lines}") or {}

    def tell(self, number: int) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def end(self, number: int = signal.SIGTERM, seconds: float = 30) -> int:
        """End it and give its exit code."""
        self.tell(number)
        code = self.process.wait(seconds)
        self._thread.join(5)
        return code


@pytest.fixture
def watches(host: EditHost) -> Iterator[list[Watching]]:
    """Give a list whose watches are ended with the test."""
    started: list[Watching] = []
    yield started
    for one in started:
        if one.process.poll() is None:
            one.process.kill()
            one.process.wait(10)


def configure(host: EditHost, text: str) -> None:
    """Set the [watch] section of the host's config."""
    path = find_places(host.environ).config_file
    path.write_text(f"{path.read_text().partition('[watch]')[0]}\n[watch]\n{text}")


def run(host: EditHost, *arguments: str, **settings: Any) -> subprocess.CompletedProcess[str]:
    """Run a verb to its end."""
    return subprocess.run(
        [*PROGRAM, *arguments],
        env={**host.environ, **settings.pop("environ", {})},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        **settings,
    )


def test_it_goes_on_through_what_the_host_does_and_tells_of_it(
    host: EditHost, watches: list[Watching], tmp_path: Path
) -> None:
    hook = script(tmp_path, f'cat >> {tmp_path}/told; echo "$#" >> {tmp_path}/count')
    configure(host, f'{QUICK}command = ["{hook}", "--on call"]\n')
    watch = Watching(host)
    watches.append(watch)
    watch.heard("started")
    host.control("die", container="caddy", value=3)
    told = watch.heard("happened", "ended, exit 3")
    assert (told["subject"], told["severity"]) == ("caddy", "error")

    host.control("engine-down")
    watch.heard("raised", "engine.")
    host.control("driver-fault", error="GPU_IS_LOST")
    watch.heard("raised", '"subject": "cards"')
    watch.tell(signal.SIGHUP)
    host.control("engine-up")
    host.control("driver-heal")
    watch.heard("cleared", "engine.", 60)
    watch.heard("cleared", '"subject": "cards"', 60)
    host.control("die", container="myia", value=9)
    watch.heard("happened", "ended, exit 9")
    assert watch.end() == 0
    assert watch.lines[-1]["data"] == {"event": "done", "outcome": "stopped"}
    assert watch.lines[-1]["rehearsal"] is True
    events = [json.loads(line)["data"] for line in (tmp_path / "told").read_text().splitlines()]
    assert {"raised", "cleared"} <= {event["event"] for event in events}
    assert set((tmp_path / "count").read_text().split()) == {"1"}
    entries = read_timeline(host.session(), 500)
    assert sum("exit 9" in entry.text for entry in entries) == 1
    assert [entry.text for entry in entries if entry.kind == "watch"] == [
        "gpuconsole watch was stopped", "gpuconsole watch was started",
    ]  # fmt: skip
    shown = run(host, "timeline", "--kind", "container", "--limit", "500")
    assert "ended, exit 3" in shown.stdout
    assert "watch" not in shown.stdout


def test_there_is_one_and_a_killed_one_leaves_nothing_in_the_way(
    host: EditHost, watches: list[Watching]
) -> None:
    first = Watching(host)
    watches.append(first)
    host.control("die", container="myia", value=4)
    first.heard("happened", "exit 4")
    second = run(host, "watch", "--json")
    assert second.returncode == 3
    error = json.loads(second.stdout)["error"]
    assert error["code"] == "watch.running"
    assert f"process {first.process.pid}" in error["title"]
    before = read_timeline(host.session(), 500, kinds=("container",))
    first.process.kill()
    first.process.wait(10)
    third = Watching(host)
    watches.append(third)
    third.heard("started")
    host.control("die", container="caddy", value=5)
    third.heard("happened", "exit 5")
    assert third.end(signal.SIGINT) == 130
    assert third.lines[-1]["ok"] is False
    after = read_timeline(host.session(), 500, kinds=("container",))
    fresh = [entry for entry in after if entry not in before]
    assert [entry.text[:13] for entry in fresh if entry.verb == "die"] == ["ended, exit 5"]
    assert len(after) <= len(before) + 2


def test_a_hook_that_hangs_does_not_keep_it_from_ending(
    host: EditHost, watches: list[Watching], tmp_path: Path
) -> None:
    hook = script(tmp_path, f"trap '' TERM; echo $$ > {tmp_path}/began; sleep 600")
    configure(host, f'{QUICK}command = ["{hook}"]\ntime_limit = "300s"\n')
    host.control("engine-deny")
    watch = Watching(host)
    watches.append(watch)
    wait_until((tmp_path / "began").exists, 30)
    hung = int(wait_until((tmp_path / "began").read_text))
    begun = time.monotonic()
    assert watch.end() == 0
    assert time.monotonic() - begun < 60
    wait_until(lambda: is_over(hung))


def test_a_reader_that_goes_ends_it_and_a_full_disk_behind_stdout_does_not(
    host: EditHost,
) -> None:
    host.control("die", container="myia", value=4)
    piped = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m console watch | head -1"],
        env=host.environ, cwd=ROOT, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert "watching; alerts go nowhere else" in piped.stdout
    assert "Traceback" not in piped.stderr
    with Path("/dev/full").open("wb") as full:
        watch = subprocess.Popen(
            [*PROGRAM, "watch"], env=host.environ, cwd=ROOT, stdout=full, stderr=subprocess.PIPE
        )
        host.control("die", container="caddy", value=6)

        def kept() -> bool:
            entries = read_timeline(host.session(), 9, kinds=("container",))
            return any("exit 6" in entry.text for entry in entries)

        wait_until(kept, 60)
        assert watch.poll() is None
        watch.terminate()
        _, said = watch.communicate(timeout=30)
    assert watch.returncode == 0
    assert b"watching goes on without" in said


def test_a_terminal_that_goes_ends_it_in_order(host: EditHost) -> None:
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(ROOT)
        os.execve(sys.executable, [*PROGRAM, "watch"], host.environ)
    seen = b""
    while b"watching" not in seen:
        seen += os.read(terminal, 4096)
    os.close(terminal)

    def ended() -> bool:
        return os.waitpid(pid, os.WNOHANG)[0] == pid

    wait_until(ended, 30)
    entries = read_timeline(host.session(), 9, kinds=("watch",))
    assert entries[0].text == "gpuconsole watch was stopped"


def test_a_test_alert_says_how_each_way_went(host: EditHost, tmp_path: Path) -> None:
    nothing = run(host, "watch", "--test")
    assert nothing.returncode == 2
    assert "neither a command nor a webhook" in nothing.stderr
    hook = script(tmp_path, f"cat > {tmp_path}/told")
    configure(host, f'command = ["{hook}"]\nwebhook = "http://127.0.0.1:1/x"\n')
    both = run(host, "watch", "--test", "--json")
    assert both.returncode == 1
    ways = json.loads(both.stdout)["data"]["ways"]
    assert [(way["way"], way["ok"]) for way in ways] == [("command", True), ("webhook", False)]
    assert "under [watch] in the config" in ways[1]["hint"]
    assert json.loads((tmp_path / "told").read_text())["data"]["id"] == "watch.test"
    configure(host, 'command = "one text"\n')
    assert run(host, "watch", "--test").returncode == 2


def test_the_history_of_vram_is_shown(host: EditHost) -> None:
    from datetime import timedelta

    from console.store.vram import VramRecords, VramRow

    session = host.session()
    now = session.clock.now().replace(second=0, microsecond=0)
    none = run(host, "timeline", "--vram")
    assert "Nobody has watched" in none.stderr
    rows = [
        VramRow(uuid="GPU-1", at=now - timedelta(minutes=n), used=n << 30, peak=(n + 1) << 30,
                total=24 << 30, busy=None if n == 3 else 50.0)
        for n in (1, 2, 3, 60)
    ]  # fmt: skip
    VramRecords(session.store).put(rows, now)
    text = run(host, "timeline", "--vram").stdout
    assert "GPU-1" in text
    assert "nobody watched" in text
    data = json.loads(run(host, "timeline", "--vram", "--since", "10m", "--json").stdout)["data"]
    (card,) = data["cards"]
    assert [minute["used_bytes"] >> 30 for minute in card["minutes"]] == [3, 2, 1]
    assert run(host, "timeline", "--vram", "--kind", "plan").returncode == 2
