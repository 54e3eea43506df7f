"""Dead letters: what is unresolved follows from the topic alone."""

import json

import pytest
from typer.testing import CliRunner

from infra.cli import app
from infra.commands import dlq
from infra.commands.dead_letters import (
    DROPPED,
    RETRIED,
    DeadLetter,
    matching,
    opened,
    parse,
    places,
    unresolved,
)
from infra.commands.log_reader import LogRecord
from infra.commands.publishing import Outbound
from schemas.errors import InvalidEvent
from schemas.topics import DEAD_LETTER
from streams.runtime.translation import Source, dead_letter

ORIGINAL = (("ce_id", b"e-1"), ("ce_type", b"crm.deal.won.v1"), ("content-type", b"text/odd"))


def _in_log(record: Outbound, offset: int) -> LogRecord:
    return LogRecord(DEAD_LETTER, 0, offset, 1_000, record.key, record.value, tuple(record.headers))


def _letter(at: int, log_offset: int, reason: str = "not_json") -> LogRecord:
    source = Source("crm.deal.v1", 2, at, b"key", b"\xff{", ORIGINAL)
    written = dead_letter(source, InvalidEvent(reason, "data.x", "is odd"))
    headers = [(name, value) for name, value in written.headers or () if isinstance(value, bytes)]
    return _in_log(Outbound(written.topic, written.key, written.value, headers), log_offset)


def _resolution(letter: LogRecord, how: str, log_offset: int) -> LogRecord:
    parsed = parse(letter)
    assert parsed is not None
    return _in_log(parsed.letter.resolution(how), log_offset)


def _sources(records: list[LogRecord]) -> list[int]:
    return [letter.source.offset for letter in unresolved(records)]


def test_what_ingest_writes_is_read_back_whole() -> None:
    """Reason, place, source and the original bytes survive."""
    found = parse(_letter(7, 0))
    assert found is not None
    letter = found.letter
    assert letter.source.text() == "crm.deal.v1:2:7"
    assert (letter.reason, letter.path, letter.detail) == ("not_json", "data.x", "is odd")
    assert (letter.partition, letter.offset, letter.size) == (0, 0, 2)
    assert (found.key, found.value, found.headers) == (b"key", b"\xff{", ORIGINAL)


def test_a_retry_sends_the_original_record() -> None:
    """Topic, key, bytes and headers are those of upstream, so the event keeps its id."""
    letter = parse(_letter(7, 0))
    assert letter is not None
    assert letter.original() == Outbound("crm.deal.v1", b"key", b"\xff{", list(ORIGINAL))


@pytest.mark.parametrize("how", [RETRIED, DROPPED])
def test_a_resolved_letter_is_not_listed(how: str) -> None:
    """Retried or dropped, it is settled; others stay."""
    first, second = _letter(1, 0), _letter(2, 1)
    assert _sources([first, second, _resolution(first, how, 2)]) == [2]


def test_a_letter_written_twice_is_listed_once() -> None:
    """After a crash ingest may write the same letter again: same source, one letter."""
    assert _sources([_letter(1, 0), _letter(1, 1), _letter(2, 2)]) == [1, 2]


def test_a_letter_written_again_after_its_resolution_stays_resolved() -> None:
    """Same source coordinates mean the same record, whenever ingest writes it."""
    first = _letter(1, 0)
    assert _sources([first, _resolution(first, DROPPED, 1), _letter(1, 2)]) == []


def test_a_retry_that_fails_again_is_a_letter_of_its_own() -> None:
    """The record sent again has new source coordinates, so it shows up anew."""
    first = _letter(1, 0)
    assert _sources([first, _resolution(first, RETRIED, 1), _letter(9, 2)]) == [9]


def test_foreign_records_in_the_topic_are_passed_over() -> None:
    """A record without our headers is no letter and breaks nothing."""
    foreign = LogRecord(DEAD_LETTER, 0, 0, 0, None, b"x", (("source_partition", b"two"),))
    assert _sources([foreign, _letter(1, 1)]) == [1]


def test_only_the_letters_asked_for_are_opened() -> None:
    """They are read again from the first of them on, and no further than the last."""
    records = [_letter(at, at) for at in range(6)]
    letters = [letter for letter in unresolved(records) if letter.offset in {2, 4}]
    (start,) = places(letters).values()
    log = iter(records[start:])
    found = list(opened(log, letters))
    assert [each.letter for each in found] == letters
    assert {each.value for each in found} == {b"\xff{"}
    assert len(list(log)) == 1


def test_a_letter_that_was_deleted_meanwhile_is_left_out() -> None:
    """What the log no longer holds can't be sent again, so it isn't settled either."""
    records = [_letter(1, 1), _letter(2, 2)]
    assert [each.letter.offset for each in opened(records[1:], unresolved(records))] == [2]


def test_letters_are_chosen_by_reason_topic_and_source() -> None:
    """Criteria are combined; an empty one fits all."""
    letters = unresolved([_letter(1, 0), _letter(2, 1, "unknown_type")])

    def chosen(**criteria: object) -> list[int]:
        found: list[DeadLetter] = matching(letters, **criteria)  # type: ignore[arg-type]  # by name
        return [letter.source.offset for letter in found]

    assert chosen() == [1, 2]
    assert chosen(reason="unknown_type") == [2]
    assert chosen(topic="crm.lead.v1") == []
    assert chosen(reason="not_json", sources=frozenset({"crm.deal.v1:2:1"})) == [1]


def test_bytes_that_are_no_text_are_shown_all_the_same() -> None:
    """The JSON form escapes what isn't UTF-8 instead of failing."""
    letter = parse(_letter(1, 0))
    assert letter is not None
    assert letter.as_json()["value"] == "\\xff{"


@pytest.mark.parametrize(
    ("arguments", "done"), [(["retry", "--dry-run"], False), (["drop", "--yes"], True)]
)
def test_what_was_settled_comes_as_json(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], *, done: bool
) -> None:
    """With --json standard output is one document: the letters, and whether they are settled."""
    settled: list[str] = []
    monkeypatch.setattr(dlq, "_open", lambda _settings: unresolved([_letter(1, 0), _letter(2, 1)]))

    def settle(verb: str, letters: list[DeadLetter]) -> list[DeadLetter]:
        settled.append(f"{verb} {len(letters)}")
        return letters

    monkeypatch.setattr(dlq, "_settle", settle)
    result = CliRunner().invoke(app, ["dlq", *arguments, "--all", "--json"])
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert found["done"] is done
    assert [each["source"] for each in found["letters"]] == ["crm.deal.v1:2:1", "crm.deal.v1:2:2"]
    assert settled == (["drop 2"] if done else [])
