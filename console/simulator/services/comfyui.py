"""ComfyUI's HTTP API, as 0.3.64 and 0.33.0 answer."""

import uuid
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any
from urllib.parse import unquote, urlsplit

from aiohttp import web

from console.packaged import read_table
from console.simulator.services.backstage import Backstage, Figures, Order
from console.simulator.services.nodes import node_table
from console.simulator.services.replies import COMFYUI, data, plain, read_object

NEWEST = "0.33.0"
OLDER = "0.3.64"
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_TROUBLE = "500 Internal Server Error\n\nServer got itself in trouble"
_SLACK = 32
"""One part in so many of what torch holds is free again, inside it."""

Reply = web.StreamResponse


class ComfyUI:
    """A ComfyUI of one version, in front of what computes."""

    kind = "comfyui"

    def __init__(self, behind: Backstage, version: str = NEWEST) -> None:
        self._behind = behind
        self.version = version or NEWEST
        self._new = not self.version.startswith("0.3.")
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
            "/history": lambda _: plain("", COMFYUI),
            "/free": self._free,
            "/interrupt": self._interrupt,
        }

    async def answer(self, request: web.BaseRequest) -> Reply:
        """Answer a request."""
        if _is_foreign(request, self._new):
            return plain("", COMFYUI, 403)
        path = request.path.removeprefix("/api") or "/"
        if request.method in {"GET", "HEAD"}:
            return self._read(path, request.query)
        if request.method == "POST" and path in self._writes:
            body = await read_object(request)
            if body is None:
                return plain(_TROUBLE, COMFYUI, 500)
            return self._writes[path](body)
        known = path in self._reads or path in self._writes
        return _refused(405, "Method Not Allowed") if known else _refused(404, "Not Found")

    def _read(self, path: str, query: Mapping[str, str]) -> Reply:
        if path in self._reads:
            answer = self._reads[path](self._behind.figures())
            if path == "/history" and query.get("max_items", "").isdecimal():
                answer = dict(list(answer.items())[-int(query["max_items"]) :])
            return data(answer, COMFYUI)
        head, _, name = path[1:].partition("/")
        name = unquote(name)
        if head == "models":
            return self._folder(name)
        if head == "object_info":
            nodes = self._nodes()
            return data({name: nodes[name]} if name in nodes else {}, COMFYUI)
        if head == "history":
            entry = self._history().get(name)
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
        size = {"supports_preview_metadata": True, "max_upload_size": 104_857_600}
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
        ends = [key for key, node in order.graph.items() if _is_output(node)]
        return [order.number, order.ident, order.graph, extra, ends]

    def _history(self) -> dict[str, Any]:
        return {
            order.ident: {
                "prompt": self._item(order),
                "outputs": {},
                "status": _status(order, ended),
                "meta": {},
            }
            for order, ended in self._behind.history()
        }

    def _nodes(self) -> dict[str, Any]:
        return node_table(self._new, lambda folder: self._behind.models(folder) or [])

    def _prompt(self, body: dict[str, Any]) -> Reply:
        if "prompt" not in body:
            return data(_prompt_error("no_prompt", "No prompt provided"), COMFYUI, 400)
        graph = body["prompt"]
        if not isinstance(graph, dict):
            return plain(_TROUBLE, COMFYUI, 500)
        wrong = self._wrong(graph)
        ident = str(body.get("prompt_id") or uuid.uuid4())
        if self._new and not wrong and not _is_uuid(ident):
            wrong = _prompt_error("invalid_prompt_id", "prompt_id must be a valid UUID")
        if wrong:
            return data(wrong, COMFYUI, 400)
        extra = dict(body.get("extra_data") or {})
        if "client_id" in body:
            extra["client_id"] = body["client_id"]
        order = self._behind.queue(ident, graph, extra)
        answer = {"prompt_id": order.ident, "number": order.number, "node_errors": {}}
        return data(answer, COMFYUI)

    def _wrong(self, graph: dict[str, Any]) -> dict[str, Any]:
        known = self._nodes()
        for key, node in graph.items():
            name = node.get("class_type") if isinstance(node, dict) else None
            if name not in known:
                sort = "missing_node_type" if self._new else "invalid_prompt"
                said = f"Cannot execute because node {name} does not exist."
                return _prompt_error(sort, said, f"Node ID '#{key}'")
        if not any(_is_output(node) for node in graph.values()):
            return _prompt_error("prompt_no_outputs", "Prompt has no outputs", "")
        return {}

    def _change_queue(self, body: dict[str, Any]) -> Reply:
        if body.get("clear"):
            self._behind.forget(None)
        self._behind.forget([str(ident) for ident in body.get("delete") or []])
        return plain("", COMFYUI)

    def _free(self, body: dict[str, Any]) -> Reply:
        if body.get("unload_models") or body.get("free_memory"):
            self._behind.free()
        return plain("", COMFYUI)

    def _interrupt(self, body: dict[str, Any]) -> Reply:
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


def _is_output(node: Any) -> bool:
    name = node.get("class_type", "") if isinstance(node, dict) else ""
    return name in {"SaveImage", "PreviewImage", "SaveImageAdvanced"}


def _status(order: Order, ended: str) -> dict[str, Any]:
    well = ended == "success"
    facts = {"prompt_id": order.ident, "timestamp": round(order.begun * 1000)}
    messages = [["execution_start", facts], [f"execution_{ended}", facts]]
    return {"status_str": "success" if well else "error", "completed": well, "messages": messages}


def _prompt_error(sort: str, said: str, details: str | None = None) -> dict[str, Any]:
    error = {
        "type": sort,
        "message": said,
        "details": said if details is None else details,
        "extra_info": {},
    }
    return {"error": error, "node_errors": {}}


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
