"""The rows of the form as data: what each is called, holds, and what to know about it."""

from __future__ import annotations

from typing import NamedTuple

from actions.services.snapshot import ServiceStatus
from actions.snapshot import HostSnapshot
from actions.workflows.rules import variant_rules
from actions.workflows.workflow import Workflow
from console.text import clean_line
from screens.tui.lab.draft import Draft, takes_denoise, takes_size
from screens.tui.lab.seeds import MODE_WORDS
from screens.tui.lab.sizes import megapixels, size_remark, size_words
from screens.tui.lab.source import Bench, Checked
from screens.tui.lab.words import one_line
from screens.tui.models.words import short_title
from screens.tui.pictures.words import shown_path

TEXTS = ("prompt", "negative")
NUMBERS = ("seed", "steps", "cfg", "denoise")
CHOICES = ("workflow", "service", "variant", "lightning")
SUBMIT = "submit"
IMAGE = "image "
_DOWN = frozenset({"absent", "created", "stopped"})


class Field(NamedTuple):
    """One row of the form.

    Attributes:
        name: `workflow`, `image 0`, `prompt`, `submit` and so on.
        value: what it holds; empty where that is left to workflow and service.
        stands: what counts where it holds nothing, such as `20, the workflow's`.
        remark: what else to know, in a few words.
        role: of the remark.
    """

    name: str
    label: str
    value: str
    stands: str = ""
    remark: str = ""
    role: str = "dim"


def image_slot(name: str) -> int | None:
    """Give the slot of a row that holds a picture; None for every other."""
    return int(name.removeprefix(IMAGE)) if name.startswith(IMAGE) else None


def usable_services(snapshot: HostSnapshot, workflow: Workflow) -> tuple[ServiceStatus, ...]:
    """Give the services of the kind that a workflow runs on, those that run first."""
    found = [one for one in snapshot.services if one.service.kind == workflow.service]
    return tuple(sorted(found, key=lambda one: one.state in _DOWN))


def meant_service(snapshot: HostSnapshot, workflow: Workflow, draft: Draft) -> ServiceStatus | None:
    """Give the service that the form means: the chosen one, else the first that runs."""
    there = usable_services(snapshot, workflow)
    return next((one for one in there if one.name == draft.service), there[0] if there else None)


def field_names(workflow: Workflow) -> tuple[str, ...]:
    """Give the rows that a workflow has, in their order."""
    inputs = workflow.inputs
    there = {
        "variant": bool(workflow.families),
        "prompt": bool(inputs.prompt),
        "negative": bool(inputs.negative),
        "seed": bool(inputs.seed),
        "steps": bool(inputs.steps),
        "cfg": bool(inputs.cfg),
        "size": takes_size(workflow),
        "denoise": takes_denoise(workflow),
        "lightning": bool(workflow.families),
    }
    images = [f"{IMAGE}{slot}" for slot in range(workflow.most_images)]
    rest = ("prompt", "negative", "seed", "steps", "cfg", "size", "lightning", "denoise")
    first = ["workflow", "service", *(["variant"] if there["variant"] else [])]
    return (*first, *images, *(name for name in rest if there[name]), SUBMIT)


class Form(NamedTuple):
    """Everything that the rows of the form are made of.

    Attributes:
        checked: what is known of the edit; None while that is worked out.
        pictures: what is known of the chosen pictures, by path: words and a role.
        home: the operator's home folder; empty where there is none.
    """

    bench: Bench
    workflow: Workflow
    draft: Draft
    snapshot: HostSnapshot
    checked: Checked | None
    pictures: dict[str, tuple[str, str]]
    home: str = ""


def fields(form: Form) -> tuple[Field, ...]:
    """Give the rows of the form, the last one aside, which is the verdict's."""
    return tuple(_field(form, name) for name in field_names(form.workflow) if name != SUBMIT)


def _field(form: Form, name: str) -> Field:
    slot = image_slot(name)
    if slot is not None:
        return _image(form, slot)
    make = _MAKERS.get(name)
    if make is not None:
        return make(form)
    return _number(form, name)


def _workflow(form: Form) -> Field:
    return Field("workflow", "workflow", clean_line(form.workflow.title, 60))


def _service(form: Form) -> Field:
    meant = meant_service(form.snapshot, form.workflow, form.draft)
    if meant is None:
        return Field("service", "service", "", f"no {form.workflow.service} here", role="warning")
    up = meant.state not in _DOWN
    role = "ok" if meant.state in {"ready", "busy"} else "warning"
    state = meant.activity or meant.state if up else meant.state
    chosen = form.draft.service == meant.name
    value, stands = (meant.name, "") if chosen else ("", meant.name)
    return Field("service", "service", value, stands, state, role)


def _variant(form: Form) -> Field:
    draft, catalog = form.draft, form.bench.catalog
    chosen = catalog.variant(draft.variant) if draft.variant else None
    if draft.variant:
        title = chosen.title if chosen is not None else clean_line(draft.variant, 60)
        return Field("variant", "variant", short_title(title))
    checked = catalog.variant(form.checked.variant) if form.checked is not None else None
    meant = meant_service(form.snapshot, form.workflow, draft)
    own = catalog.variant(meant.service.variant) if meant is not None else None
    found = checked or own
    stands = short_title(found.title) if found is not None else "the service's"
    return Field("variant", "variant", "", stands)


def _image(form: Form, slot: int) -> Field:
    told = form.workflow.inputs.images[slot]
    many = form.workflow.most_images > 1
    label = f"picture {slot + 1}" if many else "picture"
    path = form.draft.image(slot)
    what = clean_line(told.what, 80) or "a picture"
    if not path:
        word = "optional" if told.optional else "needed"
        stands = f"{what} ({word})"
        return Field(f"{IMAGE}{slot}", label, "", stands, "", "dim" if told.optional else "warning")
    words, role = form.pictures.get(path, ("…", "dim"))
    return Field(f"{IMAGE}{slot}", label, named_path(path, form.home), "", words, role)


def named_path(path: str, home: str) -> str:
    """Give a path as it may be shown: its name first, for that is what tells it from others."""
    folder, _, name = shown_path(path).rpartition("/")
    if home and (folder == home or folder.startswith(f"{home}/")):
        folder = "~" + folder[len(home) :]
    return f"{name}  {folder}" if folder else name


def _prompt(form: Form) -> Field:
    return Field(
        "prompt", "prompt", one_line(form.draft.prompt), "what is to change", "", "warning"
    )


def _negative(form: Form) -> Field:
    return Field("negative", "negative", one_line(form.draft.negative), "nothing")


def _seed(form: Form) -> Field:
    draft = form.draft
    value = "" if draft.seed is None else str(draft.seed)
    return Field("seed", "seed", value, "drawn", MODE_WORDS[draft.seed_mode])


def _size(form: Form) -> Field:
    draft, checked = form.draft, form.checked
    rule = variant_rules().size
    told = checked.size if checked is not None else None
    if draft.size is None:
        if told is not None:
            return Field("size", "size", "", size_words(told), megapixels(told))
        own = "as picture 1, about 1 MP" if form.workflow.most_images else "the workflow's"
        return Field("size", "size", "", own)
    remark = size_remark(draft.size, rule) if form.workflow.families else ""
    words = megapixels(draft.size) + (f": {remark}" if remark else "")
    return Field("size", "size", size_words(draft.size), "", words, "warning" if remark else "dim")


def _lightning(form: Form) -> Field:
    steps = form.draft.lightning
    value = f"{steps} steps" if steps is not None else ""
    return Field("lightning", "Lightning", value, "off")


def _number(form: Form, name: str) -> Field:
    value = getattr(form.draft, name)
    told = getattr(form.checked, name, None) if form.checked is not None else None
    own = form.workflow.value(name) if told is None else told
    stands = number_words(own) if isinstance(own, int | float) else ""
    return Field(name, _LABELS.get(name, name), number_words(value), stands)


_LABELS = {"denoise": "redrawn"}
_MAKERS = {
    "workflow": _workflow,
    "service": _service,
    "variant": _variant,
    "prompt": _prompt,
    "negative": _negative,
    "seed": _seed,
    "size": _size,
    "lightning": _lightning,
}


def number_words(value: float | None) -> str:
    """Write a number as it is typed; empty for none."""
    if value is None:
        return ""
    return str(value) if isinstance(value, int) else f"{value:g}"


def lightning_steps(bench: Bench, workflow: Workflow, variant: str) -> tuple[int | None, ...]:
    """Give what may be chosen of Lightning LoRAs: None, and the steps that there are some for."""
    known = variant_rules().families
    chosen = bench.catalog.variant(variant)
    families = (chosen.family,) if chosen is not None else workflow.families
    steps = sorted({step for name in families if name in known for step in known[name].lightning})
    return (None, *steps)
