"""A word to end that a signal handler may give at any moment, which no lock-based event bears."""

import contextlib
import os
import select


class Stop:
    """Set once, by any thread or by a signal handler; waited for by one thread."""

    def __init__(self) -> None:
        self._set = False
        self._read, self._write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)

    def set(self) -> None:
        """Say that it is time to end."""
        self._set = True
        with contextlib.suppress(OSError):  # a full pipe has been heard long since
            os.write(self._write, b".")

    def is_set(self) -> bool:
        """Tell whether it is."""
        return self._set

    def wait(self, seconds: float) -> bool:
        """Wait so long, or until it is time; tells whether it is."""
        if not self._set:
            poll = select.poll()
            poll.register(self._read, select.POLLIN)
            poll.poll(max(0.0, seconds) * 1000)
        return self._set
