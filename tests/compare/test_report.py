"""The report of a comparison: what is in it, what others' words cannot do to it, full disks."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from actions.compare.apart import with_psnr
from actions.compare.report import plots_of, write_report
from actions.compare.sheet import lines_of
from console.edits.result import media_of
from console.pictures.look import look
from console.unknown import Unknown, known, plain
from tests.compare.compared import PROMPT, compared


def test_a_report_has_the_sentence_the_table_plots_pictures_and_every_reason(
    tmp_path: Path,
) -> None:
    made = compared(tmp_path / "in")
    folder = tmp_path / "out"
    folder.mkdir()
    written = write_report(made, folder)
    assert written.problems == ()
    assert written.report == str(folder / "report.md")
    text = (folder / "report.md").read_text()
    assert made.advice.sentence.rstrip(".").replace("_", "\\_") in text
    assert "| variant | fit | first | warm | s/step | VRAM peak | PSNR | state |" in text
    assert "| edit-fp8 | resident | 1m21s | 40s | 1.90 | 21.0 GiB | reference | done |" in text
    assert "edit-q8, failed: out of memory on the card. take q4\\_0" in text
    assert "edit-bf16, refused: it does not fit" in text
    assert f"      {PROMPT}" in text
    assert "gallery list --group 20261127T090000-abc123" in text
    linked = [line.split("(")[1].rstrip(")") for line in text.splitlines() if line[:2] == "!["]
    assert len(linked) == 5
    assert sorted(linked) == sorted(path.name for path in folder.iterdir() if path.suffix == ".png")
    for path in folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_the_sheet_shows_what_was_sent_what_was_made_and_what_failed(tmp_path: Path) -> None:
    made = compared(tmp_path)
    written = write_report(made, tmp_path)
    data = Path(written.sheet).read_bytes()
    assert media_of(data) == "image/png"
    facts = look(Path(written.sheet))
    assert facts.width > 4 * 300  # what was sent and three that were tried, side by side
    assert facts.height < 2 * 400
    assert lines_of(made.rows[0]) == (
        "edit-fp8", "seed 7, 20 steps", "1m21s first, 40s warm", "21.0 GiB, reference",
    )  # fmt: skip
    assert lines_of(made.rows[1])[-1] == "out of memory on the card"


@pytest.mark.parametrize(
    "prompt",
    [
        "# no heading\n\n| no | table |",
        "```\nno fence",
        "<img src=x>",
        "![x](http://x)",
        "a" * 99_999,
    ],
)
def test_a_prompt_is_text_in_a_report_whatever_it_holds(prompt: str, tmp_path: Path) -> None:
    made = compared(tmp_path, prompt)
    made = msgspec.structs.replace(made, rows=made.rows[1:2])  # nothing to plot
    text = Path(write_report(made, tmp_path).report).read_text()
    begun = text.index("- prompt:") + len("- prompt:\n\n")
    block = text[begun : text.index("\n## Figures")]
    assert all(line.startswith("      ") or not line for line in block.splitlines())
    assert len(text) < 12_000


def test_psnr_is_against_the_reference_and_a_picture_that_is_gone_costs_its_own_only(
    tmp_path: Path,
) -> None:
    made = compared(tmp_path)
    fp8, _, q4, _ = made.rows
    assert fp8.reference
    assert not q4.reference
    assert isinstance(q4.psnr_db, float)
    assert 5 < q4.psnr_db < 40
    (tmp_path / "q4.png").unlink()
    again = with_psnr(made.rows, "edit-fp8")
    assert isinstance(again[2].psnr_db, Unknown)
    assert again[2].psnr_db.code == "picture.missing"
    (tmp_path / "q4.png").write_bytes((tmp_path / "fp8.png").read_bytes())
    same = with_psnr(made.rows, "edit-fp8")[2]
    assert same.identical
    assert plain(same)["psnr_db"] is None  # there is no infinity in JSON


def test_plots_leave_out_what_nobody_measured(tmp_path: Path) -> None:
    made = compared(tmp_path)
    assert [plot.title for plot in plots_of(made.rows)] == [
        "Seconds to a result", "Seconds per step", "VRAM peak of the card",
        "PSNR against the reference",
    ]  # fmt: skip
    assert plots_of(made.rows[1:2]) == ()


def test_without_matplotlib_the_report_has_charts_in_text(tmp_path: Path) -> None:
    script = (
        "import sys; sys.modules['matplotlib'] = None\n"
        "from pathlib import Path\n"
        "from tests.compare.compared import compared\n"
        "from actions.compare.report import write_report\n"
        "to = Path(sys.argv[1]); made = write_report(compared(to), to)\n"
        "print([one.code for one in made.problems], made.plots, made.sheet != '')\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == "['plots.missing'] () True"
    text = (tmp_path / "report.md").read_text()
    assert text.count("```text") == 4
    assert "█" in text


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system that takes nearly nothing."""
    if os.geteuid() != 0:
        pytest.skip("needs to mount")
    where = tmp_path / "tiny"
    where.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8k,mode=0700", "tmpfs", str(where)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("may not mount")
    yield where
    subprocess.run(["umount", str(where)], check=True)


def test_a_full_disk_costs_the_report_and_leaves_nothing_half_done(
    tmp_path: Path, tiny_disk: Path
) -> None:
    (tiny_disk / "filler").write_bytes(b"x" * 8192)
    made = compared(tmp_path / "in")
    written = write_report(made, tiny_disk)
    assert (written.report, written.sheet, written.plots) == ("", "", ())
    assert any("No space left" in one.title for one in written.problems)
    assert [path.name for path in tiny_disk.iterdir()] == ["filler"]
    assert known(made.rows[0].first_seconds)
