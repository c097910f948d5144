"""The inventory, its issues and verdicts on files, as JSON and as text for people."""

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from actions.models.model import Issue
from actions.models.verifying import Verdict
from console.models.inventory.found import FoundFile, Inventory, Root
from console.text import clean_line
from console.units import format_bytes, format_duration
from console.unknown import NOT_KNOWN, iso_time
from screens.cli.table import columns, cut, text_width

WIDTH = 80
_NAME = 25
_FIXES = 4
_WORDS = {"lora": "LoRA", "vae": "VAE", "controlnet": "ControlNet"}
_SHORT = {
    "diffusion_model": "model",
    "text_encoder": "encoder",
    "model_patch": "patch",
    "clip_vision": "vision",
    "lfs-pointer": "pointer",
    "broken-link": "bad link",
    "qwen-image-edit": "qwen-edit",
}
_MARKS = {"error": "✗", "warning": "▲", "note": "·"}
_STATES = {"checked": "✓", "differs": "✗"}


def inventory_data(
    whole: Inventory, files: Sequence[FoundFile], issues: Sequence[Issue]
) -> dict[str, Any]:
    """Give the inventory as JSON has it; totals are of the files that are given."""
    return {
        "roots": [_root_data(one) for one in whole.roots],
        "files": [_file_data(one) for one in files],
        "issues": [msgspec.to_builtins(one) for one in cleaned(issues)],
        "totals": {
            "by_kind": _totals(files, lambda one: one.kind or one.format),
            "by_root": _totals(files, lambda one: clean_line(one.root)),
            "files": len(files),
            "bytes": _bytes(files),
            "duplicate_bytes": saved_bytes(issues),
        },
        "seconds": round(whole.seconds, 4),
    }


def verdict_data(told: Sequence[Verdict], seconds: float) -> dict[str, Any]:
    """Give verdicts as JSON has them."""
    return {
        "files": [
            {
                "id": one.id or None,
                "path": clean_line(one.path) or None,
                "state": one.state,
                "verified": one.state == "checked",
                "size_bytes": one.size_bytes,
                "sha256": one.sha256 or None,
                "expected_sha256": one.expected or None,
                "read_bytes": one.read_bytes,
                "title": one.title,
            }
            for one in told
        ],
        "good": sum(one.good for one in told),
        "bad": sum(not one.good for one in told),
        "read_bytes": sum(one.read_bytes for one in told),
        "seconds": round(seconds, 4),
    }


def inventory_text(whole: Inventory, files: Sequence[FoundFile], issues: Sequence[Issue]) -> str:
    """Give files by root and folder, then totals, then what is wrong; 80 columns wide."""
    if not files:
        return "No model files are there" if whole.roots else "No models folder is known"
    marks = _marks(issues)
    lines: list[str] = []
    for root in whole.roots:
        there = [one for one in files if one.root == root.path]
        if there:
            lines += [f"{clean_line(root.path)}  ({clean_line(root.source)})"]
            lines += [*_rows(there, marks), ""]
    lines += ["by kind", *_total_rows(files, lambda one: _word(one.kind or one.format)), ""]
    lines += ["by models folder", *_total_rows(files, lambda one: clean_line(one.root)), ""]
    if issues:
        lines += [issues_text(issues), ""]
    lines.append(f"{_files(len(files))}, {format_bytes(_bytes(files))}. ✓ hash checked.")
    return "\n".join(lines)


def issues_text(issues: Sequence[Issue]) -> str:
    """Give what is wrong, the worst first, with the files and what would put it right."""
    if not issues:
        return "Nothing is wrong with the model files"
    lines: list[str] = []
    for one in cleaned(issues):
        lines += _wrapped(f"{_MARKS[one.severity]} {one.title}", "  ")
        lines += [f"    {path}" for path in one.paths]
        lines += _wrapped(f"  {one.hint}", "  ") if one.hint else []
        lines += [
            line for fix in one.fixes[:_FIXES] for line in _wrapped(f"  → {fix.title}", "    ")
        ]
    saves = saved_bytes(issues)
    if saves:
        lines += ["", f"`gpuconsole models dedupe` would free {format_bytes(saves)}"]
    return "\n".join(lines)


def verdict_text(verdict: Verdict) -> str:
    """Give one verdict as a line, with what is wrong behind it."""
    name = clean_line(verdict.path or verdict.id)
    title = f": {clean_line(verdict.title, 400)}" if verdict.title else ""
    return f"{verdict.state:<10}  {name}{title}"


def verified_text(told: Sequence[Verdict], seconds: float, *, everything: bool) -> str:
    """Give the sum of verdicts."""
    if not told:
        more = "" if everything else "; `--all` reads every file"
        return f"There is no file whose hash somebody tells{more}"
    bad = sum(not one.good for one in told)
    read = sum(one.read_bytes for one in told)
    how = f"{format_bytes(read)} read" if read else "nothing had changed"
    wrong = f", {bad} not as they should be" if bad else ""
    return f"{_files(len(told))}{wrong}; {how}, {format_duration(seconds)}"


def saved_bytes(issues: Iterable[Issue]) -> int:
    """Give what linking all duplicates would free."""
    return sum(fix.saves_bytes for one in issues if one.code == "duplicate" for fix in one.fixes)


def _rows(files: Sequence[FoundFile], marks: Mapping[str, str]) -> list[str]:
    """Give files by folder; a name too long for its column stands on a line of its own."""
    lines: list[str] = []
    for folder in sorted({one.folder for one in files}):
        lines.append(f"  {clean_line(folder)}/" if folder else "  (not in a folder)")
        for file in (one for one in files if one.folder == folder):
            name = clean_line(file.path.rpartition("/")[2])
            mark = marks.get(file.path) or _STATES.get(file.hash_state, "")
            if text_width(name) > _NAME:
                lines.append(f"    {name}")
                name = ""
            blank = " " * (_NAME - text_width(name))
            lines.append(f"    {name}{blank}  {_facts(file)}  {mark}".rstrip())
    return lines


def _facts(file: FoundFile) -> str:
    """Give what a file is in columns that line up: kind, family, precision, size."""
    kind = cut(_SHORT.get(file.kind or file.format) or _word(file.kind or file.format), 10)
    family = cut(_SHORT.get(file.family, file.family), 13)
    precision = cut(_short_precision(file.precision), 10)
    return f"{kind:<10}  {family:<13}  {precision:<10}  {format_bytes(file.size):>8}"


def _short_precision(precision: str) -> str:
    short = precision.replace("fp8_e4m3fn", "fp8").removeprefix("svdq-")
    return short.replace("_scaled", " scaled").replace("_r", " r")


def _total_rows(files: Sequence[FoundFile], key: Any) -> list[str]:
    totals = _totals(files, key)
    rows = [
        [f"  {_shortened(name, 50)}", str(one["files"]), format_bytes(one["bytes"])]
        for name, one in sorted(totals.items(), key=lambda item: -item[1]["bytes"])
    ]
    return columns(rows, frozenset({1, 2}))


def _totals(files: Iterable[FoundFile], key: Any) -> dict[str, dict[str, int]]:
    """Give files and bytes by what `key` tells; names of one file count their bytes once."""
    totals: dict[str, dict[str, int]] = {}
    seen = set[tuple[str, int, int]]()
    for file in files:
        name = key(file)
        total = totals.setdefault(name, {"files": 0, "bytes": 0})
        total["files"] += 1
        if (name, file.device, file.inode) not in seen:
            seen.add((name, file.device, file.inode))
            total["bytes"] += file.size
    return totals


def _bytes(files: Iterable[FoundFile]) -> int:
    return sum({(one.device, one.inode): one.size for one in files}.values())


def _file_data(file: FoundFile) -> dict[str, Any]:
    """Give a file as JSON has it; built by hand, because there may be thousands."""
    problem = file.problem
    data: dict[str, Any] = {
        "path": clean_line(file.path),
        "name": clean_line(file.path.rpartition("/")[2]),
        "root": clean_line(file.root),
        "folder": clean_line(file.folder),
        "format": file.format,
        "kind": file.kind or None,
        "family": file.family or None,
        "base": file.base or None,
        "precision": file.precision or None,
        "parameters": file.parameters,
        "size_bytes": file.size,
        "promised_bytes": file.promised_bytes,
        "modified": _moment(file.mtime_ns),
        "links": file.links,
        "is_link": file.is_link,
        "sha256": file.sha256 or None,
        "hash_state": file.hash_state,
        "catalog_id": file.catalog_id or None,
    }
    if file.job_id:
        data["job_id"] = file.job_id
    if problem is not None:
        reason = {"field": "format", **msgspec.structs.asdict(problem)}
        data["unavailable"] = [{key: clean_line(value) for key, value in reason.items()}]
    return data


def _moment(mtime_ns: int) -> str | None:
    """Give a time of the file system; None where it is one that no calendar has."""
    try:
        return iso_time(datetime.fromtimestamp(mtime_ns / 1e9, UTC))
    except (ValueError, OverflowError, OSError):
        return None


def _root_data(root: Root) -> dict[str, Any]:
    data: dict[str, Any] = {
        "path": clean_line(root.path),
        "layout": root.layout,
        "source": clean_line(root.source),
        "folders": {clean_line(name): kind for name, kind in root.kind_by_folder.items()},
    }
    if root.problem is not None:
        reason = {"source": "disk", **msgspec.structs.asdict(root.problem)}
        data["unavailable"] = [{key: clean_line(value) for key, value in reason.items()}]
    return data


def cleaned(issues: Iterable[Issue]) -> list[Issue]:
    """Give issues with paths that are safe to show; plans are made of the others."""
    return [
        msgspec.structs.replace(
            one,
            paths=tuple(clean_line(path) for path in one.paths),
            fixes=tuple(
                msgspec.structs.replace(fix, path=clean_line(fix.path), to=clean_line(fix.to))
                for fix in one.fixes
            ),
        )
        for one in issues
    ]


def _marks(issues: Iterable[Issue]) -> dict[str, str]:
    """Give the mark of the worst issue of each file; of duplicates only the copies have one."""
    marks: dict[str, str] = {}
    for one in issues:
        for path in one.paths[:1] if one.code == "duplicate" else one.paths:
            marks.setdefault(path, _MARKS[one.severity])
    return marks


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count} files"


def _word(kind: str) -> str:
    return _WORDS.get(kind, kind.replace("_", " ")) or NOT_KNOWN


def _shortened(text: str, width: int) -> str:
    """Cut a path in its middle: both what it is in and how it ends tell something."""
    if len(text) <= width:
        return text
    tail = width * 2 // 3
    return f"{text[: width - tail - 1]}…{text[-tail:]}"


def _wrapped(text: str, further: str) -> list[str]:
    return textwrap.wrap(
        text, WIDTH, subsequent_indent=further, break_on_hyphens=False, replace_whitespace=False
    )
