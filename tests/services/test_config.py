"""What a config says of services and layouts is checked; slips are named with the right word."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from actions.gate import refusal
from actions.notes import standing_notes
from actions.session import open_session
from console.config.load import load, load_text
from console.config.remarks import remarks

CONFIG = """[services.myia]
kind = "forge"
container = "myia"
variant = "qwen-edit-2509-fp9"

[layouts.dual]
services = ["myai", "nobody"]
variants = { myai = "qwen-edit-2509-gguf-q4" }
"""
VARIANTS = ("qwen-edit-2509-fp8", "qwen-edit-2509-gguf-q4_0")


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(text)
    return path


def test_unknown_services_and_variants_are_named_with_line_and_the_nearest_right_word(
    tmp_path: Path,
) -> None:
    loaded = load(written(tmp_path, CONFIG))
    assert loaded.findings == ()
    found = {(one.code, one.key): one for one in remarks(loaded, VARIANTS)}
    variant = found["config.unknown-variant", "services.myia.variant"]
    assert (variant.line, variant.hint) == (4, "Did you mean qwen-edit-2509-fp8?")
    layout = found["config.unknown-variant", "layouts.dual.variants.myai"]
    assert (layout.line, layout.hint) == (8, "Did you mean qwen-edit-2509-gguf-q4_0?")
    services = [one for one in remarks(loaded, VARIANTS) if one.code == "config.unknown-service"]
    assert [one.line for one in services] == [7, 7]
    assert services[0].hint == "Did you mean myia?"
    assert "config adopt" in services[1].hint


def test_a_config_without_slips_has_no_remark(tmp_path: Path) -> None:
    text = CONFIG.replace("fp9", "fp8").replace("myai", "myia").replace('q4"', 'q4_0"')
    loaded = load(written(tmp_path, text.replace(', "nobody"', "")))
    assert remarks(loaded, VARIANTS) == ()
    assert remarks(load(tmp_path / "none.toml"), VARIANTS) == ()


def test_a_service_that_is_there_but_wrong_is_not_called_unknown(tmp_path: Path) -> None:
    text = CONFIG.replace('kind = "forge"', 'kind = "frog"').replace("myai", "myia")
    loaded = load(written(tmp_path, text))
    assert loaded.findings
    titles = [one.title for one in remarks(loaded, None)]
    assert titles == ["layouts.dual.services: there is no service nobody in the config"]


def test_slips_are_told_on_every_view_and_stop_no_verb(tmp_path: Path) -> None:
    session = open_session({"HOME": str(tmp_path)}, str(written(tmp_path, CONFIG)))
    notes = {note.id: note for note in standing_notes(session)}
    assert set(notes) == {"config.unknown-service", "config.unknown-variant"}
    assert all(note.severity == "warning" for note in notes.values())
    assert refusal(session) is None


def test_validate_names_them_and_ends_with_2(tmp_path: Path) -> None:
    path = written(tmp_path, CONFIG)
    done = subprocess.run(
        [sys.executable, "-m", "console", "--config", str(path), "config", "validate", "--json"],
        capture_output=True, text=True, timeout=60, env={**os.environ, "HOME": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 2
    codes = [one["code"] for one in json.loads(done.stdout)["data"]["findings"]]
    assert codes.count("config.unknown-variant") == 2
    assert codes.count("config.unknown-service") == 2


@pytest.mark.parametrize(
    ("gpu", "said"),
    [
        ("1", "must not be a number"),
        ("07", "must not be a number"),
        ("GPU-xyz", "is no UUID of a card"),
        ("a\\u001bb", "must be a UUID"),
        ("x" * 200, "must be a UUID"),
        ("", "must not be empty"),
    ],
)
def test_what_can_be_no_card_is_a_mistake_without_looking_at_the_host(gpu: str, said: str) -> None:
    service = f'[services.x]\nkind = "forge"\ncontainer = "x"\ngpu = "{gpu}"\n'
    (finding,) = load_text(Path("/c.toml"), service).findings
    assert said in finding.title
    layout = f'[layouts.x]\nservices = ["a"]\ngpus = {{ a = "{gpu}" }}\n'
    (finding,) = load_text(Path("/c.toml"), layout).findings
    assert said in finding.title


@pytest.mark.parametrize("gpu", ["3090", "RTX 3090", "GPU-8b2d6e07", "GPU-8B2D6E07-51fa", "A4000"])
def test_what_may_be_a_card_is_taken(gpu: str) -> None:
    service = f'[services.x]\nkind = "forge"\ncontainer = "x"\ngpu = "{gpu}"\n'
    loaded = load_text(Path("/c.toml"), service)
    assert loaded.findings == ()
    assert loaded.settings.services["x"].gpu == gpu
