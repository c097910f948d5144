"""`gpuconsole doctor` as an operator types it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.edits import EditHost, edit_host


@pytest.fixture(scope="module")
def ill(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EditHost]:
    with edit_host(tmp_path_factory.mktemp("ill"), scenario="crash-loop", pace=1.0) as host:
        yield host


def doctor(host: EditHost, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "console", "doctor", *words],
        env=host.environ,
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
    )


def test_json_has_checks_and_findings_root_first_and_exits_5(ill: EditHost) -> None:
    done = doctor(ill, "--json")
    whole = json.loads(done.stdout)
    assert (done.returncode, whole["ok"], whole["rehearsal"]) == (5, True, True)
    for check in whole["data"]["checks"]:
        assert {"id", "state", "title", "detail", "seconds"} <= set(check)
        assert check["state"] in {"pass", "warn", "fail", "skip"}
    first, second = whole["data"]["findings"][:2]
    assert (first["id"], first["subject"]) == ("args.unrecognized", "myia-turbo")
    assert (second["id"], second["consequence_of"]) == ("container.crash-loop", first["id"])
    assert isinstance(first["fix"], str)
    assert first["evidence"][0]["text"]


def test_people_see_each_check_as_it_ends_and_then_the_findings(ill: EditHost) -> None:
    done = doctor(ill)
    assert "container.log:myia-turbo" in done.stderr
    assert done.stdout.startswith("✖ The program does not know --cuda-malloc")
    assert "↳ myia-turbo crash-looping" in done.stdout
    assert "REHEARSAL (crash-loop)" in done.stderr


def test_one_service_or_group_can_be_asked_for(ill: EditHost) -> None:
    assert doctor(ill, "--service", "myia").returncode == 0
    assert doctor(ill, "--only", "driver").returncode == 0
    checks = json.loads(doctor(ill, "--only", "host.memory", "--json").stdout)["data"]["checks"]
    assert [one["id"] for one in checks] == ["host.memory"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--only", "drivr"), "did you mean driver?"),
        (("--service", "nobody"), "there is no service nobody"),
        (("--log", "x", "--only", "host"), "--log"),
        (("--dry-run",), "go with --probe only"),
        (("--with-prompts", "--report"), "go with --bundle"),
        (("--bundle", "-"), "needs the name of a file"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_hint(
    ill: EditHost, words: tuple[str, ...], says: str
) -> None:
    done = doctor(ill, *words)
    assert done.returncode == 2
    assert says in done.stderr


def test_causes_and_steps_are_folded_at_80_columns(ill: EditHost) -> None:
    lines = doctor(ill, "--service", "myia-turbo").stdout.splitlines()
    quoted = ("  |", "  Plan", "  See", "  ↳")
    assert [one for one in lines if len(one) > 80 and not one.startswith(quoted)] == []
    assert any(one.startswith("  Cause  ") for one in lines)
