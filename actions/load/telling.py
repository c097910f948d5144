"""How a run goes, in a line and in figures, for whoever follows it."""

from actions.edit_now import EditNow
from actions.load.course import Progress
from actions.load.watch import Watch

_SHOWN = 2


def words_of(progress: Progress) -> str:
    """Give a line such as `4 of 10 done, 3 under way, 1 failed; comfyui-qwen: KSampler 3/20`."""
    words = [f"{progress.done} of {progress.of} done"]
    if progress.under_way:
        words.append(f"{progress.under_way} under way")
    if progress.failed:
        words.append(f"{progress.failed} failed")
    if progress.cancelled:
        words.append(f"{progress.cancelled} cancelled")
    line = ", ".join(words)
    said = [_at(service, now) for _, service, now in progress.now if now.steps or now.node]
    said += [f"waiting for {service} to come back" for service in progress.waits_for]
    return "; ".join([line, *said[:_SHOWN]])


def now_of(plan_id: str, progress: Progress, watch: Watch) -> EditNow:
    """Give the figures of the whole run: of the card of the request that is farthest on."""
    busy = max(
        progress.now,
        key=lambda one: (one[2].step, one[2].number),
        default=(0, "", EditNow(edit_id="")),
    )
    first = busy[2]
    samples = watch.samples()
    uuid = first.gpu_uuid or watch.card_of(busy[1])
    card = samples[-1].cards.get(uuid) if samples else None
    peaks = [one.cards[uuid].used_bytes for one in samples if uuid in one.cards]
    return EditNow(
        edit_id=plan_id,
        phase="working",
        node=first.node,
        number=first.number,
        total=first.total,
        step=first.step,
        steps=first.steps,
        seconds_per_step=first.seconds_per_step,
        gpu_uuid=uuid,
        vram_used_bytes=card.used_bytes if card else None,
        vram_total_bytes=card.total_bytes if card else None,
        power_watts=card.power_watts if card else None,
        temperature_celsius=card.temperature_celsius if card else None,
        vram_peak_bytes=max((one for one in peaks if one is not None), default=None),
        done=progress.done + progress.failed + progress.cancelled,
        of=progress.of,
        note="; ".join(f"waiting for {name} to come back" for name in progress.waits_for),
    )


def _at(service: str, now: EditNow) -> str:
    step = f" {now.step}/{now.steps}" if now.steps else ""
    return f"{service}: {now.node or now.phase}{step}"
