"""Numbered SQL, forward and backward, and what runs it."""

from sinks.clickhouse.migrations.runner import migrate
from sinks.mapping.metrics import MetricInfo
from sinks.mapping.versions import Cluster, Migration, Step

__all__ = ["Cluster", "MetricInfo", "Migration", "Step", "migrate"]
