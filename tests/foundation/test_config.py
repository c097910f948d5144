"""A config wrong in any way still gives settings, and each mistake is named with its line."""

import os
from pathlib import Path

import msgspec
import pytest
import tomlkit
from hypothesis import given
from hypothesis import strategies as st

from console.config.lines import find_lines
from console.config.load import Loaded, load, load_text
from console.config.schema import Auth, Settings
from console.config.secret import read_secret
from console.config.write import template
from console.units import GIB, MIB
from console.unknown import Unknown
from tests.support.users import as_nobody

DESIGN = """
[paths]
models = "~/SD/workspace/ComfyUI/models"
outputs = "~/SD/outputs"
[[paths.extra]]
models = "/mnt/more"

[services.comfyui-qwen]
kind = "comfyui"
container = "comfyui-qwen"
compose_file = "~/SD/workspace/docker-compose-comfyui.yaml"
compose_service = "comfyui"
url = "http://127.0.0.1:8188"
public_url = "https://qwen-image-edit.example.org"
gpu = "3090"
vram_budget = "8 GiB"
auth = { scheme = "bearer", env = "COMFY_TOKEN" }

[layouts.dual]
services = ["myia", "comfyui-qwen"]
variants = { comfyui-qwen = "qwen-edit-2509-gguf-q4_0" }

[policy]
read_only = true
confirm = ["stop"]
vram_reserve = "1 GiB"

[ui]
theme = "colour-blind"
mouse = false
interval = 2
"""


def written(path: Path, text: str | bytes) -> Path:
    """Put a config at `path`."""
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def only(loaded: Loaded) -> tuple[int | None, str, str]:
    """Give line, title and hint of the one finding there is."""
    (finding,) = loaded.findings
    return finding.line, finding.title, finding.hint


def test_the_config_of_the_design_is_read_with_types(tmp_path: Path) -> None:
    loaded = load(written(tmp_path / "c.toml", DESIGN))
    assert loaded.findings == ()
    settings = loaded.settings
    home = Path.home()
    assert settings.paths.models == home / "SD/workspace/ComfyUI/models"
    assert settings.paths.extra[0].models == Path("/mnt/more")
    service = settings.services["comfyui-qwen"]
    assert service.vram_budget == 8 * GIB
    assert service.auth == Auth(scheme="bearer", env="COMFY_TOKEN")
    assert service.compose_file == home / "SD/workspace/docker-compose-comfyui.yaml"
    assert settings.layouts["dual"].variants == {"comfyui-qwen": "qwen-edit-2509-gguf-q4_0"}
    assert settings.policy.vram_reserve == GIB
    assert (settings.ui.theme, settings.ui.mouse, settings.ui.interval) == (
        "colour-blind",
        False,
        2.0,
    )
    assert "policy.confirm" in loaded.given


def test_a_host_without_a_config_has_all_defaults_and_no_finding(tmp_path: Path) -> None:
    loaded = load(tmp_path / "none.toml")
    assert (loaded.settings, loaded.findings, loaded.present) == (Settings(), (), False)
    assert loaded.settings.policy.vram_reserve == 700 * MIB


MISTAKES = [
    (
        "[policy]\n\nvram_reserv = '1 GiB'",
        3,
        "policy.vram_reserv is not a known key",
        "vram_reserve?",
    ),
    ("[polcy]\nread_only = true", 1, "polcy is not a known section", "policy?"),
    ("policy = 3", 1, "policy must be a section [policy]", ""),
    ("[policy]\nread_only = 'yes'", 2, "policy.read_only must be true or false", ""),
    ("[policy]\nvram_reserve = 700", 2, "policy.vram_reserve must be a size in quotes", ""),
    ("[policy]\nvram_reserve = '7 apples'", 2, "is not a size such as 700 MiB", ""),
    (
        "[policy]\nconfirm = [\n 'stop',\n 'swich',\n]",
        2,
        "policy.confirm must be one of",
        "switch?",
    ),
    ("[policy]\nconfirm = 'stop'", 2, "policy.confirm must be a list", ""),
    ("[ui]\ntheme = 'drak'", 2, "ui.theme must be one of", "dark?"),
    ("[ui]\ninterval = 0", 2, "ui.interval must be from 0.5 to 60", ""),
    ("[ui]\ninterval = nan", 2, "ui.interval must be from 0.5 to 60", ""),
    ("[ui]\nmouse = 1", 2, "ui.mouse must be true or false", ""),
    ("[paths]\nmodels = 'relative'", 2, "paths.models must be an absolute path", ""),
    ("[paths]\nmodels = ''", 2, "paths.models must not be empty", ""),
    (
        "[[paths.extra]]\nmodels='/a'\n[[paths.extra]]\nmodls='/b'",
        4,
        "paths.extra[1].modls is not",
        "models?",
    ),
    ("[services.x]\nurl = 'http://h'", 1, "services.x needs the key kind", ""),
    ("[services.x]\nkind = 'forge'", 1, "services.x names neither", ""),
    ("[services]\nx = 3", 2, "services.x must be a section", ""),
    (
        "[services.x]\nkind = 'comfy'\nurl = 'http://h'",
        2,
        "services.x.kind must be one of",
        "comfyui?",
    ),
    ("[services.x]\nkind = 'forge'\nurl = 'h:80'", 3, "services.x.url must be an URL", ""),
    (
        "[services.x]\nkind = 'forge'\nurl = 'http://h:99999'",
        3,
        "services.x.url must be an URL",
        "",
    ),
    (
        "[services.x]\nkind = 'forge'\nurl = 'http://u:p@h'",
        3,
        "must not hold a name or password",
        "auth",
    ),
    (
        "[services.x]\nkind = 'forge'\nurl = 'http://h'\ngpu = 1",
        4,
        "services.x.gpu must be text",
        "",
    ),
    (
        "[services.x]\nkind = 'forge'\nurl = 'http://h'\nauth = 'geheim'",
        4,
        "must be a table",
        "scheme",
    ),
    (
        "[services.x]\nkind = 'forge'\nurl = 'http://h'\nauth = { scheme = 'bearer' }",
        4,
        "services.x.auth needs either env or file",
        "",
    ),
    (
        "[services.x]\nkind='forge'\nurl='http://h'\n[services.x.auth]\nscheme='digest'\nenv='A'",
        5,
        "services.x.auth.scheme must be one of",
        "",
    ),
    ("[layouts.x]\nservices = 'myia'", 2, "layouts.x.services must be a list", ""),
    (
        "[layouts.x]\nservices = ['a']\nvariants = { b = 'q' }",
        3,
        "layouts.x.variants.b is not a service",
        "",
    ),
    ("[services.'a.b']\nkind = 3\nurl = 'http://h'", 2, 'services."a.b".kind must be text', ""),
    ("policy.read_only = 3", 1, "policy.read_only must be true or false", ""),
]


@pytest.mark.parametrize(("text", "line", "title", "hint"), MISTAKES)
def test_a_mistake_is_named_with_line_key_and_the_right_name(
    text: str, line: int, title: str, hint: str
) -> None:
    loaded = load_text(Path("c.toml"), text)
    found_line, found_title, found_hint = only(loaded)
    assert found_line == line
    assert title in found_title
    assert hint in found_hint
    assert loaded.settings == Settings()


def test_dev_null_is_an_empty_config() -> None:
    loaded = load(Path("/dev/null"))
    assert (loaded.present, loaded.findings) == (True, ())


def test_a_broken_section_leaves_the_others_alone() -> None:
    loaded = load_text(Path("c"), DESIGN.replace("mouse = false", "mose = false"))
    assert len(loaded.findings) == 1
    assert loaded.settings.ui == Settings().ui
    assert loaded.settings.policy.confirm == ("stop",)
    assert "comfyui-qwen" in loaded.settings.services
    assert "ui.theme" not in loaded.given


def test_a_slip_in_the_policy_does_not_open_what_was_closed() -> None:
    loaded = load_text(Path("c"), "[policy]\nread_only = true\nconfrim = ['stop']")
    assert loaded.findings
    assert loaded.settings.policy.read_only


def test_a_secret_written_by_mistake_is_not_repeated() -> None:
    for line in ("auth = 'geheim-123'", "auth = { scheme = 'bearer', env = 'geheim-123' }"):
        text = f"[services.x]\nkind = 'forge'\nurl = 'http://h'\n{line}"
        assert "geheim-123" not in repr(load_text(Path("c"), text).findings)


SYNTAX = [
    ("[policy\nread_only = true", 1),
    ("[policy]\nread_only =", 2),
    ("[policy]\nread_only = true\nread_only = false", 3),
    ("a = 'open", 1),
    ("\x00\x01\x02", 1),
    ("<html>not a config</html>", 1),
]


@pytest.mark.parametrize(("text", "line"), SYNTAX)
def test_what_is_no_toml_is_one_finding_with_its_place(text: str, line: int) -> None:
    loaded = load_text(Path("c"), text)
    (finding,) = loaded.findings
    assert (finding.code, finding.line) == ("config.syntax", line)
    assert finding.column is not None
    assert loaded.settings == Settings()


@pytest.mark.parametrize("text", ["x = " + "[" * 50_000, "x = " + "9" * 5_000])
def test_toml_that_exhausts_the_parser_is_a_finding(text: str) -> None:
    assert load_text(Path("c"), text).findings[0].code == "config.syntax"


def test_a_file_that_is_no_text_is_a_finding(tmp_path: Path) -> None:
    assert only(load(written(tmp_path / "a", b"[ui]\n# caf\xe9\n")))[:2] == (
        2,
        "the config is not UTF-8 text",
    )
    assert "UTF-16" in only(load(written(tmp_path / "b", "[ui]".encode("utf-16"))))[1]
    assert load(written(tmp_path / "c", os.urandom(4096))).findings
    assert "larger than" in only(load(written(tmp_path / "d", b"#" * 10_000_000)))[1]


def test_a_windows_editor_does_no_harm(tmp_path: Path) -> None:
    loaded = load(written(tmp_path / "c", "\ufeff[ui]\r\nmouse = false\r\nnope = 1\r\n"))
    assert only(loaded)[0] == 3
    assert not load(written(tmp_path / "c", "\ufeff[ui]\r\nmouse = false\r\n")).settings.ui.mouse


def test_a_place_that_holds_no_readable_file_is_a_finding(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for name in (".", "pipe", "loop", "x" * 5000, "nul\0"):
        loaded = load(tmp_path / name)
        assert loaded.findings[0].code == "config.unreadable", name
        assert loaded.settings == Settings()


def test_a_config_of_another_user_is_a_finding(tmp_path: Path) -> None:
    path = written(tmp_path / "c", DESIGN)
    path.chmod(0)
    answer = as_nobody(lambda: load(path).findings[0].title, tmp_path)
    assert answer.endswith("cannot be read: Permission denied")


def test_hostile_names_are_cleaned_in_findings() -> None:
    (finding,) = load_text(Path("c"), '"\\u001b[2Jx\\u202e" = 1').findings
    assert "\x1b" not in finding.title + finding.key
    assert "\u202e" not in finding.title


@given(st.binary(max_size=300))
def test_no_bytes_make_it_raise(data: bytes) -> None:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    load_text(Path("c"), text)


VALUES = st.recursive(
    st.one_of(st.booleans(), st.integers(-9, 9), st.text(max_size=5), st.floats(allow_nan=False)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2),
        st.dictionaries(st.text(min_size=1, max_size=5), inner, max_size=2),
    ),
    max_leaves=5,
)
KEYS = st.sampled_from(
    ["kind", "url", "auth", "services", "models", "extra", "read_only", "confirm", "x y"]
)
SECTIONS = st.sampled_from(["paths", "services", "layouts", "policy", "ui", "other"])


@given(st.dictionaries(SECTIONS, st.one_of(VALUES, st.dictionaries(KEYS, VALUES, max_size=3))))
def test_any_toml_gives_settings_and_findings_with_lines(data: dict[str, object]) -> None:
    loaded = load_text(Path("c"), tomlkit.dumps(data))
    assert isinstance(loaded.settings, Settings)
    assert all(finding.line for finding in loaded.findings)


def test_lines_are_found_through_every_kind_of_toml() -> None:
    text = (
        '# [no]\n[a."b.c"] # x\nk = """\n[not]\nx = 1\n"""\n\n'
        "'q' = [\n 1, # ]\n '''\n]''',\n]\na.b = { c = '=' }\n[[t]]\nn=1\n[[t]]\nn=2\n[t.u]\nv=1"
    )
    lines = find_lines(text)
    assert lines["a", "b.c"] == 2
    assert lines["a", "b.c", "k"] == 3
    assert lines["a", "b.c", "q"] == 8
    assert lines["a", "b.c", "a", "b"] == 13
    assert (lines["t", 0], lines["t", 1, "n"], lines["t", 1, "u", "v"]) == (14, 17, 19)
    assert not any("not" in path or "x" in path for path in lines)


def uncommented() -> str:
    """Give the template with every key it explains set."""
    lines = template().splitlines()
    return "\n".join(
        line[1:] if line[:1] == "#" and line[1:2].strip() and line[1] not in "# -" else line
        for line in lines
    )


def test_the_template_sets_nothing_and_is_valid_with_everything_set() -> None:
    assert load_text(Path("c"), template()).findings == ()
    assert load_text(Path("c"), template()).settings == Settings()
    assert load_text(Path("c"), uncommented()).findings == ()


def test_the_template_explains_every_key_and_shows_the_defaults() -> None:
    full = load_text(Path("c"), uncommented())
    services = full.settings.services["comfyui-qwen"]
    assert services.auth is not None
    parts: list[msgspec.Struct] = [full.settings.paths, services, services.auth]
    for part in [*parts, full.settings.layouts["dual"]]:
        for field in msgspec.structs.fields(type(part)):
            shown = getattr(part, field.name) is not None
            assert shown or field.name == "file", field.name
    assert full.settings.policy == Settings().policy
    assert full.settings.ui == Settings().ui


def test_a_secret_comes_from_the_environment_or_a_closed_file(tmp_path: Path) -> None:
    path = written(tmp_path / "token", "geheim\n")
    path.chmod(0o600)
    assert read_secret(Auth(scheme="bearer", env="T"), {"T": "abc"}) == "abc"
    assert read_secret(Auth(scheme="bearer", file=path), {}) == "geheim"


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620])
def test_a_secret_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = written(tmp_path / "token", "geheim")
    path.chmod(mode)
    answer = read_secret(Auth(scheme="bearer", file=path), {})
    assert isinstance(answer, Unknown)
    assert answer.code == "secret.open-to-others"
    assert "chmod 600" in answer.hint
    text = (
        "[services.x]\nkind='forge'\nurl='http://h'\n"
        f"auth = {{ scheme = 'bearer', file = '{path}' }}"
    )
    (finding,) = load_text(Path("c"), text).findings
    assert (finding.line, finding.code) == (4, "secret.open-to-others")


def test_a_secret_that_is_not_there_is_a_reason(tmp_path: Path) -> None:
    empty = written(tmp_path / "empty", "\n")
    empty.chmod(0o600)
    codes = []
    for auth in (
        Auth(scheme="bearer", env="UNSET"),
        Auth(scheme="bearer", file=tmp_path / "none"),
        Auth(scheme="bearer", file=tmp_path),
        Auth(scheme="bearer", file=empty),
    ):
        answer = read_secret(auth, {})
        assert isinstance(answer, Unknown)
        codes.append(answer.code)
    assert codes == ["secret.unset", "secret.missing", "secret.unreadable", "secret.empty"]
