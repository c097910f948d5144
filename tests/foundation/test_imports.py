"""What each way in loads: start-up time is a budget, so heavy modules stay out until needed."""

import json
from pathlib import Path

import pytest

from tests.support.program import run_program

LOADED = """
import json, sys
from screens.cli.start import start
try:
    start({arguments!r})
finally:
    print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""
NEVER_IN_CLI = {"textual", "rich", "aiohttp", "tomlkit", "asyncio", "docker", "requests", "httpx"}


def loaded_by(arguments: list[str], home: Path) -> set[str]:
    """Give the modules that one run of the command line has loaded at its end."""
    done = run_program([], home, code=LOADED.format(arguments=arguments))
    return set(json.loads(done.stderr.splitlines()[-1]))


@pytest.mark.parametrize(
    "arguments", [["--help"], ["config", "print"], ["config", "path", "--json"]]
)
def test_a_reading_verb_loads_no_screen_no_server_no_writer(
    tmp_path: Path, arguments: list[str]
) -> None:
    modules = loaded_by(arguments, tmp_path)
    assert "click" in modules
    assert not modules & NEVER_IN_CLI
    assert not any(name.startswith("screens.tui.") for name in modules)


def test_the_version_loads_not_even_click(tmp_path: Path) -> None:
    modules = loaded_by(["--version"], tmp_path)
    assert not modules & (NEVER_IN_CLI | {"click", "actions.session", "tomllib"})


def test_status_loads_no_screen_and_no_server(tmp_path: Path) -> None:
    modules = loaded_by(["status", "--json"], tmp_path)
    assert "actions.status" in modules
    assert not modules & {"textual", "rich", "aiohttp", "tomlkit"}
    assert not any(name.startswith(("screens.tui.", "console.simulator.")) for name in modules)


def test_the_way_to_the_screen_needs_no_click(tmp_path: Path) -> None:
    modules = loaded_by([], tmp_path)
    assert not modules & (NEVER_IN_CLI | {"click"})
