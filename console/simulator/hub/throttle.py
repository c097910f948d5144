"""How fast bytes go out, over all connections together."""

import threading
import time


class Throttle:
    """Holds back whoever sends; `rate` is bytes a second, None is as fast as it goes."""

    def __init__(self, rate: float | None = None) -> None:
        self.rate = rate
        self._lock = threading.Lock()
        self._free_at = 0.0

    def take(self, count: int) -> None:
        """Wait until `count` more bytes may go."""
        rate = self.rate
        if not rate:
            return
        with self._lock:
            now = time.monotonic()
            begin = max(now, self._free_at)
            self._free_at = begin + count / rate
        time.sleep(begin - now)

    def piece(self, longest: int) -> int:
        """Give how many bytes to send at once so that it goes evenly."""
        return min(longest, max(1024, int(self.rate / 20))) if self.rate else longest
