"""The time that a run has, and what of it is left."""

import time


class Clock:
    """Counts down from a number of seconds."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._start = time.monotonic()

    def spent(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._start

    def left(self) -> float:
        """Seconds until the end; never below nought."""
        return max(0.0, self.seconds - self.spent())
