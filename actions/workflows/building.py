"""A workflow's graph for a variant, with its pictures, words and numbers: what a server is sent."""

from collections.abc import Mapping
from typing import Any

import msgspec

from actions.models.pairs import warnings_of
from actions.workflows.fitting import fit_variant
from actions.workflows.graph_files import files_of
from actions.workflows.graphs import drop_unused, free_id, link, own_copy, take_out
from actions.workflows.loading import fused_steps
from actions.workflows.rules import variant_rules
from actions.workflows.workflow import Workflow, put, value_at
from console.errors import UsageError
from console.models.catalog import Catalog, ModelFile, Variant

_LARGEST_SEED = 2**64 - 1
_MOST_STEPS = 10_000
_MOST_PROMPT = 100_000


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What an edit is asked for with; None leaves what the workflow or the variant has.

    Attributes:
        variant: of the catalogue; None only for graphs that are used as they are, and for Forge.
        images: names of pictures as the server has them (Forge: their Base64), in order.
        size: width and height in pixels.
        lightning: steps of a Lightning LoRA to run with; None for without one.
        encoder: the text encoder; None for the variant's own.
        prefix: of the names that the server saves its pictures under.
    """

    variant: Variant | None = None
    images: tuple[str, ...] = ()
    prompt: str | None = None
    negative: str | None = None
    seed: int | None = None
    steps: int | None = None
    cfg: float | None = None
    denoise: float | None = None
    size: tuple[int, int] | None = None
    lightning: int | None = None
    encoder: ModelFile | None = None
    prefix: str | None = None


class Built(msgspec.Struct, frozen=True, kw_only=True):
    """A graph to be sent, and what it holds.

    Attributes:
        graph: ComfyUI's graph, or Forge's request.
        path: of Forge's API; empty for ComfyUI.
        variant: id; empty where it is none of the catalogue's.
        files: ids of the catalogue that it loads.
        steps, cfg, seed: as they stand in it; None where it has no such input.
        size: of the result; None where that is the first picture's, at about one megapixel.
        warnings: pairs that do not go together, and what else may surprise.
    """

    workflow: str
    service: str
    graph: dict[str, Any]
    path: str = ""
    variant: str = ""
    files: tuple[str, ...] = ()
    steps: int | None = None
    cfg: float | None = None
    seed: int | None = None
    size: tuple[int, int] | None = None
    warnings: tuple[str, ...] = ()


def build(workflow: Workflow, catalog: Catalog, wish: Wish) -> Built:
    """Make the graph; the workflow itself stays as it is.

    Raises:
        UsageError: `workflow.images` (too few or too many), `workflow.variant` (not made for it),
            `workflow.value` (a number or size that makes no sense, or that the workflow does not
            take), `workflow.no-lightning`.
    """
    _check(workflow, wish)
    graph = own_copy(workflow.graph)
    _put_images(workflow, graph, wish.images)
    if workflow.service == "comfyui" and wish.variant is not None:
        fit_variant(
            workflow, graph, catalog, wish.variant, lightning=wish.lightning, encoder=wish.encoder
        )
    for name in ("prompt", "negative", "seed", "steps", "cfg", "denoise", "prefix"):
        value = getattr(wish, name)
        if value is not None:
            put(graph, getattr(workflow.inputs, name), value)
    if wish.size is not None:
        _put_size(workflow, graph, wish.size)
    return _built(workflow, catalog, graph, wish)


def stand_ins(workflow: Workflow) -> tuple[str, ...]:
    """Give names for pictures that are not chosen yet, as many as a workflow needs."""
    return tuple(f"picture-{count + 1}.png" for count in range(workflow.fewest_images))


def _built(workflow: Workflow, catalog: Catalog, graph: dict[str, Any], wish: Wish) -> Built:
    def stands(name: str) -> Any:
        slots = getattr(workflow.inputs, name)
        return value_at(graph, slots[0]) if slots else None

    files = files_of(graph, catalog) if workflow.service == "comfyui" else ()
    ids = tuple(file.id for file in files)
    variant = wish.variant or next((one for i in ids if (one := catalog.variant(i))), None)
    size = wish.size
    if size is None and workflow.inputs.width and workflow.inputs.height:
        sides = stands("width"), stands("height")
        size = (sides[0], sides[1]) if all(isinstance(one, int) for one in sides) else None
    comfy = workflow.service == "comfyui"
    warnings = _pairs(catalog, variant, ids) if comfy and variant is not None else ()
    return Built(
        workflow=workflow.name,
        service=workflow.service,
        path=workflow.path,
        graph=graph,
        variant=variant.id if comfy and variant is not None else "",
        files=ids,
        steps=_whole(stands("steps")),
        cfg=_number(stands("cfg")),
        seed=_whole(stands("seed")),
        size=size,
        warnings=(
            *warnings,
            *_of_lightning(workflow, wish),
            *_of_size(size, comfy and bool(workflow.families)),
        ),
    )


def _pairs(catalog: Catalog, variant: Variant, ids: tuple[str, ...]) -> tuple[str, ...]:
    return warnings_of(catalog, variant, [one for one in ids if one != variant.id])


def _of_lightning(workflow: Workflow, wish: Wish) -> tuple[str, ...]:
    """Say so where a Lightning LoRA that is asked for is not put in."""
    if wish.lightning is not None and not workflow.families:
        return (f"{workflow.name} is used as it is: no Lightning LoRA is put into it",)
    variant = wish.variant
    family = variant_rules().families.get(variant.family) if variant is not None else None
    if variant is None or family is None or not variant.fused_lora or wish.lightning is None:
        return ()
    steps = fused_steps(variant, family)
    if steps == wish.lightning:
        return ()
    return (f"{variant.id} has a Lightning LoRA of {steps} steps fused in: it runs with that",)


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _check(workflow: Workflow, wish: Wish) -> None:
    count = len(wish.images)
    least, most = workflow.fewest_images, workflow.most_images
    if not least <= count <= most:
        wanted = str(least) if least == most else f"{least} to {most}"
        noun = "picture" if wanted == "1" else "pictures"
        whats = "; ".join(one.what for one in workflow.inputs.images if one.what)
        title = f"{workflow.name} takes {wanted} {noun}, not {count}"
        raise UsageError("workflow.images", title, f"It takes {whats}" if whats else "")
    _within(workflow, "seed", wish.seed, -1 if workflow.service == "forge" else 0, _LARGEST_SEED)
    _within(workflow, "steps", wish.steps, 1, _MOST_STEPS)
    _within(workflow, "cfg", wish.cfg, 0, 100)
    _within(workflow, "denoise", wish.denoise, 0, 1)
    for name in ("prompt", "negative"):
        text = getattr(wish, name)
        if text and not getattr(workflow.inputs, name):
            raise _wrong(
                f"{workflow.name} has no input for a {name} prompt".replace("prompt p", "p")
            )
        if text and len(text) > _MOST_PROMPT:
            raise _wrong(f"the {name} has more than {_MOST_PROMPT} characters")
    if wish.size is not None:
        _check_size(wish.size)


def _within(workflow: Workflow, name: str, value: float | None, least: float, most: float) -> None:
    if value is None:
        return
    if not getattr(workflow.inputs, name):
        raise _wrong(f"{workflow.name} has no input for {name}")
    if not least <= value <= most:  # which NaN is not either
        raise _wrong(f"{name} must be {least} to {most}, not {value}")


def _check_size(size: tuple[int, int]) -> None:
    rule = variant_rules().size
    for side in size:
        if not rule.least <= side <= rule.most or side % rule.step:
            raise _wrong(
                f"a side of {side} pixels cannot be: it must be {rule.least} to {rule.most}"
                f" and a multiple of {rule.step}"
            )


def _of_size(size: tuple[int, int] | None, ruled: bool) -> tuple[str, ...]:
    """Explain the rule of one megapixel where a size is far from it."""
    rule = variant_rules().size
    if size is None or not ruled:
        return ()
    pixels = size[0] * size[1]
    words = f"{size[0]}x{size[1]} is {pixels / 1e6:.1f} megapixels, the models are made for about 1"
    if pixels > rule.usual_most_pixels:
        return (f"{words}: it takes more VRAM and time, and things may shift or double",)
    if pixels < rule.usual_least_pixels:
        return (f"{words}: fine things get lost",)
    return ()


def _put_images(workflow: Workflow, graph: dict[str, Any], images: tuple[str, ...]) -> None:
    """Put pictures in; the loaders of those left out go, with what takes from them alone."""
    slots = [one.slot for one in workflow.inputs.images]
    for slot, name in zip(slots, images, strict=False):
        put(graph, (slot,), name)
    for slot in slots[len(images) :]:
        take_out(graph, slot.node)


def _put_size(workflow: Workflow, graph: dict[str, Any], size: tuple[int, int]) -> None:
    """Set the result's size; a graph whose result has its picture's gets a latent of its own."""
    if workflow.inputs.width and workflow.inputs.height:
        put(graph, workflow.inputs.width, size[0])
        put(graph, workflow.inputs.height, size[1])
        return
    sampler = _sampler(graph) if workflow.families else ""
    if not sampler:
        raise _wrong(f"{workflow.name} has no input for a size")
    into = variant_rules().put_in["size"]
    ident = free_id(graph, into.id)
    before = link(graph[sampler]["inputs"]["latent_image"])
    graph[ident] = {
        "class_type": "EmptySD3LatentImage",
        "inputs": {"width": size[0], "height": size[1], "batch_size": 1},
        "_meta": {"title": into.title},
    }
    graph[sampler]["inputs"]["latent_image"] = [ident, 0]
    if before is not None:
        drop_unused(graph, before[0])


def _sampler(graph: Mapping[str, Any]) -> str:
    return next((ident for ident, one in graph.items() if one["class_type"] == "KSampler"), "")


def _wrong(title: str) -> UsageError:
    return UsageError("workflow.value", title)
