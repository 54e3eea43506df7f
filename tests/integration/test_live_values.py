"""`daybook live` on real engines: newest values, forward only, nothing lost."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from infra.embedded.running import RunningStack
from schemas.codec import encode_partial
from schemas.derived.metric import MetricPartial
from schemas.topics import METRIC
from sinks.live.read import read_metric, read_partials
from sinks.live.store import Store
from sinks.mapping.valkey import DELETED, Feed, Position, hash_key, place
from sinks.retry import Backoff
from tests.integration.conftest import MakeTopics
from tests.integration.replaced import cut, let_expire
from tests.integration.running import log_end, wait_for
from tests.integration.sink_support import START_MS, Log, generations, live

pytestmark = pytest.mark.integration
KEY = b"acme|won_amount|day|%d|agent|ada" % START_MS


@pytest.fixture
def valkey(valkey_url: str) -> Iterator[redis.Redis]:
    """A client of an empty Valkey."""
    client = redis.Redis.from_url(valkey_url)
    client.flushall()
    yield client
    client.close()


def _store(client: redis.Redis, generation: int) -> Store:
    return Store(client, generation, "topic", Backoff(), lambda _: None, lambda: False)


def _value(generation: int, offset: int) -> bytes:
    return encode_partial(MetricPartial(generation, offset, 1, offset, offset, offset, []))


def _fed(generation: int, offset: int, applied: Position | None) -> Feed:
    feed = Feed(applied, applied or Position(0))
    feed.put(offset, place(generation, 0, KEY), _value(generation, offset), offset, 0.0)
    return feed


def _held(client: redis.Redis, generation: int) -> dict[tuple[int, bytes], MetricPartial]:
    return {
        (partition, b"acme|won_amount|day|%d|agent|%b" % (bucket_ms, member.encode())): partial
        for (bucket_ms, member, partition), partial in read_partials(
            client, generation, "acme", "won_amount", "day", "agent"
        ).items()
    }


def test_values_are_those_of_the_log(
    tmp_path: Path, kafka: str, valkey_url: str, valkey: redis.Redis, app: str
) -> None:
    """Valkey holds the newest committed partial of every partition; readers add them up."""
    generation = next(generations)
    log = Log(kafka, generation)
    log.derived(30)
    log.derived(30, commit=False)
    log.derived(15)
    with live(tmp_path, kafka, valkey_url, app, generation=generation) as process:
        wait_for(lambda: _held(valkey, generation) == log.partials, "all values")
        log.derived(10)
        wait_for(lambda: _held(valkey, generation) == log.partials, "newer values")
        assert process.terminate() == 0
    merged = read_metric(valkey, generation, "acme", "won_amount", "day", "agent")
    total = sum(partial.sum for partial in log.partials.values())
    assert sum(partial.sum for partial in merged.values()) == total
    assert {partial.count for partial in merged.values()} == {4}


@pytest.mark.parametrize("point", ["before_flush", "after_flush"])
def test_killed_process_goes_on_where_valkey_stands(
    point: str, tmp_path: Path, kafka: str, valkey_url: str, valkey: redis.Redis, app: str
) -> None:
    """SIGKILL before or after a flush loses no value."""
    generation = next(generations)
    log = Log(kafka, generation)
    log.derived(40)
    process = live(tmp_path, kafka, valkey_url, app, generation=generation)
    process.faults = {"at": {"point": point, "signal_name": "SIGKILL"}}
    with process:
        assert process.wait_exit() == -9
        process.without_faults()
        log.derived(20)
        wait_for(lambda: _held(valkey, generation) == log.partials, "all values")


def test_valkey_that_lost_its_data_is_filled_again(
    tmp_path: Path, kafka: str, valkey_url: str, valkey: redis.Redis, topics: MakeTopics
) -> None:
    """Lost data are noticed without traffic, said loudly, and read again from the topic."""
    generation = next(generations)
    log = Log(kafka, generation)
    app = topics(2)
    log.derived(40, 2)
    with live(tmp_path, kafka, valkey_url, app, generation=generation) as process:
        wait_for(lambda: _held(valkey, generation) == log.partials, "all values")
        valkey.flushall()
        wait_for(lambda: _held(valkey, generation) == log.partials, "all values again")
        assert process.terminate() == 0
    assert "valkey_lost_its_position" in process.words


def test_killed_valkey_is_waited_for(
    tmp_path: Path,
    kafka: str,
    valkey_url: str,
    valkey: redis.Redis,
    topics: MakeTopics,
    engines: RunningStack,
) -> None:
    """While Valkey is away values wait; when it is back they are written."""
    generation = next(generations)
    app = topics(2)
    log = Log(kafka, generation)
    log.derived(10, 2)
    with live(tmp_path, kafka, valkey_url, app, generation=generation) as process:
        wait_for(lambda: _held(valkey, generation) == log.partials, "all values")
        engines.kill("valkey")
        log.derived(10, 2)
        engines.wait_healthy("valkey")
        wait_for(lambda: _held(valkey, generation) == log.partials, "all values")
        assert process.process.poll() is None


def test_rebuild_forgets_what_the_topic_does_not_hold(
    tmp_path: Path, kafka: str, valkey_url: str, valkey: redis.Redis, topics: MakeTopics
) -> None:
    """`--rebuild` leaves exactly the topic's values, also when it is killed half-way."""
    generation = next(generations)
    app = topics(2)
    log = Log(kafka, generation)
    log.derived(10, 2)
    other = hash_key(generation + 500, "acme", "won_amount", "day", "")
    valkey.hset(other, "0||0", b"another generation's")
    valkey.hset(hash_key(generation, "gone", "won_amount", "day", ""), "0||0", _value(1, 1))
    process = live(tmp_path, kafka, valkey_url, app, generation=generation, rebuild=True)
    process.faults = {"at": {"point": "clear", "signal_name": "SIGKILL"}}
    with process:
        assert process.wait_exit() == -9
        process.without_faults(rebuild=False)
        wait_for(lambda: _held(valkey, generation) == log.partials, "all values")
    assert not valkey.exists(hash_key(generation, "gone", "won_amount", "day", ""))
    assert valkey.exists(other)


def test_values_of_a_topic_created_again_are_shown_only_when_asked(
    tmp_path: Path, kafka: str, valkey_url: str, valkey: redis.Redis, topics: MakeTopics
) -> None:
    """A new topic lacks what hasn't changed since: totals would be too small, so it is refused."""
    generation = next(generations)
    app = topics(1)
    before = Log(kafka, generation)
    before.derived(30, 1)
    with live(tmp_path, kafka, valkey_url, app, generation=generation) as process:
        wait_for(lambda: _held(valkey, generation) == before.partials, "all values")
        assert process.terminate() == 0
        topics(1)
        log = Log(kafka, generation)
        log.derived(3, 1)
        process.start()
        assert process.wait_exit() == 70
        assert "was created again" in process.words
        assert _held(valkey, generation) == before.partials
        process.without_faults(rebuild=True)
        wait_for(lambda: _held(valkey, generation) == log.partials, "only the new values")


def test_values_deleted_before_they_were_shown_stop_it(
    tmp_path: Path, kafka: str, valkey_url: str, valkey: redis.Redis, topics: MakeTopics
) -> None:
    """Retention on a topic that must only be compacted leaves old values standing for ever."""
    generation = next(generations)
    app = topics(1)
    log = Log(kafka, generation)
    log.derived(10, 1)
    with live(tmp_path, kafka, valkey_url, app, generation=generation) as process:
        wait_for(lambda: _held(valkey, generation) == log.partials, "all values")
        assert process.terminate() == 0
        shown = dict(log.partials)
        log.derived(10, 1)
        let_expire(kafka, METRIC)
        cut(kafka, METRIC, 0, log_end(kafka, METRIC))
        process.start()
        assert process.wait_exit() == 70
    assert "values in between are lost" in process.words
    assert _held(valkey, generation) == shown


def test_older_value_does_not_replace_a_newer_one(valkey: redis.Redis) -> None:
    """Reading a range again, or a process that lags behind, never takes a value back."""
    store = _store(valkey, 1)
    assert store.flush({0: _fed(1, 1_000_000, None)}) == set()
    again = _fed(1, 999_999, store.positions()[0])
    assert store.flush({0: again}) == set()
    assert _held(valkey, 1)[0, KEY].offset == 1_000_000
    newer = _fed(1, 1_000_001, store.positions()[0])
    assert store.flush({0: newer}) == set()
    assert _held(valkey, 1)[0, KEY].offset == 1_000_001


def test_flush_from_another_position_is_refused(valkey: redis.Redis) -> None:
    """A process that expects a position Valkey doesn't have writes nothing."""
    store = _store(valkey, 1)
    assert store.flush({0: _fed(1, 5, None)}) == set()
    assert store.flush({0: _fed(1, 9, None)}) == {0}
    assert _held(valkey, 1)[0, KEY].offset == 5
    assert store.positions() == {0: Position(6, 5)}


def test_repeated_flush_counts_as_written(valkey: redis.Redis) -> None:
    """When the answer to a flush was lost, sending it again succeeds and changes nothing."""
    store = _store(valkey, 1)
    assert store.flush({0: _fed(1, 5, None)}) == set()
    assert store.flush({0: _fed(1, 5, None)}) == set()
    assert store.positions() == {0: Position(6, 5)}


def test_flush_is_refused_while_the_generation_is_cleared(valkey: redis.Redis) -> None:
    """What is written between the clearing's steps would be deleted by it."""
    store = _store(valkey, 1)
    valkey.hset("db:1:pos", "rebuilding", 1)
    assert store.flush({0: _fed(1, 5, None)}) == {0}
    assert _held(valkey, 1) == {}


def test_tombstone_deletes_the_value(valkey: redis.Redis) -> None:
    """An hour bucket that was closed disappears."""
    store = _store(valkey, 1)
    feed = _fed(1, 5, None)
    assert store.flush({0: feed}) == set()
    feed.put(6, place(1, 0, KEY), DELETED, -1, 0.0)
    assert store.flush({0: feed}) == set()
    assert _held(valkey, 1) == {}
    assert store.positions() == {0: Position(7, 5)}


def test_hour_hashes_expire_and_others_do_not(valkey: redis.Redis) -> None:
    """An hour hash that nobody writes any more goes away by itself."""
    store = _store(valkey, 1)
    feed = _fed(1, 5, None)
    hourly = place(1, 0, KEY.replace(b"|day|", b"|hour|"))
    feed.put(6, hourly, _value(1, 6), 6, 0.0)
    assert store.flush({0: feed}) == set()
    assert valkey.ttl(hourly[0]) == 401 * 86_400
    assert valkey.ttl(place(1, 0, KEY)[0]) == -1


def test_large_flush_is_written_whole(valkey: redis.Redis) -> None:
    """A flush of more values than one script run takes arrives completely."""
    store = _store(valkey, 1)
    feed = Feed(None, Position(0))
    for number in range(5_000):
        key = b"acme|won_amount|day|%d|agent|agent-%d" % (START_MS, number)
        feed.put(number, place(1, 0, key), _value(1, number), number, 0.0)
    assert store.flush({0: feed}) == set()
    assert len(_held(valkey, 1)) == 5_000
    assert store.positions() == {0: Position(5_000, 4_999)}
