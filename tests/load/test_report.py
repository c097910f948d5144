"""The report of a run, with what others wrote in it, and where it cannot be written."""

import csv
import subprocess
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from actions.load.model import Incident, Outcome, Result
from actions.load.plots import plots_of
from actions.load.report import Written, write_report
from actions.load.summary import outcome
from tests.load.runs import CARD, failed, request, result, sample

HOSTILE = "| a `b` <script>x</script>\n# heading\x1b[31m ![x](http://evil)"
LOST = Incident(kind="card-lost", subject="RTX 3090", ident=CARD, begun=3.0, ended=5.0)


def _run(folder: Path, *more: Result, prompt: str = "paint it blue") -> tuple[Outcome, Written]:
    wanted = request(count=2 + len(more))
    edits = tuple(msgspec.structs.replace(one, prompt=prompt) for one in wanted.edits)
    wanted = msgspec.structs.replace(wanted, edits=edits)
    results = [result(1, 2.0), result(2, 8.0), *more]
    samples = [sample(0), sample(2, 9 << 30), sample(4, lost=True), sample(8)]
    made = outcome("load-1", wanted, results, samples, [LOST], {"comfy": CARD})
    return made, write_report(made, wanted, results, samples, [LOST], folder)


def test_it_has_the_figures_the_plots_and_what_is_behind_them(tmp_path: Path) -> None:
    made, written = _run(tmp_path, failed(3, 4.0, "edit.out-of-memory"))

    text = Path(written.report).read_text()
    assert made.sentence in text.replace("\\", "")
    assert "| succeeded | 2 of 3 |" in text
    assert "RTX 3090 was lost" in text
    assert "out of memory" in text
    assert [Path(one).name for one in written.plots] == [
        "vram.png", "temperature.png", "results.png",
    ]  # fmt: skip
    assert all(Path(one).read_bytes().startswith(b"\x89PNG") for one in written.plots)
    assert "(vram.png)" in text
    with (tmp_path / "requests.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["state"] for row in rows] == ["done", "done", "failed"]
    with (tmp_path / "samples.csv").open() as file:
        read = [row for row in csv.DictReader(file) if row["gpu_uuid"] == CARD]
    assert [row["used_bytes"] for row in read] == [str(5 << 30), str(9 << 30), "", str(5 << 30)]
    assert all(one.stat().st_mode & 0o777 == 0o600 for one in tmp_path.iterdir())


def test_a_card_that_was_lost_and_a_time_that_nobody_saw_are_holes_in_the_line(
    tmp_path: Path,
) -> None:
    made, _ = _run(tmp_path)
    away = Incident(kind="console-away", begun=6.0, ended=7.5)
    samples = [sample(0), sample(4, lost=True), sample(8)]

    plots = dict(plots_of(made, [result(1, 2.0)], samples, [LOST, away]))

    line = plots["vram"].series[0]
    assert list(line.points) == [(0, 5.0), (4, None), (6.0, None), (8, 5.0)]
    assert "3090" in line.name
    assert [one.x for one in plots["vram"].marks] == [3.0, 5.0, 6.0, 7.5]
    assert plots["results"].series[1].points[-1][1] == 0, "none is under way at the end"


def test_what_others_wrote_stays_text(tmp_path: Path) -> None:
    bad = failed(3, 4.0, "edit.node-failed", detail=HOSTILE, title="=cmd|' /C calc'!A0")
    _, written = _run(tmp_path, bad, prompt=HOSTILE)

    text = Path(written.report).read_text()
    assert "<script>" not in text
    assert "\x1b" not in text
    assert "\n# heading" not in text
    assert "![x]" not in text
    with (tmp_path / "requests.csv").open() as file:
        row = list(csv.DictReader(file))[2]
    assert row["title"].startswith("'="), "no formula for whoever opens it"


def test_without_the_library_the_plots_are_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)

    _, written = _run(tmp_path)

    text = Path(written.report).read_text()
    assert written.plots == ()
    assert [one.code for one in written.problems] == ["plots.missing"]
    assert "```text" in text
    assert "VRAM in use" in text


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Path]:
    """A disk on which nothing more can be written."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("needs root, to make a small disk")
    try:
        (disk / "ballast").write_bytes(bytes(65536))
        yield disk
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_costs_the_report_and_says_so(full: Path) -> None:
    made, written = _run(full)

    assert written.report == ""
    assert {one.code for one in written.problems} >= {"load.not-written"}
    said = next(one for one in written.problems if one.code == "load.not-written")
    assert "No space left" in said.title
    assert made.succeeded == 2
    assert [one.name for one in full.iterdir()] == ["ballast"], "nothing half-written stays"
