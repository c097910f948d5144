"""The engine's one client: each call with a time limit, each failure an error for people."""

import contextlib
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from string import hexdigits
from typing import IO, TYPE_CHECKING, Any, Self, TypeVar

import msgspec

from console.engine.endpoint import Endpoint
from console.engine.faults import (
    EngineError,
    EngineRefusedError,
    EngineUnreachableError,
    NoSuchContainerError,
    fault,
    translate,
)
from console.engine.logs import LogStream
from console.engine.negotiation import EngineVersion, agree, speaks
from console.engine.streams import EventStream, read_frames
from console.text import clean_line

if TYPE_CHECKING:
    from console.engine.transport import Api

T = TypeVar("T")

ONE_SHOT_API = (1, 41)

LIMIT = 10.0
START_LIMIT = 60.0
BUILD_LIMIT = 60.0
STOP_MARGIN = 30.0
DEFAULT_GRACE = 10
ID_LENGTH = 64

# Only what changes a container: `exec_*` of health checks would wake us every few seconds. The
# engine takes `health_status` for a prefix of `health_status: healthy`.
WATCHED_ACTIONS = (
    "create", "start", "die", "oom", "kill", "stop", "restart", "pause", "unpause", "rename",
    "update", "health_status", "destroy",
)  # fmt: skip


class ExecResult(msgspec.Struct, frozen=True):
    """How a command inside a container ended; `output` is its stdout and stderr as they came."""

    exit_code: int | None
    output: bytes


class EngineClient:
    """Docker's low-level client behind our own words; belongs to the thread that uses it first.

    Nothing happens before the first call: it imports the SDK, connects and agrees on a version of
    the API (1.40 to 1.56). `abort()` alone may be called from another thread.

    Every call raises EngineUnreachableError (exit 4; EngineTimeoutError among them),
    NoSuchContainerError, EngineConflictError or EngineRefusedError, all of them EngineError.
    """

    def __init__(self, endpoint: Endpoint, limit: float = LIMIT) -> None:
        self.endpoint = endpoint
        self.limit = limit
        self._owner: int | None = None
        self._api: Api | None = None
        self._version: EngineVersion | None = None
        self._aborted = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def version(self) -> EngineVersion:
        """Give the engine's version and the API version agreed on; asked once, then kept."""
        self._connected(self.limit)
        assert self._version is not None  # noqa: S101 -- _connected sets it or raises
        return self._version

    def list(self) -> Sequence[dict[str, Any]]:
        """Give the list entries of all containers, running or not, in one call."""
        return self._objects("list of containers", lambda api: api.containers(all=True))

    def inspect(self, container: str) -> dict[str, Any]:
        """Give everything the engine knows about a container, by id, id prefix or name."""
        return self._object(
            f"inspect of {_short(container)}", lambda api: api.inspect_container(container)
        )

    def start(self, container: str) -> bool:
        """Start a container; False where it was running already."""
        self._call(f"start of {_short(container)}", lambda api: api.start(container), START_LIMIT)
        return not self._was_so_already()

    def stop(self, container: str, timeout: int | None = None) -> bool:
        """Stop a container, killed after `timeout` seconds; False where it was stopped already.

        None means the grace period the container is configured with. The call waits longer than
        that, so that its own limit never cuts a stop that is still in its grace.
        """
        grace = self._grace(container) if timeout is None else timeout
        # The SDK adds the grace to the limit.
        self._call(
            f"stop of {_short(container)}", lambda api: api.stop(container, grace), STOP_MARGIN
        )
        return not self._was_so_already()

    def restart(self, container: str, timeout: int | None = None) -> None:
        """Stop and start a container, killed after `timeout` seconds (None: its own grace)."""
        grace = self._grace(container) if timeout is None else timeout
        self._call(
            f"restart of {_short(container)}",
            lambda api: api.restart(container, grace),
            STOP_MARGIN + START_LIMIT,
        )

    def kill(self, container: str, signal: str = "SIGKILL") -> None:
        """Send a signal; EngineConflictError where the container does not run."""
        self._call(f"kill of {_short(container)}", lambda api: api.kill(container, signal))

    def rename(self, container: str, name: str) -> None:
        """Give a container another name; EngineConflictError where somebody has that name."""
        self._call(f"rename of {_short(container)}", lambda api: api.rename(container, name))

    def remove(self, container: str) -> None:
        """Remove a container; EngineConflictError where it runs. Its volumes stay."""
        self._call(f"removal of {_short(container)}", lambda api: api.remove_container(container))

    def make_with_cards(
        self, image: str, command: Sequence[str], labels: dict[str, str], name: str
    ) -> str:
        """Make a container of an image that is here, for one command with all cards; gives its id.

        It has no network, and its labels say whose it is.
        """
        from console.engine.throwaway import settings

        what = f"making a container of {image}"
        made = self._object(
            what,
            lambda api: api.create_container_from_config(  # type: ignore[no-untyped-call]
                settings(api, image, command, labels), name
            ),
        )
        ident = made.get("Id")
        if not isinstance(ident, str) or not ident:
            raise self._odd(what)
        return ident

    def finished(self, container: str, limit: float, lines: int) -> ExecResult:
        """Wait until a container has ended, and give its exit code and last lines.

        Raises:
            EngineTimeoutError: it did not end within `limit` seconds.
        """
        what = f"end of {_short(container)}"

        def wait(api: "Api") -> ExecResult:
            told: dict[str, Any] = dict(api.wait(container))
            output = api.logs(container, stdout=True, stderr=True, tail=lines)
            code = told.get("StatusCode")
            return ExecResult(code if isinstance(code, int) else None, bytes(output))

        return self._call(what, wait, limit)

    def discard(self, container: str) -> None:
        """Remove a container with its own volumes, even while it runs; one that is gone is well."""

        def remove(api: "Api") -> None:
            api.remove_container(container, force=True, v=True)

        with contextlib.suppress(NoSuchContainerError):
            self._call(f"removal of {_short(container)}", remove)

    def stats_once(self, container: str) -> dict[str, Any]:
        """Give one sample of a container's use of the host, at once where the engine can.

        API 1.40 has no one-shot samples: there the engine takes one to two seconds.
        """
        at_once = True if self._one_shot() else None
        return self._object(
            f"statistics of {_short(container)}",
            lambda api: api.stats(container, stream=False, one_shot=at_once),
        )

    def events(self, since: float | None = None, until: float | None = None) -> EventStream:
        """Open the stream of container events, from `since` on (Unix seconds), and wait for more.

        With `until` in the past the stream ends after what the engine remembers (256 events).
        """
        what = "events"

        def opened(api: "Api") -> EventStream:
            api.events(
                since=_seconds(since),  # type: ignore[arg-type]
                until=_seconds(until),  # type: ignore[arg-type]
                filters={"type": ["container"], "event": list(WATCHED_ACTIONS)},
            )
            response = api.last_stream
            if response is None or response.status_code != 200:
                raise self._odd(what)
            pieces = response.iter_content(chunk_size=None)
            return EventStream(response, pieces, lambda error: self._translated(error, what))

        return self._call(what, opened)

    def log_stream(
        self,
        container: str,
        *,
        tty: bool = False,
        tail: int | None = None,
        since: str = "",
        until: str = "",
        follow: bool = False,
    ) -> LogStream:
        """Open a container's log: messages with their stream, each with the engine's time.

        Args:
            container: id or name.
            tty: it has a terminal; its log has no streams then.
            tail: how many lines from the end; None is all.
            since: Unix seconds with up to nine decimals, as text: a float would lose the last.
            until: the same, for the end.
            follow: wait for more after the end, until the container ends.
        """
        what = f"log of {_short(container)}"
        asked = {
            "stdout": "1", "stderr": "1", "timestamps": "1", "follow": "1" if follow else "0",
            "tail": "all" if tail is None else str(tail), "since": since, "until": until,
        }  # fmt: skip
        params = {key: value for key, value in asked.items() if value}

        def opened(api: "Api") -> LogStream:
            response = api.open_log(container, params)
            return LogStream(response, tty, lambda error: self._translated(error, what))

        return self._call(what, opened)

    def exec_run(self, container: str, command: Sequence[str], limit: float = LIMIT) -> ExecResult:
        """Run a command inside a container and give its output, of at most 8 MiB.

        Raises:
            EngineTimeoutError: no end within `limit` seconds; the command goes on inside.
        """
        what = f"command in {container}"

        def run(api: "Api") -> ExecResult:
            made = api.exec_create(container, list(command))
            api.exec_start(made["Id"], socket=True)
            output = read_frames(api.last_stream, limit)
            code = api.exec_inspect(made["Id"]).get("ExitCode")
            return ExecResult(code if isinstance(code, int) else None, output)

        return self._call(what, run, limit)

    def top(self, container: str) -> dict[str, Any]:
        """Give the processes of a container as the engine's `ps` prints them: titles and rows."""
        return self._object(f"processes of {_short(container)}", lambda api: api.top(container))

    def image(self, name: str) -> dict[str, Any]:
        """Give everything the engine knows about an image, by id or name."""
        what = f"inspect of image {name}"
        return self._object(what, lambda api: api.inspect_image(name))  # type: ignore[no-untyped-call]

    def build(self, archive: IO[bytes], params: Mapping[str, str]) -> EventStream:
        """Have the engine's classic builder build an image; gives what it says as it comes.

        It builds as long as somebody listens: ending the stream ends the build.

        Args:
            archive: the context, as a tar; read to its end before this returns.
            params: of the engine's API, such as `t` and `dockerfile`.
        """
        what = f"build of {params.get('t', 'an image')}"

        def opened(api: "Api") -> EventStream:
            response = api.open_build(archive, dict(params))
            pieces = response.iter_content(chunk_size=None)
            return EventStream(response, pieces, lambda error: self._translated(error, what))

        return self._call(what, opened, BUILD_LIMIT)

    def images(self) -> Sequence[dict[str, Any]]:
        """Give the list entries of all images."""
        return self._objects("list of images", lambda api: api.images())

    def info(self) -> dict[str, Any]:
        """Give what the engine says of its host, such as `MemTotal` in bytes."""
        return self._object("facts of the host", lambda api: api.info())

    def abort(self) -> None:
        """End whatever call or stream is under way, from any thread; the client is used up."""
        self._aborted = True
        api = self._api
        if api is not None:
            api.cut()

    def close(self) -> None:
        """Close every connection; the next call opens new ones."""
        api, self._api, self._version = self._api, None, None
        if api is not None:
            with contextlib.suppress(OSError):
                api.cut()
                api.close()

    def _call(self, what: str, asked: "Callable[[Api], T]", limit: float | None = None) -> T:
        """Ask with a time limit, in the owner's thread, and translate what goes wrong."""
        limit = self.limit if limit is None else limit
        api = self._connected(min(limit, self.limit))
        api.timeout = limit  # type: ignore[assignment]
        from console.engine.transport import FAULTS

        try:
            return asked(api)
        except FAULTS as error:
            raise self._translated(error, what, limit) from error

    def _object(self, what: str, asked: "Callable[[Api], Any]") -> dict[str, Any]:
        answer = self._call(what, asked)
        if not isinstance(answer, dict):
            raise self._odd(what)
        return answer

    def _objects(self, what: str, asked: "Callable[[Api], Any]") -> Sequence[dict[str, Any]]:
        answer = self._call(what, asked)
        if not isinstance(answer, Sequence) or isinstance(answer, str):
            raise self._odd(what)
        return [entry for entry in answer if isinstance(entry, dict)]

    def _connected(self, limit: float) -> "Api":
        """Give the SDK's client, made and agreed with at the first call."""
        me = threading.get_ident()
        if self._owner is None:
            self._owner = me
        elif self._owner != me:
            raise RuntimeError("an EngineClient belongs to the thread that used it first")
        if self._api is not None and self._version is not None:
            return self._api
        problem = self.endpoint.problem
        if problem is not None:
            raise EngineUnreachableError(problem.code, problem.title, problem.hint)
        from console.engine.transport import FAULTS, Api

        try:
            self._api = Api(self.endpoint, limit)
            if self._aborted:
                self._api.cut()
            self._version = agree(self._api.version(api_version=False), self.endpoint.shown)
        except FAULTS as error:
            self.close()
            raise self._translated(error, "version", limit) from error
        except EngineError:
            self.close()
            raise
        self._api.speak(self._version.api)
        return self._api

    def _grace(self, container: str) -> int:
        """Give the grace period a container is configured with, in seconds."""
        config = self.inspect(container).get("Config")
        seconds = config.get("StopTimeout") if isinstance(config, dict) else None
        return seconds if isinstance(seconds, int) and seconds >= 0 else DEFAULT_GRACE

    def _one_shot(self) -> bool:
        return speaks(self.version().api, ONE_SHOT_API)

    def _was_so_already(self) -> bool:
        return self._api is not None and self._api.last_status == 304

    def _translated(
        self, error: BaseException, what: str, limit: float | None = None
    ) -> EngineError:
        return translate(
            error,
            address=self.endpoint.shown,
            what=clean_line(what, 200),
            limit=self.limit if limit is None else limit,
        )

    def _odd(self, what: str) -> EngineError:
        return fault(
            EngineRefusedError, "engine.odd-answer", address=self.endpoint.shown, what=what
        )


def _seconds(moment: float | None) -> str | None:
    """Write a time as the engine's API takes it, with its nanoseconds."""
    return None if moment is None else f"{moment:.9f}"


def unix_seconds(moment: datetime) -> float:
    """Give a time as Unix seconds, as `events` takes it."""
    return moment.timestamp()


def _short(container: str) -> str:
    """Give a container's id as short as `docker ps` shows it; a name stays as it is."""
    whole = len(container) == ID_LENGTH and set(container) <= set(hexdigits)
    return container[:12] if whole else container
