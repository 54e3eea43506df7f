"""`daybook live`: derived.metric.v1 → Valkey, conflated, forward only."""

import signal
import threading
from collections.abc import Callable

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Message

from schemas.errors import ConfigurationError, CorruptLog, DaybookError, Unavailable
from schemas.topics import METRIC
from sinks.failstop import end_now
from sinks.health import serve
from sinks.kafka import LogEnds, consumer_config, coordinates, is_fatal, poll, topic_ids
from sinks.live.config import LiveConfig
from sinks.live.partitions import Partitions
from sinks.live.store import Store, connect
from sinks.retry import Backoff
from sinks.status import Status
from sinks.telemetry import LIVE, RETRIES, Telemetry

__all__ = ["LiveConfig", "run_live"]

log = structlog.get_logger(__name__)
POLL_S = 0.02
MOST_MESSAGES = 5_000


def run_live(config: LiveConfig) -> int:
    """Run until SIGTERM or SIGINT; call it in the main thread.

    Args:
        config: See `LiveConfig`.

    Returns:
        0 after a signal. When it can't go on it doesn't return: the process exits with 70.

    Raises:
        ConfigurationError: the topic doesn't exist, or an address is wrong.
        Unavailable: no broker answered at the start.
    """
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    ids = topic_ids(config.bootstrap, [METRIC])
    telemetry = Telemetry(LIVE)
    store = Store(
        connect(config.valkey_url),
        config.generation,
        ids[METRIC],
        Backoff(limit_s=config.patience_s),
        lambda service: telemetry.count(RETRIES, service=service),
        stop.is_set,
    )
    partitions = Partitions(store, config.generation, config.flush_s, telemetry, stop.is_set)
    ends = LogEnds()
    consumer = Consumer(
        consumer_config(config.bootstrap, config.group, config.instance) | {"stats_cb": ends.note}
    )
    status = Status(ends, partitions.places, telemetry)
    server = serve(config.metrics_host, config.metrics_port, telemetry.registry, status.health)
    try:
        _prepare(store, rebuild=config.rebuild)
        consumer.subscribe(
            [METRIC],
            on_assign=partitions.assigned,
            on_revoke=partitions.unassigned,
            on_lost=partitions.unassigned,
        )
        log.info("live_started", group=config.group, instance=config.instance)
        _run(consumer, partitions, stop.is_set)
    except ConfigurationError:
        raise
    except DaybookError as error:
        if isinstance(error, Unavailable) and stop.is_set():
            log.warning("live_left_values_unwritten", error=str(error))
            end_now(0)
        log.error("live_stopped", reason=type(error).__name__, error=str(error))  # noqa: TRY400
        end_now()
    except Exception:
        log.exception("live_failed")
        end_now()
    consumer.close()
    if server is not None:
        server.shutdown()
    log.info("live_left")
    return 0


def _prepare(store: Store, *, rebuild: bool) -> None:
    """Clear the generation when asked to; refuse values of another topic.

    A topic that was created again holds only what changed since: showing that would show totals
    that are too small.
    """
    interrupted, recreated = store.is_rebuilding(), store.is_foreign
    if recreated and not (rebuild or interrupted):
        raise CorruptLog(
            f"{METRIC} was created again and doesn't hold every value; replay into a new "
            "generation, or show what there is: `daybook live --rebuild`"
        )
    if rebuild or interrupted:
        log.warning("rebuild_started", asked=rebuild, interrupted=interrupted)
        log.warning("values_cleared", keys=store.clear())
    elif not store.held_topic_id():
        log.warning("valkey_is_empty", reading_from="the beginning")
    store.adopt()


def _run(consumer: Consumer, partitions: Partitions, stopped: Callable[[], bool]) -> None:
    while not stopped():
        for message in poll(consumer, POLL_S, MOST_MESSAGES):
            error = message.error()
            if error is not None:
                _judge(error, message, partitions)
                continue
            _, partition, offset = coordinates(message)
            partitions.take(partition, offset, message.key() or b"", message.value())
        partitions.flush(consumer)
        partitions.compare(consumer)
    partitions.flush(consumer, everything=True)


def _judge(error: KafkaError, message: Message, partitions: Partitions) -> None:
    if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - the constant has no other name
        _, partition, offset = coordinates(message)
        partitions.end_of_log(partition, offset)
    elif is_fatal(error) or error.code() == KafkaError._AUTO_OFFSET_RESET:  # noqa: SLF001 - same
        raise KafkaException(error)
    else:
        log.warning("kafka_reported", error=error.name(), detail=error.str())
