"""The door to a ComfyUI, 0.3 to 0.33: whether it is ready, its card, its queue, its models."""

from typing import Any
from urllib.parse import quote

import msgspec

from console.clock import Clock
from console.comfyui.answers import (
    Queue,
    QueueItem,
    Stats,
    is_stats,
    parse_names,
    parse_queue,
    parse_remaining,
    parse_stats,
)
from console.services.door import Door
from console.services.kept import Kept
from console.services.reading import NOT_TOLD, Job, Reading, Target
from console.unknown import Unknown
from console.web.client import PATIENCE, WebClient
from console.web.faults import NeedsAuthError, OddAnswerError, ServiceFault, fault
from console.web.values import mapping

NO_PERCENT = Unknown(
    "comfyui.no-progress",
    "ComfyUI tells its progress to WebSocket clients only",
)
NO_START = Unknown(
    "comfyui.no-start",
    "it ran already when it was first looked at, and ComfyUI does not tell since when",
)
NO_MODEL = Unknown("comfyui.no-model", "ComfyUI does not tell which models it has loaded")
_STATS_SECONDS = 10.0
_BUSY_STATS_SECONDS = 4.0
_QUEUE_SECONDS = 4.0
_QUEUE_LIMIT = 4 << 20
_OBJECT_INFO_LIMIT = 16 << 20
_OBJECT_INFO_PATIENCE = 30.0


class ComfyDoor(Door):
    """One ComfyUI; see `Door`. All that asks raises ServiceFault."""

    def __init__(
        self, target: Target, client: WebClient, clock: Clock, patience: float = PATIENCE
    ) -> None:
        super().__init__(target, client, clock, patience)
        self._stats = Kept(self.system_stats, _STATS_SECONDS)
        self._queue = Kept(self.queue, _QUEUE_SECONDS)
        self._remaining = 0
        self._looked_at: float | None = None
        self._job_ident = ""
        self._job_since: float | None = None

    def system_stats(self) -> Stats:
        """Give version, card, memory and arguments."""
        data = self.client.json("/system_stats")
        if not is_stats(data):
            raise self.client.odd("GET /system_stats")
        return parse_stats(data, self.client.scrub)

    def remaining(self) -> int:
        """Give how many prompts run and wait together."""
        count = parse_remaining(self.client.json("/prompt"))
        if isinstance(count, Unknown):
            raise self.client.odd("GET /prompt", count.title)
        return count

    def queue(self) -> Queue:
        """Give what runs and waits; graphs are large, so this is asked only where something is."""
        queue = parse_queue(self.client.json("/queue", limit=_QUEUE_LIMIT), self.client.scrub)
        if isinstance(queue, Unknown):
            raise self.client.odd("GET /queue", queue.title)
        return queue

    def object_info(self, node: str = "") -> dict[str, Any]:
        """Give what nodes there are and what they take, or the same of one; text in it is raw."""
        path = f"/object_info/{quote(node, safe='')}" if node else "/object_info"
        data = self.client.json(path, limit=_OBJECT_INFO_LIMIT, patience=_OBJECT_INFO_PATIENCE)
        if not isinstance(data, dict):
            raise self.client.odd(f"GET {path}")
        return dict(mapping(data))

    def model_folders(self) -> tuple[str, ...]:
        """Give the kinds of model files it knows, such as `diffusion_models`."""
        return self._names("/models")

    def models(self, folder: str) -> tuple[str, ...]:
        """Give the model files of one kind, with their sub-folders, as ComfyUI finds them now.

        Raises:
            BadStatusError: `web.not-found`: there is no such kind (`unet` and `clip` are called
                `diffusion_models` and `text_encoders`).
        """
        return self._names(f"/models/{quote(folder, safe='')}")

    def free(self) -> None:
        """Have it unload its models and give back its VRAM, after the job that runs."""
        self.client.post("/free", {"unload_models": True, "free_memory": True})
        self._stats.forget()

    def interrupt(self, prompt_id: str = "") -> None:
        """Have it break off what runs; with an id only where that is what runs.

        A node that does not look at the flag goes on until the next one begins.
        """
        self.client.post("/interrupt", {"prompt_id": prompt_id} if prompt_id else {})

    def _names(self, path: str) -> tuple[str, ...]:
        names = parse_names(self.client.json(path), self.client.scrub)
        if isinstance(names, Unknown):
            raise self.client.odd(f"GET {path}")
        return names

    def _look(self, brief: bool) -> Reading:
        try:
            remaining = self.remaining()
        except NeedsAuthError as error:
            raise _of_origin(error, self.client.address) from error
        changed = remaining != self._remaining
        moving = remaining > 0 and self._stats.older_than(_BUSY_STATS_SECONDS)
        fresh = not brief or changed or moving
        self._remaining = remaining
        queue = self._queued(remaining, brief and not changed)
        stats = self._stats.get(not fresh)
        reading = Reading(
            answer="ready",
            detail="GET /prompt: 200",
            problem=None,
            queue_running=_running(remaining, queue),
            queue_pending=_pending(remaining, queue),
            job=self._job(remaining, queue),
            model=NO_MODEL,
        )
        self._looked_at = self.clock.monotonic()
        return _with_stats(reading, stats)

    def _queued(self, remaining: int, brief: bool) -> Queue | Unknown | None:
        """Give the queue where something is in it; None where nothing is."""
        if remaining == 0:
            self._queue.forget()
            return None
        queue = self._queue.get(brief)
        if isinstance(queue, Queue) and not queue.running and queue.pending:
            # Between two jobs: it takes the next at once, and does not idle.
            return Queue(running=queue.pending[:1], pending=queue.pending[1:])
        return queue

    def _job(self, remaining: int, queue: Queue | Unknown | None) -> Job | None:
        if remaining == 0 or queue is None:
            self._job_ident, self._job_since = "", None
            return None
        if isinstance(queue, Unknown):
            return Job(percent=NO_PERCENT, running_seconds=queue)
        if not queue.running:
            self._job_ident, self._job_since = "", None
            return None
        item = queue.running[0]
        return Job(
            what=item.what,
            ident=item.ident,
            percent=NO_PERCENT,
            running_seconds=self._runs_for(item),
        )

    def _runs_for(self, item: QueueItem) -> float | Unknown:
        """Give since when a job runs, as closely as can be told.

        It began after it was posted (0.33 tells when), and after the last look that did not see it.
        """
        now = self.clock.monotonic()
        if item.ident != self._job_ident:
            self._job_ident, self._job_since = item.ident, self._looked_at
        bounds = [] if self._job_since is None else [now - self._job_since]
        if item.created_ms is not None:
            bounds.append(self.clock.now().timestamp() - item.created_ms / 1000)
        known = [bound for bound in bounds if bound >= 0]
        return min(known) if known else NO_START


def _of_origin(error: NeedsAuthError, address: str) -> ServiceFault:
    """Tell ComfyUI's own 403 from a login: ComfyUI has none, and its refusal is empty."""
    if error.status != 403 or error.detail:
        return error
    return fault(OddAnswerError, "comfyui.origin", status=error.status, address=address)


def _running(remaining: int, queue: Queue | Unknown | None) -> int:
    # It runs one at a time, and what remains runs or waits.
    return len(queue.running) if isinstance(queue, Queue) else min(remaining, 1)


def _pending(remaining: int, queue: Queue | Unknown | None) -> int:
    return len(queue.pending) if isinstance(queue, Queue) else max(remaining - 1, 0)


def _with_stats(reading: Reading, stats: Stats | Unknown) -> Reading:
    """Add what `/system_stats` told, or why it did not."""
    if isinstance(stats, Unknown):
        return msgspec.structs.replace(
            reading, version=stats, device=stats, vram_free_bytes=stats, vram_own_bytes=stats,
            arguments=stats,
        )  # fmt: skip
    return msgspec.structs.replace(
        reading,
        version=stats.version,
        device=stats.device,
        vram_free_bytes=stats.vram_free_bytes,
        vram_own_bytes=stats.vram_own_bytes,
        ram_own_bytes=NOT_TOLD,
        arguments=stats.arguments,
    )
