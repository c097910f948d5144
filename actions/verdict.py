"""Row 1: the state of the host in one sentence, worst first."""

from collections.abc import Sequence

from actions.snapshot import Alert, Verdict
from console.engine.snapshot import EngineSnapshot
from console.gpu.snapshot import GpuSnapshot

SEVERITIES = ("error", "warning", "info")


def worst_first(alerts: Sequence[Alert]) -> list[Alert]:
    """Order alerts by severity, then newest first; those without a beginning come last."""
    return sorted(
        alerts,
        key=lambda alert: (
            SEVERITIES.index(alert.severity),
            -(alert.since.timestamp() if alert.since else 0.0),
            alert.subject,
        ),
    )


def newest_first(alerts: Sequence[Alert]) -> list[Alert]:
    """Order alerts by when they began, newest first; those without a beginning come last."""
    return sorted(
        alerts,
        key=lambda alert: (
            -(alert.since.timestamp() if alert.since else 0.0),
            SEVERITIES.index(alert.severity),
            alert.subject,
        ),
    )


def pass_verdict(alerts: Sequence[Alert], gpu: GpuSnapshot, engine: EngineSnapshot) -> Verdict:
    """Say the worst alert in one sentence and how many others there are, or that all is well."""
    serious = [alert for alert in worst_first(alerts) if alert.severity != "info"]
    if not serious:
        return Verdict(severity=_calm_severity(gpu, engine), text=_calm_text(gpu, engine))
    worst = serious[0]
    others = len(serious) - 1
    text = f"{worst.subject} {worst.title}".strip()
    if others:
        text += f" (and {others} more)"
    return Verdict(severity=worst.severity, text=text, alert=worst)


def _calm_severity(gpu: GpuSnapshot, engine: EngineSnapshot) -> str:
    waiting = gpu.taken_monotonic is None or engine.state == "connecting"
    return "info" if waiting else "ok"


def _calm_text(gpu: GpuSnapshot, engine: EngineSnapshot) -> str:
    if gpu.taken_monotonic is None or engine.state == "connecting":
        return "looking at the host"
    running = sum(1 for item in engine.containers if item.state == "running")
    cards = len(gpu.gpus)
    return (
        f"all is well: {cards} card{'' if cards == 1 else 's'}, "
        f"{running} of {len(engine.containers)} containers running"
    )
