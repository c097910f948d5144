"""Edits as text for people, 80 columns wide."""

import textwrap
from collections.abc import Iterator, Sequence
from datetime import datetime

from actions.gallery.data import state_of
from actions.gallery.finding import Found
from actions.gallery.from_file import PictureFile, Said
from actions.models.catalogue import short_id
from console.edits.kept import KeptEdit, KeptPicture
from console.text import clean, clean_line
from console.units import format_age, format_bytes, format_duration
from screens.cli.table import columns, cut

WIDTH = 80
_LABEL = 11
_LONGEST_PROMPT = 4000


def list_text(found: Found, now: datetime) -> str:
    """Give edits as two lines each: what it is, then its seed and prompt."""
    heads = columns([_head(one, now) for one in found.edits], frozenset({4}))
    lines = []
    for edit, head in zip(found.edits, heads, strict=True):
        lines.append(head)
        lines.append(cut(f"    {_below(edit)}", WIDTH))
    shown = len(found.edits)
    if shown < found.total:
        lines += [
            "",
            f"{shown} of {found.total}; more: --limit, or --before {found.edits[-1].id}",
        ]
    return "\n".join(lines)


def edit_text(edit: KeptEdit, now: datetime) -> str:
    """Give all of one edit."""
    lines = [clean_line(f"{edit.id}  {edit.workflow}, {_age(edit, now)} ago")]
    lines += _row("state", _state_words(edit))
    if edit.error is not None:
        lines += _row("", edit.error.hint) + _row("", edit.error.detail)
    lines += _row("service", f"{edit.service} ({edit.kind}){_card(edit)}")
    lines += _row("variant", edit.variant)
    lines += _row("settings", _settings(edit))
    lines += _words("prompt", edit.prompt) + _words("negative", edit.negative)
    lines += _row("took", _timings(edit)) + _row("memory", _memory(edit))
    for text in edit.warnings:
        lines += _row("note", text)
    for role in ("input", "output"):
        for picture in edit.of_role(role):
            lines += _picture(picture)
    if edit.group:
        lines += _row("part of", f"job {edit.group}")
    lines += _row("again", f"gpuconsole gallery again {edit.id} --new-seed")
    return "\n".join(lines)


def file_text(found: PictureFile) -> str:
    """Give what a picture file is, and what it says of how it was made."""
    facts, said = found.facts, found.said
    lines = [clean_line(found.path, 500)]
    kind = facts.media.removeprefix("image/").upper()
    lines += _row("picture", f"{facts.width}x{facts.height} {kind}, {format_bytes(facts.size)}")
    for note in facts.notes:
        lines += _row("", note)
    lines += _said(said, sorted(found.recipe))
    if found.edit is None:
        lines += _row("edit", "none that this host knows of")
    elif found.role:
        lines += _row("edit", f"{found.role} of {found.edit.id}")
    else:
        lines += _row("edit", f"{found.edit.id}, but the file was changed since")
    return "\n".join(lines)


def _said(said: Said, names: Sequence[str]) -> list[str]:
    if not said.by:
        more = f"; it holds {', '.join(clean_line(one, 40) for one in names[:5])}" if names else ""
        return _row("made by", f"it does not say{more}")
    lines = _row("made by", said.by) + _row("workflow", said.workflow)
    lines += _row("variant", said.variant) + _row("model", said.model)
    pairs = (("seed", said.seed), ("steps", said.steps), ("cfg", said.cfg))
    parts = [f"{name} {value}" for name, value in pairs if value is not None]
    return [*lines, *_row("settings", ", ".join(parts)), *_words("prompt", said.prompt),
            *_words("negative", said.negative)]  # fmt: skip


def _head(edit: KeptEdit, now: datetime) -> list[str]:
    total = edit.timings.total
    took = "" if total is None else format_duration(total)
    variant = short_id(edit.variant) if edit.variant else edit.kind
    age, workflow = f"{_age(edit, now)} ago", cut(clean_line(edit.workflow), 18)
    return [edit.id, edit.state, age, workflow, took, clean_line(variant, 24)]


def _below(edit: KeptEdit) -> str:
    """Give an edit's seed and prompt, or why it has no picture."""
    missing = sum(state_of(one) == "missing" for one in edit.of_role("output"))
    parts = [f"seed {edit.seed}"] if edit.seed is not None else []
    if edit.error is not None:
        parts.append(edit.error.title)
    if missing:
        parts.append(f"{missing} of its pictures {'is' if missing == 1 else 'are'} gone")
    if edit.prompt:
        parts.append(clean_line(edit.prompt, 200))
    return "  ".join(parts)


def _age(edit: KeptEdit, now: datetime) -> str:
    return format_age(max(0.0, (now - edit.created_at).total_seconds()))


def _state_words(edit: KeptEdit) -> str:
    if edit.error is not None:
        return f"{edit.state}: {edit.error.title}"
    return f"{edit.state}, of an earlier run with the same inputs" if edit.cached else edit.state


def _card(edit: KeptEdit) -> str:
    return f" on {edit.gpu_name}" if edit.gpu_name else ""


def _settings(edit: KeptEdit) -> str:
    size = f"{edit.width}x{edit.height}" if edit.width and edit.height else None
    pairs = (("seed", edit.seed), ("steps", edit.steps), ("cfg", edit.cfg), ("size", size),
             ("Lightning steps", edit.lightning))  # fmt: skip
    return ", ".join(f"{name} {value}" for name, value in pairs if value is not None)


def _timings(edit: KeptEdit) -> str:
    times = edit.timings
    parts = [] if times.total is None else [f"{format_duration(times.total)} in all"]
    for name in ("queued", "load", "encode", "sample", "decode", "other", "fetch"):
        seconds = getattr(times, name)
        if seconds is not None and seconds >= 0.05:
            parts.append(f"{name} {format_duration(seconds)}")
    if times.per_step is not None:
        parts.append(f"{format_duration(times.per_step)} a step")
    return ", ".join(parts)


def _memory(edit: KeptEdit) -> str:
    if edit.vram_peak_bytes is None:
        return ""
    before = edit.vram_before_bytes
    more = f", {format_bytes(before)} before" if before is not None else ""
    watts = f", {edit.power_peak_watts:.0f} W" if edit.power_peak_watts is not None else ""
    return f"{format_bytes(edit.vram_peak_bytes)} of the card at most{more}{watts}"


def _picture(picture: KeptPicture) -> list[str]:
    size = f"{picture.width}x{picture.height}, " if picture.width else ""
    state = state_of(picture)
    note = "" if state == "kept" else f", {state.upper()}"
    lines = [f"  {picture.role:<{_LABEL}}{clean_line(picture.path, 500)}"]
    facts = f"{size}{format_bytes(picture.size)}{note}"
    if picture.role == "input" and picture.source:
        facts += f", from {clean_line(picture.source, 300)}"
    return [*lines, f"  {'':<{_LABEL}}{facts}"]


def _row(label: str, text: str) -> list[str]:
    """Give a label and its text, wrapped beside it; nothing where there is no text."""
    lines = textwrap.wrap(clean_line(text), WIDTH - _LABEL - 2, break_on_hyphens=False)
    return list(_labelled(label, lines))


def _words(label: str, text: str) -> list[str]:
    """Give somebody's own words with their lines; a very long text is cut."""
    shown = clean(text[:_LONGEST_PROMPT])
    lines = [part for line in shown.splitlines() for part in textwrap.wrap(line, 67) or [""]]
    if len(text) > _LONGEST_PROMPT:
        lines.append(f"... ({len(text)} characters; --recipe shows all)")
    return list(_labelled(label, lines))


def _labelled(label: str, lines: Sequence[str]) -> Iterator[str]:
    for number, line in enumerate(lines):
        yield f"  {label if number == 0 else '':<{_LABEL}}{line}".rstrip()
