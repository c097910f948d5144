"""Which variants a comparison is about, and what the pre-check says of each."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from actions.compare.asked import ON_DISK, Asked
from actions.compare.model import Candidate
from actions.edits.preparing import Prepared, prepare
from actions.edits.request import EditRequest
from actions.models.catalogue import variant_named
from actions.session import Session
from actions.snapshot import HostSnapshot
from actions.workflows.shelf import open_shelf, workflow_named
from actions.workflows.workflow import Workflow
from console.edits.kept import EditError
from console.errors import UsageError
from console.models.catalog import Catalog, Variant
from console.unknown import Unknown

# What speaks against one variant only; all else is wrong for each of them.
_OF_ONE = frozenset({"workflow.variant", "workflow.no-lightning", "workflow.no-encoder"})


class Looked(NamedTuple):
    """A variant, and the edit of it as it would be sent; None where it cannot even be built."""

    candidate: Candidate
    prepared: Prepared | None


def look_at_all(
    session: Session, asked: Asked, seed: int | None, snapshot: HostSnapshot
) -> tuple[Looked, ...]:
    """Pre-check the edit with each variant; the first decides on the service for all.

    Raises:
        UsageError: the edit makes no sense with any, or there is no variant to compare.
        PictureError, UnreachableError, ServiceFault: as of a single edit.
    """
    workflow = workflow_named(open_shelf(session), asked.request.workflow)
    request = msgspec.structs.replace(
        asked.request, seed=seed, steps=asked.steps[0] if asked.steps else asked.request.steps
    )
    found: list[Looked] = []
    for variant in _variants(session, workflow, asked.variants):
        one = msgspec.structs.replace(request, variant=variant.id if variant else "")
        looked = _look(session, one, variant, snapshot)
        if looked.prepared is not None:
            request = msgspec.structs.replace(request, service=looked.prepared.service)
        found.append(looked)
    if all(one.prepared is None for one in found):
        first = next(one.candidate.refusal for one in found if one.candidate.refusal)
        raise UsageError(first.code, first.title, first.hint)
    return tuple(found)


def _look(
    session: Session, request: EditRequest, variant: Variant | None, snapshot: HostSnapshot
) -> Looked:
    catalog = session.needed_catalog()
    refusal: EditError | None = None
    try:
        prepared = prepare(session, request, snapshot)
    except UsageError as error:
        if error.code not in _OF_ONE or variant is None:
            raise
        refusal = EditError(code=error.code, title=error.title, hint=error.hint)
        return Looked(_candidate(catalog, variant, None, refusal), None)
    if prepared.refusal is not None:
        why = prepared.refusal
        refusal = EditError(code=why.code, title=why.title, hint=why.hint)
    return Looked(_candidate(catalog, variant, prepared, refusal), prepared)


def _candidate(
    catalog: Catalog, variant: Variant | None, prepared: Prepared | None, refusal: EditError | None
) -> Candidate:
    fit = prepared.fit if prepared is not None else None
    verdict = fit.verdict if fit is not None and not isinstance(fit.verdict, Unknown) else ""
    reason = fit.reason if fit is not None else ""
    if variant is None:
        return Candidate(id="", fit=verdict, reason=reason, refusal=refusal)
    files = catalog.files_of(variant)
    return Candidate(
        id=variant.id,
        title=variant.title,
        family=variant.family,
        quant=variant.quant,
        weight_bytes=(files[0].size or 0) if files else 0,
        quality=variant.quality,
        fused=variant.fused_lora,
        fit=verdict,
        reason=reason,
        refusal=refusal,
    )


def _variants(
    session: Session, workflow: Workflow, asked: Sequence[str]
) -> tuple[Variant | None, ...]:
    """Give the variants to compare; one None where the workflow runs as it is."""
    catalog = session.needed_catalog()
    as_it_is = workflow.service != "comfyui" or not workflow.families
    if not asked and as_it_is:
        return (None,)
    if workflow.service != "comfyui":
        raise UsageError(
            "workflow.variant",
            f"{workflow.name} runs on {workflow.service}, which has no variants",
            "Leave --variant out: seeds and steps can be compared",
        )
    found: list[Variant] = []
    for name in asked or (ON_DISK,):
        more = _on_disk(session, workflow) if name == ON_DISK else (variant_named(catalog, name),)
        found += [one for one in more if one not in found]
    if not found:
        families = " or ".join(workflow.families)
        raise UsageError(
            "compare.none-on-disk",
            f"no variant of {families} is on this host" if families else "no variant is here",
            "`gpuconsole models list` says what there is, `gpuconsole models pull` fetches one",
        )
    return tuple(found)


def _on_disk(session: Session, workflow: Workflow) -> Iterator[Variant]:
    """Give the variants that a workflow is made for and whose files are all here."""
    from actions.models.choosing import choice_of, pieces_by_id

    catalog = session.needed_catalog()
    pieces = pieces_by_id(session)
    for variant in catalog.variants:
        if variant.family not in workflow.families and workflow.families:
            continue
        if choice_of(catalog, variant, pieces).state == "ready":
            yield variant
