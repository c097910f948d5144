"""Every command on every page is one that the program has: verbs, flags, values, names, targets."""

import re
import shlex
from collections.abc import Iterator
from functools import cache

import click
import pytest

from screens.cli.completing import Names, teach
from screens.cli.completing_names import names_of
from screens.cli.context import Cli
from screens.cli.main import VERBS, Verbs, gpuconsole
from tests.docs.pages import PAGES, ROOT, blocks, page

PROGRAM = "gpuconsole"
_CALL = re.compile(r"(?<![\w./~-])gpuconsole((?:[ \t]+(?:\"[^\"\n]*\"|'[^'\n]*'|[^\s|;&>()`]+))*)")
_SHELLS = {"sh", "console", "bash", ""}
_SHIPPED = {"variants", "files", "models", "workflows", "scenarios"}


def commands(name: str) -> Iterator[tuple[str, ...]]:
    """Give the calls of the program on a page, in its code and in its text."""
    seen: dict[tuple[str, ...], None] = {}
    text = page(name)
    for block in blocks(name):
        text = text.replace(block.text, "")
        if block.language in _SHELLS:
            for line in block.text.replace("\\\n", " ").splitlines():
                for words in calls(_without_comment(line)):
                    seen[words] = None
    for inline in _inline(text):
        first, _, more = inline.partition(" ")
        # The text often leaves the program's name out: `jobs resume ID`.
        ours = first in VERBS and more and more[0] != "=" and inline != "kill -9"
        whole = f"{PROGRAM} {inline}" if ours else inline
        for words in calls(whole):
            seen[words] = None
    yield from seen


def _inline(text: str) -> Iterator[str]:
    """Give what stands between single backticks; one that is never closed spoils one paragraph."""
    for paragraph in re.sub(r"``.+?``", "", text, flags=re.DOTALL).split("\n\n"):
        yield from (" ".join(found.split()) for found in re.findall(r"`([^`]+)`", paragraph))


def calls(line: str) -> Iterator[tuple[str, ...]]:
    for found in _CALL.finditer(line):
        words = shlex.split(found[1])
        while "--" in words:  # what a rehearsal runs is a command of its own
            at = words.index("--")
            yield tuple(words[:at])
            words = words[at + 1 :]
            if words[:1] != [PROGRAM]:
                words = []
            words = words[1:]
        if words:
            yield tuple(words)


def _without_comment(line: str) -> str:
    return re.sub(r"(^|\s)#.*$", "", line)


@cache
def top() -> Verbs:
    assert isinstance(gpuconsole, Verbs)
    return gpuconsole


@cache
def verb(name: str) -> click.Command:
    command = top().get_command(click.Context(top()), name)
    assert command is not None
    teach(command, name)
    return command


def check(words: tuple[str, ...]) -> None:
    """Hold one call against what `--help` says of it.

    Raises:
        AssertionError: there is no such verb, flag, value or name.
    """
    command: click.Command = top()
    rest = list(words)
    given: list[str] = []
    while rest:
        word = rest.pop(0)
        if word in {"…", "..."}:
            continue
        if word.startswith("-") and len(word) > 1:
            _option(command, word, rest)
        elif command is top():
            assert word in VERBS, f"there is no verb {word}"
            command = verb(word)
        elif isinstance(command, click.Group):
            assert word in command.commands, f"{command.name} has no {word}"
            command = command.commands[word]
        else:
            given.append(word)
    _arguments(command, given)


def _option(command: click.Command, word: str, rest: list[str]) -> None:
    name, equals, value = word.partition("=")
    if name in {"--help", "-h", "--version"}:
        return
    assert name in help_of(command), f"{command.name} has no {name}"
    option = next((one for one in command.params if name in one.opts), None)
    assert option is not None, f"{command.name} has no {name}"
    if isinstance(option, click.Option) and not option.is_flag:
        assert equals or rest, f"{name} needs a value"
        _value(option, value if equals else rest.pop(0))


def _arguments(command: click.Command, given: list[str]) -> None:
    wanted = [one for one in command.params if isinstance(one, click.Argument)]
    for value in given:
        assert wanted, f"{command.name} takes no {value}"
        _value(wanted[0], value)
        if wanted[0].nargs != -1:
            wanted.pop(0)


def _value(param: click.Parameter, value: str) -> None:
    if value.isupper() or "|" in value or value.startswith(("$", "[")):
        return  # it stands for something
    if isinstance(param.type, click.Choice):
        assert value in param.type.choices, f"{value} is none of {param.type.choices}"
    if isinstance(param.type, Names) and param.type.source in _SHIPPED and ":" not in value:
        names = names_of(param.type.source, Cli({"HOME": "/nowhere"}))
        assert value in names or value == "random", f"no {param.type.source} is called {value}"


@cache
def help_of(command: click.Command) -> str:
    return command.get_help(click.Context(command, info_name=command.name))


@pytest.mark.parametrize(
    ("name", "words"),
    [(name, words) for name in PAGES for words in commands(name)],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else value,
)
def test_a_command_on_a_page_is_one_that_there_is(name: str, words: tuple[str, ...]) -> None:
    check(words)


def all_verbs() -> Iterator[tuple[str, click.Command]]:
    waiting = [(name, verb(name)) for name in VERBS]
    while waiting:
        name, command = waiting.pop()
        yield name, command
        if isinstance(command, click.Group):
            waiting += [(f"{name} {key}", child) for key, child in command.commands.items()]


def test_every_help_fits_a_terminal_of_80_columns() -> None:
    wide = {
        name: line
        for name, command in (("", top()), *all_verbs())
        for line in command.get_help(
            click.Context(command, info_name=f"{PROGRAM} {name}", terminal_width=80)
        ).splitlines()
        if len(line) > 80
    }
    assert wide == {}


@pytest.mark.parametrize("name", PAGES)
def test_targets_of_make_on_a_page_are_there(name: str) -> None:
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    text = "".join(block.text for block in blocks(name) if block.language in _SHELLS)
    named = re.findall(r"^make ([a-z]+)", text, re.MULTILINE) + re.findall(
        r"`make ([a-z]+)`", page(name)
    )
    assert set(named) <= set(targets)


@pytest.mark.parametrize(
    "line",
    [
        "gpuconsole statsu",
        "gpuconsole status --bogus",
        "gpuconsole models pul x",
        "gpuconsole demo --scenario nowhere",
        "gpuconsole edit --workflow nosuch",
        "gpuconsole setup files --kind apache",
        "gpuconsole demo -- gpuconsole status --jsn",
        "x=$(gpuconsole jobs wach)",
        "gpuconsole status surplus",
        "gpuconsole edit --variant",
    ],
)
def test_a_wrong_command_would_be_noticed(line: str) -> None:
    found = list(calls(line))
    assert found
    with pytest.raises(AssertionError):
        check(found[-1])


def test_pages_have_commands_at_all() -> None:
    assert sum(len(list(commands(name))) for name in PAGES) > 100
