"""What the command line writes: one JSON envelope or lines of them on stdout, the rest on stderr.

JSON is UTF-8 whatever the locale says, as its specification wants; text for people is replaced
where their terminal cannot show it. A reader that went away (`| head`) ends the program quietly.
"""

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TextIO

from console.errors import ConsoleError, ExitCode

SCHEMA = "gpuconsole/1"


class ReaderGone(Exception):  # noqa: N818 -- nothing is wrong: nobody reads on
    """Whoever read our stdout has closed it."""


class OutputError(Exception):
    """Stdout cannot be written, such as on a full disk; the text says why."""


def envelope(
    data: Any = None, exit_code: int = ExitCode.DONE, error: ConsoleError | None = None
) -> dict[str, Any]:
    """Give the object that wraps all JSON: schema, ok, data, error, and the rehearsal mark.

    Args:
        data: JSON-ready; left out where it is None and there is an error.
        exit_code: what the program will exit with; `ok` is false unless it is 0 or 5.
        error: what went wrong, if anything; its own exit code then decides.
    """
    code = error.exit_code if error else exit_code
    whole: dict[str, Any] = {"schema": SCHEMA, "ok": code in {ExitCode.DONE, ExitCode.FINDINGS}}
    if os.environ.get("GPUCONSOLE_REHEARSAL"):
        whole["rehearsal"] = True
    if data is not None or error is None:
        whole["data"] = data
    if error is not None:
        whole["error"] = {
            "code": error.code,
            "title": error.title,
            "hint": error.hint,
            "detail": error.detail,
        }
    return whole


def emit(data: Any, exit_code: int = ExitCode.DONE, error: ConsoleError | None = None) -> int:
    """Write `data` in its envelope as the whole answer, and give the exit code back."""
    _write_json(envelope(data, exit_code, error))
    return int(error.exit_code if error else exit_code)


def emit_line(data: Any, exit_code: int = ExitCode.DONE, error: ConsoleError | None = None) -> None:
    """Write one line of a stream at once; `data` has `event`, the last being `done` or `failed`."""
    _write_json(envelope(data, exit_code, error))


def emit_lines(several: Sequence[Any]) -> None:
    """Write many lines of a stream at once; each as `emit_line` would."""
    _write_json_lines([envelope(data) for data in several])


def emit_error(error: ConsoleError, *, as_json: bool = False, data: Any = None) -> int:
    """Tell an error, as JSON on stdout or for people on stderr; give its exit code.

    Only JSON shows `data`, which is the answer as far as it got.
    """
    if as_json:
        return emit(data, error=error)
    say(f"gpuconsole: {error.title}")
    for extra in (error.hint, error.detail):
        for line in extra.splitlines():
            say(f"  {line}")
    return int(error.exit_code)


def write(text: str = "") -> None:
    """Write a line for people on stdout."""
    _write_text(sys.stdout, text)


def say(text: str = "") -> None:
    """Write a line for people on stderr; a closed stderr is not worth a word."""
    with contextlib.suppress(ReaderGone, OutputError):
        _write_text(sys.stderr, text)


def flush() -> None:
    """Bring out what is still buffered, while its failure can still be told.

    Raises:
        ReaderGone: nobody reads it.
        OutputError: it cannot be written.
    """
    if sys.stdout is not None:
        with _told():
            sys.stdout.flush()


def abandon() -> None:
    """Drop what stdout still holds, so that the interpreter does not fail on it at its end."""
    with contextlib.suppress(AttributeError, OSError, ValueError):
        number = sys.stdout.fileno()
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, number)
        os.close(nowhere)


def prepare_streams() -> None:
    """Make text for people survive any locale: what it cannot show becomes `?`."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


def _write_json(whole: Mapping[str, Any]) -> None:
    _write_json_lines([whole])


def _write_json_lines(several: Sequence[Mapping[str, Any]]) -> None:
    """Write objects as lines of UTF-8, past the locale's encoding, and flush them."""
    import msgspec.json

    encode = msgspec.json.encode
    try:
        line = b"".join([encode(whole) + b"\n" for whole in several])
    except UnicodeEncodeError:
        line = b"".join([encode(_encodable(whole)) + b"\n" for whole in several])
    stream = sys.stdout
    if stream is None:
        raise ReaderGone
    with _told():
        stream.flush()
        buffer = getattr(stream, "buffer", None)
        if buffer is None:
            stream.write(line.decode())
        else:
            buffer.write(line)
            buffer.flush()
        stream.flush()


def _write_text(stream: TextIO | None, text: str) -> None:
    if stream is None:
        raise ReaderGone
    with _told():
        stream.write(text + "\n")
        stream.flush()


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Turn a failed write into what it means for us."""
    try:
        yield
    except BrokenPipeError as error:
        raise ReaderGone from error
    except OSError as error:
        raise OutputError(error.strerror or str(error)) from error


def _encodable(value: Any) -> Any:
    """Replace lone surrogates, which no JSON can carry, wherever they hide."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, Mapping):
        return {_encodable(key): _encodable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_encodable(item) for item in value]
    return value
