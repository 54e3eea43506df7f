"""Logging: one form for ours and the libraries', repeats of noisy libraries limited."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from infra.logging import RepeatLimit, configure


@pytest.fixture(autouse=True)
def _restore_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_a_message_passes_once_per_interval() -> None:
    """Repeats within the interval are left out; the next one passes."""
    limit = RepeatLimit(interval_s=10)
    assert limit.admit("down", 0.0) == 0
    assert limit.admit("down", 9.9) is None
    assert limit.admit("down", 10.0) == 1


def test_the_repeats_left_out_are_counted() -> None:
    """The message that passes says how many didn't, and the count starts again."""
    limit = RepeatLimit(interval_s=1)
    passed = [limit.admit("down", now / 10) for now in range(21)]
    assert [count for count in passed if count is not None] == [0, 9, 9]


def test_different_messages_do_not_limit_each_other() -> None:
    """Each message has its own interval."""
    limit = RepeatLimit(interval_s=10)
    assert [limit.admit(text, 0.0) for text in ("a", "b")] == [0, 0]


def test_json_lines_carry_event_and_keys() -> None:
    """A structlog line in JSON is one object with the event and its keys."""
    out = io.StringIO()
    configure("json", "info", out)
    structlog.get_logger("daybook").info("batch committed", partition=3)
    line = json.loads(out.getvalue())
    assert (line["event"], line["partition"], line["level"]) == ("batch committed", 3, "info")


def test_library_records_have_the_same_form() -> None:
    """What a library logs through `logging` is one JSON object too."""
    out = io.StringIO()
    configure("json", "info", out)
    logging.getLogger("some.library").warning("lost %s", "something")
    line = json.loads(out.getvalue())
    assert (line["event"], line["logger"]) == ("lost something", "some.library")


def test_a_noisy_library_is_heard_once() -> None:
    """A hundred equal warnings of aiokafka are one line."""
    out = io.StringIO()
    configure("console", "info", out)
    for attempt in range(100):
        logging.getLogger("aiokafka.conn").error("connect failed, attempt %d", attempt)
    assert out.getvalue().count("connect failed") == 1


def test_our_own_repeats_are_never_left_out() -> None:
    """Only the named libraries are limited."""
    out = io.StringIO()
    configure("console", "info", out)
    for _ in range(3):
        structlog.get_logger("daybook").warning("retried")
    assert out.getvalue().count("retried") == 3


def test_the_level_holds_for_both() -> None:
    """Below the level nothing appears, ours or theirs."""
    out = io.StringIO()
    configure("console", "warning", out)
    structlog.get_logger("daybook").info("quiet")
    logging.getLogger("some.library").info("quiet")
    assert out.getvalue() == ""


def test_an_exception_is_part_of_its_json_line() -> None:
    """A traceback is a key of the line, so that one line stays one event."""
    out = io.StringIO()
    configure("json", "info", out)
    try:
        _ = 1 // 0
    except ZeroDivisionError:
        structlog.get_logger("daybook").exception("batch failed")
    (line,) = out.getvalue().splitlines()
    assert "ZeroDivisionError" in json.loads(line)["exception"]
