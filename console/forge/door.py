"""The door to a Forge: whether it is ready and through which front, its card, its job, its models.

Works with 2d3903d (2024-09, what the ai-dock image holds) and dfdcbab6 (2025-06), with and without
`--api`, `--nowebui`, `--api-auth`, and behind the image's Caddy (facts in operations, section 6).
"""

import msgspec

from console.clock import Clock
from console.forge.answers import (
    Checkpoint,
    CommandFlags,
    Memory,
    Module,
    Progress,
    is_pong,
    parse_checkpoints,
    parse_flags,
    parse_memory,
    parse_model,
    parse_modules,
    parse_progress,
)
from console.services.door import Door, unread
from console.services.kept import Kept
from console.services.reading import NOT_TOLD, Device, Reading, Target
from console.unknown import Unknown
from console.web.answer import Answer
from console.web.client import PATIENCE, WebClient
from console.web.faults import BadStatusError, NeedsAuthError, ServiceFault
from console.web.values import size

NO_API = Unknown(
    "forge.no-api",
    "Forge runs without its API",
    "add --api to its arguments (FORGE_ARGS) and start it again",
)
PROVISIONING = Unknown(
    "forge.provisioning",
    "the container is still being provisioned: its log viewer answers in Forge's place",
    "it may download models for a long time: see the container's log",
)

_MEMORY_SECONDS = 10.0
_MODEL_SECONDS = 60.0
_FLAGS_SECONDS = 600.0
_LARGE = 16 << 20
_LOG_VIEWER = (b"/ai-dock/logtail.sh", b"<title>Preparing", b"Preparing SD Web UI")


class ForgeDoor(Door):
    """One Forge; see `Door`. `model_files` and the like raise ServiceFault."""

    def __init__(
        self, target: Target, client: WebClient, clock: Clock, patience: float = PATIENCE
    ) -> None:
        super().__init__(target, client, clock, patience)
        self._memory = Kept(self.memory, _MEMORY_SECONDS)
        self._model = Kept(self._chosen_model, _MODEL_SECONDS)
        self._flags = Kept(self.flags, _FLAGS_SECONDS)
        self._known = False
        self._was_running = False

    def memory(self) -> Memory:
        """Give VRAM and memory figures."""
        return parse_memory(self.client.json("/sdapi/v1/memory"), self.client.scrub)

    def progress(self) -> Progress:
        """Give the job under way, without its picture."""
        asked = "/sdapi/v1/progress?skip_current_image=true"
        return parse_progress(self.client.json(asked), self.client.scrub)

    def flags(self) -> CommandFlags | Unknown:
        """Give the harmless flags it was started with; the answer itself may hold passwords."""
        return parse_flags(self.client.json("/sdapi/v1/cmd-flags"))

    def checkpoints(self) -> tuple[Checkpoint, ...]:
        """Give the checkpoints it has found."""
        data = self.client.json("/sdapi/v1/sd-models", limit=_LARGE)
        return parse_checkpoints(data, self.client.scrub)

    def modules(self) -> tuple[Module, ...]:
        """Give the text encoders and VAEs it has found."""
        data = self.client.json("/sdapi/v1/sd-modules", limit=_LARGE)
        return parse_modules(data, self.client.scrub)

    def free(self) -> None:
        """Have it unload its checkpoint from VRAM; the next picture loads it again."""
        self._ordered("/sdapi/v1/unload-checkpoint", patience=60.0)

    def interrupt(self) -> None:
        """Have it break off the picture it makes; what is finished so far is kept."""
        self._ordered("/sdapi/v1/interrupt")

    def _ordered(self, path: str, patience: float | None = None) -> None:
        try:
            self.client.post(path, patience=patience)
        except BadStatusError as error:
            if error.code != "web.not-found":
                raise
            raise _without_api(error) from error
        self._memory.forget()
        self._model.forget()

    def _look(self, brief: bool) -> Reading:
        seen = "GET /sdapi/v1/progress: 200"
        if brief and self._known:
            try:
                return self._ready(brief, seen)
            except BadStatusError:
                # It may have been started anew, without its API: look at the whole of it.
                self._known = False
        self._known = False
        answer = self.client.ask("GET", "/internal/ping")
        if _is_log_viewer(answer):
            return unread("starting", PROVISIONING, "provisioning", "log viewer in its place")
        if answer.status != 404:
            self._pinged(answer)
            seen = "GET /internal/ping: {}"
        return self._ready(brief, seen)

    def _pinged(self, answer: Answer) -> None:
        """Make sure that this is how Forge answers a ping.

        Raises:
            ServiceFault: it is not; a login or a front is in the way, or another program.
        """
        data = self.client.parsed(self.client.judged(answer))
        if not is_pong(data):
            raise self.client.odd(answer.what, "it should have been {}")

    def _ready(self, brief: bool, seen: str) -> Reading:
        """Ask a Forge that is there for its job and its figures."""
        pinged = seen.startswith("GET /internal")
        try:
            progress = self.progress()
        except NeedsAuthError:
            raise
        except BadStatusError as error:
            self._known = False
            if not pinged or error.code != "web.not-found":
                raise
            return msgspec.structs.replace(
                unread("ready", NO_API, detail=f"{seen}, but its API is off (no --api)"),
                problem=None,
            )
        except ServiceFault as error:
            self._known = False
            if not pinged:
                raise
            trouble = error.unknown()
            return msgspec.structs.replace(
                unread("ready", trouble, detail=f"{seen}, but: {trouble.title}"), problem=None
            )
        if isinstance(progress.running, Unknown) and not pinged:
            raise self.client.odd("GET /sdapi/v1/progress")
        if isinstance(progress.running, Unknown):
            seen = f"{seen}, but whether it works can't be told: {progress.running.title}"
        self._known = True
        return self._figures(progress, brief, seen)

    def _figures(self, progress: Progress, brief: bool, seen: str) -> Reading:
        running = progress.job is not None
        # What a job leaves behind is news.
        fresh = not brief or running or self._was_running
        self._was_running = running
        memory = self._memory.get(not fresh)
        model = self._model.get(not fresh or running)
        flags = self._flags.get(brief)
        known = isinstance(memory, Memory)
        told = memory if isinstance(memory, Memory) else None
        trouble = memory if isinstance(memory, Unknown) else NOT_TOLD
        total = told.total_bytes if told else trouble
        return Reading(
            answer="ready",
            detail=seen,
            problem=None,
            queue_running=progress.running,
            queue_pending=self._pending(running),
            job=progress.job,
            # Forge does not name its card; its start log does.
            device=Device(total_bytes=total) if known and isinstance(total, int) else NOT_TOLD,
            vram_free_bytes=told.free_bytes if told else trouble,
            vram_own_bytes=told.own_bytes if told else trouble,
            ram_own_bytes=told.ram_own_bytes if told else trouble,
            model=model,
            arguments=flags.arguments if isinstance(flags, CommandFlags) else flags,
        )

    def _pending(self, running: bool) -> int | Unknown:
        """Give how many wait; where nothing runs, nothing waits."""
        if not running:
            return 0
        try:
            return size(self.client.json("/internal/pending-tasks"), "size")
        except BadStatusError:
            return NOT_TOLD
        except ServiceFault as error:
            return error.unknown()

    def _chosen_model(self) -> str | Unknown:
        return parse_model(self.client.json("/sdapi/v1/options"), self.client.scrub)


def _without_api(error: BadStatusError) -> BadStatusError:
    made = BadStatusError(NO_API.code, NO_API.title, NO_API.hint, error.detail)
    made.status = error.status
    return made


def _is_log_viewer(answer: Answer) -> bool:
    """Tell the page that ai-dock shows on Forge's port until provisioning is over."""
    return answer.status == 200 and answer.is_html and any(m in answer.body for m in _LOG_VIEWER)
