"""Every metric of a gateway: name and meaning in one typed place."""

from collections.abc import Callable
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Counter, Gauge


class Count(NamedTuple):
    """One counter.

    Args:
        name: Without the `_total` it gets.
        meaning: One sentence, for `/metrics`.
    """

    name: str
    meaning: str


PUBLICATIONS = Count("daybook_gateway_publications", "Publications read from Kafka.")
DELIVERIES = Count("daybook_gateway_deliveries", "Publications written to connections.")
UNREADABLE = Count("daybook_gateway_unreadable", "Records that are no publication, passed over.")
HANDSHAKES = Count("daybook_gateway_handshakes", "Connections that were opened.")
TURNED_AWAY = Count("daybook_gateway_turned_away", "Connections refused because of too many.")
COUNTS = (PUBLICATIONS, DELIVERIES, UNREADABLE, HANDSHAKES, TURNED_AWAY)


class Telemetry:
    """The counters and gauges of a process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._counters = {
            each.name: Counter(each.name, each.meaning, registry=self.registry) for each in COUNTS
        }

    def count(self, what: Count, amount: int = 1) -> None:
        """Count."""
        if amount:
            self._counters[what.name].inc(amount)

    def gauge(self, name: str, meaning: str, read: Callable[[], float]) -> None:
        """Show a value that is asked for when somebody looks."""
        Gauge(name, meaning, registry=self.registry).set_function(read)
