"""The one place where errors end: each becomes a title, a hint and an exit code, no traceback."""

import contextlib
import signal
from collections.abc import Callable, Mapping
from pathlib import Path

from console.errors import ConsoleError, ExitCode, InterruptedByUser
from console.late_log import log_when_needed
from console.paths import find_places
from screens.cli.output import (
    OutputError,
    ReaderGone,
    abandon,
    emit_error,
    flush,
    prepare_streams,
)


def guarded(work: Callable[[], int], *, as_json: bool, environ: Mapping[str, str]) -> int:
    """Run `work` and give its exit code, or the one of the error that ended it.

    Args:
        work: the verb.
        as_json: tell errors in the JSON envelope.
        environ: where the log of an unexpected error is looked for.
    """
    prepare_streams()
    log_when_needed(lambda: find_places(environ))
    try:
        code = _run(work, as_json, environ)
        flush()
    except ReaderGone:
        abandon()
        return ExitCode.DONE
    except OutputError as error:
        abandon()
        return emit_error(
            ConsoleError(
                "output.unwritable",
                f"the output cannot be written: {error}",
                "Check where stdout leads, and the free space there",
            )
        )
    return code


def _run(work: Callable[[], int], as_json: bool, environ: Mapping[str, str]) -> int:
    try:
        return int(work())
    except ConsoleError as error:
        return emit_error(error, as_json=as_json)
    except KeyboardInterrupt:
        # Ctrl-C again while we say so must not bring up a traceback after all.
        with contextlib.suppress(ValueError):
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        return emit_error(InterruptedByUser("interrupted", "interrupted"), as_json=as_json)
    except (ReaderGone, OutputError):
        raise
    except BrokenPipeError as error:
        raise ReaderGone from error
    except Exception as error:  # noqa: BLE001 -- logged with its traceback, told with a hint
        return emit_error(_unexpected(error, environ), as_json=as_json)


def _unexpected(error: Exception, environ: Mapping[str, str]) -> ConsoleError:
    """Log an error nobody foresaw, and say where its traceback is."""
    from console.log import log_crash
    from console.mask import mask_text
    from console.text import clean_line

    places = find_places(environ)
    written = log_crash(places, error)
    hint = (
        f"The traceback is in {written}; please report it"
        if written
        else f"There is no log of it: {places.log_file} cannot be written"
    )
    words = clean_line(mask_text(f"{type(error).__name__}: {error}"), 500)
    return ConsoleError(
        "internal.error", "something went wrong inside gpuconsole", hint, words + _place(error)
    )


def _place(error: Exception) -> str:
    """Give the innermost line of ours that the error came through, such as ` (text.py:40)`."""
    trace = error.__traceback__
    if trace is None:
        return ""
    while trace.tb_next is not None:
        trace = trace.tb_next
    return f" ({Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno})"
