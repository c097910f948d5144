"""Tables, layouts and questions as lines: nothing is wider than its room, nothing gets lost."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actions.plan import StepProgress
from actions.setup.report import Ask, Option, Table
from console.paths import find_places
from screens.tui.lab.typing import Typing
from screens.tui.paint import Line, line_width, plain_text, wrap
from screens.tui.setup.asks import ask_lines, next_ask, rows_of
from screens.tui.setup.fits_panel import layout_lines
from screens.tui.setup.going_panel import going_lines
from screens.tui.setup.places import by_folder, files_of, short
from screens.tui.setup.state import BUTTON, State
from screens.tui.setup.step_panel import step_lines
from screens.tui.setup.table_panel import table_lines
from screens.tui.setup.walk import Running, Walk
from tests.support.snapshots import NOW
from tests.tui.stand_ins import make_plan
from tests.tui_setup.record import recorded

WORDS = st.text("abcdef 0123", min_size=1, max_size=24).map(lambda text: " ".join(text.split()))
ASKS = (
    Ask(
        key="service.gpu",
        title="Which card?",
        value="b",
        options=(Option(value="a", title="A"), Option(value="b", title="B", recommended=True)),
    ),
    Ask(key="watch.install", title="Watch?", kind="flag", value=True),
    Ask(
        key="comfyui.port",
        title="At which port?",
        kind="text",
        value="8190",
        options=(Option(value="8188", title="the usual one"),),
    ),
)


@given(
    rows=st.lists(st.tuples(WORDS, WORDS, WORDS), min_size=1, max_size=6),
    width=st.integers(30, 120),
)
@settings(max_examples=150, deadline=None)
def test_a_table_fits_its_room_at_every_width(rows: list[tuple[str, str, str]], width: int) -> None:
    table = Table(head=("variant", "quality", "licence"), rows=tuple(rows))
    lines = table_lines(table, width)
    assert all(line_width(line) <= width for line in lines)
    text = " ".join(plain_text(line) for line in lines)
    first = {row[0].split()[0] for row in rows if row[0].split()}
    assert all(word[:5] in text for word in first)


def test_what_all_have_in_common_is_said_once_where_it_is_narrow() -> None:
    (table,) = [one.before.table for one in recorded()["fresh"] if one.before.id == "variant"]
    assert table is not None
    wide = [plain_text(line) for line in table_lines(table, 110)]
    narrow = [plain_text(line) for line in table_lines(table, 78)]
    assert "licence" in wide[0]
    assert "licence" not in narrow[0]
    assert "licence of all: apache-2.0" in narrow[-1]
    assert len(narrow) == len(wide) + 1


def test_layouts_are_drawn_with_who_shares_a_card_and_what_is_not_known() -> None:
    (layouts,) = [
        one.before.layouts for one in recorded()["half-done"] if one.before.id == "layout"
    ]
    text = "\n".join(plain_text(line) for line in layout_lines(layouts, 78))
    assert "exclusive  FITS" in text
    assert "not known" in text
    fit = next(one for one in layouts if one.layout == "exclusive")
    card = fit.cards[0]
    assert isinstance(card.available_bytes, int)
    over = msgspec.structs.replace(card, need_bytes=card.available_bytes * 2)
    drawn = layout_lines([msgspec.structs.replace(fit, verdict="refused", cards=(over,))], 78)
    roles = {span.role for line in drawn for span in line}
    assert {"bar-error", "error"} <= roles
    assert "REFUSED" in plain_text(drawn[0])


def test_tab_goes_from_question_to_question_and_round_to_the_button() -> None:
    rows = rows_of(ASKS)
    assert [row.kind for row in rows] == ["option", "option", "flag", "option", "text"]
    assert [row.chosen for row in rows] == [False, True, True, False, True]
    seen = [BUTTON]
    for _ in range(4):
        seen.append(next_ask(rows, seen[-1], 1))
    assert seen == [BUTTON, 1, 2, 4, BUTTON], "to what is answered already"
    assert next_ask(rows, BUTTON, -1) == 4
    assert next_ask(rows, 4, -1) == 2
    assert next_ask((), BUTTON, 1) == BUTTON


@pytest.mark.parametrize("width", [36, 78, 110])
def test_questions_say_what_is_chosen_advised_and_typed(width: int) -> None:
    lines, places = ask_lines(ASKS, 4, None, width)
    assert all(line_width(line) <= width for line in lines)
    text = [plain_text(line) for line in lines]
    assert sorted(places) == [0, 1, 2, 3, 4]
    assert "( ) A" in text[places[0]]
    assert "(•) B  recommended" in text[places[1]]
    assert "[x] Watch?" in text[places[2]]
    assert "▸ (•) 8190" in text[places[4]]
    long = "/a/very/long/path" * 8
    typing = Typing(field="comfyui.port", text=long, at=len(long))
    typed, places = ask_lines(ASKS, 4, typing, width)
    assert plain_text(typed[places[4]]).rstrip().endswith("path▏")
    assert all(line_width(line) <= width for line in typed)


@pytest.mark.parametrize("width", [36, 78, 110])
def test_folded_each_question_says_its_answer_but_the_one_under_the_cursor(width: int) -> None:
    lines, places = ask_lines(ASKS, BUTTON, None, width, folded=True)
    assert all(line_width(line) <= width for line in lines)
    text = [plain_text(line) for line in lines]
    assert [" ".join(line.split()) for line in text] == [
        "Which card? B recommended", "[x] Watch?", "At which port? 8190",
    ]  # fmt: skip
    assert places == {0: 0, 1: 0, 2: 1, 3: 2, 4: 2}
    assert [line[0].action for line in lines] == ["ask 0", "ask 2", "ask 3"]
    opened, places = ask_lines(ASKS, 1, None, width, folded=True)
    text = [plain_text(line) for line in opened]
    assert "▸ (•) B  recommended" in text[places[1]]
    assert "8190" in text[places[4]]


def test_folded_a_question_says_what_is_advised_where_it_is_answered_otherwise() -> None:
    otherwise = msgspec.structs.replace(ASKS[0], value="a")
    (line,), _ = ask_lines([otherwise], BUTTON, None, 78, folded=True)
    assert plain_text(line).strip() == "Which card?  A  recommended: B"


def _titled(line: Line) -> bool:
    return bool(line) and line[0].role == "title" and bool(line[0].text.strip())


def test_a_long_page_has_what_is_decided_and_compared_first() -> None:
    walk = Walk(lambda *_: pytest.fail("opened"), find_places({}), lambda: 0.0, lambda: None)
    (before,) = [one.before for one in recorded()["fresh"] if one.before.id == "variant"]
    walk.at, walk.reports, walk.doing = "variant", {"variant": before}, None

    def titles(height: int) -> list[str]:
        lines = step_lines(walk, State(), 0.0, 100, height, None).lines
        return [line[0].text for line in lines if _titled(line)]

    assert titles(200) == ["Found", "Side by side", "Proposed, and why", "Yours to decide"]
    assert titles(20) == [
        "Yours to decide: Tab opens it", "Side by side", "Found", "Proposed, and why",
    ]  # fmt: skip


def test_paths_are_told_from_home_on_and_once_a_folder() -> None:
    home = Path("/home/jesse")
    assert short("in /home/jesse/a, not /home/jesse2/a or /x/home/jesse/a", home) == (
        "in ~/a, not /home/jesse2/a or /x/home/jesse/a"
    )
    assert short("/home/jesse", home) == "~"
    assert short("/root/a", Path("/")) == "/root/a"
    paths = ("~/q/data", "~/q/data/input", "~/q/data/output", "~/q/c.yaml", "~/.config/g.toml")
    assert by_folder(paths) == ["~/q: data, c.yaml", "~/q/data: input, output", "~/.config/g.toml"]
    long = "~/gpuconsole/comfyui-qwen/docker-compose-comfyui.yaml"
    assert wrap(f"in {long}", 30, "/") == [
        "in", "~/gpuconsole/comfyui-qwen/", "docker-compose-comfyui.yaml",
    ]  # fmt: skip
    assert "".join(wrap(long * 3, 20, "/")) == long * 3


def test_a_diff_names_what_it_makes_and_what_it_changes() -> None:
    diff = (
        "--- /c.toml\n+++ /c.toml\n@@ -1,2 +1,3 @@\n x\n+y\n"
        "--- /new (now)\n+++ /new (then)\n@@ -0,0 +1 @@\n+@@ -1 +1 @@\n"
    )
    assert files_of(diff) == (["/new"], ["/c.toml"])
    assert files_of("") == ([], [])


def test_a_build_tells_how_far_it_is_by_its_steps() -> None:
    plan = make_plan("build", "image")
    told = StepProgress(
        at=NOW, plan_id=plan.id, step_id="1", text="step 6/12 RUN pip install", longest_seconds=9e3
    )
    running = Running(plan=plan, title="Build image", number=1, progress=told, began=0.0)
    lines = [plain_text(line) for line in going_lines(running, 61.0, 60)]
    assert "1m01s" in lines[0]
    assert lines[1].count("█") in range(16, 20)
    assert "of at most" not in " ".join(lines)
    assert "pip install" in lines[-1]
