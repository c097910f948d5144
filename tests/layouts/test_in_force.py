"""The layout in force: its cards and variants count, for every console, until the next switch."""

from pathlib import Path

from actions.session import Session, open_session
from console.config.layout import note_layout, noted_layout
from console.config.write import set_values

CONFIG = """
[services.comfyui-qwen]
kind = "comfyui"
container = "comfyui-qwen"
gpu = "3090"
variant = "qwen-edit-2509-fp8"

[services.myia]
kind = "forge"
container = "myia"
gpu = "3080"
vram_budget = "8 GiB"

[layouts.exclusive]
services = ["myia", "comfyui-qwen"]

[layouts.dual]
services = ["myia", "comfyui-qwen"]
variants = { comfyui-qwen = "qwen-edit-2509-gguf-q4_0" }
gpus = { myia = "3090" }
"""


def console(home: Path) -> Session:
    config = home / "config.toml"
    config.write_text(CONFIG)
    return open_session({"HOME": str(home), "XDG_RUNTIME_DIR": str(home / "run")}, str(config))


def seen(session: Session) -> tuple[str | None, ...]:
    services = session.settings.services
    return (services["comfyui-qwen"].variant, services["myia"].gpu)


def test_a_layouts_cards_and_variants_count_while_it_is_in_force(tmp_path: Path) -> None:
    session, other = console(tmp_path), console(tmp_path)
    assert noted_layout(session.places) == ""
    assert seen(session) == ("qwen-edit-2509-fp8", "3080")
    note_layout(session.places, "dual")
    assert seen(session) == seen(other) == ("qwen-edit-2509-gguf-q4_0", "3090")
    assert session.config.settings.services["myia"].gpu == "3080"
    note_layout(session.places, "exclusive")
    assert seen(session) == seen(other) == ("qwen-edit-2509-fp8", "3080")
    note_layout(session.places, "dual")
    note_layout(session.places, "")
    assert seen(session) == ("qwen-edit-2509-fp8", "3080")


def test_a_layout_that_is_gone_from_the_config_changes_nothing(tmp_path: Path) -> None:
    session = console(tmp_path)
    note_layout(session.places, "last-year")
    assert seen(session) == ("qwen-edit-2509-fp8", "3080")
    (session.places.state_dir / "layout").write_bytes(b"\xff\xfe")
    assert seen(session) == ("qwen-edit-2509-fp8", "3080")


def test_a_console_that_is_open_notices_a_config_that_somebody_writes(tmp_path: Path) -> None:
    session = console(tmp_path)
    assert seen(session) == ("qwen-edit-2509-fp8", "3080")
    set_values(session.places.config_file, {"services.myia.gpu": "3090"})
    assert seen(session) == ("qwen-edit-2509-fp8", "3090")
    session.places.config_file.write_text("[services.myia\n")
    assert session.config.findings
    assert not session.settings.services
    session.places.config_file.write_text(CONFIG)
    assert seen(session) == ("qwen-edit-2509-fp8", "3080")
