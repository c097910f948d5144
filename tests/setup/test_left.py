"""Setup cut off in every step, by a dropped line and by kill -9: it goes on; and two at once."""

import json
import os
import signal
from collections import Counter
from pathlib import Path
from typing import Any

from actions.operations import Operations
from actions.session import open_session
from actions.setup.memory import Memory
from actions.setup.words import words
from console.store.edits import EditRecords
from tests.plans.command import run, start
from tests.support.fresh import FreshHost, free_port, fresh_host
from tests.support.waiting import wait_until

JOBS = {"comfyui": "build", "fetch": "pull", "start": "start", "first-edit": "edit"}
"""The steps that run a job, and its verb."""


def answers(folder: Path, port: int, *skip: str) -> str:
    path = folder / "answers.toml"
    path.write_text(f'skip = {json.dumps(skip)}\n[comfyui]\nport = "{port}"\n')
    return str(path)


def cut_off_in(host: FreshHost, step: str, by: signal.Signals, *more: str) -> None:
    """Let setup run until it is at a step, or its job is begun, and end it there."""
    places = open_session(host.environ).places
    order = list(words().steps)

    def is_there() -> bool:
        now = Memory(places).now
        if step in JOBS:
            return step in now.jobs or process.poll() is not None
        return bool(now.at) and order.index(now.at) >= order.index(step)

    process = start(host.environ, "setup", "--yes", *more, start_new_session=True)
    wait_until(is_there, 60)
    process.send_signal(by)
    process.communicate()


def test_cut_off_in_every_step_it_ends_with_one_picture_and_every_job_done_once(
    tmp_path: Path,
) -> None:
    with fresh_host(tmp_path / "home", compose="stand-in") as host:
        port, steps = free_port(), list(words().steps)
        cut_off_in(host, "host", signal.SIGKILL, "--answers", answers(tmp_path, port))
        # From now on without the doctor, which takes its time.
        given = answers(tmp_path, port, "host")
        cut_off_in(host, "cards", signal.SIGHUP, "--answers", given)
        for number, step in enumerate(steps[2:]):
            # The answers are remembered: they are not given again.
            cut_off_in(host, step, (signal.SIGHUP, signal.SIGKILL)[number % 2])
        done = run(host.environ, "setup", "--yes", "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        told: dict[str, Any] = json.loads(done.stdout)["data"]
        assert told["finished"]
        session = open_session(host.environ)
        jobs = Operations(session).jobs(everything=True)
        # A job that was begun goes on without setup, and is waited for, not begun again.
        assert Counter(one.verb for one in jobs if one.state == "done") == Counter(JOBS.values())
        assert [one.state for one in EditRecords(session.store).find()] == ["done"]
        assert len(list(host.config.parent.glob("*.bak"))) <= 1
        kept = json.loads((session.places.state_dir / "setup.json").read_text())
        assert set(kept) == {"answers", "jobs", "corrected", "at", "offered"}


def test_after_a_reboot_in_each_job_it_goes_on_and_fetches_nothing_twice(tmp_path: Path) -> None:
    """A reboot leaves neither setup nor the process of its job."""
    with fresh_host(tmp_path / "home", compose="stand-in") as host:
        given = answers(tmp_path, free_port(), "host")
        for step in JOBS:
            cut_off_in(host, step, signal.SIGKILL, "--answers", given)
            for one in Operations(open_session(host.environ)).running():
                if one.pid:
                    os.kill(one.pid, signal.SIGKILL)
        done = run(host.environ, "setup", "--yes", "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        assert json.loads(done.stdout)["data"]["finished"]
        session = open_session(host.environ)
        jobs = Operations(session).jobs(everything=True)
        ended = Counter(one.verb for one in jobs if one.state == "done")
        assert set(ended) == set(JOBS.values())
        assert len([one for one in jobs if one.verb == "pull"]) == 1
        assert "done" in {one.state for one in EditRecords(session.store).find()}


def test_two_at_once_take_turns_and_end_with_one_picture(tmp_path: Path) -> None:
    with fresh_host(tmp_path / "home", compose="stand-in") as host:
        words = ("setup", "--answers", answers(tmp_path, free_port(), "host"), "--yes", "--json")
        several = [start(host.environ, *words) for _ in range(2)]
        told = [one.communicate()[0] for one in several]
        assert [one.returncode for one in several] == [0, 0], told
        assert all(json.loads(one)["data"]["finished"] for one in told)
        jobs = Operations(open_session(host.environ)).jobs(everything=True)
        assert Counter(one.verb for one in jobs) == Counter(JOBS.values())
