"""Faust's settings, shared by the two apps; each line that isn't obvious says why."""

from typing import Any

from streams.runtime.batches import scheduler_of
from streams.runtime.config import KafkaConfig


def faust_options(config: KafkaConfig, *, batch_max: int, commit_s: float) -> dict[str, Any]:
    """Return the keyword arguments of `faust.App`.

    Args:
        config: Kafka configuration.
        batch_max: Records of one Faust event.
        commit_s: How often the group's offset is committed.
    """
    return {
        "broker": config.faust_broker(),
        "store": "memory://",
        "ConsumerScheduler": scheduler_of(batch_max),
        # Topics are made by `daybook topics create` with the settings they need.
        "topic_allow_declare": False,
        "topic_disable_leader": True,
        # Faust's web serves tables without authentication.
        "web_enabled": False,
        "table_standby_replicas": 0,
        "stream_recovery_delay": 0.0,
        # Events are batches: a few are plenty, and they bound the memory.
        "stream_buffer_maxsize": 64,
        "stream_wait_empty": True,
        "consumer_auto_offset_reset": "earliest",
        "consumer_group_instance_id": config.instance or None,
        "consumer_max_fetch_size": 1 << 20,
        "broker_max_poll_records": 20_000,
        "broker_session_timeout": config.session_ms / 1000,
        "broker_heartbeat_interval": config.session_ms / 6000,
        "broker_rebalance_timeout": 15.0,
        "broker_commit_interval": commit_s,
    }
