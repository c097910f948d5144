"""Downloads on the command line: `gpuconsole jobs` and whoever takes them up in passing."""

import json
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from actions.operations import Operations
from actions.session import Session
from tests.plans.command import ROOT, lines
from tests.plans.endless import HALT, TOTAL, WHERE, Body, program
from tests.plans.test_take_up import Host, host, interrupted
from tests.plans.watched import Console, body, environ
from tests.support.waiting import wait_until

__all__ = ["body", "environ", "host"]

Sessions = Callable[..., Session]


def start(environ: dict[str, str], *words: str) -> "subprocess.Popen[str]":
    """Start `gpuconsole WORDS`, whose downloads the test steers."""
    return subprocess.Popen(
        program(Path(environ[WHERE]), *words),
        env={**environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(environ: dict[str, str], *words: str) -> "subprocess.CompletedProcess[str]":
    """Run it to its end."""
    process = start(environ, *words)
    out, err = process.communicate(timeout=60)
    assert "Traceback" not in err
    return subprocess.CompletedProcess(words, process.returncode, out, err)


def answer(environ: dict[str, str], *words: str) -> dict[str, Any]:
    """Give the data of its JSON."""
    done = run(environ, *words, "--json")
    whole = json.loads(done.stdout)
    assert whole["ok"], whole
    data: dict[str, Any] = whole["data"]
    return data


def test_a_download_is_listed_shown_paused_gone_on_with_and_watched(
    body: Body, environ: dict[str, str], new_session: Sessions
) -> None:
    console = Console(new_session())
    pid, ident = console.pid(), console.plan.id
    (listed,) = answer(environ, "jobs", "list")["jobs"]
    assert (listed["id"], listed["kind"], listed["state"]) == (ident, "download", "running")
    shown = answer(environ, "jobs", "show", ident[:-2])
    assert shown["job"]["id"] == shown["id"] == shown["job_id"] == ident
    for name, value in {
        "state": "running",
        "bytes_done": HALT,
        "bytes_total": TOTAL,
        "rate_bytes_per_second": 1000.0,
        "eta_seconds": (TOTAL - HALT) / 1000,
        "pid": pid,
        "attempts": 1,
        "resumed_from_bytes": 0,
    }.items():
        assert shown[name] == shown["job"][name] == value, name
    assert shown["files"][0]["state"] == "fetching"
    text = run(environ, "jobs", "show", "last").stdout
    assert "29.3 KiB of 97.7 KiB (30 %), 1000 B/s, 1m10s left" in text
    assert "(30 %)" in run(environ, "jobs").stdout
    paused = answer(environ, "jobs", "pause", ident)
    assert (paused["state"], paused["pid"]) == ("paused", None)
    assert "jobs resume" in paused["said"]
    assert run(environ, "jobs", "pause", ident).returncode == 0, "it is what was asked for"
    listing = run(environ, "jobs").stdout
    assert f"gpuconsole jobs resume {ident} or gpuconsole jobs cancel {ident}" in listing
    again = run(environ, "jobs", "resume", ident)
    assert (again.returncode, "goes on" in again.stdout) == (0, True)
    twice = run(environ, "jobs", "resume", ident)
    assert (twice.returncode, "under way already" in twice.stdout) == (0, True)
    watching = start(environ, "jobs", "watch", "last", "--json")
    body.say("go")
    out, _ = watching.communicate(timeout=30)
    assert watching.returncode == 0
    told = lines(out)
    last = told[-1]["data"]
    assert (told[0]["data"]["event"], last["event"]) == ("planned", "done")
    assert last["files"] == [{"id": "a", "path": str(body.path), "action": "fetched"}]
    ended = answer(environ, "jobs", "show", "last")
    assert (ended["state"], ended["attempts"], ended["bytes_done"]) == ("done", 2, TOTAL)
    assert ended["resumed_from_bytes"] == HALT
    done = run(environ, "jobs", "resume", ident)
    assert done.returncode == 3
    assert "nothing to go on with" in done.stderr


def test_a_download_is_given_up_only_with_a_yes(
    body: Body, environ: dict[str, str], new_session: Sessions
) -> None:
    console = Console(new_session())
    console.pid()
    asked = run(environ, "jobs", "cancel", "last")
    assert asked.returncode == 3
    assert "29.3 KiB fetched so far are removed" in asked.stderr
    shown = run(environ, "jobs", "cancel", "last", "--dry-run")
    assert shown.returncode == 0
    assert "29.3 KiB fetched so far are removed" in shown.stdout
    assert body.size() == HALT
    assert run(environ, "--read-only", "jobs", "cancel", "last", "--yes").returncode == 3
    assert run(environ, "--read-only", "jobs", "pause", "last").returncode == 3
    done = run(environ, "jobs", "cancel", "last", "--yes")
    assert (done.returncode, "the part is removed" in done.stdout) == (0, True)
    assert not body.path.exists()
    console.end()
    assert run(environ, "jobs").stdout == ""
    again = run(environ, "jobs", "cancel", "last", "--yes", "--json")
    assert json.loads(again.stdout)["error"]["code"] == "plan.not-under-way"


def test_ctrl_c_leaves_a_download_that_is_watched_and_it_goes_on(
    body: Body, environ: dict[str, str], new_session: Sessions
) -> None:
    console = Console(new_session())
    pid = console.pid()
    watching = start(environ, "jobs", "watch", "last")
    assert watching.stderr is not None
    assert "Fetch 1" in watching.stderr.readline()
    watching.send_signal(signal.SIGINT)
    _, err = watching.communicate(timeout=20)
    assert watching.returncode == 130
    assert f"gpuconsole jobs pause {console.plan.id}" in err
    assert console.job().pid == pid
    console.operations.cancel("last")
    console.end()


def test_every_verb_but_looking_at_jobs_takes_up_what_died(
    body: Body, environ: dict[str, str], host: Host, new_session: Sessions
) -> None:
    console = interrupted(new_session())
    assert answer(environ, "jobs", "show", "last")["state"] == "interrupted"
    for words in (["--help"], ["--version"], ["timeline", "--help"], ["timeline", "--read-only"]):
        assert run(environ, *words).returncode == 0
        assert console.job().state == "interrupted", words
    done = run(environ, "timeline")
    assert (
        f"pull qwen goes on, because its process had ended (job {console.plan.id})" in done.stderr
    )
    pid = console.pid()
    quiet = run(environ, "timeline", "--json")
    assert quiet.stderr == ""
    assert console.job().pid == pid, "and only once"
    body.say("go")
    wait_until(lambda: console.job().state == "done", 20)


def test_after_a_restart_of_the_host_looking_at_jobs_is_enough(
    body: Body, environ: dict[str, str], host: Host, new_session: Sessions
) -> None:
    console = interrupted(new_session())
    host.start_anew()
    listed = run(environ, "jobs")
    assert "goes on, because the host was started anew" in listed.stderr
    body.say("go")
    wait_until(lambda: console.job().state == "done", 20)
    assert console.job().attempts == 2


def test_watching_takes_up_what_died(
    body: Body, environ: dict[str, str], host: Host, new_session: Sessions
) -> None:
    console = interrupted(new_session())
    body.say("go")
    watched = run(environ, "jobs", "watch", "last")
    assert (watched.returncode, watched.stdout) == (0, "fetched\n")
    assert console.job().attempts == 2
    assert Operations(new_session()).jobs() == ()
