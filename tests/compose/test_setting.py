"""Flags and variables of a compose service changed where they stand; all else stays as it is."""

import textwrap
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from console.compose.editing import ComposeEdit
from console.compose.faults import ComposeError
from console.compose.outside import Outside, Setting
from console.compose.setting import SettingChange, edit_settings
from tests.compose.test_edit import STUDIO, changed_lines

MALLOC = SettingChange(remove=("--cuda-malloc",))
API = SettingChange(flags=(("--api", None),))
PREVIEW = SettingChange(flags=(("--preview-method", "auto"),))


def edited(body: str, change: SettingChange, outside: Outside | None = None) -> ComposeEdit:
    text = "services:\n  it:\n" + textwrap.indent(textwrap.dedent(body), "    ")
    text += "  other:\n    image: other\n"
    return edit_settings(text, "it", change, outside if outside is not None else Outside())


def service(text: str, name: str = "it") -> Any:
    return YAML(typ="safe").load(text)["services"][name]


@pytest.mark.parametrize(
    ("body", "lines"),
    [
        (
            'environment:\n  FORGE_ARGS: "--listen --cuda-malloc --api"  # why\n',
            ['-FORGE_ARGS: "--listen --cuda-malloc --api"  # why',
             '+FORGE_ARGS: "--listen --api"  # why'],
        ),
        (
            "environment:\n  - 'CLI_ARGS=--cuda-malloc --listen'\n",
            ["-- 'CLI_ARGS=--cuda-malloc --listen'", "+- 'CLI_ARGS=--listen'"],
        ),
        (
            "environment:\n  - CLI_ARGS=--cuda-malloc\n",
            ["-- CLI_ARGS=--cuda-malloc", "+- CLI_ARGS="],
        ),
        (
            "environment:\n  COMMANDLINE_ARGS: --cuda-malloc\n",
            ["-COMMANDLINE_ARGS: --cuda-malloc", '+COMMANDLINE_ARGS: ""'],
        ),
        (
            "command: python main.py --listen --cuda-malloc  # fast\n",
            ["-command: python main.py --listen --cuda-malloc  # fast",
             "+command: python main.py --listen  # fast"],
        ),
        (
            'command: ["python", "main.py", "--cuda-malloc", "--listen"]\n',
            ['-command: ["python", "main.py", "--cuda-malloc", "--listen"]',
             '+command: ["python", "main.py", "--listen"]'],
        ),
        (
            'command: [main.py, --listen, --cuda-malloc]\n',
            ["-command: [main.py, --listen, --cuda-malloc]", "+command: [main.py, --listen]"],
        ),
        ("command: [--cuda-malloc]\n", ["-command: [--cuda-malloc]", "+command: []"]),
        (
            "command:\n  - main.py\n  - --cuda-malloc   # gone in 1.7\n  - --listen\n",
            ["-- --cuda-malloc   # gone in 1.7"],
        ),
        ("command:\n  - --cuda-malloc\n", ["-- --cuda-malloc", "+[]"]),
        ("command: >\n  python main.py\n  --cuda-malloc\n  --listen\n", ["---cuda-malloc"]),
        (
            "command: |\n  python main.py \\\n    --cuda-malloc \\\n    --listen\n",
            ["---cuda-malloc \\"],
        ),
        (
            'command: ["sh", "-c", "python main.py --cuda-malloc && sleep 9"]\n',
            ['-command: ["sh", "-c", "python main.py --cuda-malloc && sleep 9"]',
             '+command: ["sh", "-c", "python main.py && sleep 9"]'],
        ),
        (
            "entrypoint: python --cuda-malloc main.py\n",
            ["-entrypoint: python --cuda-malloc main.py", "+entrypoint: python main.py"],
        ),
    ],
)  # fmt: skip
def test_a_flag_is_taken_out_wherever_it_stands(body: str, lines: list[str]) -> None:
    edit = edited(body, MALLOC)
    assert changed_lines(edit) == lines
    assert edited_again(edit, MALLOC).text == edit.text
    assert "--cuda-malloc is taken out" in edit.settings[0]


def edited_again(edit: ComposeEdit, change: SettingChange) -> ComposeEdit:
    return edit_settings(edit.text, "it", change, Outside())


@pytest.mark.parametrize(
    ("body", "left"),
    [
        ("command: main.py --reserve-vram 2 --listen\n", "main.py --listen"),
        ("command: main.py --reserve-vram=2 --listen\n", "main.py --listen"),
        ("command: main.py --listen --reserve-vram -1\n", "main.py --listen"),
        ("command: main.py --reserve-vram 1 --x --reserve-vram 2\n", "main.py --x"),
        ("command: main.py --reserve-vram-more 1\n", "main.py --reserve-vram-more 1"),
        ("command: [m.py, --reserve-vram, '2', --x]\n", ["m.py", "--x"]),
        ("command:\n  - m.py\n  - --reserve-vram\n  - '2'\n", ["m.py"]),
        ("command: [m.py, '--reserve-vram=2', --reserve-vram, '3']\n", ["m.py"]),
        ('command: ["sh", "-c", "m --reserve-vram 2; true"]\n', ["sh", "-c", "m; true"]),
    ],
)
def test_the_value_of_a_flag_goes_with_it(body: str, left: object) -> None:
    edit = edited(body, SettingChange(remove=("--reserve-vram",)))
    assert service(edit.text)["command"] == left


@pytest.mark.parametrize(
    ("body", "change", "key", "value"),
    [
        ("environment:\n  FORGE_ARGS: --listen\n", API, "FORGE_ARGS", "--listen --api"),
        ('environment:\n  FORGE_ARGS: ""\n', API, "FORGE_ARGS", "--api"),
        ("environment:\n  FORGE_ARGS: --api\n", API, "FORGE_ARGS", "--api"),
        ("command: main.py --listen\n", PREVIEW, "", "main.py --listen --preview-method auto"),
        ("command: main.py --preview-method none\n", PREVIEW, "", "main.py --preview-method auto"),
        ("command: main.py --preview-method=none -x\n", PREVIEW, "",
         "main.py --preview-method=auto -x"),
        ("command: [main.py]\n", PREVIEW, "", ["main.py", "--preview-method", "auto"]),
        ("command:\n  - main.py\n  - --x\n", PREVIEW, "",
         ["main.py", "--x", "--preview-method", "auto"]),
        ("command: [main.py, --preview-method, none]\n", PREVIEW, "",
         ["main.py", "--preview-method", "auto"]),
        ("command:\n  - main.py\n  - --preview-method\n  - --x\n", PREVIEW, "",
         ["main.py", "--preview-method=auto", "--x"]),
        ('command: ["sh", "-c", "main.py --x || true"]\n', PREVIEW, "",
         ["sh", "-c", "main.py --x --preview-method auto || true"]),
        ("command: >-\n  main.py\n  --listen\n", PREVIEW, "",
         "main.py --listen --preview-method auto"),
    ],
)  # fmt: skip
def test_a_flag_is_put_in_or_gets_its_value(
    body: str, change: SettingChange, key: str, value: object
) -> None:
    found = service(edited(body, change).text)
    assert (found["environment"][key] if key else found["command"]) == value


@pytest.mark.parametrize(
    "body",
    [
        "environment:\n  HF_HOME: /old  # here\n  A: b\n",
        "environment:\n  HF_HOME:\n  A: b\n",
        "environment: {HF_HOME: '/old', A: b}\n",
        "environment:\n  - HF_HOME=/old\n  - A=b\n",
        'environment:\n  - "HF_HOME"\n  - A=b\n',
        "environment:\n  A: b\n",
        "environment:\n  - A=b\n",
        "image: x\n",
        "environment:\n  HF_HOME: ${CACHE:-/old}\n  A: b\n",
    ],
)
@pytest.mark.parametrize("value", ["/new", "two words: # 'x'", 'say "hi"', "12", "no", "", "a$b"])
def test_a_variable_is_set_as_the_program_is_to_see_it(body: str, value: str) -> None:
    change = SettingChange(env=(("HF_HOME", value),))
    edit = edited(body, change)
    environment = service(edit.text)["environment"]
    if isinstance(environment, list):
        environment = dict(one.split("=", 1) for one in environment)
    assert environment.pop("HF_HOME") == value.replace("$", "$$")
    assert environment == ({} if body.startswith("image") else {"A": "b"})
    assert edited_again(edit, change).diff == ""


@pytest.mark.parametrize(
    ("body", "left"),
    [
        ("environment:\n  HF_HOME: /old  # here\n  A: b\n", {"A": "b"}),
        ("environment: {HF_HOME: /old, A: b}\n", {"A": "b"}),
        ("environment:\n  HF_HOME:\n  A: b\n", {"A": "b"}),
        ("environment:\n  - HF_HOME=/old\n  - A=b\n", ["A=b"]),
        ("environment:\n  - HF_HOME=/old\n", []),
        ("environment:\n  HF_HOME: /old\n", {}),
        ("environment:\n  A: b\n", {"A": "b"}),
    ],
)
def test_a_variable_is_taken_out(body: str, left: object) -> None:
    edit = edited(body, SettingChange(unset=("HF_HOME",)))
    assert service(edit.text)["environment"] == left


def test_what_others_are_told_too_is_overridden_and_stays() -> None:
    both = STUDIO.replace("    ports:", "    environment:\n      <<: *env\n    ports:")
    edit = edit_settings(both, "myia", SettingChange(env=(("WEB_ENABLE_AUTH", "true"),)))
    assert changed_lines(edit) == ['+WEB_ENABLE_AUTH: "true"']
    assert "s3cr3t-pass" not in edit.diff


def test_a_variable_beside_what_is_merged_in_is_taken_out() -> None:
    edit = edit_settings(STUDIO, "myia", SettingChange(unset=("WEB_PASSWORD",)), Outside())
    assert "WEB_PASSWORD" not in edit.text
    assert "s3cr3t-pass" not in edit.diff


def refused(body: str, change: SettingChange, outside: Outside | None = None) -> ComposeError:
    with pytest.raises(ComposeError) as error:
        edited(body, change, outside)
    return error.value


@pytest.mark.parametrize(
    ("body", "outside", "code", "says"),
    [
        ("command: main.py ${EXTRA}\n",
         Outside(variables={"EXTRA": Setting(value="--cuda-malloc", where=".env, line 3")}),
         "compose.elsewhere", ".env, line 3"),
        ("command: main.py ${EXTRA:---cuda-malloc}\n", None, "compose.elsewhere", "EXTRA"),
        ("env_file: x.env\n",
         Outside(environment={"CLI_ARGS": Setting(value="--cuda-malloc", where="x.env, line 1")}),
         "compose.elsewhere", "x.env, line 1"),
        ("command: main.py --cuda-malloc ${EXTRA}\n", None, "compose.elsewhere", "EXTRA"),
        ("command: main.py\n", Outside(overrides=("override.yaml",)), "compose.elsewhere",
         "override.yaml too"),
    ],
)  # fmt: skip
def test_what_comes_from_elsewhere_is_told_and_left(
    body: str, outside: Outside | None, code: str, says: str
) -> None:
    error = refused(body, MALLOC, outside)
    assert error.code == code
    assert says in error.title


def test_what_is_shared_or_has_no_command_line_is_left() -> None:
    shared = STUDIO.replace("image: ghcr", "command: x --cuda-malloc\n  image: ghcr")
    with pytest.raises(ComposeError, match="turbo") as error:
        edit_settings(shared, "myia", MALLOC, Outside())
    assert error.value.code == "compose.shared"
    assert refused("image: x\n", API).code == "compose.no-flags"
    assert refused("command: sleep 9 && true\n", API).code == "compose.unsafe"
    assert refused("environment:\n  CLI_ARGS: &a --cuda-malloc\n  KEEP: *a\n", MALLOC).code == (
        "compose.unsafe"
    )


WORD = st.from_regex(r"--[a-z]{1,4}(-[a-z]{1,3})?", fullmatch=True)
VALUE = st.one_of(st.none(), st.from_regex(r"[a-z0-9./]{1,5}", fullmatch=True).filter(
    lambda text: not text.endswith(".py")))  # fmt: skip
LINE = st.lists(st.tuples(WORD, VALUE), max_size=6)


def words_of(line: list[tuple[str, str | None]]) -> list[str]:
    return [word for pair in line for word in pair if word is not None]


@given(LINE, WORD, st.sampled_from(["text", "quoted", "folded", "flow", "block", "variable"]))
def test_no_other_word_is_lost_whatever_the_form(
    line: list[tuple[str, str | None]], flag: str, form: str
) -> None:
    words = ["main.py", *words_of(line)]
    bodies = {
        "text": f"command: {' '.join(words)}\n",
        "quoted": f'command: "{" ".join(words)}"\n',
        "folded": "command: >\n" + "".join(f"  {word}\n" for word in words),
        "flow": "command: [" + ", ".join(f"'{word}'" for word in words) + "]\n",
        "block": "command:\n" + "".join(f"  - '{word}'\n" for word in words),
        "variable": f"environment:\n  - CLI_ARGS={' '.join(words)}\n",
    }
    wanted = ["main.py", *words_of([pair for pair in line if pair[0] != flag])]
    text = edited(bodies[form], SettingChange(remove=(flag,))).text
    assert told(text) == wanted
    put = edited(bodies[form], SettingChange(flags=((flag, "7"),))).text
    after = told(put)
    if flag not in words:
        assert after == [*words, flag, "7"]
    else:
        assert all(
            word == f"{flag}=7" or after[at + 1] == "7"
            for at, word in enumerate(after)
            if word.partition("=")[0] == flag
        )


def told(text: str) -> list[str]:
    found = service(text)
    if "environment" in found:
        return str(found["environment"][0].partition("=")[2]).split()
    command = found["command"]
    return list(command) if isinstance(command, list) else command.split()


def test_windows_line_ends_stay(tmp_path: Path) -> None:
    file = tmp_path / "compose.yaml"
    file.write_bytes(
        b"services:\r\n  it:\r\n    command:\r\n      - m\r\n      - --cuda-malloc\r\n"
    )
    edit = edit_settings(file.read_bytes().decode(), "it", MALLOC, Outside())
    assert edit.text == "services:\r\n  it:\r\n    command:\r\n      - m\r\n"
