"""What is asked of a ComfyUI about one prompt: submit, where it is, how it ended, cancel, files."""

import hashlib
from typing import Any, Literal
from urllib.parse import quote, urlencode

import msgspec

from console.comfyui.answers import parse_queue
from console.comfyui.history import Ended, parse_history
from console.comfyui.messages import word
from console.comfyui.refusals import GraphRefusedError, parse_problems, refusal
from console.edits.result import Output, Picture, honest_output, media_of
from console.edits.words import refused
from console.text import clean_line
from console.unknown import Unknown
from console.web.client import WebClient
from console.web.faults import BadStatusError
from console.web.form import Form
from console.web.values import number, size, within

_PATIENCE = 15.0
_LARGE = 64 << 20
_PICTURE = 256 << 20
_SLOW = 120.0
_NO_JOBS = {404, 405}
_ENDINGS = {"image/png": ".png", "image/jpeg": ".jpg", "image/webp": ".webp", "image/gif": ".gif"}


class Prompt(msgspec.Struct, frozen=True, kw_only=True):
    """A graph to be computed.

    Attributes:
        ident: a UUID in small letters with hyphens; newer servers take no other.
        client: the name under which its messages are listened to, of this run alone.
        graph: in the API's format.
        preview_method: `auto`, `latent2rgb`, `taesd` or `none`; empty leaves it to the server.
            0.3.64 goes by its own flag only.
        png_info: what goes into the PNG beside the graph.
        partial: take it although an output of the graph is refused; the rest is computed.
    """

    ident: str
    client: str
    graph: dict[str, Any]
    preview_method: str = ""
    png_info: dict[str, Any] = {}
    partial: bool = False


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """A prompt was taken under `ident`; `dropped` are outputs that will not be computed."""

    ident: str
    number: float = 0.0
    dropped: tuple[str, ...] = ()


class Place(msgspec.Struct, frozen=True):
    """Where a prompt is; `ahead` counts those before it, the one that runs among them."""

    where: Literal["running", "pending", "nowhere"]
    ahead: int = 0


class PromptCalls:
    """The calls; they belong to the client's thread and raise ServiceFault."""

    def __init__(self, client: WebClient) -> None:
        self.client = client

    def submit(self, prompt: Prompt) -> Taken:
        """Submit a graph, once.

        Raises:
            GraphRefusedError: it was refused, or (unless `partial`) an output of it would be left
                out; then it is taken off the queue again.
            ServiceTimeoutError, ServiceUnreachableError: whether it was taken is not known.
        """
        extra: dict[str, Any] = {}
        if prompt.preview_method:
            extra["preview_method"] = prompt.preview_method
        if prompt.png_info:
            extra["extra_pnginfo"] = prompt.png_info
        body = {
            "prompt": prompt.graph, "client_id": prompt.client, "prompt_id": prompt.ident,
            "extra_data": extra,
        }  # fmt: skip
        # On a kept connection nobody could tell whether the service saw the request.
        self.client.close()
        answer = self.client.ask("POST", "/prompt", body, limit=_LARGE, patience=_PATIENCE)
        if answer.status == 400 and answer.is_json:
            raise self._refusal(self.client.parsed(answer))
        data = self.client.parsed(self.client.judged(answer))
        ident = word(data, "prompt_id")
        if not ident:
            raise self.client.odd("POST /prompt")
        problems = parse_problems(data)
        if problems and not prompt.partial:
            self.cancel(ident)
            raise self._refusal(data)
        place = number(data, "number")
        return Taken(
            ident=ident,
            number=0.0 if isinstance(place, Unknown) else place,
            dropped=tuple(f"{p.kind} ({p.node}): {p.said}" for p in problems),
        )

    def place(self, ident: str) -> Place:
        """Tell where a prompt is in the queue."""
        queue = parse_queue(self.client.json("/queue", limit=_LARGE, patience=_PATIENCE))
        if isinstance(queue, Unknown):
            raise self.client.odd("GET /queue", queue.title)
        if any(item.ident == ident for item in queue.running):
            return Place("running")
        for before, item in enumerate(queue.pending):
            if item.ident == ident:
                return Place("pending", before + len(queue.running))
        return Place("nowhere")

    def ended(self, ident: str) -> Ended | None:
        """Tell how a prompt ended; None where it has not, or where nobody knows it."""
        path = f"/history/{quote(ident, safe='')}"
        data = self.client.json(path, limit=_LARGE, patience=_PATIENCE)
        if not isinstance(data, dict):
            raise self.client.odd("GET /history")
        return parse_history(data, ident)

    def cancel(self, ident: str) -> None:
        """Take a prompt off the queue or break it off, and nobody else's.

        A node that does not look at the flag goes on until the next one begins.
        """
        self.client.close()
        path = f"/api/jobs/{quote(ident, safe='')}/cancel"
        answer = self.client.ask("POST", path, patience=_PATIENCE)
        if answer.status not in _NO_JOBS:
            self.client.judged(answer)
            return
        self.client.post("/queue", {"delete": [ident]}, patience=_PATIENCE)
        # An old server breaks off whatever runs, whichever id is given to it.
        if self.place(ident).where == "running":
            self.client.post("/interrupt", {"prompt_id": ident}, patience=_PATIENCE)

    def upload(self, data: bytes, media: str = "") -> str:
        """Give a picture to the service; gives the name that `LoadImage` takes.

        The name is made of the content: the same picture lies there once, whatever its own name.

        Raises:
            EditRefusedError: it is larger than the service takes (`edit.upload-too-large`).
        """
        kind = media or media_of(data)
        name = f"gpuconsole-{hashlib.sha256(data).hexdigest()[:24]}{_ENDINGS.get(kind, '.png')}"
        form = Form(
            field="image", name=name, content=data, media=kind or "application/octet-stream",
            fields=(("type", "input"),),
        )  # fmt: skip
        self.client.close()
        answer = self.client.ask("POST", "/upload/image", form, patience=_SLOW)
        if answer.status == 413:
            said = self.client.scrub(answer.words())
            raise refused("edit.upload-too-large", address=self.client.address, said=said)
        told = self.client.parsed(self.client.judged(answer))
        given, folder = within(told, "name"), within(told, "subfolder") or ""
        placed = honest_output("", given, folder, within(told, "type") or "input")
        if placed is None:
            raise self.client.odd("POST /upload/image", clean_line(str(given), 100))
        return f"{placed.subfolder}/{placed.name}" if placed.subfolder else placed.name

    def upload_limit(self) -> int | None:
        """Give the most bytes an upload may have; None where the service does not tell."""
        try:
            most = size(self.client.json("/features"), "max_upload_size")
        except BadStatusError:
            return None
        return None if isinstance(most, Unknown) else most

    def fetch(self, output: Output, largest: int = _PICTURE) -> Picture:
        """Fetch a picture that a run left.

        Raises:
            EditRefusedError: its name leads elsewhere, or what came is no picture.
        """
        address = self.client.address
        shown = clean_line(output.name, 100)
        if honest_output("", output.name, output.subfolder, output.kind) is None:
            raise refused("edit.odd-name", address=address, name=shown)
        query = urlencode(
            {"filename": output.name, "subfolder": output.subfolder, "type": output.kind}
        )
        answer = self.client.get(f"/view?{query}", limit=largest, patience=_SLOW)
        media = media_of(answer.body)
        if not media:
            raise refused("edit.odd-picture", address=address, name=shown)
        return Picture(data=answer.body, media=media)

    def _refusal(self, data: object) -> GraphRefusedError:
        made = refusal(data, self.client.address)
        made.title, made.detail = (
            self.client.scrub(made.title),
            self.client.scrub(made.detail, 2000),
        )
        return made
