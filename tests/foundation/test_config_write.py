"""The program changes the config without losing a comment, a symlink or a mistake of yours."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from console.config.load import load
from console.config.show import entries, exact_size, toml_value
from console.config.write import set_values, split_key, template, write_template
from console.errors import ConsoleError, UsageError
from console.units import parse_bytes
from tests.support.users import as_nobody

NOW = datetime(2026, 11, 22, 20, 14, tzinfo=UTC)


def test_a_value_changes_and_every_comment_stays(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text("# mine\n[ui] # look\ntheme = 'dark' # nice\n\n# end\n")
    path.chmod(0o644)
    set_values(path, {"ui.theme": "light", "policy.read_only": True})
    text = path.read_text()
    for kept in ("# mine", "# look", "# nice", "# end"):
        assert kept in text
    loaded = load(path)
    assert (loaded.settings.ui.theme, loaded.settings.policy.read_only) == ("light", True)
    assert path.stat().st_mode & 0o777 == 0o644


def test_the_template_takes_values_and_stays_documented(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    write_template(path, now=NOW)
    values = {
        "ui.mouse": False,
        'services."my forge".kind': "forge",
        'services."my forge".url': "http://127.0.0.1:7860",
    }
    set_values(path, values)
    loaded = load(path)
    assert loaded.findings == ()
    assert loaded.settings.services["my forge"].url == "http://127.0.0.1:7860"
    assert sum(line.startswith("#") for line in path.read_text().splitlines()) >= sum(
        line.startswith("#") for line in template().splitlines()
    )


def test_a_config_is_made_where_there_is_none_and_a_key_can_go(tmp_path: Path) -> None:
    path = tmp_path / "new/c.toml"
    set_values(path, {"ui.mouse": False})
    assert path.stat().st_mode & 0o777 == 0o600
    set_values(path, {"ui.mouse": None, "policy.read_only": None})
    assert load(path).settings.ui.mouse


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("ui.theme", "drak"),
        ("ui.mose", True),
        ("", 1),
        ("a..b", 1),
        ("ui.theme.deep", 1),
        ("a b", 1),
    ],
)
def test_what_would_break_the_config_is_refused(tmp_path: Path, key: str, value: object) -> None:
    path = tmp_path / "c.toml"
    path.write_text("[ui]\ntheme = 'dark'\n")
    with pytest.raises(UsageError):
        set_values(path, {key: value})
    assert path.read_text() == "[ui]\ntheme = 'dark'\n"


def test_an_older_mistake_elsewhere_does_not_keep_us_from_changing(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text("[policy]\nconfrim = ['stop']\n")
    set_values(path, {"ui.mouse": False})
    assert len(load(path).findings) == 1
    path.write_text("[policy\n")
    with pytest.raises(UsageError, match="not valid TOML"):
        set_values(path, {"ui.mouse": False})


def test_the_template_is_never_written_over_a_config_unasked(tmp_path: Path) -> None:
    path = tmp_path / "deep/c.toml"
    assert write_template(path, now=NOW) is None
    path.write_text("[ui]\nmouse = false\n")
    with pytest.raises(UsageError, match="there is a config already"):
        write_template(path, now=NOW)
    backup = write_template(path, replace=True, now=NOW)
    assert backup is not None
    assert backup.read_text() == "[ui]\nmouse = false\n"
    assert path.read_text() == template()


def test_a_home_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o555)

    def write() -> str:
        try:
            write_template(home / ".config/gpuconsole/config.toml", now=NOW)
        except ConsoleError as error:
            return f"{error.code} {error.title} {error.hint}"
        return "written"

    answer = as_nobody(write, home)
    assert answer.startswith("config.unwritable")
    assert "Permission denied" in answer


def test_what_is_in_force_is_listed_with_its_source_and_without_secrets(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text(
        "[services.x]\nkind = 'forge'\nurl = 'http://h/?token=geheim'\nvram_budget = '8 GiB'\n"
        "auth = { scheme = 'bearer', env = 'COMFY_TOKEN' }\n"
    )
    shown = {entry.key: entry for entry in entries(load(path))}
    assert (shown["services.x.vram_budget"].value, shown["services.x.vram_budget"].source) == (
        "8 GiB",
        "file",
    )
    assert shown["policy.vram_reserve"].source == "default"
    assert shown["services.x.url"].value == "http://h/?token=***"
    assert shown["services.x.auth"].value["env"] == "COMFY_TOKEN"


def test_values_are_written_so_that_toml_reads_them_back() -> None:
    import tomllib

    for value in (True, 3, 1.5, 'a "b" \\ \x7f \u00e9\n', ["a", "b"], {"a b": "c", "d": ["e"]}):
        assert tomllib.loads(f"x = {toml_value(value)}")["x"] == value
    for size in (0, 1, 1023, 1024, 700 << 20, (8 << 30) + 1):
        assert parse_bytes(exact_size(size)) == size


def test_dotted_keys_come_apart_at_their_dots() -> None:
    assert split_key("a.b") == ("a", "b")
    assert split_key('services."a.b c".url') == ("services", "a.b c", "url")
    assert split_key('"q\\"q"') == ('q"q',)
