"""How an edit is given to each kind of service: its pictures, its graph, and what makes the run."""

import base64
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from actions.session import Session
from actions.workflows.graphs import own_copy
from actions.workflows.workflow import Workflow, put
from console.edits.kept import KeptEdit
from console.edits.recipe import RECIPE_KEY, picture_recipe
from console.edits.stream import Run
from console.edits.words import refused
from console.units import format_bytes

if TYPE_CHECKING:
    from console.pictures.upload import ForUpload
    from console.web.client import WebClient

_ASK_ABOVE = 8 << 20
"""Bytes from which on a service is asked beforehand how much it takes."""
_OWN = frozenset({"init_images", "save_images", "send_images", "force_task_id"})


class Sender(Protocol):
    """Gives edits to one service."""

    def upload(self, client: "WebClient", made: "ForUpload") -> str:
        """Give a picture to the service, and the name that the graph knows it by.

        Raises:
            ServiceFault: it does not take it.
        """
        ...

    def run(self, edit: KeptEdit, *, preview: bool, submitted: bool) -> Run:
        """Give the run of an edit whose recipe has its graph."""
        ...


class ComfySender:
    """Gives edits to a ComfyUI."""

    def __init__(self, session: Session, connect: "Callable[[], WebClient]") -> None:
        self._session = session
        self._connect = connect

    def upload(self, client: "WebClient", made: "ForUpload") -> str:
        """Upload a picture; the same one lies there once."""
        from console.comfyui.prompts import PromptCalls

        calls = PromptCalls(client)
        if len(made.data) > _ASK_ABOVE:
            most = calls.upload_limit()
            if most is not None and len(made.data) > most:
                said = f"{format_bytes(len(made.data))}, and at most {format_bytes(most)}"
                raise refused("edit.upload-too-large", address=client.address, said=said)
        return calls.upload(made.data, made.media)

    def run(self, edit: KeptEdit, *, preview: bool, submitted: bool) -> Run:
        """Give the run under the id that is kept with the edit."""
        from console.comfyui.prompts import Prompt
        from console.comfyui.run import ComfyRun

        prompt = Prompt(
            ident=edit.prompt_ident,
            client=edit.client_ident,
            graph=edit.recipe.get("graph") or {},
            preview_method="auto" if preview else "none",
            png_info={RECIPE_KEY: picture_recipe(edit)},
        )
        return ComfyRun(self._connect, prompt, submitted=submitted, clock=self._session.clock)


class ForgeSender:
    """Gives edits to a Forge: pictures go within the request."""

    def __init__(self, session: Session, connect: "Callable[[], WebClient]", path: str) -> None:
        self._session = session
        self._connect = connect
        self._path = path
        self._pictures: list[bytes] = []

    def upload(self, client: "WebClient", made: "ForUpload") -> str:  # noqa: ARG002 -- of Sender
        """Keep a picture for the request."""
        self._pictures.append(made.data)
        return made.name

    def run(self, edit: KeptEdit, *, preview: bool, submitted: bool) -> Run:  # noqa: ARG002
        """Give the run of a request that was never sent."""
        from console.forge.pictures import PictureRequest
        from console.forge.run import ForgeRun

        graph: Mapping[str, Any] = edit.recipe.get("graph") or {}
        more = {name: value for name, value in graph.items() if name not in _OWN}
        if self._pictures:
            more["init_images"] = [base64.b64encode(one).decode() for one in self._pictures]
        request = PictureRequest(
            ident=edit.prompt_ident,
            kind="img2img" if self._path.endswith("img2img") else "txt2img",
            pictures=tuple(self._pictures),
            more=more,
        )
        return ForgeRun(self._connect, request, clock=self._session.clock)


def sender_for(
    session: Session, kind: str, connect: "Callable[[], WebClient]", path: str = ""
) -> Sender:
    """Give who sends to a kind of service; `path` is of Forge's API."""
    if kind == "forge":
        return ForgeSender(session, connect, path)
    return ComfySender(session, connect)


def with_pictures(
    graph: Mapping[str, Any], workflow: Workflow, names: tuple[str, ...]
) -> dict[str, Any]:
    """Give a graph with the names that the service has its pictures under."""
    own: dict[str, Any] = own_copy(graph)
    slots = [one.slot for one in workflow.inputs.images]
    for slot, name in zip(slots, names, strict=False):
        put(own, (slot,), name)
    return own
