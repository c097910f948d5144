"""On which line each key of a TOML text stands; tomllib does not tell.

Only used once something is wrong, on a text that tomllib has taken: so it may trust the syntax.
"""

import re
from collections.abc import Iterator, Sequence

from console.config.kinds import KeyPath

_STRING = (
    r'"""(?:\\[\s\S]|[^\\])*?"""(?:"{0,2})'
    r"|'''[\s\S]*?'''(?:'{0,2})"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
)
_TOKEN = re.compile(rf"(?P<string>{_STRING})|#[^\n]*|[^\s\[\]{{}}=,.#\"']+|[\s\S]")


def find_lines(text: str) -> dict[KeyPath, int]:
    """Give the line, from 1, of each table header and each key, by path.

    A path has the names from the root; an element of an array of tables adds its index.
    """
    lines: dict[KeyPath, int] = {}
    table: KeyPath = ()
    arrays: dict[KeyPath, int] = {}
    for line, tokens in _statements(text):
        if tokens[0] == "[":
            is_array = tokens[1:2] == ["["]
            table = _table_path(_names(tokens), arrays, is_array)
            for depth in range(1, len(table) + 1):
                lines.setdefault(table[:depth], line)
        elif "=" in tokens:
            names = _names(tokens[: tokens.index("=")])
            for depth in range(1, len(names) + 1):
                lines.setdefault((*table, *names[:depth]), line)
    return lines


def line_of(lines: dict[KeyPath, int], path: Sequence[str | int]) -> int | None:
    """Give the line of a path, or of the nearest thing around it that has one."""
    for depth in range(len(path), 0, -1):
        line = lines.get(tuple(path[:depth]))
        if line is not None:
            return line
    return None


def _statements(text: str) -> Iterator[tuple[int, list[str]]]:
    """Give each header or key line with its line number and its tokens, values included."""
    line, start, depth = 1, 1, 0
    tokens: list[str] = []
    for match in _TOKEN.finditer(text):
        piece = match[0]
        depth += (piece in "[{") - (piece in "]}")
        if piece == "\n" and depth == 0:
            if tokens:
                yield start, tokens
            tokens = []
        elif not piece.isspace() and not piece.startswith("#"):
            start = start if tokens else line
            tokens.append(piece)
        line += piece.count("\n")
    if tokens:
        yield start, tokens


def _names(tokens: Sequence[str]) -> list[str]:
    return [_unquoted(token) for token in tokens if token not in {"[", "]", "."}]


def _unquoted(token: str) -> str:
    if token[0] == '"':
        import tomllib

        return str(tomllib.loads(f"name = {token}")["name"])
    return token.strip("'")


def _table_path(names: Sequence[str], arrays: dict[KeyPath, int], is_array: bool) -> KeyPath:
    """Give a header's path, with the index of the array element that it opens or lies in."""
    path: KeyPath = ()
    for depth, name in enumerate(names, 1):
        path = (*path, name)
        if is_array and depth == len(names):
            arrays[path] = arrays.get(path, -1) + 1
        if path in arrays:
            path = (*path, arrays[path])
    return path
