"""What is pasted, typed and counted in the lab, without a screen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.edits.request import EditRequest
from actions.workflows.rules import variant_rules
from actions.workflows.shelf import packaged_workflows
from screens.tui.lab import editing
from screens.tui.lab.checking import options_of
from screens.tui.lab.draft import Draft, changes, draft_of, request_of
from screens.tui.lab.fields import field_names, named_path
from screens.tui.lab.form_panel import editor_lines, typed_line
from screens.tui.lab.pasting import paths_in
from screens.tui.lab.seeds import LARGEST, SEED_MODES, after_submission, next_mode
from screens.tui.lab.sizes import read_size, size_remark, size_words
from screens.tui.lab.typing import LONGEST_PROMPT, Typing
from screens.tui.lab.words import phase_words, step_words
from screens.tui.paint import line_width, plain_text
from tests.tui import lab_scenes as scenes

HOME = {"HOME": "/home/jesse"}
RULE = variant_rules().size
WORKFLOWS = {one.name: one for one in packaged_workflows()}


@pytest.mark.parametrize(
    ("pasted", "paths"),
    [
        ("/home/jesse/mug.png", ["/home/jesse/mug.png"]),
        ("/home/jesse/mug.png \n", ["/home/jesse/mug.png"]),
        ("'/home/jesse/my mug.png'", ["/home/jesse/my mug.png"]),
        ("'/home/jesse/it'\\''s.png'", ["/home/jesse/it's.png"]),
        ('"/home/jesse/my mug.png"', ["/home/jesse/my mug.png"]),
        ("/home/jesse/my\\ mug\\ \\(1\\).png", ["/home/jesse/my mug (1).png"]),
        ("file:///home/jesse/my%20mug.png", ["/home/jesse/my mug.png"]),
        ("file://studio/home/jesse/mug.png\r\n", ["/home/jesse/mug.png"]),
        ("~/in/mug.png", ["/home/jesse/in/mug.png"]),
        ("mug.PNG", ["/data/mug.PNG"]),
        ("/a/one.png /b/two.jpg", ["/a/one.png", "/b/two.jpg"]),
        ("'/a/one one.png' '/b/two.jpg'", ["/a/one one.png", "/b/two.jpg"]),
        ("file:///a/1.png\nfile:///a/2.png", ["/a/1.png", "/a/2.png"]),
        ("C:\\Users\\Jesse\\Pictures\\my mug.png", ["/mnt/c/Users/Jesse/Pictures/my mug.png"]),
        ('"D:/in/mug.png"', ["/mnt/d/in/mug.png"]),
        ("file:///C:/Users/Jesse/mug.png", ["/mnt/c/Users/Jesse/mug.png"]),
        ("\\\\wsl.localhost\\Ubuntu\\home\\jesse\\mug.png", ["/home/jesse/mug.png"]),
        ("\\\\wsl$\\Ubuntu\\home\\jesse\\mug.png", ["/home/jesse/mug.png"]),
        ("put the mug on a table", []),
        ("a wooden table, morning light", []),
        ("", []),
        ("   \n ", []),
        ("http://example.org/mug.png", []),
        ("/" + "a" * 5000, []),
    ],
)
def test_a_dropped_file_is_found_however_the_terminal_writes_it(
    pasted: str, paths: list[str]
) -> None:
    assert list(paths_in(pasted, HOME, "/data")) == paths


@given(st.text())
def test_whatever_is_pasted_gives_absolute_paths_or_none(text: str) -> None:
    assert all(path.startswith("/") and "\0" not in path for path in paths_in(text, HOME, "/d"))


def test_a_size_follows_the_rule_of_multiples() -> None:
    assert read_size("1024x768", RULE) == (1024, 768)
    assert read_size(" 1024 X 768 ", RULE) == (1024, 768)
    assert read_size("", RULE) is None
    for text, why in (("1000x1000", "992"), ("100x1024", "256"), ("wide", "1024x768")):
        with pytest.raises(ValueError, match=why):
            read_size(text, RULE)
    assert "VRAM" in size_remark((2048, 2048), RULE)
    assert "fine" in size_remark((512, 512), RULE)
    assert not size_remark((1024, 1024), RULE)


@given(st.integers(16, 256), st.integers(16, 256))
def test_a_size_that_may_be_is_read_as_it_is_written(across: int, down: int) -> None:
    size = (across * RULE.step, down * RULE.step)
    assert read_size(size_words(size), RULE) == size


def test_a_seed_goes_on_stays_or_is_drawn_anew() -> None:
    assert after_submission("next", 7) == 8
    assert after_submission("lock", 7) == 7
    assert after_submission("random", 7) is None
    assert after_submission("next", LARGEST) == 0
    assert [next_mode(mode) for mode in SEED_MODES] == [*SEED_MODES[1:], SEED_MODES[0]]


KEYS = ("left", "right", "home", "end", "ctrl+left", "ctrl+right", "backspace", "delete",
        "ctrl+w", "ctrl+u", "ctrl+k")  # fmt: skip


@given(st.lists(st.one_of(st.sampled_from(KEYS), st.text(min_size=1, max_size=5)), max_size=40))
def test_a_line_editor_never_loses_its_cursor(presses: list[str]) -> None:
    typing = Typing(field="prompt", text="put the mug", at=3)
    for press in presses:
        if press in KEYS:
            assert typing.press(press)
        else:
            typing.insert(press)
        assert 0 <= typing.at <= len(typing.text)
        for width in (10, 40):
            assert line_width(typed_line(typing, width)) <= width
            assert len(editor_lines(typing, "prompt", width, 5)) <= 6


def test_words_are_cut_as_in_a_shell() -> None:
    typing = Typing(field="prompt", text="put the mug away", at=11)
    typing.press("ctrl+w")
    assert typing.text == "put the  away"
    typing.press("ctrl+k")
    typing.press("ctrl+left")
    assert (typing.text, typing.at) == ("put the ", 4)
    typing.press("ctrl+u")
    assert typing.text == "the "


def test_a_prompt_of_100_kb_is_typed_in_quickly_and_cut_at_its_limit() -> None:
    import time

    typing = Typing(field="prompt", text="word " * 20_000, at=50_000)
    began = time.perf_counter()
    lines = editor_lines(typing, "prompt", 78, 5)
    typed_line(typing, 30)
    assert time.perf_counter() - began < 0.1
    assert any("▏" in plain_text(line) for line in lines), "the cursor is in sight"
    assert not typing.insert("x" * LONGEST_PROMPT)
    assert len(typing.text) == LONGEST_PROMPT


def test_earlier_prompts_come_and_the_own_words_are_there_at_the_end() -> None:
    typing = Typing(field="prompt", text="mine", at=4, history=("newest", "oldest"))
    seen = []
    for step in (1, 1, 1, -1, -1, -1):
        typing.recall(step)
        seen.append(typing.text)
    assert seen == ["newest", "oldest", "oldest", "newest", "mine", "mine"]


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        ("seed", "81421", 81421),
        ("steps", "8", 8),
        ("cfg", "2,5", 2.5),
        ("size", "768x768", (768, 768)),
        ("steps", "", None),
        ("prompt", "  as typed  ", "  as typed  "),
    ],
)
def test_what_is_typed_is_taken(field: str, text: str, value: object) -> None:
    draft = Draft(steps=4)
    editing.take(draft, field, text)
    assert getattr(draft, field) == value


@pytest.mark.parametrize(
    ("field", "text", "why"),
    [
        ("seed", "-1", "0 to"),
        ("seed", "1.5", "whole"),
        ("steps", "0", "1 to"),
        ("cfg", "nan", "0 to 100"),
        ("cfg", "inf", "0 to 100"),
        ("denoise", "2", "0 to 1"),
        ("seed", str(2**64), "0 to"),
    ],
)
def test_a_number_that_cannot_be_is_not_taken(field: str, text: str, why: str) -> None:
    draft = Draft(seed=1, steps=4, cfg=1.0)
    with pytest.raises(ValueError, match=why):
        editing.take(draft, field, text)
    assert (draft.seed, draft.steps, draft.cfg) == (1, 4, 1.0)


def test_each_workflow_has_the_rows_that_it_takes_and_no_others() -> None:
    assert "size" in field_names(WORKFLOWS["edit-single"])
    assert "denoise" not in field_names(WORKFLOWS["edit-single"]), "edits are run at 1"
    assert "denoise" in field_names(WORKFLOWS["forge-image-to-image"])
    assert "variant" not in field_names(WORKFLOWS["forge-text-to-image"])
    merge = field_names(WORKFLOWS["merge-3"])
    assert [name for name in merge if name.startswith("image")] == ["image 0", "image 1", "image 2"]
    assert all(field_names(one)[-1] == "submit" for one in WORKFLOWS.values())


def test_a_request_holds_only_what_its_workflow_takes() -> None:
    draft = Draft(images=("/a.png", "/b.png"), prompt="blue", variant="v", denoise=0.5, seed=3)
    edit = request_of(draft, WORKFLOWS["edit-single"])
    assert (edit.images, edit.variant, edit.denoise) == (("/a.png",), "v", None)
    words = request_of(draft, WORKFLOWS["forge-text-to-image"])
    assert (words.images, words.variant, words.lightning) == ((), "", None)
    redrawn = request_of(draft, WORKFLOWS["forge-image-to-image"])
    assert redrawn.denoise == 0.5


def test_a_picture_that_is_missing_in_the_middle_is_not_passed_over() -> None:
    draft = Draft(images=("/a.png", "", "/c.png"))
    assert request_of(draft, WORKFLOWS["merge-3"]).images == ("/a.png", "", "/c.png")
    draft.put_image(2, "")
    assert draft.images == ("/a.png",)


def test_what_is_left_to_the_workflow_is_no_option() -> None:
    request = EditRequest(workflow="edit-single", images=("/a.png",), prompt="blue", seed=0)
    assert options_of(request) == {"images": ("/a.png",), "prompt": "blue", "seed": 0}


def test_the_form_says_what_differs_from_the_edit_it_began_with() -> None:
    request = EditRequest(workflow="edit-single", prompt="blue", seed=7, steps=20)
    begun, draft = draft_of(request, "e1"), draft_of(request, "e1")
    assert changes(draft, begun) == ()
    assert draft.seed_mode == "lock"
    draft.steps, draft.prompt = 8, "red"
    assert changes(draft, begun) == ("prompt", "steps")


def test_a_path_is_told_by_its_name_first_and_shown_harmless() -> None:
    assert named_path("/home/jesse/in/mug.png", "/home/jesse") == "mug.png  ~/in"
    assert named_path("/home/jessen/mug.png", "/home/jesse") == "mug.png  /home/jessen"
    assert "\x1b" not in named_path("/tmp/a\x1b[31mb\n.png", "")


def test_the_place_in_the_queue_and_the_step_are_said() -> None:
    assert phase_words(scenes.now("queued", ahead=2)) == "queued, 2 before it"
    assert phase_words(scenes.now("queued", ahead=0)) == "queued, it is next"
    assert phase_words(scenes.now("queued", ahead=None)) == "queued"
    assert phase_words(scenes.now()) == "sampling 12/20"
    assert phase_words(scenes.now("loading", step=0, steps=0)) == "loading the model"
    assert (step_words(15.14), step_words(0.042), step_words(None)) == (
        "15.1 s/step", "42 ms/step", "",
    )  # fmt: skip
