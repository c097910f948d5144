"""What keys do to the fields of the form: step a value, take what was typed, leave it empty."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actions.workflows.rules import variant_rules
from screens.tui.lab.draft import Draft
from screens.tui.lab.fields import (
    TEXTS,
    image_slot,
    lightning_steps,
    meant_service,
    number_words,
    usable_services,
)
from screens.tui.lab.seeds import LARGEST, next_mode
from screens.tui.lab.sizes import next_size, read_size, size_words
from screens.tui.lab.source import Bench, Checked
from screens.tui.lab.typing import LONGEST_NUMBER, LONGEST_PROMPT, Typing

if TYPE_CHECKING:
    from actions.snapshot import HostSnapshot
    from actions.workflows.workflow import Workflow

MOST_STEPS = 10_000
CFG_STEP, DENOISE_STEP = 0.5, 0.05
_LIMITS = {"seed": (0, LARGEST), "steps": (1, MOST_STEPS), "cfg": (0, 100), "denoise": (0, 1)}


def begin(draft: Draft, field: str, history: tuple[str, ...] = ()) -> Typing:
    """Begin to edit a field that is typed."""
    text = typed_value(draft, field)
    longest = LONGEST_PROMPT if field in TEXTS else LONGEST_NUMBER
    return Typing(
        field=field, text=text, at=len(text), before=text, longest=longest, history=history
    )


def typed_value(draft: Draft, field: str) -> str:
    """Give what a field holds, as it is typed."""
    if field in TEXTS:
        return str(getattr(draft, field))
    if field == "size":
        return size_words(draft.size)
    return number_words(getattr(draft, field))


def take(draft: Draft, field: str, text: str) -> None:
    """Put what was typed into the form; an empty number leaves it to the workflow.

    Raises:
        ValueError: it cannot be; the message says why.
    """
    if field in TEXTS:
        setattr(draft, field, text)
        return
    if field == "size":
        draft.size = read_size(text, variant_rules().size)
        return
    setattr(draft, field, _number(field, text.strip()))


def _number(field: str, text: str) -> float | int | None:
    if not text:
        return None
    least, most = _LIMITS[field]
    whole = field in {"seed", "steps"}
    try:
        value: float | int = int(text) if whole else float(text.replace(",", "."))
    except ValueError:
        raise ValueError(f"{field} is a {'whole ' if whole else ''}number") from None
    if not least <= value <= most:  # which NaN is not either
        raise ValueError(f"{field} is {least} to {most}")
    return value


def clear(draft: Draft, field: str) -> None:
    """Leave a field to workflow and service; take a picture out."""
    slot = image_slot(field)
    if slot is not None:
        draft.put_image(slot, "")
    elif field in TEXTS or field in {"service", "variant"}:
        setattr(draft, field, "")
    elif field in {"seed", "steps", "cfg", "denoise", "size", "lightning"}:
        setattr(draft, field, None)


class Stepping:
    """Goes to the value before or after, where a field has such."""

    def __init__(self, bench: Bench, workflow: Workflow, snapshot: HostSnapshot) -> None:
        self._bench = bench
        self._workflow = workflow
        self._snapshot = snapshot

    def step(self, draft: Draft, field: str, by: int, checked: Checked | None) -> bool:
        """Step a field; False where it has no values to step through."""
        steppers = {
            "workflow": self._to_workflow,
            "service": self._service,
            "variant": self._variant,
            "seed": self._seed,
            "steps": self._steps,
            "cfg": self._cfg,
            "denoise": self._denoise,
            "size": self._size,
            "lightning": self._lightning,
        }
        if field not in steppers:
            return False
        steppers[field](draft, by, checked)
        return True

    def _to_workflow(self, draft: Draft, by: int, _checked: Checked | None) -> None:
        names = [one.name for one in self._bench.workflows]
        draft.workflow = _beside(names, self._workflow.name, by)

    def _service(self, draft: Draft, by: int, _checked: Checked | None) -> None:
        names = [one.name for one in usable_services(self._snapshot, self._workflow)]
        meant = meant_service(self._snapshot, self._workflow, draft)
        if names and meant is not None:
            draft.service = _beside(names, meant.name, by)

    def _variant(self, draft: Draft, by: int, checked: Checked | None) -> None:
        names = [one.id for one in self._bench.variants(self._workflow)]
        now = draft.variant or (checked.variant if checked is not None else "")
        if not now:
            meant = meant_service(self._snapshot, self._workflow, draft)
            now = meant.service.variant if meant is not None else ""
        if names:
            draft.variant = _beside(names, now, by)

    def _seed(self, draft: Draft, by: int, _checked: Checked | None) -> None:
        draft.seed_mode = next_mode(draft.seed_mode, by)

    def _steps(self, draft: Draft, by: int, checked: Checked | None) -> None:
        now = draft.steps or (checked.steps if checked is not None else None)
        own = self._workflow.value("steps")
        now = now or (own if isinstance(own, int) else 20)
        draft.steps = max(1, min(MOST_STEPS, now + by))

    def _cfg(self, draft: Draft, by: int, checked: Checked | None) -> None:
        own = self._workflow.value("cfg")
        known = (draft.cfg, checked.cfg if checked is not None else None, own, 1.0)
        now = next(float(one) for one in known if isinstance(one, int | float))
        draft.cfg = max(0.0, min(100.0, round(now + by * CFG_STEP, 2)))

    def _denoise(self, draft: Draft, by: int, _checked: Checked | None) -> None:
        own = self._workflow.value("denoise")
        now = draft.denoise if draft.denoise is not None else float(own or 0.75)
        draft.denoise = max(0.0, min(1.0, round(now + by * DENOISE_STEP, 2)))

    def _size(self, draft: Draft, by: int, _checked: Checked | None) -> None:
        draft.size = next_size(draft.size, by)

    def _lightning(self, draft: Draft, by: int, checked: Checked | None) -> None:
        variant = draft.variant or (checked.variant if checked is not None else "")
        known = lightning_steps(self._bench, self._workflow, variant)
        place = known.index(draft.lightning) if draft.lightning in known else 0
        draft.lightning = known[max(0, min(len(known) - 1, place + by))]


def _beside(names: list[str], now: str, by: int) -> str:
    place = names.index(now) if now in names else -1 if by > 0 else 0
    return names[(place + by) % len(names)]
