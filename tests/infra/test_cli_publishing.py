"""Publishing: nothing is counted before the broker has it, no failure goes unseen."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from infra.commands.arrival import wait
from infra.commands.publishing import Outbound, Publisher
from infra.commands.settling import told
from infra.simulate.run import opening, run
from infra.simulate.traffic import Plan
from schemas.errors import Unavailable

RECORD = Outbound("crm.deal.v1", b"k", b"v", [("ce_id", b"1")])
PLAN = Plan(seed=1, start_ms=1_767_225_600_000, rate=2_000, tenants=1, users=2)


@dataclass
class FakeMessage:
    """A delivery report: where the record went."""

    place: tuple[str, int]

    def topic(self) -> str:
        """Return the topic."""
        return "crm.deal.v1"

    def partition(self) -> int:
        """Return the partition."""
        return self.place[1]

    def offset(self) -> int:
        """Return the offset."""
        return int(self.place[0])


@dataclass
class FakeError:
    """What the broker refused."""

    text: str

    def str(self) -> str:
        """Return the text."""
        return self.text


@dataclass
class FakeProducer:
    """A producer that acknowledges when polled; `full` refuses so many calls first."""

    full: int = 0
    error: FakeError | None = None
    stuck: bool = False
    sent: list[dict[str, Any]] = field(default_factory=list)
    _waiting: deque[Callable[..., None]] = field(default_factory=deque)

    def produce(self, topic: str, **record: Any) -> None:
        """Take a record, or refuse it: the queue is full."""
        if self.full:
            self.full -= 1
            raise BufferError
        self.sent.append({"topic": topic, **record})
        self._waiting.append(record["on_delivery"])

    def poll(self, _timeout_s: float) -> int:
        """Serve the delivery reports."""
        while self._waiting and not self.stuck:
            offset = len(self.sent) - len(self._waiting)
            self._waiting.popleft()(self.error, FakeMessage((str(offset), 0)))
        return 0

    def flush(self, _timeout_s: float) -> int:
        """Serve all; return what is left."""
        self.poll(0)
        return len(self._waiting)


def _publisher(producer: FakeProducer) -> Publisher:
    return Publisher(producer)  # type: ignore[arg-type]  # the fake has what it uses


def test_records_count_when_they_are_acknowledged() -> None:
    """Before the report nothing is written; after it the highest offset is known."""
    producer = FakeProducer(stuck=True)
    publisher = _publisher(producer)
    publisher.put(RECORD)
    assert publisher.written == 0
    producer.stuck = False
    publisher.put(RECORD)
    publisher.flush()
    assert publisher.written == 2
    assert publisher.last == {("crm.deal.v1", 0): 1}


def test_a_full_queue_is_waited_for() -> None:
    """A record refused by a full queue is handed over again, once."""
    producer = FakeProducer(full=3)
    _publisher(producer).put(RECORD)
    assert len(producer.sent) == 1


def test_a_record_the_broker_refuses_stops_the_next_one() -> None:
    """A failed delivery is raised at the next call, and nothing follows it."""
    producer = FakeProducer(error=FakeError("message too large"))
    publisher = _publisher(producer)
    publisher.put(RECORD)
    with pytest.raises(Unavailable, match="message too large"):
        publisher.put(RECORD)
    assert len(producer.sent) == 1


def test_what_is_never_acknowledged_is_an_error() -> None:
    """A flush that leaves records behind is not silent."""
    publisher = _publisher(FakeProducer(stuck=True))
    publisher.put(RECORD)
    with pytest.raises(Unavailable, match="1 records not acknowledged"):
        publisher.flush()


def test_a_wait_ends_when_nothing_remains() -> None:
    """The function is asked until it says 0; each answer is reported against the highest."""
    answers, seen = iter([7, 9, 3, 0]), []
    wait(
        told(lambda: next(answers), "stage", lambda *report: seen.append(report)), "done", "nobody"
    )
    assert seen == [("stage", 0, 7), ("stage", 0, 9), ("stage", 6, 9), ("stage", 9, 9)]


def test_a_wait_without_progress_says_who_to_look_at() -> None:
    """Nothing moving for the time allowed is an error naming the process and the rest."""
    with pytest.raises(Unavailable, match="5 records not folded") as caught:
        wait(lambda: 5, "folded", "daybook worker", stall_s=0.25)
    assert caught.value.service == "daybook worker"


def test_settings_and_reference_data_come_before_traffic() -> None:
    """A run begins with the definitions, then reference data, then its traffic in order."""
    producer = FakeProducer()
    before = opening(PLAN, _publisher(FakeProducer()))
    done = run(PLAN, _publisher(producer), for_s=0.2)
    assert done.reference == before
    assert producer.sent[0]["topic"] == "crm.definition.v1"
    assert len(producer.sent) == before + done.traffic
    assert done.traffic == 400


def test_traffic_keeps_its_pace() -> None:
    """Open loop: 0.3 s of traffic take 0.3 s, however fast the broker is."""
    began = time.monotonic()
    run(PLAN, _publisher(FakeProducer()), for_s=0.3)
    assert time.monotonic() - began >= 0.29


def test_a_stopped_run_publishes_nothing_more() -> None:
    """When asked to stop, the run ends before the next event and flushes."""
    producer = FakeProducer()
    done = run(PLAN, _publisher(producer), for_s=None, stopped=lambda: True)
    assert done.traffic == 0
    assert len(producer.sent) == done.reference


def test_a_wait_rides_out_a_service_that_restarts() -> None:
    """A broker away for a moment is asked again; one that stays away is reported."""
    answers = iter([5, None, None, 0])

    def remaining() -> int:
        answer = next(answers, None)
        if answer is None:
            raise Unavailable("Kafka", 0.1, "restarting")
        return answer

    wait(remaining, "folded", "daybook worker", stall_s=5)
    with pytest.raises(Unavailable, match="restarting"):
        wait(remaining, "folded", "daybook worker", stall_s=0.25)
