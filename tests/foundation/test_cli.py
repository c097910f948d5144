"""The command line: verbs, global options anywhere, mistakes answered with the right word."""

import json
from pathlib import Path

import pytest

from screens.cli.main import GROUPS, VERBS
from screens.cli.start import read_trivial
from tests.support.program import run_program

HELP_VERBS = ["status", "start", "stop", "restart", "kill", "timeline", "demo", "config"]


def test_help_lists_every_verb_with_examples(tmp_path: Path) -> None:
    done = run_program(["--help"], tmp_path)
    assert done.returncode == 0
    text = done.stdout.decode()
    for verb in HELP_VERBS:
        assert f"\n  {verb} " in text
    assert "_run" not in text
    assert "Examples:" in text
    assert "gpuconsole status --json" in text
    assert done.stderr == b""


def test_help_lists_every_verb_once_by_what_it_is_for(tmp_path: Path) -> None:
    lines = run_program(["--help"], tmp_path, {"COLUMNS": "80"}).stdout.decode().splitlines()
    for name, verb in VERBS.items():
        rows = [line for line in lines if line.split()[:1] == [name] and verb.summary in line]
        assert len(rows) == (0 if verb.hidden else 1), name
    titles = [line.rstrip(":") for line in lines if line.endswith(":") and line[:1].isalpha()]
    assert titles[: len(GROUPS)] == list(GROUPS)
    assert "More" not in titles
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("where", ["before", "after"])
def test_global_options_work_before_and_after_the_verb(tmp_path: Path, where: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("[ui]\nmouse = false\n")
    options = ["--config", str(path), "--no-color", "--read-only", "--json"]
    verb = ["config", "print"]
    done = run_program([*options, *verb] if where == "before" else [*verb, *options], tmp_path)
    assert done.returncode == 0, done.stderr
    data = json.loads(done.stdout)["data"]
    assert data["path"] == str(path)
    assert {"key": "ui.mouse", "value": False, "source": "file"} in data["settings"]


def test_a_mistyped_verb_is_answered_with_the_nearest(tmp_path: Path) -> None:
    done = run_program(["statsu"], tmp_path)
    assert done.returncode == 2
    assert b"did you mean status?" in done.stderr
    assert done.stdout == b""


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["statsu", "--json"], "usage", "did you mean status?"),
        (["--json", "zzz"], "usage", "there is no verb 'zzz'"),
        (["config", "print", "--json", "--bogus"], "usage.no-such-option", "--bogus"),
        (["config", "--json"], "usage", ""),
        (["--json"], "usage", "--json needs a verb"),
        (["config", "path", "surplus", "--json"], "usage", "surplus"),
        (["config", "print", "--json", "--config", "/none.toml"], "config.missing", "/none.toml"),
        (["status", "--json", "--catalog", "/none.toml"], "catalog.missing", "/none.toml"),
    ],
)
def test_a_usage_error_comes_in_the_envelope_when_json_was_asked_for(
    tmp_path: Path, arguments: list[str], code: str, words: str
) -> None:
    done = run_program(arguments, tmp_path)
    assert done.returncode == 2
    whole = json.loads(done.stdout)
    assert (whole["ok"], whole["error"]["code"]) == (False, code)
    assert words in whole["error"]["title"]
    assert whole["error"]["hint"]
    assert done.stderr == b""


def test_json_after_two_dashes_belongs_to_somebody_else(tmp_path: Path) -> None:
    done = run_program(["zzz", "--", "--json"], tmp_path)
    assert done.returncode == 2
    assert done.stdout == b""


def test_without_a_terminal_the_screen_points_to_status(tmp_path: Path) -> None:
    for arguments in ([], ["--read-only"], ["--config=x"]):
        done = run_program(arguments, tmp_path)
        assert done.returncode == 2
        assert done.stdout == b""
        assert b"needs a terminal" in done.stderr
        assert b"gpuconsole status" in done.stderr


def test_trivial_arguments_are_read_without_click() -> None:
    cli = read_trivial(["--read-only", "--config", "a", "--catalog=b"])
    assert cli is not None
    assert (cli.read_only, cli.config, cli.catalog) == (True, "a", "b")
    for odd in (
        ["status"],
        ["--help"],
        ["--config"],
        ["--config", "--json"],
        ["--"],
        ["--read-only=1"],
    ):
        assert read_trivial(odd) is None


def test_no_color_reaches_the_environment() -> None:
    from screens.cli.context import Cli

    cli = Cli({})
    cli.take("no_color", value=True)
    assert cli.environ == {"NO_COLOR": "1"}


def test_a_config_is_written_found_checked_and_shown(tmp_path: Path) -> None:
    done = run_program(["config", "init"], tmp_path)
    path = tmp_path / ".config/gpuconsole/config.toml"
    assert done.returncode == 0, done.stderr
    assert path.stat().st_mode & 0o777 == 0o600
    assert run_program(["config", "path"], tmp_path).stdout.decode().strip() == str(path)
    assert run_program(["config", "validate"], tmp_path).returncode == 0
    assert b"vram_reserve" in run_program(["config", "print"], tmp_path).stdout
    again = run_program(["config", "init", "--json"], tmp_path)
    assert again.returncode == 2
    assert json.loads(again.stdout)["error"]["code"] == "config.exists"
    path.write_text("# mine\n")
    forced = json.loads(run_program(["config", "init", "--force", "--json"], tmp_path).stdout)
    assert Path(forced["data"]["backup"]).read_text() == "# mine\n"


def test_a_dry_run_and_a_read_only_run_write_no_config(tmp_path: Path) -> None:
    dry = run_program(["config", "init", "--dry-run"], tmp_path)
    assert b"[policy]" in dry.stdout
    refused = run_program(["config", "init", "--read-only"], tmp_path)
    assert refused.returncode == 3
    assert list(tmp_path.iterdir()) == []


def test_an_invalid_config_is_exit_2_with_every_mistake(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text("[ui]\nmose = true\n[polcy]\n")
    done = run_program(["config", "validate", "--config", str(path)], tmp_path)
    assert done.returncode == 2
    assert f"{path}:2: ui.mose is not a known key" in done.stderr.decode()
    assert "Did you mean mouse?" in done.stderr.decode()
    whole = json.loads(
        run_program(["config", "validate", "--json", "--config", str(path)], tmp_path).stdout
    )
    assert whole["error"]["code"] == "config.invalid"
    assert [finding["line"] for finding in whole["data"]["findings"]] == [2, 3]


def test_a_broken_config_is_shown_and_looked_through(tmp_path: Path) -> None:
    path = tmp_path / ".config/gpuconsole/config.toml"
    path.parent.mkdir(parents=True)
    path.write_text("[ui\n")
    done = run_program(["config", "print"], tmp_path)
    assert done.returncode == 0
    assert b"not valid TOML" in done.stderr


def test_no_home_at_all_is_no_reason_to_fail(tmp_path: Path) -> None:
    for home in ("", "/nonexistent", "relative"):
        done = run_program(["config", "print", "--json"], tmp_path, {"HOME": home})
        assert done.returncode == 0, done.stderr
        assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("group", ["models", "jobs", "config", "gallery", "workflows", "setup"])
def test_no_summary_is_cut_off_where_the_line_ends(tmp_path: Path, group: str) -> None:
    text = run_program([group, "--help"], tmp_path, {"COLUMNS": "80"}).stdout.decode()
    listed = text.partition("\nCommands:\n")[2].partition("\n\n")[0]
    assert listed
    assert "..." not in listed
