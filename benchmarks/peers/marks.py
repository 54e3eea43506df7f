"""What every peer says: when the measured part begins, and when all is done."""

import os


class Marks:
    """Says `begin` after the first quarter of the records: every runtime has warmed up by then.

    Args:
        records: How many there are.
    """

    def __init__(self, records: int) -> None:
        self._records = records
        self._warm = warm_up(records)
        self._done = 0

    def count(self, number: int = 1) -> bool:
        """Note that so many more records are folded; tell whether these were the last."""
        before, self._done = self._done, self._done + number
        if before < self._warm <= self._done:
            say("begin")
        return before < self._records <= self._done


def warm_up(records: int) -> int:
    """Return how many of the records are not measured."""
    return records // 4


def say(word: str) -> None:
    """Write a line to the real standard output: Faust replaces Python's."""
    os.write(1, f"{word}\n".encode())
