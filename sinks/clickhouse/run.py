"""`daybook sink`: journal and derived topics → ClickHouse, exactly once."""

import signal
import threading
import uuid

import structlog
from confluent_kafka import Consumer

from schemas.errors import ConfigurationError, DaybookError, Unavailable
from sinks.clickhouse.assignment import Assignment
from sinks.clickhouse.client import ClickHouse
from sinks.clickhouse.config import SinkConfig
from sinks.clickhouse.ledger import Ledger
from sinks.clickhouse.loop import Loop
from sinks.clickhouse.writer import Writer
from sinks.failstop import end_now
from sinks.health import serve
from sinks.kafka import LogEnds, consumer_config, topic_ids
from sinks.mapping.tables import TABLES
from sinks.retry import Backoff
from sinks.status import Status
from sinks.telemetry import CLICKHOUSE, RETRIES, Telemetry

__all__ = ["SinkConfig", "run_sink"]

log = structlog.get_logger(__name__)


def run_sink(config: SinkConfig) -> int:
    """Run the sink until SIGTERM or SIGINT; call it in the main thread.

    On a signal it finishes the insert in flight, closes its ledger rows and leaves.

    Args:
        config: See `SinkConfig`.

    Returns:
        0 after a signal. When going on would lose or double something, or ClickHouse stayed
        away, it doesn't return: the process exits with 70, a supervisor restarts.

    Raises:
        ConfigurationError: a topic doesn't exist, or an address is wrong.
        Unavailable: no broker answered at the start.
    """
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    ids = topic_ids(config.bootstrap, list(TABLES))
    telemetry = Telemetry(CLICKHOUSE)
    clickhouse = ClickHouse(
        config.clickhouse_url,
        Backoff(limit_s=config.patience_s),
        lambda service: telemetry.count(RETRIES, service=service),
        stop.is_set,
    )
    ledger = Ledger(clickhouse, uuid.uuid4().hex[:12], ids)
    assignment = Assignment(ledger, config.generation, ids)
    writer = Writer(clickhouse, ledger, assignment, telemetry)
    ends = LogEnds()
    consumer = Consumer(
        consumer_config(config.bootstrap, config.group, config.instance) | {"stats_cb": ends.note}
    )
    status = Status(ends, assignment.places, telemetry)
    server = serve(config.metrics_host, config.metrics_port, telemetry.registry, status.health)
    writer.start()
    consumer.subscribe(
        list(TABLES),
        on_assign=assignment.assigned,
        on_revoke=assignment.revoked,
        on_lost=assignment.lost,
    )
    log.info("sink_started", group=config.group, instance=config.instance, topics=list(TABLES))
    try:
        Loop(consumer, assignment, writer, config.policy).run(stop.is_set)
        assignment.close()
        writer.check()
    except ConfigurationError:
        raise
    except DaybookError as error:
        if isinstance(error, Unavailable) and stop.is_set():
            log.warning("sink_left_a_range_in_doubt", error=str(error))
            end_now(0)
        # The consumer is not closed: that would call `revoked`, which writes.
        log.error("sink_stopped", reason=type(error).__name__, error=str(error))  # noqa: TRY400
        end_now()
    except Exception:
        log.exception("sink_failed")
        end_now()
    consumer.close()
    if server is not None:
        server.shutdown()
    log.info("sink_left")
    return 0
