"""When a process of ours is started again, and which of its ends were to be expected. Pure."""

from collections import Counter
from dataclasses import dataclass, field

FIRST_PAUSE_S, LONGEST_PAUSE_S, STEADY_S = 0.25, 5.0, 10.0
KILLED, TERMINATED, FAIL_STOP, NEGATIVE = -9, -15, 70, 1
BY_ITSELF = "SIGKILL while writing"
"""What a process says that was told to kill itself (`process.strike`)."""
NO_ANSWER = "does not answer"
"""What the command line says when an engine is away at the start (exit 1)."""


@dataclass(slots=True)
class Record:
    """What became of one process.

    Args:
        codes: Exit code → how often.
        starts: How often it was started.
        unexpected: Ends nobody can explain.
        struck: Whether we sent it SIGKILL.
        asked: Whether it was asked to end.
        retry_at_s: When it is started again, monotonic s.
    """

    codes: Counter[int] = field(default_factory=Counter)
    starts: int = 0
    unexpected: list[str] = field(default_factory=list)
    struck: bool = False
    asked: bool = False
    retry_at_s: float = 0.0
    _failures: int = 0

    def ended(self, code: int, *, lived_s: float, now_s: float, words: str) -> None:
        """Note an end, judge it, and decide when to start again.

        Args:
            code: Exit code, negative for a signal.
            lived_s: How long it ran.
            now_s: Monotonic s.
            words: The last it said.
        """
        self.codes[code] += 1
        if not is_expected(code, struck=self.struck, asked=self.asked, words=words):
            self.unexpected.append(f"exit code {code}")
        self.struck = self.asked = False
        self._failures = 1 if lived_s > STEADY_S else self._failures + 1
        pause_s = min(FIRST_PAUSE_S * 2.0 ** min(self._failures - 1, 10), LONGEST_PAUSE_S)
        self.retry_at_s = now_s + pause_s


def is_expected(code: int, *, struck: bool, asked: bool, words: str) -> bool:
    """Judge an exit code.

    A fail-stop is what our processes promise; a SIGKILL must have been ours, an orderly end asked
    for; a process that finds no engine at its start says so.

    >>> is_expected(70, struck=False, asked=False, words="")
    True
    >>> is_expected(-11, struck=True, asked=True, words="")
    False
    """
    if code == FAIL_STOP:
        return True
    if code == KILLED:
        return struck or BY_ITSELF in words
    if code == NEGATIVE:
        return NO_ANSWER in words
    # -15: asked before it could listen.
    return code in {0, TERMINATED} and asked
