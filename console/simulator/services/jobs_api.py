"""`/api/jobs` of the newer ComfyUI: the queue and the history under one roof."""

from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

from console.simulator.services.backstage import Backstage, Figures, Order
from console.simulator.services.playbook import Playbook
from console.simulator.services.replies import COMFYUI, data

_STATES = ("pending", "in_progress", "completed", "failed", "cancelled")
_ENDS = {"success": "completed", "error": "failed", "interrupted": "cancelled"}

Reply = web.StreamResponse


class JobsApi:
    """The jobs of one ComfyUI."""

    def __init__(self, behind: Backstage, playbook: Playbook) -> None:
        self._behind = behind
        self._playbook = playbook

    def read(self, path: str, query: Mapping[str, str], now: Figures) -> Reply:
        """Answer `/api/jobs` and `/api/jobs/ID`."""
        jobs = self._jobs(now)
        ident = path.removeprefix("/jobs").removeprefix("/")
        if ident:
            for order, state in jobs:
                if order.ident == ident:
                    return data(self._described(order, state, whole=True), COMFYUI)
            return data({"error": "Job not found"}, COMFYUI, 404)
        wanted = [part for part in query.get("status", "").split(",") if part]
        odd = [part for part in wanted if part not in _STATES]
        if odd:
            said = f"Invalid status value(s): {', '.join(odd)}. Valid values: {', '.join(_STATES)}"
            return data({"error": said}, COMFYUI, 400)
        found = [
            self._described(order, state) for order, state in jobs if not wanted or state in wanted
        ]
        limit, start = _number(query, "limit"), _number(query, "offset") or 0
        shown = found[start:] if limit is None else found[start : start + limit]
        page = {
            "offset": start, "limit": limit, "total": len(found),
            "has_more": start + len(shown) < len(found),
        }  # fmt: skip
        return data({"jobs": shown, "pagination": page}, COMFYUI)

    def cancel(self, path: str, body: dict[str, Any], is_id: Callable[[str], bool]) -> Reply:
        """Answer `POST /api/jobs/ID/cancel` and `/api/jobs/cancel`."""
        if path == "/jobs/cancel":
            idents = [str(ident) for ident in body.get("job_ids") or []]
            odd = [ident for ident in idents if not is_id(ident)]
            if odd:
                said = {"error": "job_ids contains invalid id(s)", "invalid_ids": odd}
                return data(said, COMFYUI, 400)
            # Each has to be taken off, even where an earlier one was.
            cancelled = [self._cancel(ident) for ident in idents]
            return data({"cancelled": any(cancelled)}, COMFYUI)
        ident = path.removeprefix("/jobs/").removesuffix("/cancel")
        return data({"cancelled": self._cancel(ident)}, COMFYUI)

    def _cancel(self, ident: str) -> bool:
        now = self._playbook.catch_up()
        if now.job is not None and now.job.order.ident == ident:
            self._behind.interrupt(ident)
            return True
        if any(order.ident == ident for order in now.waiting):
            self._behind.forget([ident])
            return True
        return False

    def _jobs(self, now: Figures) -> list[tuple[Order, str]]:
        waiting = [(order, "pending") for order in reversed(now.waiting)]
        running = [(now.job.order, "in_progress")] if now.job else []
        ended = [
            (order, _ENDS[self._playbook.how(ident)])
            for ident, (order, _) in reversed(self._playbook.ended.items())
        ]
        return [*waiting, *running, *ended]

    def _described(self, order: Order, state: str, *, whole: bool = False) -> dict[str, Any]:
        ended = state not in {"pending", "in_progress"}
        outputs = self._playbook.outputs(order) if ended else {}
        pictures = [(node, one) for node, left in outputs.items() for one in left["images"]]
        found: dict[str, Any] = {
            "id": order.ident,
            "status": state,
            "priority": order.number,
            "create_time": round(order.asked * 1000),
            "outputs_count": len(pictures),
            "previewable_outputs_count": len(pictures),
        }
        if ended:
            begun, over = self._playbook.times[order.ident]
            found["execution_start_time"] = round(begun * 1000)
            found["execution_end_time"] = round(over * 1000)
        if pictures:
            node, first = pictures[0]
            found["preview_output"] = {**first, "nodeId": node, "mediaType": "images"}
        if whole and ended:
            well = state == "completed"
            found["outputs"] = outputs
            found["execution_status"] = {
                "status_str": "success" if well else "error",
                "completed": well,
                "messages": self._playbook.messages(order),
            }
            found["workflow"] = {"prompt": order.graph, "extra_data": order.extra}
        return found


def _number(query: Mapping[str, str], key: str) -> int | None:
    text = query.get(key, "")
    return int(text) if text.isdecimal() else None
