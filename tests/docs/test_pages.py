"""What the pages say is so: scenarios, cues, commands, targets, variables, files."""

import re
from pathlib import Path

import pytest

from console.clock import HeldClock
from console.simulator.held import OPENING
from console.simulator.scenario import load_scenario, scenario_names, scenario_title
from console.simulator.world import World

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text("utf-8")
REHEARSAL = (ROOT / "docs" / "rehearsal.md").read_text("utf-8")
MODELS = (ROOT / "docs" / "models.md").read_text("utf-8")
SOURCES = [
    path.read_text("utf-8")
    for folder in ("console", "actions", "screens")
    for path in (ROOT / folder).rglob("*.py")
]


def between(page: str, begin: str, end: str) -> str:
    return page.partition(begin)[2].partition(end)[0]


def test_every_scenario_is_listed_with_its_title() -> None:
    table = between(REHEARSAL, "|---|---|\n", "<!-- end of scenarios -->")
    listed = [f"| `{name}` | {scenario_title(name)} |" for name in scenario_names()]
    assert table.splitlines() == listed


def test_every_cue_is_explained() -> None:
    world = World(load_scenario("empty"), HeldClock(OPENING))
    table = between(REHEARSAL, "<!-- cues:", "<!-- end of cues -->")
    explained = [
        name
        for row in table.splitlines()
        if row.startswith("| `")
        for name in re.findall(r"`([a-z-]+)`", row.split("|")[1])
    ]
    assert sorted(explained) == sorted(world.prompter.cues)


def test_every_variable_of_ours_is_explained() -> None:
    name = re.compile(r"GPUCONSOLE_[A-Z_]+[A-Z]")
    read = {found for source in SOURCES for found in name.findall(source)} - {"GPUCONSOLE_COMPLETE"}
    assert read
    assert read <= set(name.findall(ARCHITECTURE))


@pytest.mark.parametrize(
    "page", [README, ARCHITECTURE, REHEARSAL, MODELS], ids=["readme", "arch", "reh", "models"]
)
def test_files_that_pages_name_are_there(page: str) -> None:
    folders = ("console", "actions", "screens", "assets", "tests", "docs")
    named = re.findall(rf"`((?:{'|'.join(folders)})/[\w./-]+)`", page)
    assert named or page is README
    missing = [path for path in named if not (ROOT / path.rstrip("/")).exists()]
    assert missing == []
