"""When a peer is finished: after so many entries, or when its time is over."""

import json
import os
import time


class Countdown:
    """Says `begin` at the first entry and `{"done": n}` at the last; to the real standard output.

    Args:
        entries: How many there are.
        most_s: How long it may take, s.
    """

    def __init__(self, entries: int, most_s: float) -> None:
        self._entries = entries
        self._most_s = most_s
        self._done = 0
        self._ends = 0.0
        self.over = False

    def begin(self) -> None:
        """Start the clock, the first time; call it before the first entry is folded."""
        if not self._ends:
            self._ends = time.monotonic() + self._most_s
            os.write(1, b"begin\n")

    def count(self, number: int) -> None:
        """Note that so many more entries are folded."""
        self._done += number
        finished = self._done >= self._entries or time.monotonic() > self._ends
        if finished and not self.over:
            self.over = True
            os.write(1, (json.dumps({"done": self._done}) + "\n").encode())
