"""ComfyUI's HTTP API and WebSocket, as 0.3.64 and 0.33.0 answer."""

import asyncio
import math
import uuid
from collections.abc import Callable, Collection, Mapping
from functools import cache
from typing import Any
from urllib.parse import unquote, urlsplit

from aiohttp import web

from console.packaged import read_table
from console.simulator.services.backstage import Backstage, Figures, Order
from console.simulator.services.files_api import LARGEST_UPLOAD, upload, view
from console.simulator.services.herald import Herald
from console.simulator.services.jobs_api import JobsApi
from console.simulator.services.moods import (
    DIES_QUEUED,
    LOST_ANSWER,
    LOST_REQUEST,
    NO_NUMBERS,
    NO_SOCKET,
    QUEUE_FULL,
    SEGFAULT,
    SUBMISSIONS,
)
from console.simulator.services.nodes import node_table
from console.simulator.services.playbook import Playbook
from console.simulator.services.replies import COMFYUI, data, plain, read_object
from console.simulator.services.shelf import Shelf
from console.simulator.services.validation import (
    Checking,
    outputs_of,
    prompt_error,
    unknown_node,
)

NEWEST = "0.33.0"
OLDER = "0.3.64"
_FULL = "Queue is full: no more prompts are taken"
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_TROUBLE = "500 Internal Server Error\n\nServer got itself in trouble"
_SLACK = 32
"""One part in so many of what torch holds is free again, inside it."""

_SOON = 0.05

Reply = web.StreamResponse


class ComfyUI:
    """A ComfyUI of one version, in front of what computes.

    `queue_limit` is how many prompts it lets wait, 0 any number: ComfyUI itself has no limit, but
    what stands before one may have. `mood` names how its runs go wrong, one of
    `console.simulator.services.moods.RUNS`; empty is well. `pump` brings what computes up to now;
    None where it needs nobody to. `custom` are its custom nodes, as `node_table` takes them.
    """

    kind = "comfyui"

    def __init__(
        self,
        behind: Backstage,
        version: str = NEWEST,
        queue_limit: int = 0,
        custom: Collection[str] | None = None,
    ) -> None:
        self._behind = behind
        self._custom = custom
        self._queue_limit = queue_limit
        self.version = version or NEWEST
        self._new = not self.version.startswith("0.3.")
        self.pump: Callable[[], None] | None = None
        self._shelf = Shelf(behind.folder)
        self._playbook = Playbook(behind, self._shelf, self._new)
        self._herald = Herald(self._playbook, self._features())
        self._jobs = JobsApi(behind, self._playbook)
        self._reads: dict[str, Callable[[Figures], Any]] = {
            "/system_stats": self._system_stats,
            "/features": lambda _: self._features(),
            "/prompt": lambda now: {"exec_info": {"queue_remaining": _remaining(now)}},
            "/queue": self._queue,
            "/history": lambda _: self._history(),
            "/models": lambda _: list(_folders(self._new)),
            "/embeddings": lambda _: [],
            "/object_info": lambda _: self._nodes(),
        }
        self._writes: dict[str, Callable[[dict[str, Any]], Reply]] = {
            "/prompt": self._prompt,
            "/queue": self._change_queue,
            "/history": self._change_history,
            "/free": self._free,
            "/interrupt": self._interrupt,
        }

    @property
    def mood(self) -> str:
        """How its runs go wrong; empty is well."""
        return self._playbook.mood

    @mood.setter
    def mood(self, mood: str) -> None:
        self._playbook.mood = self._herald.mood = mood

    @property
    def listened(self) -> bool:
        """Whether a WebSocket is open."""
        return self._herald.listened

    async def tell(self) -> None:
        """Say over the WebSockets what is due by now."""
        await self._herald.tell()

    async def answer(self, request: web.BaseRequest) -> Reply:
        """Answer a request."""
        if _is_foreign(request, self._new):
            return plain("", COMFYUI, 403)
        # What aiohttp's own servers are told by an argument.
        request._client_max_size = LARGEST_UPLOAD
        path = request.path.removeprefix("/api") or "/"
        if path == "/ws" and self.mood != NO_SOCKET:
            return await self._herald.listen(request)
        self._playbook.catch_up()
        if request.method in {"GET", "HEAD"}:
            if path == "/view":
                return await view(request, self._shelf, self._behind, self.mood)
            return self._read(path, request)
        if request.method == "POST":
            return await self._write(path, request)
        known = path in self._reads or path in self._writes
        return _refused(405, "Method Not Allowed") if known else _refused(404, "Not Found")

    async def _write(self, path: str, request: web.BaseRequest) -> Reply:
        if path in {"/upload/image", "/upload/mask"}:
            return await upload(request, self._shelf, self._behind, self.mood)
        jobs = self._new and path.startswith("/jobs/") and path.endswith("/cancel")
        if path not in self._writes and not jobs:
            known = path in self._reads or path.startswith("/jobs/")
            return _refused(405, "Method Not Allowed") if known else _refused(404, "Not Found")
        body = await read_object(request)
        if body is None:
            return plain(_TROUBLE, COMFYUI, 500)
        if jobs:
            return self._jobs.cancel(path, body, _is_uuid)
        return self._submit(body, request) if path == "/prompt" else self._writes[path](body)

    def _submit(self, body: dict[str, Any], request: web.BaseRequest) -> Reply:
        """Take a prompt as the mood has it."""
        mood = self.mood
        if mood in SUBMISSIONS:
            self._behind.spend()
        waiting = len(self._behind.figures().waiting)
        if mood == QUEUE_FULL or 0 < self._queue_limit <= waiting:
            return data({"error": {**prompt_error("queue_full", _FULL)["error"]}}, COMFYUI, 429)
        if mood == LOST_REQUEST and request.transport is not None:
            request.transport.abort()
            return plain("", COMFYUI)
        answer = self._writes["/prompt"](body)
        if mood == LOST_ANSWER and request.transport is not None:
            request.transport.abort()
        if mood == DIES_QUEUED:
            asyncio.get_running_loop().call_later(_SOON, self._behind.die, SEGFAULT)
        return answer

    def _read(self, path: str, request: web.BaseRequest) -> Reply:
        query = request.query
        if self._new and (path == "/jobs" or path.startswith("/jobs/")):
            return self._jobs.read(path, query, self._behind.figures())
        if path in self._reads:
            answer = self._reads[path](self._behind.figures())
            return data(_newest(answer, query) if path == "/history" else answer, COMFYUI)
        return self._named(path)

    def _named(self, path: str) -> Reply:
        head, _, name = path[1:].partition("/")
        name = unquote(name)
        if head == "models":
            return self._folder(name)
        if head == "object_info":
            nodes = self._nodes()
            return data({name: nodes[name]} if name in nodes else {}, COMFYUI)
        if head == "history":
            entry = self._history().get(name)
            if entry and self._playbook.mood_of(name) == NO_NUMBERS:
                entry["prompt"][0], entry["meta"]["odd"] = math.nan, {"seconds": math.inf}
            return data({name: entry} if entry else {}, COMFYUI)
        if path == "/":
            return web.Response(
                text="<!DOCTYPE html><title>ComfyUI</title>", content_type="text/html"
            )
        return _refused(404, "Not Found")

    def _folder(self, name: str) -> Reply:
        if name not in _folders(self._new):
            return plain("", COMFYUI, 404)
        return data(self._behind.models(name) or [], COMFYUI)

    def _system_stats(self, now: Figures) -> dict[str, Any]:
        system: dict[str, Any] = {
            "os": "linux" if self._new else "posix",
            "ram_total": now.ram_total,
            "ram_free": now.ram_free,
            "comfyui_version": self.version,
            **_table()["system"]["new" if self._new else "old"],
            "embedded_python": False,
            "argv": list(now.arguments),
        }
        seen = now.cards if self._new else now.cards[:1]
        return {"system": system, "devices": [_device(now, index) for index in range(len(seen))]}

    def _features(self) -> dict[str, Any]:
        size = {"supports_preview_metadata": True, "max_upload_size": LARGEST_UPLOAD}
        if not self._new:
            return size
        return {
            **size,
            "supports_model_type_tags": True,
            "extension": {"manager": {"supports_v4": True}},
            "node_replacements": True,
            "assets": False,
        }

    def _queue(self, now: Figures) -> dict[str, Any]:
        running = [self._item(now.job.order)] if now.job else []
        waiting = [self._item(order) for order in now.waiting]
        return {"queue_running": running, "queue_pending": waiting}

    def _item(self, order: Order) -> list[Any]:
        extra = dict(order.extra)
        if self._new:
            extra["create_time"] = round(order.asked * 1000)
        return [order.number, order.ident, order.graph, extra, self._playbook.wanted(order)]

    def _history(self) -> dict[str, Any]:
        return {ident: self._entry(order) for ident, (order, _) in self._playbook.ended.items()}

    def _entry(self, order: Order) -> dict[str, Any]:
        outputs = self._playbook.outputs(order)
        well = self._playbook.how(order.ident) == "success"
        return {
            "prompt": self._item(order),
            "outputs": outputs,
            "status": {
                "status_str": "success" if well else "error",
                "completed": well,
                "messages": self._playbook.messages(order),
            },
            "meta": {
                node: {
                    "node_id": node, "display_node": node, "parent_node": None,
                    "real_node_id": node,
                }
                for node in outputs
            },
        }  # fmt: skip

    def _nodes(self) -> dict[str, Any]:
        return node_table(self._new, lambda folder: self._behind.models(folder) or [], self._custom)

    def _prompt(self, body: dict[str, Any]) -> Reply:
        if "prompt" not in body:
            return data(prompt_error("no_prompt", "No prompt provided"), COMFYUI, 400)
        graph = body["prompt"]
        if not isinstance(graph, dict):
            return plain(_TROUBLE, COMFYUI, 500)
        ident = str(body.get("prompt_id") or uuid.uuid4())
        wrong, ends, errors = self._checked(graph, ident)
        if wrong:
            return data(wrong, COMFYUI, 400)
        targets = body.get("partial_execution_targets")
        if isinstance(targets, list):
            ends = [end for end in ends if end in targets]
        extra = dict(body.get("extra_data") or {})
        if "client_id" in body:
            extra["client_id"] = body["client_id"]
        now = self._playbook.catch_up()
        idle = now.job is None and not now.waiting
        at_once = idle and self._playbook.remembered(graph, ends)
        self._playbook.submitted(ident, ends)
        if at_once:
            order = self._behind.finish(ident, graph, extra)
        else:
            order = self._behind.queue(ident, graph, extra, self._playbook.measure)
        answer = {"prompt_id": order.ident, "number": order.number, "node_errors": errors}
        return data(answer, COMFYUI)

    def _checked(
        self, graph: dict[str, Any], ident: str
    ) -> tuple[dict[str, Any] | None, list[str], dict[str, Any]]:
        """Give the refusal of a graph, or the outputs that can be computed and what is dropped."""
        nodes = self._nodes()
        wrong = unknown_node(graph, nodes, self._new)
        if wrong is None and not outputs_of(graph, nodes):
            wrong = prompt_error("prompt_no_outputs", "Prompt has no outputs", "")
        if wrong is None and self._new and not _is_uuid(ident):
            wrong = prompt_error(
                "invalid_prompt_id", "prompt_id must be a valid UUID",
                "prompt_id must be a UUID string in canonical lowercase hyphenated form; "
                "omit it to let the server generate one",
            )  # fmt: skip
        if wrong is not None:
            return wrong, [], {}
        checking = Checking(graph, nodes, self._is_there, self._new)
        if not checking.good:
            return checking.refusal(), [], {}
        return None, checking.good, checking.errors

    def _is_there(self, picture: str) -> bool:
        return self._shelf.named(picture) is not None or picture in (
            self._behind.models("input") or []
        )

    def _change_queue(self, body: dict[str, Any]) -> Reply:
        if body.get("clear"):
            self._behind.forget(None)
        self._behind.forget([str(ident) for ident in body.get("delete") or []])
        return plain("", COMFYUI)

    def _change_history(self, body: dict[str, Any]) -> Reply:
        if body.get("clear"):
            self._playbook.erase(None)
        self._playbook.erase([str(ident) for ident in body.get("delete") or []])
        return plain("", COMFYUI)

    def _free(self, body: dict[str, Any]) -> Reply:
        if body.get("free_memory"):
            self._playbook.forget()
        if body.get("unload_models") or body.get("free_memory"):
            self._behind.free()
        return plain("", COMFYUI)

    def _interrupt(self, body: dict[str, Any]) -> Reply:
        self._playbook.catch_up()
        self._behind.interrupt(str(body.get("prompt_id") or ""))
        return plain("", COMFYUI)


def _device(now: Figures, index: int) -> dict[str, Any]:
    """Give a card as torch and ComfyUI count: `vram_free` has what torch holds and does not use."""
    card = now.cards[index]
    held = now.own if index == 0 else 0
    spare = held // _SLACK
    return {
        "name": f"cuda:{index} {card.name} : cudaMallocAsync",
        "type": "cuda",
        "index": index,
        "vram_total": card.total,
        "vram_free": card.free + spare,
        "torch_vram_total": held,
        "torch_vram_free": spare,
    }


def _remaining(now: Figures) -> int:
    return len(now.waiting) + (1 if now.job else 0)


def _newest(history: dict[str, Any], query: Mapping[str, str]) -> dict[str, Any]:
    """Give the last entries of a history, where so many are asked for."""
    most = query.get("max_items", "")
    return dict(list(history.items())[-int(most) :]) if most.isdecimal() else history


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False


def _is_foreign(request: web.BaseRequest, new: bool) -> bool:
    """Tell whether the request comes from another site's page, which a local server refuses."""
    if new and request.headers.get("Sec-Fetch-Site") == "cross-site":
        return True
    origin, host = request.headers.get("Origin"), request.headers.get("Host", "")
    if origin is None or (urlsplit(f"//{host}").hostname or "") not in _LOOPBACK:
        return False
    return urlsplit(origin).netloc.lower() != host.lower()


def _refused(status: int, words: str) -> Reply:
    return plain(f"{status}: {words}", COMFYUI, status)


def _folders(new: bool) -> tuple[str, ...]:
    folders = _table()["folders"]
    return (*folders["common"], *folders["new"]) if new else tuple(folders["common"])


@cache
def _table() -> dict[str, Any]:
    return read_table("rehearsal_comfyui.toml")
