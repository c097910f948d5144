"""What the pages say is so: scenarios, cues, commands, targets, variables, files."""

import re
import shlex
from pathlib import Path

import click
import pytest

from console.clock import HeldClock
from console.simulator.held import OPENING
from console.simulator.scenario import load_scenario, scenario_names, scenario_title
from console.simulator.world import World
from screens.cli.main import VERBS, Verbs, gpuconsole

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text("utf-8")
REHEARSAL = (ROOT / "docs" / "rehearsal.md").read_text("utf-8")
MODELS = (ROOT / "docs" / "models.md").read_text("utf-8")
WORKFLOWS = (ROOT / "docs" / "workflows.md").read_text("utf-8")
SERVICES = (ROOT / "docs" / "services.md").read_text("utf-8")
SOURCES = [
    path.read_text("utf-8")
    for folder in ("console", "actions", "screens")
    for path in (ROOT / folder).rglob("*.py")
]

PAGES = (MODELS, WORKFLOWS, SERVICES, ARCHITECTURE)


def between(page: str, begin: str, end: str) -> str:
    return page.partition(begin)[2].partition(end)[0]


def shell_lines(page: str) -> list[list[str]]:
    blocks = re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    return [words for line in lines if (words := shlex.split(line, comments=True))]


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


def inline_commands(page: str) -> list[list[str]]:
    """Commands in the text; what stands for something else is in capitals, and left out."""
    return [
        [word for word in found.split() if not word.isupper()]
        for found in re.findall(r"`(gpuconsole [a-z][^`\n]*)`", page)
    ]


@pytest.mark.parametrize(
    "words",
    [
        *(words for page in (README, REHEARSAL) for words in shell_lines(page)),
        *(words for page in PAGES for words in inline_commands(page)),
    ],
    ids=" ".join,
)
def test_commands_of_the_pages_exist(words: list[str]) -> None:
    if words[0] == "make":
        targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
        assert words[1] in targets
    elif words[0] == "gpuconsole" and len(words) > 1:
        own = words[1 : words.index("--")] if "--" in words else words[1:]
        assert own[0] in VERBS
        assert isinstance(gpuconsole, Verbs)
        context = click.Context(gpuconsole)
        command = gpuconsole.get_command(context, own[0])
        for word in own[1:]:
            if isinstance(command, click.Group):
                assert word in command.commands
                command = command.commands[word]
            elif word.startswith("-"):
                assert command is not None
                assert any(word in option.opts for option in command.params)


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
