"""The inventory: every file in the model folders, what it is, and what is wrong with it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from actions.models.model import Fix, Issue
from console.models.inventory.found import FoundFile, Inventory
from console.text import clean_line
from console.units import format_bytes
from console.unknown import Unknown
from screens.tui.details import head, pair
from screens.tui.models.source import Looked
from screens.tui.models.state import State
from screens.tui.models.words import HASHES, kind_word
from screens.tui.paint import (
    BLANK,
    UNKNOWN,
    Line,
    Span,
    clickable,
    fit,
    left,
    line_width,
    on,
    right,
    text_width,
    wrap,
)
from screens.tui.words import place_text
from screens.words import SYMBOLS

NAME_LEAST = 18
SIZE, KIND, PRECISION, STATE = 9, 16, 12, 12
KIND_LOW, STATE_LOW = 13, 5
"""The same below `ROOMY` columns, where names that differ in their ends need the room."""
ROOMY = 100
FAMILY, FOLDER = 20, 28
KINDS_LOW = {"diffusion_model": "diffusion", "part": "a part"}
SEVERITY = {"error": 0, "warning": 1, "note": 2}
ROLES = {"error": ("✖", "error"), "warning": ("▲", "warning"), "note": ("·", "dim")}
FORMATS = {
    "part": "part of a download",
    "lfs-pointer": "LFS pointer, no model",
    "html": "HTML page, no model",
    "pickle": "pickle: runs code when it is loaded",
    "empty": "empty",
    "broken-link": "broken link",
}


class Row(NamedTuple):
    """A file with what is wrong with it, the gravest first; `first` of its issues names it."""

    file: FoundFile
    issues: tuple[Issue, ...] = ()

    @property
    def name(self) -> str:
        """Give its name, safe to show."""
        return clean_line(self.file.path.rpartition("/")[2], 255)

    @property
    def severity(self) -> str:
        """Give the severity of its gravest issue; empty where it has none."""
        return self.issues[0].severity if self.issues else ""


def rows_of(looked: Looked, state: State) -> tuple[Row, ...]:
    """Give the files to be listed, in the order that was chosen."""
    about: dict[str, list[Issue]] = {}
    for issue in looked.issues:
        for path in issue.paths:
            about.setdefault(path, []).append(issue)
    rows = [
        Row(file, tuple(sorted(about.get(file.path, ()), key=_gravity)))
        for file in looked.inventory.files
    ]
    if state.issues:
        rows = [row for row in rows if row.issues]
    return tuple(sorted(rows, key=lambda row: _order(row, state)))


def _gravity(issue: Issue) -> int:
    return SEVERITY.get(issue.severity, 3)


def _order(row: Row, state: State) -> tuple[object, ...]:
    file = row.file
    if state.issues:
        return (SEVERITY.get(row.severity, 3), row.name.casefold())
    if state.order == "size":
        return (-size_of(file), row.name.casefold())
    if state.order == "kind":
        return (file.kind or "~", row.name.casefold())
    return (file.root, file.folder.casefold(), row.name.casefold())


def summary(looked: Looked, state: State, width: int) -> Line:
    """Say how much there is, where, and how much is wrong with it."""
    inventory = looked.inventory
    count = len(inventory.files)
    total = format_bytes(sum(allocated(inventory).values()))
    where = len(inventory.roots)
    words = f"  {count} file{'' if count == 1 else 's'}, {total}"
    words += f" in {where} folder{'' if where == 1 else 's'}"
    spans = [Span(words, "strong")]
    wrong = [issue for issue in looked.issues if issue.severity != "note"]
    bad = any(issue.severity == "error" for issue in wrong)
    if wrong:
        spans.append(
            Span(
                f"   {SYMBOLS['error' if bad else 'warning']} {len(wrong)} to look at (i)",
                "error" if bad else "warning",
                "key i",
            )
        )
    saved = savings(looked.issues)
    if saved:
        spans.append(Span(f"   {format_bytes(saved)} twice (D)", "warning", "key D"))
    by = "issues only" if state.issues else f"by {state.order}"
    order = Span(f"   {by}", "dim", "key o")
    return (*spans, order) if line_width((*spans, order)) <= width else tuple(spans)


def savings(issues: Sequence[Issue]) -> int:
    """Give what hard-linking all duplicates would free."""
    return sum(
        max((fix.saves_bytes for fix in issue.fixes), default=0)
        for issue in issues
        if issue.code == "duplicate"
    )


def allocated(inventory: Inventory) -> Mapping[tuple[int, int], int]:
    """Give the size of each file on disk once, however many names it has."""
    return {(file.device, file.inode): size_of(file) for file in inventory.files}


def size_of(file: FoundFile) -> int:
    """Give a file's size; of a part what it has, for it is as long as the whole from the start."""
    return file.disk_bytes if file.format == "part" else file.size


def table(rows: Sequence[Row], state: State, width: int, height: int) -> list[Line]:
    """Give the head and the files from `state.list_top` on in `height` lines of `width`."""
    extra = FAMILY + FOLDER if width >= 140 else FAMILY if width >= 110 else 0
    kind, state_width = (KIND, STATE) if width >= ROOMY else (KIND_LOW, STATE_LOW)
    name = max(NAME_LEAST, width - (5 + SIZE + 2 + kind + PRECISION + state_width + extra))
    label = place_text(state.list_top, height - 1, len(rows)) or "file"
    titles = f"     {left(label, name)}{right('size', SIZE)}  {left('kind', kind)}"
    titles += left("precision", PRECISION) + left("hash", state_width)
    if extra:
        titles += left("family", FAMILY)
    if extra > FAMILY:
        titles += left("folder", FOLDER)
    lines: list[Line] = [fit((Span(titles, "dim"),), width)]
    top = state.list_top
    for row in rows[top : top + height - 1]:
        line = fit(_row(row, state, name, extra, width < ROOMY), width)
        chosen = row.file.path == state.file
        lines.append(clickable(on(line, "selected") if chosen else line, f"row {row.file.path}"))
    return lines


def _row(row: Row, state: State, name: int, extra: int, low: bool) -> Line:
    file = row.file
    symbol, role = ROLES.get(row.severity, (" ", "dim"))
    found = state.search and state.search.casefold() in row.name.casefold()
    mark = "▸" if file.path == state.file else "/" if found else " "
    hashed = HASHES.get(file.hash_state, HASHES["unchecked"])
    kind = kind_word(file.kind)
    if not file.kind:
        kind = FORMATS.get(file.format, file.format).partition(",")[0]
    kind = KINDS_LOW.get(file.kind or file.format, kind) if low else kind
    kind_width, state_width = (KIND_LOW, STATE_LOW) if low else (KIND, STATE)
    how = hashed.symbol if low else f"{hashed.symbol} {hashed.words}"
    spans = [
        Span(f" {mark}", "title"),
        Span("+" if file.path in state.marked else " ", "accent"),
        Span(f"{symbol} ", role),
        Span(left(row.name, name), "strong"),
        Span(right(format_bytes(size_of(file)), SIZE), "text"),
        Span(f"  {left(kind, kind_width - 1)} ", "text" if file.kind else "dim"),
        Span(left(clean_line(file.precision, 30) or UNKNOWN, PRECISION - 1) + " ", "text"),
        Span(left(how, state_width), hashed.role),
    ]
    if extra:
        spans.append(Span(left(_family(file), FAMILY), "text"))
    if extra > FAMILY:
        spans.append(Span(left(clean_line(file.folder, 200) or UNKNOWN, FOLDER), "dim"))
    return tuple(spans)


def _family(file: FoundFile) -> str:
    if file.base and file.base != file.family:
        return f"for {clean_line(file.base, 40)}"
    return clean_line(file.family, 40) or UNKNOWN


def fixes_of(row: Row) -> tuple[Fix, ...]:
    """Give the ways to put right what is wrong with a file, in the order of their numbers."""
    found = dict.fromkeys(fix for issue in row.issues for fix in issue.fixes)
    return tuple(found)[:9]


def details(row: Row, width: int) -> list[Line]:
    """Give all about a file: what is wrong with it and how to put it right, then what it is."""
    file = row.file
    lines: list[Line] = [(Span("  "), Span(row.name, "title"))]
    lines += _issues(row, width)
    if file.problem is not None:
        lines += pair("not read", file.problem, width, "warning")
    lines += pair("what", _what(file), width)
    lines += pair("size", _size(file), width)
    lines += pair("hash", _hash(file), width, HASHES.get(file.hash_state, HASHES["unchecked"]).role)
    lines += pair("catalogue", file.catalog_id or "not in it", width)
    lines += pair("where", clean_line(file.path), width)
    changed = datetime.fromtimestamp(file.mtime_ns / 1e9, UTC).astimezone()
    lines += pair("changed", f"{changed:%Y-%m-%d %H:%M}", width)
    if file.links > 1:
        lines += pair("names", f"{file.links} hard links share these bytes", width)
    return lines


def _issues(row: Row, width: int) -> list[Line]:
    lines: list[Line] = []
    for issue in row.issues:
        symbol, role = ROLES.get(issue.severity, ("·", "dim"))
        lines += [
            (Span(f"  {' ' if place else symbol} ", role), Span(part, role))
            for place, part in enumerate(wrap(clean_line(issue.title, 500), width - 6))
        ]
        lines += [
            (Span("    "), Span(part))
            for part in wrap(clean_line(issue.hint, 500), width - 6)
            if part
        ]
        others = [path for path in issue.paths if path != row.file.path]
        lines += [
            (Span("    "), Span(part, "dim"))
            for path in others[:5]
            for part in wrap(clean_line(path), width - 6)
        ]
        if len(others) > 5:
            lines.append((Span(f"    and {len(others) - 5} more", "dim"),))
    for number, fix in enumerate(fixes_of(row), 1):
        saves = f", frees {format_bytes(fix.saves_bytes)}" if fix.saves_bytes else ""
        lines += [
            clickable(
                (Span("    " if place else f"  {number} ", "key"), Span(part, "accent")),
                f"fix {number}",
            )
            for place, part in enumerate(wrap(f"{clean_line(fix.title, 300)}{saves}", width - 6))
        ]
    return [*lines, BLANK] if lines else []


def _what(file: FoundFile) -> str:
    parts = [FORMATS.get(file.format, file.format)]
    parts += [kind_word(file.kind)] if file.kind else []
    if file.family or file.base:
        parts.append(_family(file))
    parts += [clean_line(file.precision, 40)] if file.precision else []
    if file.parameters is not None:
        parts.append(parameters_text(file.parameters))
    return ", ".join(parts)


def parameters_text(count: int) -> str:
    """Write a number of weights as people say it, such as `20.4 B parameters`."""
    for least, unit in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if count >= least * 0.9995:
            return f"{count / least:.1f} {unit} parameters"
    return f"{count} parameters"


def _size(file: FoundFile) -> str:
    text = f"{format_bytes(file.size)} ({file.size} bytes)"
    if size_of(file) != file.size:
        text = f"{format_bytes(size_of(file))} of {format_bytes(file.size)}"
    if file.promised_bytes is not None and file.promised_bytes != file.size:
        text += f"; its header promises {file.promised_bytes} bytes"
    return text


def _hash(file: FoundFile) -> str:
    words = {
        "checked": "is what hub or catalogue say",
        "known": "nobody says what it should be",
        "differs": "is not what hub or catalogue say",
        "unchecked": "not read yet: v reads it",
    }
    text = words.get(file.hash_state, file.hash_state)
    return f"{text}; sha256 {file.sha256}" if file.sha256 else text


def totals(inventory: Inventory, width: int) -> list[Line]:
    """Give the sums by kind and by root; bytes with several names count once in each."""
    lines = head("By kind")
    lines += _sums([(kind_word(file.kind or file.format), file) for file in inventory.files], width)
    lines += head("By folder")
    lines += _sums([(clean_line(file.root), file) for file in inventory.files], width)
    for root in inventory.roots:
        if root.problem is not None:
            lines += _root(root.path, root.problem, width)
    return lines


def _sums(found: Sequence[tuple[str, FoundFile]], width: int) -> list[Line]:
    sums: dict[str, dict[tuple[int, int], int]] = {}
    for name, file in found:
        sums.setdefault(name, {})[(file.device, file.inode)] = size_of(file)
    name_width = max(16, min(width - 26, max((text_width(name) for name in sums), default=16)))
    return [
        (
            Span(f"  {left(name, name_width)}"),
            Span(right(f"{len(files)} ", 8), "dim"),
            Span(right(format_bytes(sum(files.values())), 10), "strong"),
        )
        for name, files in sorted(sums.items(), key=lambda item: -sum(item[1].values()))
    ]


def _root(path: str, problem: Unknown, width: int) -> list[Line]:
    text = f"▲ {clean_line(path)}: {problem.title}"
    text += f"; {problem.hint}" if problem.hint else ""
    return [(Span("  "), Span(part, "warning")) for part in wrap(text, width - 4)]


def root_troubles(inventory: Inventory, width: int) -> list[Line]:
    """Say which folders could not be looked at; nothing where all could."""
    return [
        line
        for root in inventory.roots
        if root.problem is not None
        for line in _root(root.path, root.problem, width)
    ]
