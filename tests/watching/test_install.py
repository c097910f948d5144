"""`watch --install` shows and explains the unit, asks, and writes it whole or not at all."""

import json
import shutil
import subprocess
from pathlib import Path

from tests.support.program import private_environment, run_program

UNIT = ".config/systemd/user/gpuconsole-watch.service"


def test_a_dry_run_shows_it_and_writes_nothing(tmp_path: Path) -> None:
    done = run_program(["watch", "--install", "--dry-run"], tmp_path)
    assert done.returncode == 0, done.stderr
    text = done.stdout.decode()
    assert "ExecStart=" in text
    assert "systemctl --user enable --now gpuconsole-watch.service" in text
    assert "loginctl enable-linger" in text
    assert not (tmp_path / ".config/systemd").exists()


def test_without_a_terminal_it_is_written_only_with_a_yes(tmp_path: Path) -> None:
    done = run_program(["watch", "--install"], tmp_path)
    assert done.returncode == 3
    assert not (tmp_path / UNIT).exists()
    done = run_program(["watch", "--install", "--yes", "--json"], tmp_path)
    data = json.loads(done.stdout)["data"]
    assert data["written"]
    assert (tmp_path / UNIT).read_text() == data["text"]
    again = run_program(["watch", "--install", "--json"], tmp_path)
    assert again.returncode == 0
    assert json.loads(again.stdout)["data"]["same"]


def test_what_is_there_is_shown_as_a_diff_and_kept(tmp_path: Path) -> None:
    run_program(["watch", "--install", "--yes"], tmp_path)
    mine = (tmp_path / UNIT).read_text().replace("Nice=5", "Nice=15")
    (tmp_path / UNIT).write_text(mine)
    shown = run_program(["watch", "--install", "--dry-run"], tmp_path).stdout.decode()
    assert "-Nice=15" in shown
    assert "+Nice=5" in shown
    done = run_program(["watch", "--install", "--yes", "--json"], tmp_path)
    backup = json.loads(done.stdout)["data"]["backup"]
    assert Path(backup).read_text() == mine


def test_read_only_and_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    refused = run_program(["watch", "--install", "--yes", "--read-only"], tmp_path)
    assert refused.returncode == 3
    (tmp_path / ".config").write_text("a file where a folder should be")
    done = run_program(["watch", "--install", "--yes"], tmp_path)
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr
    assert b"gpuconsole:" in done.stderr


def test_no_secret_is_written_and_odd_paths_are_quoted(tmp_path: Path) -> None:
    home = tmp_path / "my 100% home"
    home.mkdir()
    config = home / "c.toml"
    config.write_text(
        '[services.c]\nkind = "comfyui"\nurl = "http://127.0.0.1:1"\n'
        'auth = { scheme = "bearer", env = "COMFY_TOKEN" }\n'
    )
    environ = {
        "DOCKER_HOST": "tcp://me:s3cr3t-pass@host:2375",
        "COMFY_TOKEN": "t0ps3cret",
        "GPUCONSOLE_CATALOG": str(home / "catalog.toml"),
    }
    done = run_program(
        ["watch", "--install", "--yes", "--json", "--config", str(config)], home, environ
    )
    data = json.loads(done.stdout)["data"]
    assert "s3cr3t-pass" not in done.stdout.decode()
    assert "t0ps3cret" not in done.stdout.decode()
    assert any("DOCKER_HOST is not written" in note for note in data["notes"])
    assert any("COMFY_TOKEN" in note and "watch.env" in note for note in data["notes"])
    assert '"' + str(config).replace("%", "%%") + '"' in data["text"]
    assert f'"GPUCONSOLE_CATALOG={home}/catalog.toml"'.replace("%", "%%") in data["text"]


def test_systemd_takes_it(tmp_path: Path) -> None:
    run_program(["watch", "--install", "--yes"], tmp_path)
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        text = (tmp_path / UNIT).read_text()
        sections = [line for line in text.splitlines() if line.startswith("[")]
        assert sections == ["[Unit]", "[Service]", "[Install]"]
        assert all("=" in line or line[:1] in "#[" for line in text.splitlines() if line)
        return
    done = subprocess.run(
        [analyze, "verify", "--user", str(tmp_path / UNIT)],
        capture_output=True, text=True, env=private_environment(tmp_path), timeout=30,
    )  # fmt: skip
    assert "Unknown" not in done.stderr


def test_options_that_do_not_go_together(tmp_path: Path) -> None:
    for options in (["--dry-run"], ["--yes"], ["--install", "--test"]):
        assert run_program(["watch", *options], tmp_path).returncode == 2
