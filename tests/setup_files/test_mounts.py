"""A folder put among what a service of somebody's own compose file has mounted."""

import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from actions.setup.files.marks import is_ours, sealed, untouched
from actions.setup.files.wanted import Generated, SetupFilesError
from actions.setup.files.writing import drafts_in, write_drafts
from console.compose.entry_edit import edit_mount
from console.compose.faults import ComposeError
from tests.services.build import NOW
from tests.support.edits import edit_host

HEAD = "services:  # mine\n  it:\n    image:   x   # odd\n"
PLACES = {
    "none": HEAD,
    "short": HEAD + "    volumes:\n      - ./w:/workspace  # work\n",
    "long": HEAD + "    volumes:\n      - {type: bind, source: /w, target: /workspace}\n",
    "flow": HEAD + "    volumes: [/w:/workspace]\n",
    "other": HEAD + "  other:\n    image: y\n    volumes:\n      - /m:/models\n",
}


@pytest.mark.parametrize("text", PLACES.values(), ids=PLACES.keys())
@pytest.mark.parametrize("source", ["/srv/models", "/srv/with blank", "/srv/$x"])
def test_it_is_mounted_read_only_and_every_other_line_stays(text: str, source: str) -> None:
    edit = edit_mount(text, "it", source, "/models")
    loaded = YAML(typ="safe").load(edit.text)["services"]
    assert f"{source.replace('$', '$$')}:/models:ro" in loaded["it"]["volumes"]
    if "other" in loaded:
        assert loaded["other"]["volumes"] == ["/m:/models"]
    gone = [line for line in edit.diff.splitlines() if re.match(r"-(?!--)", line)]
    assert gone == [f"-{line}" for line in text.splitlines() if "volumes: [" in line]
    assert edit_mount(edit.text, "it", source, "/models").text == edit.text


@pytest.mark.parametrize(
    "text",
    [
        HEAD + "    volumes:\n      - /else:/models\n",
        HEAD + "    volumes:\n      - {type: bind, source: /else, target: /models/}\n",
        HEAD + "    volumes: none\n",
        "x-v: &v [/a:/b]\n" + HEAD + "    volumes: *v\n  two:\n    volumes: *v\n",
    ],
    ids=["short", "long", "no list", "shared"],
)
def test_what_cannot_be_done_without_harm_is_refused(text: str) -> None:
    with pytest.raises(ComposeError):
        edit_mount(text, "it", "/srv/models", "/models")


def test_a_path_that_compose_would_divide_is_refused() -> None:
    with pytest.raises(ComposeError, match="colon"):
        edit_mount(HEAD, "it", "/srv/a:b", "/models")


def test_a_seal_shows_every_later_change() -> None:
    text = sealed("# It, written by `gpuconsole setup`.\nservices: {}\n")
    assert is_ours(text)
    assert untouched(text)
    assert not untouched(text.replace("{}", "{ }"))
    assert not untouched(text + "\n")
    assert not is_ours("services: {}\n")
    assert not untouched("services: {}\n")
    assert not untouched("")


def test_a_file_of_somebody_else_keeps_all_files_from_being_written(tmp_path: Path) -> None:
    mine = sealed("# It, written by `gpuconsole setup`.\n")
    (tmp_path / "theirs").write_text("theirs\n")
    drafts = drafts_in(
        tmp_path, (Generated(name="new", text=mine), Generated(name="theirs", text=mine))
    )
    assert [one.foreign for one in drafts] == [False, True]
    with edit_host(tmp_path / "home") as host, pytest.raises(SetupFilesError, match="stays as it"):
        write_drafts(host.session(), drafts, NOW)
    assert not (tmp_path / "new").exists()
    assert (tmp_path / "theirs").read_text() == "theirs\n"
