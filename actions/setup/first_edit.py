"""The step `first-edit`: one picture, and whether it took what the pre-check expected."""

import shlex
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import msgspec

from actions.edits.data import facts_text
from actions.fit.model import Fit
from actions.setup.fetch_step import lacks_files
from actions.setup.ground import Ground
from actions.setup.odd_picture import oddity
from actions.setup.planned import planned, waiting
from actions.setup.report import Ask, Look, Option
from actions.setup.start_step import UP
from actions.workflows.shelf import open_shelf
from console.edits.kept import OPEN_STATES, KeptEdit
from console.errors import ConsoleError, UsageError
from console.packaged import packaged
from console.paths import expand
from console.store.edits import EditRecords, Filter
from console.text import clean_line
from console.units import format_bytes
from console.unknown import known

_SAMPLE = "pictures/mug.png"
_OFF_BY = 0.15
"""By so much of what was expected may the VRAM differ before it is said."""
_LITTLE = 256 << 20
"""Less than this of others is not worth a word."""
_ODD = "not as expected"
_MOST = 100
"""So many of the newest edits may hold the one that was asked for."""


class _Wish(msgspec.Struct, frozen=True):
    """What is to be made: of which picture, by which workflow and prompt."""

    workflow: str
    path: Path
    prompt: str
    given: frozenset[str]

    def made_by(self, edit: KeptEdit) -> bool:
        """Tell whether an edit is what was asked for; what nobody answered may be anything."""
        sources = {one.source or one.path for one in edit.of_role("input")}
        return (
            ("edit.workflow" not in self.given or edit.workflow == self.workflow)
            and ("edit.prompt" not in self.given or edit.prompt == self.prompt)
            and ("edit.image" not in self.given or str(self.path) in sources)
        )


def look_at_first_edit(ground: Ground) -> Look:
    """Say whether ComfyUI has made a picture, and how the first would be made."""
    wish = _wish(ground)
    asks = _asks(ground, wish)
    try:
        look = _made_or_planned(ground, wish)
        if look.state == "blocked" and lacks_files(ground):
            look = waiting(ground, look, "fetch")
    except ConsoleError as error:
        # The questions stay: a picture that is not there is named anew.
        hint = (error.hint,) if error.hint else ()
        look = Look(state="blocked", detail=error.title, commands=hint)
    return msgspec.structs.replace(look, asks=asks)


def _wish(ground: Ground) -> _Wish:
    answers = ground.answers
    image = answers.text("edit.image")
    given = frozenset(key for key in answers.given if answers.given[key])
    path = expand(image, ground.session.environ).absolute() if image else packaged(_SAMPLE)
    return _Wish(answers.text("edit.workflow"), path, answers.text("edit.prompt"), given)


def _asks(ground: Ground, wish: _Wish) -> tuple[Ask, ...]:
    able = [
        one
        for one in open_shelf(ground.session).workflows
        if one.service == "comfyui" and one.inputs.images and one.fewest_images <= 1
    ]
    return (
        Ask(
            key="edit.image",
            title="Which picture?",
            kind="text",
            value=ground.answers.text("edit.image"),
            options=(
                Option(value="", title="the sample", detail="a mug on a table", recommended=True),
            ),
            about="a file on this host; it is copied, and stays as it is",
        ),
        Ask(
            key="edit.prompt",
            title="What is to be made of it?",
            kind="text",
            value=wish.prompt,
            about="say what changes, and what stays",
        ),
        Ask(
            key="edit.workflow",
            title="By which workflow?",
            kind="text",
            value=wish.workflow,
            options=tuple(
                Option(
                    value=one.name, title=one.title, detail=one.summary,
                    recommended=one.name == "edit-single",
                )
                for one in able
            ),
        ),
    )  # fmt: skip


def _made_or_planned(ground: Ground, wish: _Wish) -> Look:
    service, name = ground.service, ground.name
    records = EditRecords(ground.session.store)
    edits = records.find(Filter(service=name, variant=ground.variant), limit=_MOST)
    made = next((one for one in edits if one.state == "done" and wish.made_by(one)), None)
    if made is not None:
        return _made(ground, made)
    left = next((one for one in edits if one.state in OPEN_STATES and wish.made_by(one)), None)
    if not wish.path.is_file():
        raise UsageError(
            "setup.no-picture",
            f"there is no picture {clean_line(str(wish.path), 200)}",
            "edit.image in the answers names another; empty takes a sample",
        )
    found = tuple(_earlier(edits[0])) if edits else ()
    if service is None or service.state not in UP:
        state = service.state if service is not None else "not there"
        look = Look(
            state="needed", detail=f"sent once {name} is ready ({state})", found=found,
            command=_command(wish, name), pictures=(wish.path,),
        )  # fmt: skip
        return waiting(ground, look, *(("comfyui",) if service is None else ()), "start")
    if left is not None and left.state == "uncollected":
        return _uncollected(ground, left)
    if left is not None and left.submitted:
        found = (*found, f"edit {left.id} is {left.state}: `gpuconsole jobs` shows it")
    plan = ground.operations.plan(
        "edit", wish.workflow, images=(str(wish.path),), prompt=wish.prompt, service=name,
        variant=ground.variant,
    )  # fmt: skip
    look = planned(plan, f"{wish.workflow} with {wish.path.name}, on {name}", found)
    return msgspec.structs.replace(look, pictures=(wish.path,))


def _uncollected(ground: Ground, edit: KeptEdit) -> Look:
    """Give the look of a picture that the service has made, and that is not here yet."""
    why = (f"why it is not here: {edit.error.title}",) if edit.error is not None else ()
    return Look(
        state="needed",
        detail=f"{edit.service} has made the picture, and it is not here yet",
        found=why,
        proposes=("it is fetched, not made again",),
        write=partial(_collected, ground, edit),
    )


def _collected(ground: Ground, edit: KeptEdit) -> tuple[str, ...]:
    """Fetch it, and give where it lies.

    Raises:
        ConsoleError: why it still cannot be had.
    """
    from actions.gallery.collecting import UNDER_WAY, collect

    (one,) = collect(ground.session, (edit.id,), lambda _: None, lambda: "")
    if one.error is not None:
        error = one.error
        raise ConsoleError(error.code, error.title, error.hint, error.detail)
    if one.outcome == UNDER_WAY:
        title = f"job {one.job} is at it"
        raise ConsoleError("setup.under-way", title, f"gpuconsole jobs watch {one.job}")
    return tuple(picture.path for picture in one.edit.of_role("output"))


def _command(wish: _Wish, service: str) -> str:
    words = ["gpuconsole", "edit", "--workflow", wish.workflow, "--image", str(wish.path)]
    return shlex.join([*words, "--prompt", wish.prompt, "--service", service])


def _earlier(edit: KeptEdit) -> Iterator[str]:
    """Say why the edit before did not lead to a picture."""
    if edit.state not in {"done", *OPEN_STATES} and edit.error is not None:
        hint = f"; {edit.error.hint}" if edit.error.hint else ""
        yield f"edit {edit.id} {edit.state}: {edit.error.title}{hint}"


def _made(ground: Ground, edit: KeptEdit) -> Look:
    outputs = edit.of_role("output")
    pictures = [Path(one.path) for one in (*edit.of_role("input")[:1], *outputs[:1])]
    said = (*_odd(edit), *_compared(ground, edit))
    # What was not as expected is said in every view, the rest where all of a step is shown.
    odd = "".join(f"; {line}" for line in said if _ODD in line)
    return Look(
        state="done",
        detail=f"{edit.service} has made a picture: {facts_text(edit)}{odd}",
        found=(*(one.path for one in outputs), *said, *edit.warnings),
        pictures=tuple(one for one in pictures if one.is_file()),
        there=tuple(one.path for one in outputs),
    )


def _odd(edit: KeptEdit) -> Iterator[str]:
    """Say what is wrong with the picture itself, which an edit that ends well may have."""
    paths = [[Path(one.path) for one in edit.of_role(role)[:1]] for role in ("output", "input")]
    made, sources = ([one for one in some if one.is_file()] for some in paths)
    odd = oddity(made[0], sources[0] if sources else None) if made else ""
    if odd:
        yield f"{_ODD}: {odd}; `gpuconsole logs {edit.service}` may say why, or try another variant"


def _compared(ground: Ground, edit: KeptEdit) -> Iterator[str]:
    """Say what the pre-check had expected it to take, and where it was otherwise."""
    fit = next(
        (o for o in ground.fits if (o.variant, o.gpu_uuid) == (edit.variant, edit.gpu_uuid)), None
    )
    if edit.cached or fit is None:
        return
    if fit.verdict == "refused":
        yield f"{_ODD}: the pre-check refuses it on an empty card ({fit.reason}), and it ran"
        return
    if fit.verdict == "resident" and edit.fit in {"offload", "refused"}:
        yield f"the pre-check said {edit.fit} then: other programs held memory of the card"
    if edit.vram_peak_bytes is None:
        yield "what it took of the card was not read: nothing to compare with"
        return
    peak, whose = _peak(ground, edit)
    if fit.verdict == "offload":
        yield (
            f"VRAM at most {format_bytes(peak)} {whose}; expected to stream "
            f"{format_bytes(fit.streams_bytes)} of its weights from host memory"
        )
        return
    yield from _resident(fit, peak, whose)


def _resident(fit: Fit, peak: int, whose: str) -> Iterator[str]:
    expected = fit.expected_use_bytes
    if not known(expected):
        return
    shown = f"VRAM at most {format_bytes(peak)} {whose}, expected {format_bytes(expected)}"
    if abs(peak - expected) <= _OFF_BY * expected:
        yield f"{shown}: as expected"
    elif peak > expected:
        more = format_bytes(peak - expected)
        others = "; other programs on the card count too" if whose == _WHOLE else ""
        yield f"{shown}: {_ODD}, {more} more{others}"
    else:
        less = format_bytes(expected - peak)
        yield f"{shown}: {_ODD}, {less} less, as if not all of it had stayed on the card"


_WHOLE = "on the whole card"


def _peak(ground: Ground, edit: KeptEdit) -> tuple[int, str]:
    """Give the most VRAM while it ran: of the service where what else is there is known now.

    The driver tells of the whole card only. What other programs hold is taken to be what they hold
    now: the card's memory in use, less the service's own.
    """
    peak = edit.vram_peak_bytes or 0
    service = ground.service
    card = next((one for one in ground.snapshot.gpu.gpus if one.uuid == edit.gpu_uuid), None)
    if service is None or card is None or service.gpu_uuid != edit.gpu_uuid:
        return peak, _WHOLE
    used, own = card.memory_used_bytes, service.vram_used_bytes
    if not known(used) or not known(own) or not service.vram_used_source:
        return peak, _WHOLE
    # What a service says of itself lacks the context that CUDA makes for it.
    context = _context(ground, edit) if service.vram_used_source == "service" else 0
    others = used - own - context
    if not 0 < others < peak:
        return peak, _WHOLE
    beside = f", beside about {format_bytes(others)} of others" if others > _LITTLE else ""
    return peak - others, f"by {edit.service} itself{beside}"


def _context(ground: Ground, edit: KeptEdit) -> int:
    fits = (o for o in ground.fits if (o.variant, o.gpu_uuid) == (edit.variant, edit.gpu_uuid))
    return next((one.bytes for fit in fits for one in fit.terms if one.name == "context"), 0)
