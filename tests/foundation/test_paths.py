"""The program's own files have a place on every host, however little of a home there is."""

import os
import pwd
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.paths import ensure_private_dir, expand, find_places
from tests.support.users import as_nobody


def test_xdg_says_where_everything_is() -> None:
    places = find_places(
        {"HOME": "/h", "XDG_CONFIG_HOME": "/c", "XDG_STATE_HOME": "/s", "XDG_RUNTIME_DIR": "/r"}
    )
    assert places.config_file == Path("/c/gpuconsole/config.toml")
    assert places.state_dir == Path("/s/gpuconsole")
    assert places.log_file.parent == places.state_dir
    assert places.runtime_dir == Path("/r/gpuconsole")


def test_without_xdg_the_home_has_its_usual_folders() -> None:
    places = find_places({"HOME": "/h", "TMPDIR": "/t"})
    assert places.config_file == Path("/h/.config/gpuconsole/config.toml")
    assert places.state_dir == Path("/h/.local/state/gpuconsole")
    assert places.runtime_dir == Path(f"/t/gpuconsole-{os.getuid()}")


@pytest.mark.parametrize("value", ["", "relative/path", "~/x", "./x", "/with\0nul"])
def test_a_relative_or_empty_xdg_value_is_ignored_as_the_specification_says(value: str) -> None:
    names = ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR")
    assert find_places({"HOME": "/h", **dict.fromkeys(names, value)}) == find_places({"HOME": "/h"})


@pytest.mark.parametrize("environ", [{}, {"HOME": ""}, {"HOME": "relative"}])
def test_without_home_the_user_database_is_asked(environ: dict[str, str]) -> None:
    home = pwd.getpwuid(os.getuid()).pw_dir
    assert find_places(environ).state_dir == Path(home) / ".local/state/gpuconsole"


def test_without_home_and_user_there_is_still_a_place(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(_uid: int) -> object:
        raise KeyError("uid not found")

    monkeypatch.setattr(pwd, "getpwuid", nobody)
    places = find_places({"XDG_RUNTIME_DIR": "/r"})
    assert places.state_dir.is_relative_to("/r/gpuconsole")
    assert expand("~/x", {}) == Path("~/x")


def test_the_config_option_wins_and_knows_the_home() -> None:
    assert find_places({"HOME": "/h"}, "~/c.toml").config_file == Path("/h/c.toml")
    assert find_places({"HOME": "/h"}, "c.toml").config_file == Path("c.toml")


NAMES = st.sampled_from(["HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR", "TMPDIR"])


@given(st.dictionaries(NAMES, st.text()), st.one_of(st.none(), st.text()))
def test_no_environment_makes_it_fail(environ: dict[str, str], config: str | None) -> None:
    assert find_places(environ, config).state_dir.is_absolute()


def test_a_private_directory_is_made_with_its_parents(tmp_path: Path) -> None:
    path = tmp_path / "a/b/state"
    assert ensure_private_dir(path) is None
    assert {oct(p.stat().st_mode & 0o777) for p in (path, path.parent, path.parents[1])} == {
        "0o700"
    }


def test_a_directory_that_is_open_to_others_is_closed(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    assert ensure_private_dir(tmp_path) is None
    assert tmp_path.stat().st_mode & 0o777 == 0o700


def test_a_file_in_the_way_is_a_reason_not_a_crash(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    for path in (tmp_path / "state", tmp_path / "state" / "deeper"):
        problem = ensure_private_dir(path)
        assert problem is not None
        assert problem.code == "files.not-writable"
        assert problem.hint


def test_a_name_that_no_file_can_have_is_a_reason_too() -> None:
    for path in (Path("/tmp/" + "x" * 5000), Path("/tmp/nul\0")):
        assert ensure_private_dir(path) is not None


def test_a_read_only_home_is_a_reason(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o555)
    answer = as_nobody(lambda: ensure_private_dir(home / ".local/state/gpuconsole"), home)
    assert "files.not-writable" in answer
    assert "Permission denied" in answer


@pytest.mark.skipif(os.getuid() != 0, reason="only root can make another user's directory")
def test_another_users_directory_is_a_trap(tmp_path: Path) -> None:
    home = tmp_path / "planted"
    home.mkdir(mode=0o777)
    home.chmod(0o777)
    assert "files.not-private" in as_nobody(lambda: ensure_private_dir(home), home)
    own = tmp_path / "own"
    own.mkdir(mode=0o700)
    os.chown(own, 65534, 65534)
    link = tmp_path / "link"
    link.symlink_to(own)
    assert "files.not-private" in as_nobody(lambda: ensure_private_dir(link), own)
