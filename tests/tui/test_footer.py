"""The rows above the keys: what is said is said whole, what runs says first what it is doing."""

from hypothesis import given
from hypothesis import strategies as st

from screens.tui.paint import plain_text, text_width
from screens.tui.panels.footer import MOST_LINES, MOST_LINES_LOW, TALL, edit, job, status_lines
from screens.tui.view import Job, Notice, View
from tests.support.snapshots import NOW
from tests.tui import lab_scenes as scenes


def said(text: str) -> View:
    return View(now=NOW, notice=Notice(text=text, role="error", symbol="✖", until=1.0))


def running(text: str) -> Job:
    return Job(
        plan_id="p",
        verb="switch",
        target="dual",
        text=text,
        started_monotonic=0.0,
        longest_seconds=1230.0,
        detached=True,
        steps=("1", "2", "3"),
        step=2,
    )


@given(st.text("ab ü漢", max_size=400), st.integers(8, 200), st.integers(1, 60))
def test_what_is_said_takes_few_rows_and_marks_what_it_leaves_out(
    text: str, width: int, height: int
) -> None:
    lines = status_lines(said(text), width, height)
    assert 1 <= len(lines) <= (MOST_LINES if height >= TALL else MOST_LINES_LOW)
    assert all(text_width(plain_text(line)) == width for line in lines)
    shown = "".join("".join(plain_text(line)[3:].split()) for line in lines)
    assert shown == "".join(text.split()) or "…" in shown


def test_what_runs_says_what_it_does_before_how_long_it_may_take() -> None:
    text = "myia-turbo is starting: application 12s"
    wide = plain_text(job(running(text), 0, 5.0, 160))
    assert "2/3  5s of at most 20m30s" in wide
    narrow = plain_text(job(running(text), 0, 5.0, 80))
    assert text in narrow
    assert "of at most" not in narrow
    assert "Esc cancels" in narrow


def test_others_that_run_are_counted_however_long_the_first_talks() -> None:
    line = plain_text(job(running("x" * 300), 2, 5.0, 80))
    assert "and 2 more  Esc cancels" in line
    assert "…" in line


def test_an_edit_that_runs_is_told_of_before_those_that_wait_behind_it() -> None:
    waits = scenes.job(scenes.now("queued", ahead=1), plan_id="q")
    line = plain_text(edit([scenes.job(), waits], 80))
    assert "sampling 12/20" in line
    assert "and 1 more" in line
    assert "queued, 1 before it" in plain_text(edit([waits], 80))
