"""Records aiokafka can't parse, in batches as the broker sends them."""

from typing import cast

import pytest
from aiokafka.consumer import fetcher  # type: ignore[import-untyped]
from aiokafka.record.default_records import DefaultRecordBatchBuilder  # type: ignore[import-untyped]
from aiokafka.record.memory_records import MemoryRecords  # type: ignore[import-untyped]
from aiokafka.structs import TopicPartition  # type: ignore[import-untyped]

from streams.runtime.unparsable import ReadablePrefix, RecordParseError, install


def batch(base: int, names: list[str]) -> bytes:
    """Return a record batch, one header each; a header named `bad` gets a byte that isn't UTF-8."""
    builder = DefaultRecordBatchBuilder(
        magic=2, compression_type=0, is_transactional=0, producer_id=-1, producer_epoch=-1,
        base_sequence=-1, batch_size=1 << 16)  # fmt: skip
    for offset, name in enumerate(names):
        assert builder.append(offset, 0, None, b"v", headers=[(name, b"1")]) is not None
    built = bytes(builder.build()).replace(b"bad", b"b\xffd")
    return base.to_bytes(8, "big") + built[8:]


def fetched(log: bytes, offset: int, *, crcs: bool = False) -> ReadablePrefix:
    """Return what a fetch at an offset brought."""
    return ReadablePrefix(
        TopicPartition("crm.deal.v1", 2), MemoryRecords(log), None, offset, None, None, crcs, 1
    )


LAST = batch(15, ["f"])
BROKEN = batch(12, ["c", "bad", "e"])
LOG = batch(10, ["a", "b"]) + BROKEN + LAST
BATCH = {"batch_first": 12, "batch_last": 14, "skip_to": 15}


def test_what_is_before_an_unparsable_record_is_delivered() -> None:
    """A fetch ends in front of it, and the next begins there."""
    records = fetched(LOG, 10)
    assert [record.offset for record in records] == [10, 11, 12]
    assert records.next_fetch_offset == 13


def test_fetch_that_begins_at_an_unparsable_record_names_it() -> None:
    """Its offset, and where its batch ends: parsing begins at the batch's first record."""
    with pytest.raises(RecordParseError) as raised:
        list(fetched(BROKEN + LAST, 13))
    assert raised.value.coordinates == {
        "topic": "crm.deal.v1", "partition": 2, "offset": 13, **BATCH}  # fmt: skip
    assert isinstance(raised.value.__cause__, UnicodeDecodeError)


def test_only_behind_the_batch_reading_goes_on() -> None:
    """One offset further the broker sends the same batch again; `skip_to` is past it."""
    with pytest.raises(RecordParseError) as raised:
        list(fetched(BROKEN + LAST, 14))
    skip_to = cast("int", raised.value.coordinates["skip_to"])
    assert [record.offset for record in fetched(LAST, skip_to)] == [15]


def test_wrong_checksum_is_named_too() -> None:
    """Bytes that changed on the disk end the same way."""
    with pytest.raises(RecordParseError) as raised:
        list(fetched(BROKEN + LAST, 12, crcs=True))
    assert raised.value.coordinates["skip_to"] == 15


def test_fetchers_use_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The class is looked up in aiokafka's module when a fetch arrives."""
    monkeypatch.setattr(fetcher, "PartitionRecords", object())
    install()
    assert fetcher.PartitionRecords is ReadablePrefix
    assert "PartitionRecords" in fetcher.Fetcher._proc_fetch_request.__code__.co_names  # noqa: SLF001
