"""The answers file: TOML, every key known and documented, mistakes named with their line."""

import difflib
import errno
import re
import textwrap
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from actions.setup.words import AnswerWords, words
from console.config.lines import find_lines, line_of
from console.config.show import toml_value
from console.errors import UsageError
from console.files import read_limited
from console.mask import mask_text
from console.text import clean, clean_line
from console.units import parse_bytes

_LIMIT = 256 * 1024
_LONGEST = 4096
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,59}")
_NAME_HINT = "letters, digits, -, _ and ., the first a letter or a digit; 60 at most"
_USER_IN_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/@\s]*@")
_WIDTH = 96

OURS = "Answers for `gpuconsole setup --answers FILE`. Every key is optional; a line that"
"""How a file begins that `template` made, behind what makes it a comment."""

_TEMPLATE = "`gpuconsole setup --print-answers` writes a file with every key explained"


class Answers:
    """What was answered, by dotted key; what was not is the default.

    Attributes:
        given: the keys that somebody answered, and what they said.
    """

    def __init__(self, given: Mapping[str, Any] | None = None) -> None:
        self.given = dict(given or {})

    def text(self, key: str) -> str:
        """Give an answer of kind `text` or `choice`."""
        return str(self._value(key))

    def flag(self, key: str) -> bool:
        """Give an answer of kind `flag`."""
        return bool(self._value(key))

    def names(self, key: str) -> tuple[str, ...]:
        """Give an answer of kind `names`."""
        return tuple(self._value(key))

    def take(self, key: str, value: Any) -> None:
        """Answer a key anew.

        Raises:
            UsageError: there is no such key, or it cannot be that (`answers.wrong`).
        """
        table, _, name = key.rpartition(".")
        answers_of({table: {name: value}} if table else {name: value})
        self.given[key] = value

    def _value(self, key: str) -> Any:
        return self.given.get(key, words().answers[key].default)


class _Mistake(NamedTuple):
    line: int | None
    title: str
    hint: str


def read_answers(path: Path) -> Answers:
    """Read an answers file, or a pipe that brings one.

    Raises:
        UsageError: it cannot be read (`answers.unreadable`), is no TOML (`answers.syntax`), or has
            a key or a value that is none (`answers.wrong`); `detail` has every mistake.
    """
    try:
        text = read_limited(path, _LIMIT, pipes=True).decode("utf-8-sig")
    except OSError as error:
        why = error.strerror or errno.errorcode.get(error.errno or 0, "it cannot be read")
        raise UsageError("answers.unreadable", f"{path} cannot be read: {why}") from error
    except UnicodeDecodeError as error:
        raise UsageError("answers.unreadable", f"{path} is not UTF-8") from error
    try:
        table = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        odd = not isinstance(error, tomllib.TOMLDecodeError)
        said = (
            "a number is too long, or tables are too deep" if odd else clean_line(str(error), 200)
        )
        raise UsageError(
            "answers.syntax", f"{path} is not valid TOML: {said}", _TEMPLATE
        ) from error
    return answers_of(table, text, str(path))


def answers_of(table: Mapping[str, Any], text: str = "", name: str = "answers") -> Answers:
    """Check a table of answers; `text` is what it was parsed from, for the lines of mistakes.

    Raises:
        UsageError: as `read_answers`.
    """
    given = dict(_flat(table))
    mistakes = list(_mistakes(given, text))
    if mistakes:
        lines = [f"{name}:{one.line or ''} {one.title}; {one.hint}" for one in mistakes]
        first, more = mistakes[0], len(mistakes) - 1
        where = f"line {first.line}: " if first.line else ""
        and_more = f" (and {more} more)" if more else ""
        raise UsageError(
            "answers.wrong",
            f"{clean_line(name, 200)}: {where}{first.title}{and_more}",
            first.hint,
            "\n".join(lines) if more else "",
        )
    return Answers({".".join(key): value for key, value in given.items()})


def template(given: Mapping[str, Any] | None = None) -> str:
    """Give an answers file in which every key is explained; it has its default, unless given.

    Args:
        given: what was answered, by dotted key.
    """
    answered = given or {}
    lines = [
        f"## {OURS}",
        '## begins with one "#" shows a default: take that "#" away to set it.',
    ]
    section = ""
    for key, one in words().answers.items():
        table, _, name = key.rpartition(".")
        if table != section:
            section = table
            lines += ["", f"[{table}]"]
        elif not table:
            lines.append("")
        about = one.about.format(steps=", ".join(words().steps))
        lines += textwrap.wrap(about, _WIDTH, initial_indent="## ", subsequent_indent="## ")
        said = key in answered
        value = toml_value(answered[key] if said else one.default)
        lines.append(f"{'' if said else '#'}{name} = {value}")
    return "\n".join(lines) + "\n"


def _flat(
    table: Mapping[str, Any], path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Give each value by its path: of a table, what it holds."""
    for name, value in table.items():
        if isinstance(value, dict) and not path and (value or name in _sections()):
            yield from _flat(value, (name,))
        else:
            yield (*path, name), value


def _sections() -> frozenset[str]:
    return frozenset(key.partition(".")[0] for key in words().answers if "." in key)


def _mistakes(given: Mapping[tuple[str, ...], Any], text: str) -> Iterator[_Mistake]:
    lines = find_lines(text) if text else {}
    known = words().answers
    for path, value in given.items():
        key, line = ".".join(path), line_of(lines, path)
        shown = clean_line(key, 80)
        if len(path) > 2 or key not in known:
            yield _Mistake(line, f"there is no answer {shown or 'without a name'}", _nearest(key))
        elif (wrong := _wrong(known[key], value)) is not None:
            yield _Mistake(line, f"{shown} {wrong[0]}", wrong[1])


def _nearest(key: str) -> str:
    """Give the answer that is meant, or those of the same table, or where all of them are."""
    known = words().answers
    near = difflib.get_close_matches(key.lower(), known, 1, 0.5)
    if near:
        return f"did you mean {near[0]}?"
    table = key.partition(".")[0]
    beside = [one for one in known if one.startswith(f"{table}.")]
    return f"the keys there are {', '.join(beside)}" if beside else _TEMPLATE


def _wrong(one: AnswerWords, value: Any) -> tuple[str, str] | None:
    """Say what is wrong with a value, and what would do; None where it is right."""
    if one.kind == "flag":
        return None if isinstance(value, bool) else ("is neither true nor false", "true, or false")
    if one.kind == "names":
        return _wrong_names(value)
    if not isinstance(value, str):
        return "is no text", 'a text stands in quotes, such as "…"'
    if one.kind == "name" and value and _NAME.fullmatch(value) is None:
        return f"cannot be {clean_line(value, 60)!r}", _NAME_HINT
    if one.kind == "size":
        return _wrong_size(value)
    if one.kind in {"text", "prose"}:
        return _wrong_text(value, prose=one.kind == "prose")
    if one.kind == "choice" and value not in one.choices:
        near = difflib.get_close_matches(value, one.choices, 1, 0.5)
        rest = ", ".join(choice or "empty" for choice in one.choices)
        hint = f"did you mean {near[0]}?" if near else f"one of: {rest}"
        return f"cannot be {clean_line(value, 60)!r}", hint
    return None


def _wrong_size(value: str) -> tuple[str, str] | None:
    try:
        right = not value or parse_bytes(value) >= 0
    except ValueError:
        right = False
    return None if right else (f"is no size: {clean_line(value, 60)!r}", 'such as "8 GiB"')


def _wrong_text(value: str, *, prose: bool) -> tuple[str, str] | None:
    """Say what is wrong with a text; answers are remembered and shown: no secret may be in one."""
    if len(value) > _LONGEST:
        return "is too long", f"{_LONGEST} characters at most"
    if not prose and (_USER_IN_URL.match(value) or mask_text(value) != value):
        return "has a secret in it", "answers are remembered: leave password and token out of them"
    if clean(value) != value or (not prose and len(value.splitlines()) > 1):
        return "has a line break or a control character", "one line, of what can be printed"
    return None


def _wrong_names(value: Any) -> tuple[str, str] | None:
    steps = list(words().steps)
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        return "is no list of names", f'such as ["{steps[-1]}"]'
    for one in value:
        if one not in steps:
            near = difflib.get_close_matches(one, steps, 1, 0.5)
            hint = f"did you mean {near[0]}?" if near else f"the steps are {', '.join(steps)}"
            return f"names no step {clean_line(one, 60)!r}", hint
    return None
