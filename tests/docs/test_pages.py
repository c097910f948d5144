"""What the pages say is so: scenarios, cues, commands, targets, variables, files."""

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from console.clock import HeldClock
from console.simulator.held import OPENING
from console.simulator.scenario import load_scenario, scenario_names, scenario_title
from console.simulator.world import World
from tests.docs.pages import PAGES, ROOT, page

README = (ROOT / "README.md").read_text("utf-8")
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text("utf-8")
REHEARSAL = (ROOT / "docs" / "rehearsal.md").read_text("utf-8")
SOURCES = [
    path.read_text("utf-8")
    for folder in ("console", "actions", "screens")
    for path in (ROOT / folder).rglob("*.py")
]


def between(text: str, begin: str, end: str) -> str:
    return text.partition(begin)[2].partition(end)[0]


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


def test_every_part_of_the_console_and_every_thread_is_on_the_page() -> None:
    doors = between(ARCHITECTURE, "## Doors", "## How a figure")
    parts = {path.stem for path in (ROOT / "console").iterdir() if not path.name.startswith("_")}
    # Values, words and the rehearsal are no doors.
    inner = {"errors", "moments", "simulator", "unknown", "units", "version"}
    assert {name for name in parts if f"console/{name}" not in doors} == inner
    threads = between(ARCHITECTURE, "## Threads", "## Invariants")
    begun = re.compile(r"Thread\((?:[^()]|\([^()]*\))*?name=f?\"([a-z]+(?:-[a-z]+)*)", re.DOTALL)
    names = {found for source in SOURCES for found in begun.findall(source)}
    assert len(names) > 20
    assert {name for name in names if f"`{name}" not in threads} == set()


def test_every_variable_of_ours_is_explained() -> None:
    name = re.compile(r"GPUCONSOLE_[A-Z_]+[A-Z]")
    read = {found for source in SOURCES for found in name.findall(source)} - {"GPUCONSOLE_COMPLETE"}
    assert read
    assert read <= set(name.findall(ARCHITECTURE))


@pytest.mark.parametrize("name", PAGES)
def test_files_that_pages_name_are_there(name: str) -> None:
    folders = ("console", "actions", "screens", "assets", "tests", "docs")
    named = re.findall(rf"`((?:{'|'.join(folders)})/[\w./-]+)`", page(name))
    assert [path for path in named if not (ROOT / path.rstrip("/")).exists()] == []


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_to_pages_and_headings_that_are_there(name: str) -> None:
    folder = PAGES[name].parent
    for place in re.findall(r"\]\((?!https?:)([^)\s]+)\)", page(name)):
        file, _, heading = place.partition("#")
        target = folder / file if file else PAGES[name]
        assert target.exists(), place
        if heading:
            titles = re.findall(r"^#+ (.*)$", target.read_text("utf-8"), re.MULTILINE)
            assert heading in {anchor(title) for title in titles}, place


def anchor(title: str) -> str:
    letters = "".join(letter for letter in title.lower() if letter.isalnum() or letter in " -_")
    return letters.replace(" ", "-")


def test_pages_for_operators_have_pictures_of_the_screens_and_none_is_left_over() -> None:
    pictures = {name: set(re.findall(r"images/([\w-]+\.svg)\)", page(name))) for name in PAGES}
    shown = {
        "setup.md", "workflows.md", "api.md", "troubleshooting.md", "maintenance.md",
        "architecture.md", "edits.md", "models.md", "services.md", "README.md",
    }  # fmt: skip
    assert {name for name, found in pictures.items() if found} >= shown
    there = {path.name for path in (ROOT / "docs" / "images").iterdir()}
    assert set().union(*pictures.values()) == there


@pytest.mark.parametrize(
    "path", sorted((ROOT / "docs" / "images").iterdir()), ids=lambda one: one.stem
)
def test_a_picture_is_whole_and_keeps_the_spaces_that_line_it_up(path: Path) -> None:
    root = ET.fromstring(path.read_text("utf-8"))
    assert root.tag.endswith("svg")
    assert root.get("{http://www.w3.org/XML/1998/namespace}space") == "preserve"


def test_every_page_is_listed_in_the_readme() -> None:
    listed = set(re.findall(r"\(docs/([a-z]+\.md)\)", README))
    assert listed == set(PAGES) - {"README.md"}
