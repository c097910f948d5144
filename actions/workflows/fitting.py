"""A graph made to fit a variant: its loaders, its Lightning LoRA, its family's settings."""

from typing import Any

from actions.workflows.graphs import of_class, put_after
from actions.workflows.loading import fused_steps, lightning_for
from actions.workflows.rules import Family, Loader, variant_rules
from actions.workflows.workflow import Graph, Workflow, put
from console.errors import UsageError
from console.models.catalog import Catalog, ModelFile, Variant

_LIGHTNING_CFG = 1.0


def fit_variant(
    workflow: Workflow,
    graph: Graph,
    catalog: Catalog,
    variant: Variant,
    *,
    lightning: int | None,
    encoder: ModelFile | None,
) -> None:
    """Change a graph so that it runs a variant.

    A graph of the operator's that names no families only has its loaders exchanged.

    Args:
        workflow: whose graph.
        graph: to be changed.
        catalog: the catalogue.
        variant: of it.
        lightning: steps of the LoRA to put in; None for none. A fused one runs as it was made.
        encoder: the text encoder; None for the variant's own.

    Raises:
        UsageError: `workflow.variant`: it is not made for this family, or has no loader to
            exchange; `workflow.no-lightning`.
    """
    _check_family(workflow, variant)
    files = catalog.files_of(variant)
    if not files:
        raise _unfit(workflow, variant, "the catalogue does not say which files it has")
    loader = _exchange(workflow, graph, variant, files[0])
    for file in files[1:]:
        if file.kind == "text_encoder":
            _load_encoder(graph, encoder or file)
        elif file.kind == "vae":
            for ident in of_class(graph, ("VAELoader",)):
                graph[ident]["inputs"]["vae_name"] = file.name
    family = variant_rules().families.get(variant.family)
    if family is None or not workflow.families:
        return
    _set_family(workflow, graph, family)
    if variant.fused_lora:
        _few_steps(workflow, graph, fused_steps(variant, family))
    elif lightning is not None:
        _put_lora(graph, family, loader, lightning_for(catalog, variant, lightning))
        _few_steps(workflow, graph, lightning)


def _check_family(workflow: Workflow, variant: Variant) -> None:
    if workflow.families and variant.family not in workflow.families:
        made = " and ".join(workflow.families)
        raise _unfit(workflow, variant, f"it is made for {made}, this is {variant.family}")
    if workflow.families and variant.family not in variant_rules().families:
        raise _unfit(workflow, variant, f"nothing says how to run {variant.family}")


def _exchange(workflow: Workflow, graph: Graph, variant: Variant, file: ModelFile) -> str:
    """Put the variant's loader in the place of the graph's; give the node's id."""
    loaders = variant_rules().loaders
    found = of_class(graph, loaders)
    if variant.loader not in loaders:
        raise _unfit(workflow, variant, f"nothing says how {variant.loader or 'it'} is wired")
    if len(found) != 1:
        raise _unfit(workflow, variant, f"its graph has {len(found)} loaders of diffusion models")
    _load(graph[found[0]], variant.loader, loaders[variant.loader], file.name)
    return found[0]


def _load_encoder(graph: Graph, file: ModelFile) -> None:
    encoders = variant_rules().encoders
    for ident in of_class(graph, encoders):
        if file.loader in encoders:
            _load(graph[ident], file.loader, encoders[file.loader], file.name)


def _load(node: dict[str, Any], class_type: str, loader: Loader, name: str) -> None:
    """Turn a node into a loader of a file; one of the same class keeps its other inputs."""
    fixed = node["inputs"] if node["class_type"] == class_type else loader.fixed
    node["class_type"] = class_type
    node["inputs"] = {**fixed, loader.file: name}


def _set_family(workflow: Workflow, graph: Graph, family: Family) -> None:
    for ident in of_class(graph, (family.sampling,)):
        graph[ident]["inputs"]["shift"] = family.shift
    put(graph, workflow.inputs.steps, family.steps)
    put(graph, workflow.inputs.cfg, family.cfg)
    if not family.reference_method:
        return
    for words, slots in (
        ("positive", workflow.inputs.prompt),
        ("negative", workflow.inputs.negative),
    ):
        into = variant_rules().put_in[words]
        for slot in slots:
            node = {
                "class_type": "FluxKontextMultiReferenceLatentMethod",
                "inputs": {"reference_latents_method": family.reference_method},
                "_meta": {"title": into.title},
            }
            put_after(graph, slot.node, into.id, node, "conditioning")


def _put_lora(graph: Graph, family: Family, loader: str, file: ModelFile) -> None:
    after = loader
    if family.lora_after != "loader":
        after = next(iter(of_class(graph, (family.lora_after,))), loader)
    into = variant_rules().put_in["lora"]
    node = {
        "class_type": "LoraLoaderModelOnly",
        "inputs": {"lora_name": file.name, "strength_model": 1.0},
        "_meta": {"title": into.title},
    }
    put_after(graph, after, into.id, node, "model")


def _few_steps(workflow: Workflow, graph: Graph, steps: int) -> None:
    put(graph, workflow.inputs.steps, steps)
    put(graph, workflow.inputs.cfg, _LIGHTNING_CFG)


def _unfit(workflow: Workflow, variant: Variant, why: str) -> UsageError:
    return UsageError(
        "workflow.variant",
        f"{workflow.name} cannot run {variant.id}: {why}",
        "`gpuconsole models list` lists the variants",
    )
