"""One reading of the cards for those who want no thread that goes on, with a deadline."""

import logging
import threading
from collections.abc import Mapping

from console.clock import Clock
from console.gpu.faults import state
from console.gpu.snapshot import GpuSnapshot

PATIENCE = 3.0

log = logging.getLogger("gpuconsole.gpu")


def read_once(clock: Clock, environ: Mapping[str, str], seconds: float = PATIENCE) -> GpuSnapshot:
    """Read all cards once and shut the connection down again.

    A driver that hangs can't be interrupted, so the reading is made in a thread that is left
    behind if it takes too long; it is a daemon and does not hold up the end of the program.

    Args:
        clock: for the time of the reading.
        environ: environment variables, see `console.gpu.library`.
        seconds: how long the driver may take.

    Returns:
        The reading; after the deadline one without cards whose problem is `gpu.stale`.
    """
    found: list[GpuSnapshot] = []
    done = threading.Event()

    def read() -> None:
        try:
            from console.gpu.reader import GpuReader

            reader = GpuReader(clock, environ)
            found.append(reader.read())
        except Exception:
            log.exception("reading the cards failed")
            return
        finally:
            done.set()
        reader.close()

    threading.Thread(target=read, name="gpu-once", daemon=True).start()
    done.wait(seconds)
    if found:
        return found[0]
    problem = state("stale", age=round(seconds)) if not done.is_set() else state("reader-failed")
    return GpuSnapshot(driver=problem, problem=problem)
