"""The step that builds: sends the context, tells what the builder says, ends when it is told to."""

import threading
from collections import deque
from typing import Any

import msgspec

from actions.building.failure import failed
from actions.building.recipe import LABEL, Recipe
from actions.plan import Step
from actions.session import Session
from actions.step_thread import Outcome, Talk
from actions.transfer import Transfer
from actions.trouble import CancelledStepError
from console.clock import Clock
from console.engine.building import Said, fingerprint, packed, told
from console.engine.client import EngineClient
from console.engine.streams import EventStream

_KEPT_LINES = 40
_LOOK_SECONDS = 0.1


class BuildWork:
    """One build; `run` belongs to one thread."""

    def __init__(self, session: Session, step: Step) -> None:
        self._session = session
        self._recipe = msgspec.convert(step.options["recipe"], Recipe)
        self._fresh = bool(step.options.get("no_cache"))
        self._client = EngineClient(session.endpoint)
        self._stream: EventStream | None = None
        self._ended = threading.Event()

    def run(self, talk: Talk) -> Outcome:
        """Build it, and give the image's name.

        Raises:
            StepError: it failed; `detail` has its last lines.
            CancelledStepError: somebody asked to cancel.
            UsageError: the context cannot be read.
            EngineError: the engine does not answer, or hung up.
        """
        recipe = self._recipe
        talk.tell(f"sending {recipe.context} to the builder")
        with packed(recipe.folder, recipe.dockerfile) as archive, self._client as client:
            stream = self._stream = client.build(archive, self._params())
            watcher = threading.Thread(target=self._watch, args=(talk,), name="build", daemon=True)
            watcher.start()
            try:
                with stream:
                    image = self._followed(stream, talk)
            finally:
                self._ended.set()
                watcher.join()
        return Outcome(f"{recipe.image} is built", {"image": recipe.image, "id": image})

    def abort(self) -> None:
        """End it, from another thread."""
        self._client.abort()

    def _params(self) -> dict[str, str]:
        recipe = self._recipe
        label = {LABEL: fingerprint(recipe.folder, recipe.dockerfile)}
        params = {
            "t": recipe.image,
            "dockerfile": recipe.dockerfile,
            "rm": "1",
            "forcerm": "1",
            "labels": msgspec.json.encode(label).decode(),
        }
        if recipe.args:
            params["buildargs"] = msgspec.json.encode(recipe.args).decode()
        if recipe.target:
            params["target"] = recipe.target
        if self._fresh:
            params["nocache"] = "1"
        return params

    def _watch(self, talk: Talk) -> None:
        """End the build once somebody asks to cancel: it is built as long as somebody listens."""
        while not self._ended.wait(_LOOK_SECONDS):
            if talk.cancelled() and self._stream is not None:
                self._stream.cancel()
                return

    def _followed(self, stream: EventStream, talk: Talk) -> str:
        """Tell what it says, and give the image's id.

        Raises:
            CancelledStepError, StepError: as `run`.
        """
        heard = _Heard(self._session.clock)
        image = ""
        for said in told(stream.events()):
            if said.kind == "error":
                raise failed(
                    self._recipe.image, heard.base, heard.step, said.text, list(heard.lines)
                )
            if said.kind == "image":
                image = said.text
            heard.take(said, talk)
        if stream.cancelled:
            raise CancelledStepError(
                "build.cancelled",
                f"the build of {self._recipe.image} was ended{heard.at}; what it has is kept and "
                "makes the next one quicker",
            )
        if not image:
            why = "the engine ended the build without a word"
            raise failed(self._recipe.image, heard.base, heard.step, why, list(heard.lines))
        return image


class _Heard:
    """What the builder said so far.

    Attributes:
        step: the instruction it is at, with its number.
        base: the image that is built from.
        lines: its last lines.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._begun = clock.monotonic()
        self.step = ""
        self.base = ""
        self.lines: deque[str] = deque(maxlen=_KEPT_LINES)
        self._layers: dict[str, tuple[int, int]] = {}

    @property
    def at(self) -> str:
        """Where it is, as the end of a sentence."""
        return f" at step {self.step}" if self.step else ""

    def take(self, said: Said, talk: Talk) -> None:
        """Take one thing in, and tell it."""
        if said.kind == "step":
            self.step = f"{said.number}/{said.of} {said.text}"
            if said.text.upper().startswith("FROM "):
                self.base = said.text.split()[1]
            self._layers.clear()
            talk.tell(f"step {self.step}")
        elif said.kind == "line":
            self.lines.append(said.text)
            number = self.step.partition(" ")[0]
            talk.tell(f"step {number}: {said.text}" if number else said.text)
        elif said.kind == "layer":
            self._fetched(said, talk)

    def _fetched(self, said: Said, talk: Talk) -> None:
        """Tell how the base image is fetched, in figures."""
        if not self._layers:
            self._begun = self._clock.monotonic()
        self._layers[said.text] = (said.done, max(said.total, said.done))
        done = sum(one for one, _ in self._layers.values())
        total = sum(one for _, one in self._layers.values())
        passed = self._clock.monotonic() - self._begun
        rate = done / passed if passed > 1.0 and done else None
        talk.tell(f"fetching {self.base}: {done >> 20} of {total >> 20} MiB")
        talk.report(
            Transfer(
                bytes_done=done,
                bytes_total=total,
                rate_bytes_per_second=rate,
                eta_seconds=(total - done) / rate if rate else None,
                fetched_bytes=done,
                note=f"fetching {self.base}",
            )
        )


def params_shown(recipe: Recipe) -> dict[str, Any]:
    """Give a recipe as a step keeps it."""
    return {"recipe": msgspec.to_builtins(recipe)}
