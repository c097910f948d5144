"""What speaks for and against the edit that the form holds: in one line, and all of it."""

from __future__ import annotations

from actions.fit.model import Fit
from console.errors import ConsoleError
from console.units import format_gib
from console.unknown import Unknown
from screens.tui.details import head
from screens.tui.holders import holders
from screens.tui.lab.source import Checked
from screens.tui.paint import BLANK, Line, Span, wrap
from screens.tui.panels.precheck import VERDICT_WORDS, precheck_lines, verdict_role
from screens.tui.view import Scene

CHECKS = {"pass": ("✔", "ok"), "warn": ("▲", "warning"), "refuse": ("✖", "error")}
SYMBOLS = {"resident": "●", "offload": "◐", "refused": "✖"}


def verdict_line(checked: Checked | None, trouble: ConsoleError | None, read_only: bool) -> Line:
    """Give what the last row of the form says: `s sends it`, and what stands against that."""
    if read_only:
        return (Span("✖ ", "warning"), Span("read-only: nothing is sent from here", "warning"))
    if checked is None:
        if trouble is not None:
            return (Span("▲ ", "warning"), Span(trouble.title, "warning"))
        return (Span("◐ ", "dim"), Span("checking …", "dim"))
    if checked.refusal is not None:
        return (Span("✖ ", "error"), Span(checked.refusal.title, "error"))
    sends: Line = (Span("s", "key"), Span(" sends it  ", "strong"))
    fit = checked.fit
    if fit is not None:
        return (*sends, *fit_spans(fit))
    warned = next((one for one in checked.checks if one.verdict == "warn"), None)
    if warned is not None:
        return (*sends, Span(f"▲ {warned.title}", "warning"))
    return (*sends, Span("✔ nothing speaks against it", "ok"))


def fit_spans(fit: Fit) -> Line:
    """Give a pre-check in a few words: verdict, need and room."""
    role = verdict_role(fit.verdict)
    if isinstance(fit.verdict, Unknown):
        return (Span(f"▲ not known whether it fits: {fit.verdict.title}", "warning"),)
    words = f"{SYMBOLS.get(fit.verdict, '·')} {VERDICT_WORDS.get(fit.verdict, fit.verdict)}"
    if isinstance(fit.need_bytes, Unknown) or isinstance(fit.available_bytes, Unknown):
        return (Span(words, role),)
    return (
        Span(words, role),
        Span(f"  {format_gib(fit.need_bytes)} of {format_gib(fit.available_bytes)} GiB", "text"),
    )


def against_lines(
    checked: Checked | None, trouble: ConsoleError | None, width: int, most: int
) -> list[Line]:
    """Give what stands against it and what to do, in at most `most` lines."""
    if checked is None:
        return _said(trouble.hint, "text", width, most) if trouble is not None else []
    lines: list[Line] = []
    refusal = checked.refusal
    if refusal is not None:
        # The key that does it stands below; the command of the command line needs no line here.
        told = refusal.hint if not checked.pulls else ""
        lines += _said(told, "text", width, most) if told else []
    for check in checked.checks:
        if check.verdict == "pass" or (refusal is not None and check.title == refusal.title):
            continue
        symbol, role = CHECKS[check.verdict]
        lines += _said(f"{symbol} {check.title}", role, width, most)
    if checked.pulls:
        lines += _said(f"p fetches what is missing: {', '.join(checked.pulls)}", "key", width, most)
    fit = checked.fit
    if fit is not None and fit.verdict != "resident" and fit.reason and refusal is None:
        lines += _said(fit.reason, "text", width, most)
    return lines[:most]


def _said(text: str, role: str, width: int, most: int) -> list[Line]:
    return [(Span("   "), Span(part, role)) for part in wrap(text, max(8, width - 4))[:most]]


def verdict_lines(scene: Scene, checked: Checked, width: int) -> list[Line]:
    """Give the whole pre-check with its arithmetic, and every check."""
    lines: list[Line] = []
    fit = checked.fit
    if fit is not None:
        gpu = next((one for one in scene.snapshot.gpu.gpus if one.uuid == fit.gpu_uuid), None)
        held = holders(scene.snapshot, gpu) if gpu is not None else ()
        lines += [(Span("  "), *line) for line in precheck_lines(fit, gpu, held, width - 4, True)]
    lines += head("Checks") if lines else []
    for check in checked.checks:
        symbol, role = CHECKS[check.verdict]
        lines += _check(f"{symbol} {check.title}", role, width)
        lines += _check(f"  {check.detail}", "dim", width) if check.detail else []
    if checked.refusal is not None:
        lines.append(BLANK)
        lines += _check(f"✖ {checked.refusal.title}", "error", width)
        lines += _check(f"  {checked.refusal.hint}", "text", width) if checked.refusal.hint else []
    return lines


def _check(text: str, role: str, width: int) -> list[Line]:
    return [(Span("  "), Span(part, role)) for part in wrap(text, max(8, width - 4))]
