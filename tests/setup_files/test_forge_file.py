"""A Forge's compose file that is there, corrected: what is about it changes, and nothing else."""

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from actions.setup.files.forge import ENV_FILE, corrected_forge
from actions.setup.files.wanted import Card, Wanted
from console.compose.entry_edit import edit_unpublished
from console.compose.faults import ComposeError
from console.compose.outside import Outside, Setting

SMALL = Card(index=0, uuid="GPU-3080", name="RTX 3080 Ti Laptop GPU", capability="8.6", ordinal=1)
LARGE = Card(index=1, uuid="GPU-3090", name="RTX 3090", capability="8.6", ordinal=0)


def wanted(platform: str = "wsl") -> Wanted:
    given: dict[str, Any] = {"models": Path("/srv/models"), "data": Path("/srv/data")}
    return Wanted(platform=platform, card=LARGE, cards=(LARGE, SMALL), variant="", **given)


THEIRS = """\
services:  # ours
  forge:
    image: "ghcr.io/ai-dock/stable-diffusion-webui-forge:latest-cuda"
    environment:
      - WEB_TOKEN=hunter2secret   # do not tell
      - AUTO_UPDATE=true
      - FORGE_ARGS=--gpu-device-id 0   --api
    ports:
      - "7860:7860"
      - 9001:9001  # supervisor
    deploy: {resources: {reservations: {devices: [{driver: nvidia, capabilities: [gpu]}]}}}
  other:
    image:   other      # odd spacing
"""


def test_a_forge_that_is_there_is_corrected_and_nothing_else_is_touched() -> None:
    fixed = corrected_forge(THEIRS, "forge", wanted(), Outside())
    assert fixed.refused == ()
    assert fixed.secrets == {"WEB_TOKEN": "hunter2secret"}
    assert "hunter2secret" not in fixed.edit.text + repr(fixed) + str(fixed.edit.settings)
    assert "hunter2secret" not in fixed.edit.diff
    service = YAML(typ="safe").load(fixed.edit.text)["services"]["forge"]
    assert service["ports"] == ["7860:7860"]
    assert service["env_file"] == [ENV_FILE]
    assert "AUTO_UPDATE=false" in service["environment"]
    assert "CUDA_DEVICE_ORDER=PCI_BUS_ID" in service["environment"]
    assert "FORGE_ARGS=--gpu-device-id 1   --api" in service["environment"]
    kept = [line for line in fixed.edit.text.splitlines() if line in THEIRS.splitlines()]
    assert len(kept) == len(THEIRS.splitlines()) - 4
    again = corrected_forge(fixed.edit.text, "forge", wanted(), Outside())
    assert again.edit.text == fixed.edit.text
    assert again.reasons == ()


def test_a_forge_with_a_version_named_may_update() -> None:
    named = THEIRS.replace("- AUTO_UPDATE=true", "- AUTO_UPDATE=true\n      - FORGE_REF=2d3903d")
    assert "AUTO_UPDATE=true" in corrected_forge(named, "forge", wanted(), Outside()).edit.text


def _with(line: str, more: str = "") -> str:
    """Give the file with another line of the environment, and a setting before it."""
    return THEIRS.replace("- WEB_TOKEN=hunter2secret", line).replace(
        "  forge:\n", f"  forge:\n{more}"
    )


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('- "WEB_TOKEN=two words # x"', "means other things in an env file"),
        ("- WEB_TOKEN=pa$$word", "means other things in an env file"),
        ("- WEB_TOKEN=${TOKEN:-hunter2secret}", "take the default out of it"),
    ],
)
def test_secrets_that_cannot_be_moved_stay_and_it_is_said(line: str, why: str) -> None:
    fixed = corrected_forge(_with(line), "forge", wanted(), Outside())
    assert line in fixed.edit.text
    assert fixed.secrets == {}
    assert any(one.startswith("WEB_TOKEN stays") and why in one for one in fixed.refused)
    assert "hunter2secret" not in fixed.edit.diff + str(fixed.refused)


def test_of_two_secrets_the_one_that_can_be_moved_is() -> None:
    odd = _with("- WEB_TOKEN=hunter2secret\n      - WEB_PASSWORD=two words")
    fixed = corrected_forge(odd, "forge", wanted(), Outside())
    assert fixed.secrets == {"WEB_TOKEN": "hunter2secret"}
    assert "WEB_TOKEN goes into forge.env, which only you may read" in fixed.reasons
    assert "- WEB_PASSWORD=two words" in fixed.edit.text


def test_a_number_without_quotes_is_not_moved_as_it_is_written() -> None:
    """The older compose reads 0123 as 83; what it means to each is not for us to say."""
    text = "services:\n  forge:\n    image: i\n    environment:\n      WEB_TOKEN: 0123\n"
    assert corrected_forge(text, "forge", wanted(), Outside()).secrets == {}
    quoted = text.replace("0123", '"0123"')
    assert corrected_forge(quoted, "forge", wanted(), Outside()).secrets == {"WEB_TOKEN": "0123"}
    plain = text.replace("0123", "123")
    assert corrected_forge(plain, "forge", wanted(), Outside()).secrets == {"WEB_TOKEN": "123"}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("env_file: mine.env  # theirs", "env_file: [mine.env, forge.env]  # theirs"),
        ('env_file: "my own.env"', 'env_file: ["my own.env", forge.env]'),
        ("env_file:  # none yet", "env_file: [forge.env]  # none yet"),
        ("env_file: a, b.env", 'env_file: ["a, b.env", forge.env]'),
    ],
)
def test_a_single_env_file_becomes_a_list_on_its_line(before: str, after: str) -> None:
    fixed = corrected_forge(
        _with("- WEB_TOKEN=hunter2secret", f"    {before}\n"), "forge", wanted(), Outside()
    )
    assert fixed.secrets == {"WEB_TOKEN": "hunter2secret"}
    assert f"    {after}\n" in fixed.edit.text


@pytest.mark.parametrize(
    ("shared", "own"),
    [("x-env: &env mine.env", "env_file: *env"), ("x-all: &all {env_file: a.env}", "<<: *all")],
)
def test_an_env_file_that_stands_elsewhere_stays_and_it_is_said(shared: str, own: str) -> None:
    text = f"{shared}\n{_with('- WEB_TOKEN=hunter2secret', f'    {own}' + chr(10))}"
    fixed = corrected_forge(text, "forge", wanted(), Outside())
    assert fixed.edit.text.startswith(f"{shared}\n")
    assert fixed.secrets == {}
    assert any("another part of the file" in one for one in fixed.refused)


AI_DOCK = """\
services:
  forge:
    image: ghcr.io/ai-dock/stable-diffusion-webui-forge:${IMAGE_TAG:-latest-cuda}
    ports:
        - ${SUPERVISOR_PORT:-9001}:${SUPERVISOR_PORT:-9001}
        - ${FORGE_PORT:-7860}:${FORGE_PORT:-7860}
    environment:
        - FORGE_REF=${FORGE_REF:-}
        - FORGE_ARGS=${FORGE_ARGS:-}
        - AUTO_UPDATE=${AUTO_UPDATE:-false}
    deploy: {resources: {reservations: {devices: [{driver: nvidia, capabilities: [gpu]}]}}}
"""


def _from_env(**told: str) -> Outside:
    return Outside(
        variables={name: Setting(value=value, where=".env, line 1") for name, value in told.items()}
    )


def test_what_variables_stand_for_counts() -> None:
    fixed = corrected_forge(AI_DOCK, "forge", wanted(), Outside())
    assert "9001" not in fixed.edit.text
    assert "- AUTO_UPDATE=${AUTO_UPDATE:-false}" in fixed.edit.text
    told = corrected_forge(AI_DOCK, "forge", wanted(), _from_env(AUTO_UPDATE="true"))
    assert "- AUTO_UPDATE=false" in told.edit.text
    named = _from_env(AUTO_UPDATE="true", FORGE_REF="2d3903d", SUPERVISOR_PORT="9002")
    assert corrected_forge(AI_DOCK, "forge", wanted(), named).edit.text.count(
        "${"
    ) == AI_DOCK.count("${")


def test_a_card_of_its_own_comes_with_the_order_on_every_platform() -> None:
    fixed = corrected_forge(AI_DOCK, "forge", wanted(platform="native"), Outside())
    assert f'device_ids: ["{LARGE.uuid}"]' in fixed.edit.text
    assert "- CUDA_DEVICE_ORDER=PCI_BUS_ID" in fixed.edit.text
    assert sum("pinned" in one for one in fixed.reasons) == 1
    # Where it cannot be pinned, another order would give it another card.
    bare = AI_DOCK[: AI_DOCK.index("    deploy")]
    left = corrected_forge(bare, "forge", wanted(platform="native"), Outside())
    assert "CUDA_DEVICE_ORDER" not in left.edit.text
    assert any("gives forge a card" in one for one in left.refused)


NINE = "      - target: 9001\n        published: 9001  # why\n"
LONG = f"      - target: 7860\n\n      # it\n{NINE}\n      # next\n      - 1:1\n\n    # about\n"


@pytest.mark.parametrize(
    ("ports", "left"),
    [
        (LONG, LONG.replace(NINE, "")),
        (
            "      - target: 9001\n        published: 9001\n\n    # about\n",
            "      []\n\n    # about\n",
        ),
        ("      - 1:1\n      - target: 9001\n\n# end\n\n", "      - 1:1\n\n# end\n\n"),
        ("    - 9001:9001\n    - 1:1\n", "    - 1:1\n"),
        ("      - 9001:9001/tcp\n", "      []\n"),
    ],
)
def test_a_port_is_taken_out_and_what_is_said_around_it_stays(ports: str, left: str) -> None:
    head, tail = "services:\n  forge:\n    image: f\n    ports:\n", "  other:\n    image: o\n"
    for end in ("\n", "\r\n"):
        text, wished = (f"{head}{one}{tail}".replace("\n", end) for one in (ports, left))
        assert edit_unpublished(text, "forge", 9001).text == wished


@pytest.mark.parametrize(
    "ports", ["-\n        target: 9001\n      - 1:1", '- "9000-9002:9000-9002"']
)
def test_a_port_that_cannot_be_taken_out_alone_is_left_and_said(ports: str) -> None:
    text = f"services:\n  forge:\n    image: f\n    ports:\n      {ports}\n"
    with pytest.raises(ComposeError, match="9001"):
        edit_unpublished(text, "forge", 9001)
