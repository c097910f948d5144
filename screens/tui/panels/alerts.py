"""Alerts, newest first: since when, how grave, about whom, what."""

from actions.snapshot import Alert
from screens.tui.paint import Line, Span, clickable, cut, fit, left, on, wrap
from screens.tui.view import Scene
from screens.tui.words import local_clock
from screens.words import SYMBOLS


def alerts(scene: Scene, top: int, width: int, height: int, tall: bool = False) -> list[Line]:
    """Give the head and the alerts from `top` on in `height` lines; `tall` wraps what they say."""
    found = scene.snapshot.alerts
    focused = scene.view.focus == "alerts"
    role = "title" if focused else "dim"
    count = f"{len(found)} alert{'' if len(found) == 1 else 's'}" if found else "no alerts"
    lines: list[Line] = [fit((Span(" since  ", "dim"), Span(count, role)), width)]
    for place, alert in enumerate(found[top:], top):
        if len(lines) >= height:
            break
        selected = focused and place == scene.view.alert_place
        lines += _alert_lines(scene, alert, place, width, selected, tall)
    hidden = len(found) - top - (height - 1)
    # With room for one alert only, its text tells more than how many there are.
    if not tall and hidden > 0 and height > 2:
        more = fit((Span(f"        and {hidden + 1} more", "dim"),), width)
        lines = [*lines[: height - 1], clickable(more, f"alert {top + height - 2}")]
    return lines[:height]


def _alert_lines(
    scene: Scene, alert: Alert, place: int, width: int, selected: bool, tall: bool
) -> list[Line]:
    since = left(local_clock(alert.since, scene.view.now), 6)
    symbol = Span(
        f"{SYMBOLS[alert.severity]} ", "dim" if alert.severity == "info" else alert.severity
    )
    subject = Span(f"{cut(alert.subject, 28)} ", "strong" if alert.severity != "info" else "text")
    room = width - 11
    head = (Span("▸" if selected else " ", "title"), Span(f"{since} ", "dim"), symbol)
    if tall:
        lines: list[Line] = [(*head, subject)]
        lines += [(Span(" " * 10), Span(text)) for text in wrap(alert.title, room)[:3]]
        if alert.hint:
            lines += [(Span(" " * 10), Span(text, "dim")) for text in wrap(alert.hint, room)[:2]]
    else:
        lines = [(*head, subject, Span(alert.title))]
    fitted = [fit(line, width) for line in lines]
    if selected:
        fitted = [on(line, "selected") for line in fitted]
    return [clickable(line, f"alert {place}") for line in fitted]
