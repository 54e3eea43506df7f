"""Upstream records → journal records or dead letters."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from schemas.cloudevents import write_binary
from schemas.codec import decode_entry, decode_event
from schemas.definitions.applied import DefinitionApplied
from schemas.errors import InvalidEvent
from schemas.events import CATALOGUE
from schemas.partitioner import partition_of
from streams.runtime.translation import Source, dead_letter, translate

NOW_MS = 1_795_500_000_000


def source(type_: str, data: Mapping[str, object], **attributes: str) -> Source:
    """Return an upstream record in binary content mode."""
    ce = {"id": "e1", "source": "crm", "type": type_, "tenantid": "acme",
          "time": "2026-11-20T10:00:00Z", "specversion": "1.0", **attributes}  # fmt: skip
    headers = [(f"ce_{name}", value.encode()) for name, value in ce.items()]
    return Source("crm.up.v1", 2, 17, b"k", json.dumps(data).encode(), headers)


def test_event_goes_to_its_subjects_home_partition() -> None:
    """One record, keyed by tenant and subject, at the partition the key hashes to."""
    event = source("crm.deal.won.v1", {"deal_id": "d1", "contact_id": "c1"})
    (out,) = translate(event, now_ms=NOW_MS, partitions=8)
    assert (out.topic, out.key) == ("journal.v1", b"acme|contact/c1")
    assert out.partition == partition_of(out.key, 8)
    entry = decode_entry(out.value or b"")
    assert (entry.origin_topic, entry.origin_partition, entry.origin_offset) == ("crm.up.v1", 2, 17)
    assert (entry.recorded_ms, entry.copy, entry.kind) == (NOW_MS, False, "event")


@pytest.mark.parametrize("type_", [t for t, c in CATALOGUE.items() if c.REFERENCE])
def test_reference_data_goes_to_every_partition(type_: str) -> None:
    """Each partition gets it; only the home partition's isn't a copy."""
    event = source(type_, CATALOGUE[type_].EXAMPLE)
    out = translate(event, now_ms=NOW_MS, partitions=8)
    assert [record.partition for record in out] == list(range(8))
    originals = [r.partition for r in out if not decode_entry(r.value or b"").copy]
    assert originals == [partition_of(out[0].key, 8)]


def definition(spec: dict[str, Any], kind: str = "settings") -> Source:
    """Return a definition as `daybook apply` publishes it."""
    data = {"kind": kind, "id": "default", "spec": spec}
    return source(DefinitionApplied.TYPE, data)


def test_definition_goes_to_every_partition() -> None:
    """So it takes effect at one offset of each; all copies have the same source coordinates."""
    out = translate(definition({"timezone": "Europe/Berlin"}), now_ms=NOW_MS, partitions=4)
    entries = [decode_entry(record.value or b"") for record in out]
    assert [record.partition for record in out] == [0, 1, 2, 3]
    assert sum(not entry.copy for entry in entries) == 1
    assert {(e.kind, e.origin_offset, e.subject) for e in entries} == {
        ("definition", 17, "definition/settings/default")
    }
    event = decode_event(entries[0].data)
    assert isinstance(event, DefinitionApplied)
    assert json.loads(event.spec)["timezone"] == "Europe/Berlin"


@pytest.mark.parametrize(
    ("record", "path"),
    [
        (definition({"timezone": "Mars/Olympus"}), "data.spec.timezone"),
        (definition({"colour": "red"}), "data.spec.colour"),
        (definition({}, kind="spell"), "data.kind"),
    ],
)
def test_invalid_definition_is_refused_with_its_path(record: Source, path: str) -> None:
    """A definition nobody could apply never reaches the journal."""
    with pytest.raises(InvalidEvent) as refused:
        translate(record, now_ms=NOW_MS, partitions=4)
    assert refused.value.path == path


def test_written_events_are_read_back() -> None:
    """What our own producers write in binary mode becomes the same event."""
    for type_, cls in CATALOGUE.items():
        event = cls.model_validate(cls.EXAMPLE)
        headers, value = write_binary(event, id="x", source="s", tenant="t", time_ms=NOW_MS)
        record = Source("crm.up.v1", 0, 0, None, value, headers)
        out = translate(record, now_ms=NOW_MS, partitions=2)
        entry = decode_entry(out[0].value or b"")
        assert (entry.type, decode_event(entry.data)) == (type_, event)


def test_dead_letter_keeps_everything() -> None:
    """Original bytes and headers, the reason, and where it was: enough to send it again."""
    record = Source("crm.lead.v1", 3, 44, b"key", b"{broken", [("ce_id", b"1"), ("ce_id", b"2")])
    letter = dead_letter(record, InvalidEvent("not_json", "data", "is no JSON"))
    assert (letter.topic, letter.partition, letter.key) == ("dlq.v1", 0, b"crm.lead.v1")
    assert letter.value == b"{broken"
    assert letter.headers == [
        ("reason", b"not_json"),
        ("path", b"data"),
        ("detail", b"is no JSON"),
        ("source_topic", b"crm.lead.v1"),
        ("source_partition", b"3"),
        ("source_offset", b"44"),
        ("source_key", b"key"),
        ("orig_ce_id", b"1"),
        ("orig_ce_id", b"2"),
    ]


def test_dead_letter_of_a_tombstone_has_no_value() -> None:
    """A record without value and key stays one without."""
    letter = dead_letter(Source("crm.lead.v1", 0, 1, None, None, []), InvalidEvent("not_json"))
    assert letter.value is None
    assert "source_key" not in dict(letter.headers or [])
