"""Forge's HTTP API, as the Forge of 2024-09 (in ai-dock's image) and the newest answer."""

import base64
from collections.abc import Callable
from functools import cache
from typing import Any

from aiohttp import web

from console.packaged import read_table
from console.simulator.services.backstage import Backstage, Figures
from console.simulator.services.forge_pictures import PATHS, ForgePictures
from console.simulator.services.replies import UVICORN, data, page

NEWEST = "newest"
OLDER = "2024-09"
_SKIP = "skip_current_image"

Reply = web.StreamResponse


class Forge:
    """A Forge of one generation, in front of what computes.

    `mood` names how its pictures go wrong, one of `console.simulator.services.moods.RUNS`; empty is
    well. `listened` is for who has a WebSocket.
    """

    kind = "forge"

    def __init__(self, behind: Backstage, version: str = OLDER) -> None:
        self._behind = behind
        self.version = version or OLDER
        self._new = self.version == NEWEST
        self.mood = ""
        self.listened = False
        self._pictures = ForgePictures(behind)
        self._reads: dict[str, Callable[[Figures], Any]] = {
            "/internal/ping": lambda _: {},
            "/sdapi/v1/memory": _memory,
            "/sdapi/v1/progress": self._progress,
            "/sdapi/v1/options": self._options,
            "/sdapi/v1/sd-models": self._models,
            "/sdapi/v1/sd-modules": lambda _: _table()["modules"],
            "/sdapi/v1/cmd-flags": self._flags,
            "/internal/sysinfo": self._sysinfo,
        }
        self._writes: dict[str, Callable[[], None]] = {
            "/sdapi/v1/unload-checkpoint": behind.free,
            "/sdapi/v1/interrupt": behind.interrupt,
            "/sdapi/v1/skip": behind.interrupt,
            "/sdapi/v1/reload-checkpoint": _nothing,
            "/sdapi/v1/options": _nothing,
        }

    @property
    def pump(self) -> Callable[[], None] | None:
        """What brings what computes up to now; None where it needs nobody to."""
        return self._pictures.pump

    @pump.setter
    def pump(self, pump: Callable[[], None] | None) -> None:
        self._pictures.pump = pump

    async def tell(self) -> None:
        """Say nothing: Forge has no WebSocket of this kind."""

    async def answer(self, request: web.BaseRequest) -> Reply:
        """Answer a request as FastAPI would."""
        path = request.path
        if path.startswith("/sdapi/") and not self._lets_in(request):
            refused = _refused(401, "Incorrect username or password")
            refused.headers["WWW-Authenticate"] = "Basic"
            return refused
        if request.method == "POST" and path in PATHS:
            return await self._pictures.make(request, self.mood)
        if request.method == "POST" and path in self._writes:
            self._writes[path]()
            return data(None if path.endswith(("options", "interrupt")) else {}, UVICORN)
        if request.method != "GET":
            known = path in self._reads or path in self._writes
            return _refused(405, "Method Not Allowed") if known else _refused(404, "Not Found")
        if path in self._reads:
            now = self._behind.figures()
            answer = self._reads[path](now)
            if path == "/sdapi/v1/progress" and request.query.get(_SKIP, "false") != "true":
                answer["current_image"] = self._pictures.live_picture(now.job)
            return data(answer, UVICORN)
        if path == "/":
            return page("<!doctype html><html><title>Stable Diffusion</title></html>", UVICORN)
        known = path in self._writes or path in PATHS
        return _refused(405, "Method Not Allowed") if known else _refused(404, "Not Found")

    def _lets_in(self, request: web.BaseRequest) -> bool:
        """Tell whether a request has one of the logins of `--api-auth`, where there are any."""
        words = self._behind.figures().arguments
        if "--api-auth" not in words[:-1]:
            return True
        logins = words[words.index("--api-auth") + 1].split(",")
        wanted = {f"Basic {base64.b64encode(login.encode()).decode()}" for login in logins}
        return request.headers.get("Authorization", "") in wanted

    def _progress(self, now: Figures) -> dict[str, Any]:
        job = now.job
        state: dict[str, Any] = {
            "skipped": False,
            "interrupted": False,
            "stopping_generation": False,
            "job": "scripts_txt2img" if job else "",
            "job_count": 1 if job else 0,
            "job_timestamp": str(round(job.order.begun)) if job else "0",
            "job_no": 0,
            "sampling_step": job.step if job else 0,
            "sampling_steps": job.steps if job else 0,
        }
        answer: dict[str, Any] = {
            "progress": round(job.share, 4) if job else 0.0,
            "eta_relative": round(job.left, 2) if job else 0.0,
            "state": state,
            "current_image": None,
            "textinfo": None,
        }
        return answer | {"current_task": job.order.ident if job else None} if self._new else answer

    def _options(self, now: Figures) -> dict[str, Any]:
        short = _hash(now.model)
        options: dict[str, Any] = dict(_table()["options"])
        options["sd_model_checkpoint"] = f"{now.model} [{short}]"
        options["sd_checkpoint_hash"] = short.ljust(64, "0")
        return options

    def _models(self, now: Figures) -> list[dict[str, Any]]:
        names = self._behind.models("checkpoints") or [now.model]
        folder = _table()["folders"]["checkpoints"]
        return [
            {
                "title": f"{name} [{_hash(name)}]",
                "model_name": name.rpartition(".")[0],
                "hash": _hash(name),
                "sha256": _hash(name).ljust(64, "0"),
                "filename": f"{folder}/{name}",
                "config": None,
            }
            for name in names
        ]

    def _sysinfo(self, now: Figures) -> dict[str, Any]:
        return {**_table()["sysinfo"], "Commandline": list(now.arguments)}

    def _flags(self, now: Figures) -> dict[str, Any]:
        flags: dict[str, Any] = dict(_table()["flags"])
        words = list(now.arguments)
        for position, word in enumerate(words):
            name, equals, value = word.partition("=")
            after = words[position + 1] if position + 1 < len(words) else "--"
            value = value if equals else "" if after.startswith("--") else after
            if name.startswith("--"):
                key = name[2:].replace("-", "_")
                flags[key] = int(value) if value.isdecimal() else value or True
        return flags


def _memory(now: Figures) -> dict[str, Any]:
    """Give the memory; RAM as Forge counts it: its own is used, all the rest is free."""
    ram = {"free": now.ram_total - now.ram_own, "used": now.ram_own, "total": now.ram_total}
    if not now.cards:
        return {"ram": ram, "cuda": {"error": "unavailable"}}
    card, held = now.cards[0], now.own
    used = held - held // 16
    return {
        "ram": ram,
        "cuda": {
            "system": {"free": card.free, "used": card.total - card.free, "total": card.total},
            "active": {"current": used, "peak": used},
            "allocated": {"current": used, "peak": used},
            "reserved": {"current": held, "peak": held},
            "inactive": {"current": held // 64, "peak": held // 16},
            "events": {"retries": 0, "oom": 0},
        },
    }


def _refused(status: int, words: str) -> Reply:
    return data({"detail": words}, UVICORN, status)


def _hash(name: str) -> str:
    return f"{sum(name.encode()) * 2654435761 % (1 << 40):010x}"


def _nothing() -> None:
    """Do as asked, which changes nothing here."""


@cache
def _table() -> dict[str, Any]:
    return read_table("rehearsal_forge.toml")
