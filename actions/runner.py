"""The detached runner: a process of its own that carries a journalled plan out.

It leads a session of its own, so the hang-up of an SSH line and the end of the console that
started it do not reach it. Consoles learn how it goes from the journal.
"""

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

from actions.executor import Executor
from actions.follow import is_runner
from actions.journal import Journal
from actions.plan import PlanDone
from actions.session import Session
from actions.verbs import verbs_for
from console.errors import ConsoleError, UsageError
from console.itself import importable, own_command
from console.store.rows import PlanRow

_LOG_BYTES = 4 << 20


def start_runner(session: Session, plan_id: str) -> "subprocess.Popen[bytes]":
    """Start the process that runs a queued plan, with the environment of this one.

    Raises:
        ConsoleError: it cannot be started (`runner.cannot-start`).
    """
    command = [*own_command(), *_files(session), "_run", plan_id]
    try:
        with _log(session.places.log_file) as log:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=importable(session.environ),
            )
    except OSError as error:
        raise ConsoleError(
            "runner.cannot-start",
            f"the runner cannot be started: {error.strerror or error}",
            "Nothing was changed",
        ) from error
    # One that dies before it has begun is missed at once, and not only after its time.
    Journal(session).plans.note_process(plan_id, process.pid)
    return process


def ring(row: PlanRow) -> None:
    """Let the runner of a plan look at once at what is wished of it, by SIGTERM.

    It hears it also where its disk was full once and it reads the journal no more: it then keeps
    what it has, and who finds it gone ends the plan by what was wished.
    """
    if row.runner_pid is not None and is_runner(row.runner_pid, row.id):
        with contextlib.suppress(OSError):
            os.kill(row.runner_pid, signal.SIGTERM)


def run_journalled(session: Session, plan_id: str) -> int:
    """Run a queued plan in this process, the runner; gives its exit code.

    Raises:
        UsageError: there is no such plan.
    """
    journal = Journal(session)
    found = journal.plan(plan_id)
    if found is None:
        raise UsageError("plan.unknown", f"There is no plan {plan_id} in the journal")
    plan, _row = found
    asked = _outlive_the_console(patient=plan.endless)
    durable = session.store.durable

    def told_to_end() -> bool:
        return asked() or (plan.endless and durable and _is_gone(session.store.path))

    verbs = verbs_for(session, plan.verb, plan.subject)
    event = Executor(session, journal, verbs, told_to_end).run(plan)
    return 0 if isinstance(event, PlanDone) else event.exit_code


def _outlive_the_console(*, patient: bool) -> Callable[[], bool]:
    """Ignore what is meant for consoles, and give what tells that somebody asked this to end.

    Args:
        patient: asked again it waits all the same; else whatever is under way is left as it is.
    """
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asked = False

    def end(_number: int, _frame: object) -> None:
        nonlocal asked
        if asked and not patient:
            raise SystemExit(130)
        asked = True

    signal.signal(signal.SIGTERM, end)
    return lambda: asked


def _is_gone(journal: Path) -> bool:
    """Tell whether the journal's file was removed: nobody is left then to hear of a job."""
    try:
        journal.lstat()
    except OSError as error:  # others may pass, such as of a disk that does not answer
        return isinstance(error, FileNotFoundError)
    return False


def _files(session: Session) -> tuple[str, ...]:
    """Give the options for the files that are read here; a config that is missing is so there."""
    config, catalog = session.places.config_file, session.catalog_file
    words = ("--config", str(config.absolute())) if config.exists() else ()
    return words if catalog is None else (*words, "--catalog", str(catalog.absolute()))


@contextlib.contextmanager
def _log(path: Path) -> Iterator[int]:
    """Open the log for the runner's words; nowhere where it cannot be written."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        if path.exists() and path.stat().st_size > _LOG_BYTES:
            path.replace(path.with_name(f"{path.name}.1"))
        handle = os.open(path, flags, 0o600)
    except OSError:
        handle = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
    try:
        yield handle
    finally:
        os.close(handle)
