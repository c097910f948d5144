"""An edit before it is sent: its service, its graph as that takes it, and whether it fits."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import msgspec

from actions.edits.fitting import fit_edit
from actions.edits.places import check_out
from actions.edits.request import EditRequest
from actions.edits.services import choose_service, target_of
from actions.edits.words import check
from actions.fit.model import Fit
from actions.plan import Check, Refusal
from actions.services.snapshot import ServiceStatus
from actions.session import Session
from actions.snapshot import HostSnapshot
from actions.workflows.asking import Told, ask_status
from actions.workflows.building import Built, Wish
from actions.workflows.problem import Problem
from actions.workflows.shelf import open_shelf, workflow_named
from actions.workflows.verify import encoder_for, variant_for, verify
from actions.workflows.workflow import Workflow
from console.errors import UsageError
from console.services.reading import Target
from console.text import clean_line
from console.units import format_bytes
from console.unknown import Unknown

_SEEDS = {"comfyui": 1 << 53, "forge": 1 << 32}
"""Below that every program that reads JSON gives a seed back as it is; Forge takes no larger."""


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """An edit that is ready to be run, or why it will not be.

    Attributes:
        request: complete: with service, variant, text encoder and seed as they were chosen.
        workflow: as it is on the shelf.
        target: where the service is met.
        built: the graph, with stand-ins for the names of pictures.
        problems: what the service would refuse, errors first.
        checks: all that was looked at, in words.
        fit: of this very edit on the card of the service; None where nothing can be reckoned.
        gpu_uuid, gpu_name: of that card; empty where it is not known.
        refusal: why it is not sent; None where nothing speaks against it.
        fetch: commands that fetch what is missing, such as `gpuconsole models pull …`; `files` are
            the ids that they fetch, for plans of the verb `pull`.
        warnings: what may surprise, in words.
    """

    request: EditRequest
    workflow: Workflow
    target: Target
    built: Built
    problems: tuple[Problem, ...] = ()
    checks: tuple[Check, ...] = ()
    fit: Fit | None = None
    gpu_uuid: str = ""
    gpu_name: str = ""
    refusal: Refusal | None = None
    fetch: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def service(self) -> str:
        """The service's name."""
        return self.target.name

    @property
    def kind(self) -> str:
        """`comfyui` or `forge`."""
        return self.workflow.service


def prepare(
    session: Session, request: EditRequest, snapshot: HostSnapshot | None = None
) -> Prepared:
    """Look at everything that speaks for or against an edit; nothing is sent to be computed.

    Args:
        session: whose host.
        request: what is asked for.
        snapshot: the host, where somebody has one that is fresh; else it is read.

    Raises:
        UsageError: the request makes no sense: workflow, service, variant, number of pictures, a
            value, or a text that is none.
        PictureError: a picture cannot be used.
        UnreachableError: there is no service for it, or it does not run.
        ServiceFault: the service does not answer, or oddly.
    """
    workflow = workflow_named(open_shelf(session), request.workflow)
    request = _sensible(request, workflow)
    pictures = tuple(_pictures(request))
    snapshot = snapshot or _status(session)
    status = choose_service(snapshot, workflow, request)
    told = ask_status(session, status)
    catalog = session.needed_catalog()
    variant = variant_for(workflow, catalog, request.variant, told.variant)
    encoder = encoder_for(catalog, variant, request.encoder, told)
    request = msgspec.structs.replace(
        request,
        workflow=workflow.name,
        service=status.name,
        variant=variant.id if variant is not None else "",
        encoder=encoder.id if encoder is not None else "",
        seed=_seed(workflow, request.seed),
    )
    wish = Wish(
        variant=variant,
        images=stand_ins_of(request),
        encoder=encoder,
        **{name: getattr(request, name) for name in _WISHES},
    )
    found = verify(workflow, catalog, told, wish)
    if found.built is None:
        first = found.problems[0]
        raise UsageError(first.code, first.title, first.hint)
    fitted = fit_edit(session, snapshot, status, found.built, len(request.images))
    checks = (
        check("edit.service", service=status.name, version=_version(told)),
        *pictures,
        *_problem_checks(found.problems, status.name),
        *fitted.checks,
        *_busy(status),
    )
    missing = [one for one in found.problems if one.severity == "error"]
    return Prepared(
        request=request,
        workflow=workflow,
        target=target_of(status),
        built=found.built,
        problems=found.problems,
        checks=checks,
        fit=fitted.fit,
        gpu_uuid=fitted.gpu_uuid,
        gpu_name=fitted.gpu_name,
        refusal=_refusal(missing, checks),
        fetch=tuple(dict.fromkeys(one.command for one in found.problems if one.command)),
        files=tuple(dict.fromkeys(one.file for one in found.problems if one.file)),
        warnings=found.built.warnings,
    )


_WISHES = ("prompt", "negative", "seed", "steps", "cfg", "denoise", "size", "lightning")


def stand_ins_of(request: EditRequest) -> tuple[str, ...]:
    """Give names for the pictures of a request until they are uploaded."""
    return tuple(f"picture-{count + 1}.png" for count in range(len(request.images)))


def _sensible(request: EditRequest, workflow: Workflow) -> EditRequest:
    """Give a request whose texts can be sent, with one picture for each that is needed.

    Raises:
        UsageError: `workflow.images`: there is none where one is needed.
    """
    fewest = workflow.fewest_images
    if fewest and not request.images:
        whats = "; ".join(one.what for one in workflow.inputs.images if one.what)
        noun = "picture" if fewest == 1 else "pictures"
        raise UsageError(
            "workflow.images",
            f"{workflow.name} takes {fewest} {noun}, and none is given",
            f"--image FILE names one: {whats}" if whats else "--image FILE names one",
        )
    for path in request.images:
        if not Path(path).is_absolute():
            what = f"the picture {clean_line(path, 120)} has no absolute path"
            raise UsageError(
                "edit.relative-path",
                what if path else "a picture's name is empty",
                "Name it from / on" if path else "--image FILE names one",
            )
    if request.out:
        check_out(request.out)
    texts = {
        name: text.encode("utf-8", "replace").decode()
        for name in ("prompt", "negative")
        if (text := getattr(request, name)) is not None
    }
    return msgspec.structs.replace(request, **texts)


def _pictures(request: EditRequest) -> Iterator[Check]:
    """Look at each picture's header.

    Raises:
        PictureError: one cannot be used.
    """
    if not request.images:
        return
    from console.pictures.look import look

    for path in request.images:
        facts = look(Path(path))
        said = f"{facts.width}x{facts.height}, {format_bytes(facts.size)}"
        name = clean_line(Path(path).name, 80)
        yield check("edit.picture", name=name, size=said, media=facts.media)
        for note in facts.notes:
            yield check("edit.warning", "pass", said=f"{name}: {note}", hint="")


def _seed(workflow: Workflow, asked: int | None) -> int | None:
    """Give the seed that is sent: as asked, else one that is drawn here, so that it is known."""
    if not workflow.inputs.seed:
        return asked
    if asked is None or (workflow.service == "forge" and asked == -1):
        return secrets.randbelow(_SEEDS[workflow.service])
    return asked


def _problem_checks(problems: tuple[Problem, ...], service: str) -> Iterator[Check]:
    errors = [one for one in problems if one.severity == "error"]
    if not errors:
        yield check("edit.graph", service=service)
    for one in problems:
        verdict = "refuse" if one.severity == "error" else "warn"
        words = check("edit.problem", verdict, said=one.title, hint=one.hint or one.command)
        yield msgspec.structs.replace(words, id=one.code)


def _refusal(errors: list[Problem], checks: tuple[Check, ...]) -> Refusal | None:
    if errors:
        first, rest = errors[0], len(errors) - 1
        more = f" (and {rest} more)" if rest else ""
        hint = first.hint or (first.command and f"`{first.command}` fetches it")
        return Refusal(code=first.code, title=f"{first.title}{more}", hint=hint)
    refused = next((one for one in checks if one.verdict == "refuse"), None)
    if refused is None:
        return None
    return Refusal(code=refused.id, title=refused.title, hint=refused.detail)


def _busy(status: ServiceStatus) -> Iterator[Check]:
    if status.activity == "busy":
        yield check("edit.waits", service=status.name)


def _version(told: Told) -> str:
    return f" ({clean_line(told.version, 40)})" if told.version else ""


def _status(session: Session) -> HostSnapshot:
    from actions.status import read_status

    return read_status(session)


def doubtful(prepared: Prepared) -> bool:
    """Tell whether somebody should be asked before it is sent: it warns of something."""
    fit = prepared.fit
    offloads = fit is not None and not isinstance(fit.verdict, Unknown) and fit.verdict == "offload"
    return offloads or any(one.verdict == "warn" for one in prepared.checks)
