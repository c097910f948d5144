"""A workflow on a service: built for its variant, with what that server has, and checked."""

from typing import Any

import msgspec

from actions.models.catalogue import variant_named
from actions.workflows.asking import Told
from actions.workflows.building import Built, Wish, build, stand_ins
from actions.workflows.checking import Checked, check
from actions.workflows.loading import encoder_listed, encoder_named
from actions.workflows.object_info import options_of
from actions.workflows.problem import Problem
from actions.workflows.rules import variant_rules
from actions.workflows.workflow import Workflow
from console.errors import UsageError
from console.models.catalog import Catalog, ModelFile, Variant


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """How a workflow stands on a service; `built` is None where it cannot even be built."""

    workflow: Workflow
    built: Built | None
    problems: tuple[Problem, ...]

    @property
    def good(self) -> bool:
        """Whether nothing speaks against it."""
        return not any(one.severity == "error" for one in self.problems)


def variant_for(
    workflow: Workflow, catalog: Catalog, asked: str = "", service: str = ""
) -> Variant | None:
    """Give the variant to run a workflow with.

    That which is asked for; else that of the service, where the workflow is made for its family;
    else the first of the catalogue that it is made for. None for graphs that are used as they are.

    Raises:
        UsageError: no variant is called as asked (`variant.unknown`).
    """
    if workflow.service != "comfyui":
        return None
    if asked:
        return variant_named(catalog, asked)
    own = catalog.variant(service) if service else None
    if own is not None and own.family in workflow.families:
        return own
    return next((one for one in catalog.variants if one.family in workflow.families), None)


def encoder_for(
    catalog: Catalog, variant: Variant | None, asked: str, told: Told | None
) -> ModelFile | None:
    """Give the text encoder: as asked; else the one that the server has; None for the variant's.

    Raises:
        UsageError: there is none called as asked (`workflow.no-encoder`).
    """
    if variant is None:
        return None
    if asked:
        return encoder_named(catalog, variant, asked)
    if told is None:
        return None
    listed = [
        name
        for class_type, loader in variant_rules().encoders.items()
        for name in options_of(told.object_info, class_type, loader.file)
    ]
    return encoder_listed(catalog, variant, listed)


def verify(workflow: Workflow, catalog: Catalog, told: Told, wish: Wish) -> Verified:
    """Build a workflow as wished, and check it against what a service told.

    Pictures that are not chosen yet may be missing from the wish.
    """
    if workflow.service != told.kind:
        title = f"{workflow.name} runs on {workflow.service}, {told.service} is {told.kind}"
        return _failed(workflow, Problem(code="workflow.kind", title=title))
    if not wish.images:
        wish = msgspec.structs.replace(wish, images=stand_ins(workflow))
    try:
        built = build(workflow, catalog, wish)
    except UsageError as error:
        problem = Problem(code=error.code, title=error.title, hint=error.hint)
        return _failed(workflow, problem)
    if workflow.service == "forge":
        return Verified(workflow=workflow, built=built, problems=_forge(told))
    checked = check_on(workflow, catalog, told, built)
    graph: dict[str, Any] = checked.graph
    return Verified(
        workflow=workflow,
        built=msgspec.structs.replace(built, graph=graph),
        problems=checked.problems,
    )


def check_on(workflow: Workflow, catalog: Catalog, told: Told, built: Built) -> Checked:
    """Check a graph that is built against a service; pictures are uploaded later."""
    return check(
        built.graph,
        told.object_info,
        catalog,
        version=told.version,
        pictures=[one.slot for one in workflow.inputs.images],
        warnings=built.warnings,
    )


def _failed(workflow: Workflow, problem: Problem) -> Verified:
    return Verified(workflow=workflow, built=None, problems=(problem,))


def _forge(told: Told) -> tuple[Problem, ...]:
    if told.checkpoints:
        return ()
    return (
        Problem(
            code="workflow.no-checkpoint",
            title=f"{told.service} has no checkpoint",
            hint="Put one into its folder models/Stable-diffusion",
        ),
    )
