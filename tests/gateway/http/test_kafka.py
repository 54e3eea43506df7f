"""The event log without a broker: requests are answered all the same."""

import pytest

from gateway.http import kafka
from gateway.http.kafka import KafkaEvents
from gateway.http.ports import Outgoing


async def test_a_record_nobody_takes_is_not_acknowledged(monkeypatch: pytest.MonkeyPatch) -> None:
    """After the delivery timeout the place is None; nobody waits for ever."""
    monkeypatch.setattr(kafka, "DELIVERY_MS", 300)
    log = KafkaEvents("127.0.0.1:1")
    try:
        record = Outgoing("crm.deal.v1", b"acme|deal/1", b"{}", ())
        assert await log.publish([record, record]) == [None, None]
    finally:
        log.close()
