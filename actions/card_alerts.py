"""Alerts about cards and their driver: lost, hot, nearly full, slowed down, not readable."""

from collections.abc import Iterator, Sequence

from actions.snapshot import Alert
from actions.thresholds import thresholds
from console.gpu.snapshot import Gpu, GpuSnapshot
from console.unknown import Unknown, known

THERMAL_REASONS = frozenset({"hw_thermal_slowdown", "sw_thermal_slowdown"})
# Without these a host may simply have no card; others mean that one is there and out of reach.
NO_CARD_CODES = frozenset(
    {"nvml.lib-not-found", "nvml.driver-not-loaded", "nvml.no-cards", "gpu.none"}
)


def driver_alerts(snapshot: GpuSnapshot, wanted: bool) -> Iterator[Alert]:
    """Say why there are no readings; only a warning where no container asks for a card."""
    problem = snapshot.problem
    if problem is None:
        return
    absent = problem.code in NO_CARD_CODES and not wanted
    overdue = problem.code == "gpu.stale" and bool(snapshot.gpus)
    yield Alert(
        id=problem.code,
        severity="warning" if absent or overdue else "error",
        subject="cards:",
        title=problem.title,
        hint=problem.hint,
        since=None,
    )


def card_alerts(gpus: Sequence[Gpu], standing: frozenset[tuple[str, str]]) -> Iterator[Alert]:
    """Give the alerts of every card.

    `standing` holds (alert id, GPU uuid) of what stood at the last look: an alert that stands
    ends only below its clear threshold, so that a figure on the edge does not flap.
    """
    for gpu in gpus:
        if gpu.lost is not None:
            title = f"does not answer: {gpu.lost.title}"
            yield _alert(gpu, "card.lost", "error", title, gpu.lost.hint)
            continue
        yield from _heat(gpu, ("card.hot", gpu.uuid) in standing)
        yield from _fullness(gpu, ("card.nearly-full", gpu.uuid) in standing)


def card_label(gpu: Gpu) -> str:
    """Name a card as people do: its driver index and the short form of its name."""
    if isinstance(gpu.name, Unknown):
        return f"card {gpu.index}"
    return f"card {gpu.index} {short_name(gpu.name)}"


def short_name(name: str) -> str:
    """Shorten `NVIDIA GeForce RTX 3080 Laptop GPU` to `RTX 3080 Laptop`."""
    return name.removeprefix("NVIDIA ").removeprefix("GeForce ").removesuffix(" GPU")


def _heat(gpu: Gpu, stands: bool) -> Iterator[Alert]:
    limit = thresholds().card
    celsius = gpu.temperature_celsius
    slowed = known(gpu.throttle_reasons) and THERMAL_REASONS.intersection(gpu.throttle_reasons)
    slowing = ", slowed down by heat" if slowed else ""
    hint = "check the fans and the air around the card, or lower its power limit"
    if not known(celsius):
        if slowed:
            yield _alert(gpu, "card.hot", "warning", "is slowed down by heat", hint)
        return
    if celsius >= limit.too_hot_celsius:
        yield _alert(gpu, "card.too-hot", "error", f"is too hot: {celsius} °C{slowing}", hint)
    elif slowed or celsius >= (limit.hot_clear_celsius if stands else limit.hot_celsius):
        yield _alert(gpu, "card.hot", "warning", f"is hot: {celsius} °C{slowing}", hint)


def _fullness(gpu: Gpu, stands: bool) -> Iterator[Alert]:
    limit = thresholds().card
    # What the driver keeps for itself is neither used nor free: only free tells what is left.
    free, total = gpu.memory_free_bytes, gpu.memory_total_bytes
    if not (known(free) and known(total)) or not total:
        return
    percent = 100 * (total - free) / total
    if percent >= (limit.nearly_full_clear_percent if stands else limit.nearly_full_percent):
        title = f"is nearly full: {percent:.0f} % of its VRAM, {free / 2**20:.0f} MiB left"
        yield _alert(gpu, "card.nearly-full", "warning", title, "stop or unload what is idle on it")


def _alert(gpu: Gpu, kind: str, severity: str, title: str, hint: str) -> Alert:
    return Alert(
        id=kind,
        severity=severity,
        subject=card_label(gpu),
        subject_id=gpu.uuid,
        title=title,
        hint=hint,
    )
