"""Another card for a service by the few characters that say so; all else stays as it is."""

import textwrap
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from console.compose.edit import CardChange, ComposeEdit, edit_card
from console.compose.faults import ComposeError
from console.compose.outside import Outside, Setting, outside_of
from console.compose.project import Project, read_service

UUID = "GPU-11111111-2222-3333-4444-555555555555"
STUDIO = """\
# The studio. Keep this comment.
version: "3.8"

x-forge: &forge          # shared by both Forges
  image: ghcr.io/ai-dock/stable-diffusion-webui-forge:latest
  restart: unless-stopped

x-env: &env
  WEB_ENABLE_AUTH: "false"

services:
  myia:
    <<: *forge
    environment:
      <<: *env
      # the arguments of Forge
      FORGE_ARGS: "--listen --gpu-device-id 0 --api"   # 0 is the small one
      WEB_PASSWORD: 's3cr3t-pass'


  turbo:
    <<: *forge
    environment:
    - 'CLI_ARGS=--listen --cuda-device=0'
    - LANG=C.UTF-8

    # a comment between

  comfyui:
    image: comfyui:latest
    command: ["python", "main.py", "--listen", "--cuda-device", "1"]
    ports: ["127.0.0.1:8188:8188"]
"""


def change(index: int = 1) -> CardChange:
    return CardChange(index=index, gpu_uuid=UUID)


def native() -> CardChange:
    return CardChange(index=1, gpu_uuid=UUID, by_device=True)


def refused(
    text: str, service: str, how: CardChange, outside: Outside | None = None
) -> ComposeError:
    with pytest.raises(ComposeError) as error:
        edit_card(text, service, how, outside)
    return error.value


def edited(body: str, how: CardChange | None = None, outside: Outside | None = None) -> ComposeEdit:
    """Edit a service `it` of which the test gives the body."""
    text = "services:\n  it:\n" + textwrap.indent(textwrap.dedent(body), "    ")
    text += "  other:\n    image: other\n"
    return edit_card(text, "it", how or change(), outside if outside is not None else Outside())


def changed_lines(edit: ComposeEdit) -> list[str]:
    """Give the lines that an edit takes away and adds, without their indentation."""
    lines = edit.diff.splitlines()[2:]
    return [line[0] + line[1:].strip() for line in lines if line[:1] in "+-"]


def test_a_flag_in_a_variable_and_the_order_of_cards() -> None:
    edit = edit_card(STUDIO, "myia", change(), Outside(), "docker-compose.yaml")
    assert changed_lines(edit) == [
        '-FORGE_ARGS: "--listen --gpu-device-id 0 --api"   # 0 is the small one',
        '+FORGE_ARGS: "--listen --gpu-device-id 1 --api"   # 0 is the small one',
        "+CUDA_DEVICE_ORDER: PCI_BUS_ID",
    ]
    assert edit.settings == (
        "FORGE_ARGS: --gpu-device-id 0 becomes 1",
        "CUDA_DEVICE_ORDER is set to PCI_BUS_ID",
    )
    assert edit.diff.startswith("--- docker-compose.yaml (now)\n+++ docker-compose.yaml (then)\n")
    assert "s3cr3t-pass" not in edit.diff
    assert "s3cr3t-pass" in edit.text
    assert edit.before == STUDIO


@pytest.mark.parametrize("service", ["myia", "turbo", "comfyui"])
def test_all_else_stays_to_the_letter(service: str) -> None:
    edit = edit_card(STUDIO, service, change(1 if service != "comfyui" else 0), Outside())
    taken = [line for line in changed_lines(edit) if line[0] == "-"]
    assert len(taken) == 1
    here, lines = iter(edit.text.splitlines()), STUDIO.splitlines()
    assert sum(line in here for line in lines if line.strip() != taken[0][1:]) == len(lines) - 1


ORDERED = "environment: {CUDA_DEVICE_ORDER: PCI_BUS_ID}\n"
BOTH = """\
environment:
  COMMANDLINE_ARGS: --device-id 1
  CUDA_VISIBLE_DEVICES: 0,1
  CUDA_DEVICE_ORDER: PCI_BUS_ID
"""


@pytest.mark.parametrize(
    ("body", "lines"),
    [
        ("command: python main.py --cuda-device 0\nenvironment: {A: b}\n",
         ["-command: python main.py --cuda-device 0", "-environment: {A: b}",
          "+command: python main.py --cuda-device 1",
          "+environment: {CUDA_DEVICE_ORDER: PCI_BUS_ID, A: b}"]),
        ("environment:\n  CUDA_DEVICE_ORDER: PCI_BUS_ID\n  CUDA_VISIBLE_DEVICES: '0'\n",
         ["-CUDA_VISIBLE_DEVICES: '0'", "+CUDA_VISIBLE_DEVICES: '1'"]),
        ("environment:\n- CUDA_VISIBLE_DEVICES=GPU-abc\n- CUDA_DEVICE_ORDER=FASTEST_FIRST\n",
         ["-- CUDA_VISIBLE_DEVICES=GPU-abc", "-- CUDA_DEVICE_ORDER=FASTEST_FIRST",
          "+- CUDA_VISIBLE_DEVICES=1", "+- CUDA_DEVICE_ORDER=PCI_BUS_ID"]),
        ("image: x\n",
         ["+environment:", '+CUDA_VISIBLE_DEVICES: "1"', "+CUDA_DEVICE_ORDER: PCI_BUS_ID"]),
        ("environment: [CUDA_DEVICE_ORDER=PCI_BUS_ID]\ncommand:\n  - --cuda-device\n  - 0\n",
         ["-- 0", "+- 1"]),
        ("environment: [CUDA_DEVICE_ORDER=PCI_BUS_ID]\ncommand:\n  - --cuda-device=0\n",
         ["-- --cuda-device=0", "+- --cuda-device=1"]),
        ("environment: [CUDA_DEVICE_ORDER=PCI_BUS_ID]\ncommand: >-\n  x\n  --cuda-device\n  0\n",
         ["-0", "+1"]),
        (ORDERED + 'command: ["sh", "-c", "exec python main.py --cuda-device \\"0\\" --listen"]\n',
         ['-command: ["sh", "-c", "exec python main.py --cuda-device \\"0\\" --listen"]',
          '+command: ["sh", "-c", "exec python main.py --cuda-device \\"1\\" --listen"]']),
        (ORDERED
         + 'command: ["sh", "-c", "CUDA_DEVICE_ORDER=FASTEST_FIRST CUDA_VISIBLE_DEVICES=0 x"]\n',
         ['-command: ["sh", "-c", "CUDA_DEVICE_ORDER=FASTEST_FIRST CUDA_VISIBLE_DEVICES=0 x"]',
          '+command: ["sh", "-c", "CUDA_DEVICE_ORDER=PCI_BUS_ID CUDA_VISIBLE_DEVICES=1 x"]']),
        (ORDERED + "entrypoint: python main.py --default-device 0\n",
         ["-entrypoint: python main.py --default-device 0",
          "+entrypoint: python main.py --default-device 1"]),
        (BOTH,
         ["-COMMANDLINE_ARGS: --device-id 1", "-CUDA_VISIBLE_DEVICES: 0,1",
          "+COMMANDLINE_ARGS: --device-id 0", "+CUDA_VISIBLE_DEVICES: 1"]),
        ("environment:\n  TEXT: |\n    a\n\n    b\n\n\nimage: x\ncommand: --cuda-device 0\n",
         ["+CUDA_DEVICE_ORDER: PCI_BUS_ID", "-command: --cuda-device 0",
          "+command: --cuda-device 1"]),
    ],
)  # fmt: skip
def test_each_way_of_writing_it(body: str, lines: list[str]) -> None:
    edit = edited(body)
    assert changed_lines(edit) == lines
    again = edit_card(edit.text, "it", change(), Outside())
    assert (again.diff, again.settings, again.text) == ("", (), edit.text)


def test_what_only_looks_like_a_flag_is_left() -> None:
    edit = edited("command: x --my-cuda-device 0 --cuda-devices 0 --cuda-device-x 0\n")
    assert "--my-cuda-device 0 --cuda-devices 0 --cuda-device-x 0" in edit.text
    assert 'CUDA_VISIBLE_DEVICES: "1"' in edit.text


DEVICES = """\
image: x
{command}deploy:
  resources:
    reservations:
      devices:
        - driver: nvidia
          {ids}   # which
          capabilities: [gpu]
"""


@pytest.mark.parametrize(
    ("ids", "then"),
    [
        ('device_ids: ["0"]', f'device_ids: ["{UUID}"]'),
        ("device_ids: ['0', '1']", f"device_ids: ['{UUID}']"),
        ("device_ids: [GPU-abc]", f'device_ids: ["{UUID}"]'),
        ("count: all", f'device_ids: ["{UUID}"]'),
        ("count: 1", f'device_ids: ["{UUID}"]'),
    ],
)
def test_on_native_linux_the_engine_gives_the_card(ids: str, then: str) -> None:
    body = DEVICES.format(ids=ids, command="command: python main.py --cuda-device 1\n")
    edit = edited(body, native())
    assert changed_lines(edit) == [
        "-command: python main.py --cuda-device 1",
        "+command: python main.py --cuda-device 0",
        f"-{ids}   # which",
        f"+{then}   # which",
    ]
    services = YAML(typ="safe").load(edit.text)["services"]
    request = services["it"]["deploy"]["resources"]["reservations"]["devices"][0]
    assert request == {"driver": "nvidia", "device_ids": [UUID], "capabilities": ["gpu"]}


def test_other_ways_to_ask_the_engine_for_cards() -> None:
    assert changed_lines(edited("gpus: all\n", native())) == [
        "-gpus: all",
        f'+gpus: [{{driver: nvidia, device_ids: ["{UUID}"]}}]',
    ]
    assert changed_lines(edited("gpus:\n  - driver: nvidia\n", native())) == [
        f'+device_ids: ["{UUID}"]'
    ]
    edit = edited("runtime: nvidia\nenvironment: [NVIDIA_VISIBLE_DEVICES=0]\n", native())
    assert f"NVIDIA_VISIBLE_DEVICES={UUID}]" in edit.text


def test_a_list_of_devices_below_each_other() -> None:
    body = DEVICES.format(ids="count: 1", command="").replace(
        "count: 1   # which", 'device_ids:\n            - "0"\n            - "1"'
    )
    edit = edited(body, native())
    assert changed_lines(edit) == ['-- "0"', '-- "1"', f'+- "{UUID}"']


def test_without_any_request_there_is_no_card_to_change() -> None:
    error = refused("services: {it: {image: x}}", "it", native())
    assert error.code == "compose.no-card"
    twice = "devices: [{driver: nvidia, count: 1}, {driver: nvidia, count: 1}]"
    text = f"services: {{it: {{deploy: {{resources: {{reservations: {{{twice}}}}}}}}}}}"
    assert "more than once" in refused(text, "it", native()).title


SHARED = """\
x-env: &env
  CUDA_VISIBLE_DEVICES: "0"
services:
  a: {image: x, environment: *env}
  b: {image: x, environment: *env}
  c:
    image: x
    environment: &own
      CUDA_VISIBLE_DEVICES: "0"
  d: &d
    image: x
    command: --cuda-device 0
    environment: {A: b}
  e:
    <<: *d
    command: --cuda-device 1
    environment: {}
  f: &f
    command: --cuda-device 0
  g:
    <<: *f
"""


def test_what_others_use_too_is_not_touched() -> None:
    error = refused(SHARED, "a", change())
    assert error.code == "compose.shared"
    assert error.title == "CUDA_VISIBLE_DEVICES of a (line 2) stands in a part that b use too"
    assert "its own" in error.hint
    assert refused(SHARED, "f", change()).code == "compose.shared"
    assert refused(SHARED, "g", change()).code == "compose.shared"


def test_an_anchor_that_nobody_else_uses_is_no_hindrance() -> None:
    edit = edit_card(SHARED, "c", change(), Outside())
    assert '-CUDA_VISIBLE_DEVICES: "0"' in changed_lines(edit)
    assert "environment: &own" in edit.text


def test_what_others_replace_by_their_own_is_no_hindrance() -> None:
    edit = edit_card(SHARED, "d", change(), Outside())
    services = YAML(typ="safe").load(edit.text)["services"]
    assert services["d"]["command"] == "--cuda-device 1"
    assert services["e"] == {"image": "x", "command": "--cuda-device 1", "environment": {}}


FROM_ELSEWHERE = [
    "command: main.py --cuda-device ${CARD}\n",
    "command: main.py --cuda-device ${CARD:-0}\n",
    "command: [main.py, --cuda-device, $CARD]\n",
    "environment: {CLI_ARGS: '--cuda-device=${CARD}'}\n",
    "environment: {CUDA_VISIBLE_DEVICES: '${CARD}'}\n",
    "environment: [CUDA_VISIBLE_DEVICES=$CARD]\n",
]


@pytest.mark.parametrize("body", FROM_ELSEWHERE)
def test_a_value_from_a_variable_is_refused_and_said_where_it_is(body: str) -> None:
    known = Outside(variables={"CARD": Setting(value="0", where="/srv/sd/.env, line 3")})
    with pytest.raises(ComposeError) as error:
        edited(body, outside=known)
    assert error.value.code == "compose.elsewhere"
    assert "/srv/sd/.env, line 3" in error.value.title
    assert "CARD" in error.value.title
    with pytest.raises(ComposeError, match=r"set in \.env or where compose is run"):
        edited(body)


def test_a_flag_may_hide_in_a_variable() -> None:
    text = "services: {it: {environment: {FORGE_ARGS: '${FORGE_FLAGS}'}}}"
    assert refused(text, "it", change()).code == "compose.elsewhere"
    hidden = {"FORGE_FLAGS": Setting(value="--gpu-device-id 0", where="/srv/.env, line 1")}
    assert "/srv/.env, line 1" in refused(text, "it", change(), Outside(variables=hidden)).title
    harmless = {"FORGE_FLAGS": Setting(value="--listen", where="/srv/.env, line 1")}
    edit = edit_card(text, "it", change(), Outside(variables=harmless))
    assert 'CUDA_VISIBLE_DEVICES: "1"' in edit.text
    default = text.replace("{FORGE_FLAGS}", "{FORGE_FLAGS:---gpu-device-id 0}")
    assert refused(default, "it", change(), Outside()).code == "compose.elsewhere"
    inside = text.replace("{FORGE_FLAGS}", "{FORGE_FLAGS:---listen --gpu-device-id 0}")
    assert refused(inside, "it", change(), Outside()).code == "compose.elsewhere"
    passed_on = "services: {it: {environment: [FORGE_ARGS]}}"
    named = {"FORGE_ARGS": Setting(value="--gpu-device-id 0", where="the environment")}
    error = refused(passed_on, "it", change(), Outside(variables=named))
    assert "set in the environment" in error.title


def test_what_a_service_extends_may_choose_its_card() -> None:
    text = "services: {it: {extends: {file: base.yaml, service: sd}}}"
    assert "extends" in refused(text, "it", change(), Outside()).title
    assert "extends" in refused(text, "it", native(), Outside()).title
    own = "services: {it: {extends: {file: b.yaml, service: sd}, command: --cuda-device 0}}"
    assert "--cuda-device 1" in edit_card(own, "it", change(), Outside()).text


def test_what_comes_from_files_is_read_from_them(tmp_path: Path) -> None:
    file = tmp_path / "compose.yaml"
    file.write_text(
        "services:\n  it:\n    env_file: [it.env, {path: more.env}, gone.env]\n"
        "    command: main.py --cuda-device ${CARD}\n  them:\n    env_file: it.env\n"
    )
    (tmp_path / ".env").write_text("# cards\nexport CARD = '0' \nOTHER=x # y\n")
    (tmp_path / "it.env").write_text('FORGE_ARGS="--gpu-device-id 0"\nnonsense\n')
    service = read_service(file, "it")
    outside = outside_of(service, {"HOME": "/x"})
    assert outside.variables["CARD"] == Setting(value="0", where=f"{tmp_path}/.env, line 2")
    assert outside.variables["OTHER"].value == "x"
    assert set(outside.environment) == {"FORGE_ARGS"}
    assert ".env, line 2" in refused(service.text, "it", change(), outside).title
    them = read_service(file, "them", Project(files=(file,), directory=tmp_path))
    error = refused(them.text, "them", change(), outside_of(them, {}))
    assert f"FORGE_ARGS of them comes from {tmp_path}/it.env, line 1" in error.title
    assert outside_of(service, {"CARD": "7"}).variables["CARD"].where == "the environment"


def test_another_file_of_the_project_may_have_the_last_word(tmp_path: Path) -> None:
    file, other = tmp_path / "a.yaml", tmp_path / "b.yaml"
    file.write_text("services: {it: {command: --cuda-device 0}}")
    other.write_text("services: {it: {ports: ['1:1']}, x: {command: --cuda-device 1}}")
    service = read_service(file, "it", Project(files=(file, other, tmp_path / "gone.yaml")))
    assert (
        "--cuda-device 1" in edit_card(service.text, "it", change(), outside_of(service, {})).text
    )
    for own in ("command: --cuda-device 1", "environment: [CLI_ARGS=x]", "gpus: all"):
        other.write_text(f"services: {{it: {{{own}}}}}")
        error = refused(service.text, "it", change(), outside_of(service, {}))
        assert (error.code, str(other) in error.title) == ("compose.elsewhere", True)


def test_layers_upon_layers_of_the_same_end(recwarn: pytest.WarningsRecorder) -> None:
    def layers(kind: str) -> str:
        nine = [f"{', '.join([f'*x{number - 1}'] * 9)}" for number in range(1, 12)]
        return "\n".join(
            f"x-{number}: &x{number} {kind.replace('NINE', names)}"
            for number, names in enumerate(nine, start=1)
        )

    merged = f"x-0: &x0 {{a: b}}\n{layers('{<<: [NINE]}')}\n"
    listed = f"x-0: &x0 [a]\n{layers('[NINE]')}\n"
    for text, entry in ((merged, "<<: *x11"), (listed, "labels: *x11")):
        both = f"{text}services:\n  it:\n    command: --cuda-device 0\n    {entry}\n"
        both += f"  other:\n    {entry}\n    x: &x0 again\n"
        assert "--cuda-device 1" in edit_card(both, "it", change(), Outside()).text
    assert not recwarn.list


def test_line_ends_and_the_last_line_stay_as_they_are() -> None:
    text = "services:\r\n  it:\r\n    command: x --cuda-device 0\r\n    environment:\r\n      A: b"
    edit = edit_card(text, "it", change(), Outside())
    assert (
        edit.text
        == text.replace("device 0", "device 1") + "\r\n      CUDA_DEVICE_ORDER: PCI_BUS_ID"
    )
    assert "\r" not in edit.diff


def test_flow_style_all_the_way() -> None:
    text = "services: {it: {image: x, environment: {}}, other: {image: y}}"
    edit = edit_card(text, "it", change(), Outside())
    assert YAML(typ="safe").load(edit.text)["services"]["it"]["environment"] == {
        "CUDA_VISIBLE_DEVICES": "1",
        "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
    }


def test_an_empty_environment_is_not_guessed_at() -> None:
    error = refused("services:\n  it:\n    environment:\n    image: x\n", "it", change(), Outside())
    assert (error.code, "line 3" in error.title) == ("compose.unsafe", True)


NAMES = st.sampled_from(["LANG", "TZ", "WEB_TOKEN", "A_B", "FORGE_FLAVOUR"])
VALUES = st.sampled_from(["x", "a b", "C.UTF-8", "it's", 'say "x"', "# no comment", "ünïcode", "0"])
COMMENTS = st.sampled_from(["", "  # a comment", "   # ünïcode: x"])


@st.composite
def bodies(draw: st.DrawFn) -> str:
    """Give the body of a service that picks card 0 in one of many ways."""
    flag = draw(st.sampled_from(["--cuda-device", "--gpu-device-id", "--default-device"]))
    joint = draw(st.sampled_from([" ", "="]))
    quote = draw(st.sampled_from(["", '"', "'"]))
    indent = draw(st.sampled_from([1, 2, 4]))
    carrier = draw(st.sampled_from(["FORGE_ARGS", "CLI_ARGS", "COMMANDLINE_ARGS", "command"]))
    listed = draw(st.booleans())
    variables = draw(st.dictionaries(NAMES, VALUES, max_size=4))
    argument = f"--listen {flag}{joint}0 --api"
    lines = ["image: x" + draw(COMMENTS)]
    if carrier == "command":
        if draw(st.booleans()):
            lines.append(f"command: {quote}{argument}{quote}" + draw(COMMENTS))
        else:
            words = ", ".join(f'"{word}"' for word in argument.split(" "))
            lines.append(f"command: [{words}]" + draw(COMMENTS))
    else:
        entries = [(name, value) for name, value in variables.items()]
        entries.insert(draw(st.integers(0, len(entries))), (carrier, argument))
        lines.append("environment:" + draw(COMMENTS))
        for name, value in entries:
            escaped = value.replace("\\", "\\\\").replace('"', '\\"')
            entry = f'- "{name}={escaped}"' if listed else f'{name}: "{escaped}"'
            lines.append(" " * indent + entry + draw(COMMENTS))
            lines += [""] * draw(st.integers(0, 1))
    if draw(st.booleans()):
        lines.append("restart: always")
    return "\n".join(lines) + draw(st.sampled_from(["", "\n", "\n\n", "\n# the end\n"]))


@given(body=bodies(), first=st.integers(0, 7), second=st.integers(0, 7))
def test_to_one_card_and_on_to_another_is_as_to_the_other(
    body: str, first: int, second: int
) -> None:
    text = "services:\n  before: {image: b}\n  it:\n" + textwrap.indent(body, "    ")
    one = edit_card(text, "it", change(first), Outside())
    two = edit_card(one.text, "it", change(second), Outside())
    assert two.text == edit_card(text, "it", change(second), Outside()).text
    back = edit_card(two.text, "it", change(first), Outside())
    assert back.text == one.text
    load = YAML(typ="safe").load
    old, new = load(text)["services"], load(two.text)["services"]
    assert new["before"] == old["before"]
    assert {k: v for k, v in new["it"].items() if k not in {"environment", "command"}} == {
        k: v for k, v in old["it"].items() if k not in {"environment", "command"}
    }
    assert variables(new["it"]) - variables(old["it"]) >= {("CUDA_DEVICE_ORDER", "PCI_BUS_ID")}
    assert str(second) in str(new["it"].get("command")) + str(new["it"]["environment"])
    assert text.count("#") == two.text.count("#")


def variables(service: dict[str, object]) -> set[tuple[str, str]]:
    """Give a service's environment, however it is written."""
    found = service.get("environment") or {}
    if isinstance(found, dict):
        return {(str(name), str(value)) for name, value in found.items()}
    assert isinstance(found, list)
    return {tuple(str(item).split("=", 1)) for item in found}  # type: ignore[misc]


@given(text=st.text(max_size=200))
def test_any_text_is_an_error_that_can_be_told(text: str) -> None:
    with pytest.raises(ComposeError):
        edit_card(text, "it", change())
