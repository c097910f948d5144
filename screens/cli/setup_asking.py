"""The questions of setup, put on the command line: on stderr, so that stdout stays data."""

import sys
from typing import Any

from actions.setup.answers import Answers
from actions.setup.report import Ask, Option, StepReport
from console.errors import UsageError
from screens.cli.output import say
from screens.cli.setup_text import ask_lines, asking_lines

_YES = {"y", "yes", "true", "1"}
_NO = {"n", "no", "false", "0"}


class Questions:
    """Puts each question once a run; what was answered in an earlier one is not asked again."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self._put: set[str] = set()
        self._told: set[str] = set()

    def decide(self, report: StepReport) -> dict[str, Any]:
        """Ask what a step leaves to a person; gives what is new, by key, and nothing at the end.

        A step that is done is only asked about where there is something to choose from.
        """
        for one in report.asks:
            if one.key in self._put or one.key in self._answers.given:
                continue
            if report.state == "done" and len(one.options) < 2:
                continue
            self._put.add(one.key)
            if report.id not in self._told:
                self._told.add(report.id)
                say("\n".join(asking_lines(report)))
            value = _asked(one)
            if value is not None:
                return {one.key: value}
        return {}


def _asked(one: Ask) -> Any:
    """Ask until it can be an answer; None where it stays as it is and nothing is to be kept."""
    say("\n".join(ask_lines(one)))
    while True:
        text = _line(f"  {_now(one)}: ")
        value = _meant(one, text) if text else one.value
        if value is None:
            say("  y or n")
            continue
        if text == "" and value in {"", False}:
            return None
        try:
            Answers().take(one.key, value)
        except UsageError as error:
            say(f"  {error.title}; {error.hint}")
            continue
        return value


def _meant(one: Ask, text: str) -> Any:
    """Give what was typed: an option by its number, else the text; None where it is neither."""
    if one.kind == "flag":
        lowered = text.lower()
        return True if lowered in _YES else False if lowered in _NO else None
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 3 else 0
    options = dict(enumerate(one.options, 1))
    return options.get(number, Option(value=text, title=text)).value


def _now(one: Ask) -> str:
    """Give what Enter means."""
    if one.kind == "flag":
        return "y or n [Y/n]" if one.value else "y or n [y/N]"
    named = next((each.title for each in one.options if each.value == one.value), "")
    shown = str(one.value) or named or "nothing"
    return f"number or text [{shown}]" if one.options else f"[{shown}]"


def _line(prompt: str) -> str:
    sys.stderr.write(prompt)
    sys.stderr.flush()
    text = sys.stdin.readline()
    if not text.endswith("\n"):
        say()
    return text.strip()
