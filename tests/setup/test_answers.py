"""The answers file: every key explained, every mistake named with its line."""

import os
import subprocess
import tomllib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actions.setup.answers import answers_of, read_answers, template
from actions.setup.course import _LOOKS
from actions.setup.words import words
from console.errors import UsageError


def wrong(tmp_path: Path, text: str) -> UsageError:
    path = tmp_path / "a.toml"
    path.write_text(text)
    with pytest.raises(UsageError) as told:
        read_answers(path)
    return told.value


def test_the_template_is_valid_as_it_is_and_with_every_line_taken(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text(template())
    assert read_answers(path).given == {}
    lines = template().splitlines()
    # As an editor takes comments away, or `sed s/^#//`: what explains a key stays one.
    path.write_text("\n".join(line.removeprefix("#") for line in lines))
    answers = read_answers(path)
    assert answers.given == {key: one.default for key, one in words().answers.items()}
    assert all(len(line) <= 100 for line in lines)


def test_every_step_of_the_table_is_walked_after_those_it_stands_on() -> None:
    assert list(_LOOKS) == list(words().steps)
    before: set[str] = set()
    for name, one in words().steps.items():
        assert before >= set(one.needs), name
        before.add(name)


@pytest.mark.parametrize(
    ("text", "title", "hint"),
    [
        ("\n[service]\nvarient = 'x'\n", "line 3: there is no answer service.var", "variant"),
        ("[servise]\nname = 'x'\n", "line 2: there is no answer servise.name", "service.name"),
        ("colour = 1\n", "line 1: there is no answer colour", "--print-answers"),
        ("[watch]\nxyzzyplugh = 1\n", "there is no answer watch.xyzzyplugh", "are watch.install"),
        ("'' = 1\n", "there is no answer without a name", "--print-answers"),
        ("[watch]\ninstall = 'yes'\n", "line 2: watch.install is neither true nor false", "true"),
        ("skip = ['fist-edit']\n", "names no step 'fist-edit'", "did you mean first-edit?"),
        ("skip = 'host'\n", "is no list of names", "keep-running"),
        ("[layout]\nname = 'duel'\n", "cannot be 'duel'", "did you mean dual?"),
        ("[edit]\nprompt = 3\n", "line 2: edit.prompt is no text", "quotes"),
        ("watch = true\n", "line 1: there is no answer watch", "watch.install"),
        ("[layout]\nforge_vram = 'much'\n", "line 2: layout.forge_vram is no size", "8 GiB"),
        ("[service]\nname = 'a b'\n", "line 2: service.name cannot be 'a b'", "letters"),
        ('[service]\nvariant = "a\\nb"\n', "has a line break", "one line"),
        (f"[edit]\nprompt = '{'x' * 5000}'\n", "edit.prompt is too long", "4096"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_line_and_the_nearest_name(
    tmp_path: Path, text: str, title: str, hint: str
) -> None:
    error = wrong(tmp_path, text)
    assert error.code == "answers.wrong"
    assert title in error.title
    assert hint in error.hint


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    error = wrong(tmp_path, "[edit]\npromt = 'x'\n[outside]\nurl = 'x'\n")
    assert "(and 1 more)" in error.title
    assert "a.toml:2 " in error.detail
    assert "a.toml:4 " in error.detail


def test_a_pipe_brings_answers_and_is_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["sh", "-c", f"echo 'skip = [\"host\"]' > {pipe}"]):
        assert read_answers(pipe).names("skip") == ("host",)


def test_a_file_that_is_none_says_so(tmp_path: Path) -> None:
    assert wrong(tmp_path, f"skip = {'9' * 5000}\n").code == "answers.syntax"
    assert wrong(tmp_path, f"skip = {'[' * 5000}\n").code == "answers.syntax"
    assert wrong(tmp_path, "[edit\n").code == "answers.syntax"
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        read_answers(tmp_path / "nowhere.toml")
    with pytest.raises(UsageError, match="cannot be read: Is a directory"):
        read_answers(tmp_path)


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(["skip", "edit", "watch", "x", ""]), _VALUES, max_size=3))
def test_whatever_a_table_holds_it_is_taken_or_refused_in_words(table: dict[str, object]) -> None:
    told = ""
    try:
        assert set(answers_of(table).given) <= set(words().answers)
    except UsageError as error:
        told = f"{error.code} {error.title}"
    assert told == "" or told.startswith("answers.wrong answers: ")
    assert "\n" not in told


def test_the_shipped_table_is_toml_with_a_word_for_every_answer() -> None:
    assert tomllib.loads(template()) == {
        key.partition(".")[0]: {} for key in words().answers if "." in key
    }
