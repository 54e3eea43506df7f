"""`daybook emit`: events are checked before anything is sent."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from infra.cli import app
from infra.commands.emit import STRUCTURED, outbound
from schemas.attributes import OPTIONAL, REQUIRED
from schemas.cloudevents import read
from schemas.errors import InvalidEvent

NOW_MS = 1_767_225_600_000
EVENT = {
    "specversion": "1.0",
    "id": "e-1",
    "source": "test",
    "type": "crm.deal.won.v1",
    "tenantid": "acme",
    "time": "2026-01-01T00:00:00Z",
    "data": {"deal_id": "d-1", "amount_minor": 100, "currency": "EUR"},
}
RUNNER = CliRunner()


@pytest.mark.parametrize("avro", [False, True])
def test_a_structured_event_becomes_a_binary_record_of_its_topic(*, avro: bool) -> None:
    """Topic by noun, key by tenant and subject; what is read back is the same event."""
    record = outbound(json.dumps(EVENT).encode(), avro=avro, now_ms=NOW_MS)
    assert (record.topic, record.key) == ("crm.deal.v1", b"acme|deal/d-1")
    received = read(record.headers, record.value, now_ms=NOW_MS)
    assert (received.id, received.type, received.tenant) == ("e-1", "crm.deal.won.v1", "acme")
    assert received.event.model_dump(exclude_none=True) == EVENT["data"]


@pytest.mark.parametrize("avro", [False, True])
def test_no_attribute_is_lost_on_the_way(*, avro: bool) -> None:
    """Each attribute an event may have is read back from the record as from the event itself."""
    given = {
        **EVENT, "subject": "deal/other", "origin": "import", "actor": "user/7",
        "correlationid": "c-1", "causationid": "e-0", "depth": 3, "partitionkey": "p-1",
        "sequence": "42", "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    }  # fmt: skip
    assert given.keys() - {"data"} == {*REQUIRED, *OPTIONAL}
    text = json.dumps(given).encode()
    record = outbound(text, avro=avro, now_ms=NOW_MS)
    meant = read([("content-type", STRUCTURED)], text, now_ms=NOW_MS)
    assert read(record.headers, record.value, now_ms=NOW_MS) == meant
    assert meant.depth == 3


def test_an_invalid_event_is_not_made_into_a_record() -> None:
    """The reason and the path inside the event are those ingest would give."""
    broken = {**EVENT, "data": {"amount_minor": 100}}
    with pytest.raises(InvalidEvent) as caught:
        outbound(json.dumps(broken).encode(), avro=False, now_ms=NOW_MS)
    assert (caught.value.reason, caught.value.path) == ("missing_field", "data.deal_id")


def test_one_invalid_line_stops_the_whole_file(tmp_path: Path) -> None:
    """Nothing is sent; the line, reason and path are printed; exit 1. No broker is needed."""
    file = tmp_path / "events.jsonl"
    broken = {**EVENT, "type": "crm.deal.daydreamed.v1"}
    file.write_text(f"{json.dumps(EVENT)}\n\n{json.dumps(broken)}\n")
    result = RUNNER.invoke(app, ["emit", str(file)])
    assert result.exit_code == 1
    assert "line 3: unknown_type at type" in result.stderr
    assert "1 of 2 invalid; nothing was sent" in result.stderr


def test_an_event_over_several_lines_is_one_event(tmp_path: Path) -> None:
    """A pretty-printed object that is wrong gives one complaint, not one per line."""
    file = tmp_path / "event.json"
    file.write_text(json.dumps({**EVENT, "tenantid": "NO"}, indent=2))
    result = RUNNER.invoke(app, ["emit", str(file)])
    assert "line 1: bad_tenant" in result.stderr
    assert "1 of 1 invalid" in result.stderr


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        (('{"id": ', json.dumps(EVENT), json.dumps(EVENT)), "1 of 3 invalid"),
        (("", '{"id": ', ""), "1 of 1 invalid"),
        (("{", '"id": 1', '"data": {}'), "1 of 1 invalid"),
    ],
    ids=["first line of three", "one broken line", "broken over several lines"],
)
def test_a_broken_line_is_one_event_not_the_file(lines: tuple[str, ...], complaint: str) -> None:
    """Lines count as events as soon as one of them is an object by itself."""
    result = RUNNER.invoke(app, ["emit", "-"], input="\n".join(lines))
    assert result.exit_code == 1
    assert complaint in result.stderr


def test_the_example_in_the_help_is_an_event() -> None:
    """What `emit --help` shows works: the part it takes of a schema is a structured event."""
    shown = RUNNER.invoke(app, ["emit", "--help"]).output
    (part,) = re.findall(r"jq \.(\w+)", shown)
    schema = RUNNER.invoke(app, ["schemas", "show", "crm.deal.won.v1", "--json"]).stdout
    event = json.dumps(json.loads(schema)[part]).encode()
    assert outbound(event, avro=False, now_ms=NOW_MS).topic == "crm.deal.v1"


def test_a_missing_file_is_a_configuration_error() -> None:
    """No such file: one line, exit 2."""
    result = RUNNER.invoke(app, ["emit", "no-such-file.json"])
    assert result.exit_code == 2
    assert "no-such-file.json" in result.stderr


def test_an_empty_input_holds_no_event() -> None:
    """Nothing on standard input: one line, exit 2."""
    result = RUNNER.invoke(app, ["emit", "-"], input="\n")
    assert result.exit_code == 2
    assert "holds no event" in result.stderr
