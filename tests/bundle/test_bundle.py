"""A hand-over that can be given away: everything the next person needs, and no secret."""

import json
import subprocess
import sys
import tarfile
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


def opened(path: Path) -> dict[str, bytes]:
    with tarfile.open(path) as archive:
        found = {}
        for member in archive.getmembers():
            assert member.isreg()
            assert ".." not in member.name
            assert not member.name.startswith("/")
            file = archive.extractfile(member)
            assert file is not None
            found[member.name.removeprefix("gpuconsole-bundle/")] = file.read()
        return found


def test_a_bundle_has_all_of_it_and_says_what_is_not_in_it(ill: EditHost, tmp_path: Path) -> None:
    path = tmp_path / "over.tar.gz"
    done = doctor(ill, "--bundle", str(path), "--json")
    assert done.returncode == 5
    data = json.loads(done.stdout)["data"]
    assert data["bundle"]["path"] == str(path)
    assert path.stat().st_mode & 0o777 == 0o600
    files = opened(path)
    manifest = json.loads(files["MANIFEST.json"])
    assert {one["name"] for one in manifest["files"]} | {"MANIFEST.json"} == set(files)
    assert manifest["removed"]["left_out"]
    assert json.loads(files["findings.json"])["findings"][0]["id"] == "args.unrecognized"
    assert b"--cuda-malloc" in files["logs/myia-turbo.log"]
    assert "compose/docker-compose.yml" in files
    assert b"args.unrecognized" in files["report.md"]


def test_a_file_that_is_there_is_not_replaced(ill: EditHost, tmp_path: Path) -> None:
    path = tmp_path / "over.tar.gz"
    path.write_text("mine")
    done = doctor(ill, "--bundle", str(path))
    assert done.returncode == 1
    assert "is there already" in done.stderr
    assert path.read_text() == "mine"


def test_the_report_is_markdown_on_stdout_or_in_a_file(ill: EditHost, tmp_path: Path) -> None:
    printed = doctor(ill, "--report")
    assert printed.stdout.startswith("# ")
    assert "## Findings" in printed.stdout
    path = tmp_path / "report.md"
    assert doctor(ill, "--report", str(path)).returncode == 5
    assert path.read_text().startswith("# ")
    assert path.stat().st_mode & 0o777 == 0o600
    assert doctor(ill, "--report", "/nonexistent/x.md").returncode == 1


def test_prompts_and_pictures_are_left_out_unless_asked_for(tmp_path: Path) -> None:
    prompt = "seven purple elephants by the lake"
    with edit_host(tmp_path) as host:
        made = subprocess.run(
            [
                sys.executable, "-m", "console", "edit", "--workflow", "edit-single",
                "--image", str(host.picture()), "--prompt", prompt, "--yes",
            ],
            env=host.environ,
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
        )  # fmt: skip
        assert made.returncode == 0, made.stderr
        doctor(host, "--bundle", str(tmp_path / "a.tar.gz"))
        doctor(host, "--bundle", str(tmp_path / "b.tar.gz"), "--with-prompts", "--with-pictures")
    without, everything = opened(tmp_path / "a.tar.gz"), opened(tmp_path / "b.tar.gz")
    assert not any(b"elephants" in data for data in without.values())
    assert not any(name.startswith("pictures/") for name in without)
    assert b"elephants" in everything["timeline.json"]
    (picture,) = (data for name, data in everything.items() if name.startswith("pictures/"))
    assert picture.startswith(b"\x89PNG")
