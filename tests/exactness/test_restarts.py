"""Which ends of processes are to be expected, and when they are started again."""

import pytest

from tests.exactness.restarts import NO_ANSWER, Record, is_expected


@pytest.mark.parametrize(
    ("code", "struck", "asked", "words", "expected"),
    [
        (70, False, False, "", True),
        (-9, True, False, "", True),
        (-9, False, False, "SIGKILL while writing", True),
        (-9, False, False, "", False),
        (0, False, True, "", True),
        (0, False, False, "", False),
        (-15, False, True, "", True),
        (-15, False, False, "", False),
        (1, False, False, f"daybook: Kafka {NO_ANSWER}", True),
        (1, True, True, "Traceback", False),
        (-11, True, True, "", False),
        (2, True, True, "", False),
    ],
)
def test_only_promised_ends_are_expected(
    code: int, *, struck: bool, asked: bool, words: str, expected: bool
) -> None:
    """A fail-stop, our own signals, and an engine that is away at the start; nothing else."""
    assert is_expected(code, struck=struck, asked=asked, words=words) is expected


def test_pauses_grow_until_a_process_has_lived() -> None:
    """A process that dies at once again and again doesn't take the machine."""
    record = Record()
    pauses = []
    for lived_s in (60, 0, 0, 0, 0, 0, 60):
        record.ended(70, lived_s=lived_s, now_s=0, words="")
        pauses.append(record.retry_at_s)
    assert pauses == [0.25, 0.5, 1, 2, 4, 5, 0.25]


def test_an_end_nobody_can_explain_is_kept() -> None:
    """One such end fails the run, however often it was restarted afterwards."""
    record = Record(struck=True)
    record.ended(-9, lived_s=1, now_s=0, words="")
    record.ended(-9, lived_s=1, now_s=0, words="")
    assert record.unexpected == ["exit code -9"]
    assert record.codes == {-9: 2}
