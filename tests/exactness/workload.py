"""What upstream says, drawn from a seed: the same seed gives the same records. Pure.

Half of it is the simulator's traffic (leads, deals, tasks, messages, reference data …); the other
half moves deals whose popularity follows Zipf's law, so that a few subjects get most of the events
and their state depends on long histories. Strewn in: repeats by the producer, late events, records
ingest must refuse, and settings that change while events flow.
"""

import itertools
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import NamedTuple

from infra.commands.publishing import Outbound, Outgoing
from infra.simulate.settings import definitions
from infra.simulate.spoiling import WAYS
from infra.simulate.traffic import Plan, reference, tenants, traffic
from schemas.definitions.applied import DefinitionApplied
from schemas.events import (
    DealAmountChanged,
    DealCreated,
    DealLost,
    DealReopened,
    DealStageChanged,
    DealWon,
    Event,
    TaskCreated,
)

SOURCE = "torture"
TENANTS = 3
DEALS = 2_000
"""Deals of each tenant."""
ZIPF = 1.1
STAGES = ("prospecting", "engaging", "proposal", "negotiation")
DAY_MS = 86_400_000
SPAN_MS = 2 * DAY_MS
"""Event time that passes during a run, however long it takes."""
BEFORE_MS = 3 * DAY_MS
"""The first event is so much older than the run, so that no step of a clock makes one lie in the
future: what ingest refuses is then known beforehand."""
SPOILED, REPEATED, LATE = 0.01, 0.01, 0.02
SETTINGS_EVERY = 2_000


class Planned(NamedTuple):
    """One upstream record.

    Args:
        record: What is published.
        identity: (tenant, source, id) of the event; None: ingest must refuse the record.
    """

    record: Outbound
    identity: tuple[str, str, str] | None


@dataclass(frozen=True, slots=True)
class Workload:
    """A run's traffic.

    Args:
        seed: Of all choices.
        events: How many records follow the opening (settings and reference data).
        now_ms: When the run begins, UTC ms.
    """

    seed: int
    events: int
    now_ms: int

    @property
    def plan(self) -> Plan:
        """The simulator's part."""
        return Plan(
            self.seed,
            self.now_ms - BEFORE_MS,
            rate=self.events * 1000 / SPAN_MS / 2,
            tenants=TENANTS,
        )

    def records(self) -> Iterator[Planned]:
        """Yield everything, in the order it is published."""
        plan = self.plan
        for outgoing in (*definitions(plan), *reference(plan)):
            yield _planned(outgoing)
        yield from itertools.islice(self._mixed(plan), self.events)

    def _mixed(self, plan: Plan) -> Iterator[Planned]:
        rng = Random(f"{self.seed}|mix")  # noqa: S311 - dice, not secrets
        simulated = (due.outgoing for due in traffic(plan))
        names = [tenant.id for tenant in tenants(plan)]
        deals = _Deals(rng, names)
        recent: deque[Planned] = deque(maxlen=200)
        for number in itertools.count():
            at_ms = plan.start_ms + number * SPAN_MS // max(1, self.events)
            if number % SETTINGS_EVERY == SETTINGS_EVERY - 1:
                yield _planned(_settings(rng, names, number, at_ms))
            elif recent and rng.random() < REPEATED:
                yield rng.choice(recent)
            elif rng.random() < SPOILED:
                refused = rng.choice(WAYS)(next(simulated).record())
                yield Planned(refused, None)
            else:
                fresh = next(simulated) if rng.random() < 0.5 else deals.event(number, at_ms)
                planned = _planned(fresh)
                recent.append(planned)
                yield planned


def _planned(outgoing: Outgoing) -> Planned:
    identity = (outgoing.tenant, outgoing.source, outgoing.id)
    return Planned(outgoing.record(), identity)


class _Deals:
    """Draws what happens to deals, of which some are far more popular than others."""

    def __init__(self, rng: Random, names: list[str]) -> None:
        self._rng, self._names = rng, names
        weights = (1 / rank**ZIPF for rank in range(1, DEALS + 1))
        self._cumulated = list(itertools.accumulate(weights))

    def event(self, number: int, at_ms: int) -> Outgoing:
        """Return one event; 2 % are up to forty days late."""
        rng = self._rng
        if rng.random() < LATE:
            at_ms -= rng.randrange(40 * DAY_MS)
        (rank,) = rng.choices(range(DEALS), cum_weights=self._cumulated)
        event = self._happening(f"deal-{rank}", at_ms)
        return Outgoing(rng.choice(self._names), f"event-{number}", SOURCE, at_ms, event)

    def _happening(self, deal: str, at_ms: int) -> Event:
        rng, amount = self._rng, self._rng.randrange(1_000_000)
        agent = f"agent-{rng.randrange(14)}"
        due_s = at_ms // 1000 + rng.randrange(7 * DAY_MS // 1000)
        events: tuple[Event, ...] = (
            DealCreated(deal_id=deal, stage=STAGES[0], owner_id=agent,
                        amount_minor=amount, currency="EUR"),
            DealStageChanged(deal_id=deal, to=rng.choice(STAGES)),
            DealAmountChanged(deal_id=deal, to_minor=amount, currency="EUR"),
            DealWon(deal_id=deal, amount_minor=amount, currency="EUR"),
            DealLost(deal_id=deal),
            DealReopened(deal_id=deal),
            TaskCreated(task_id=f"task-{deal}-{rng.randrange(50)}", assignee_id=agent,
                        due_at=datetime.fromtimestamp(due_s, UTC)),
        )  # fmt: skip
        return rng.choices(events, (1, 3, 1, 1, 1, 1, 2))[0]


def _settings(rng: Random, names: list[str], number: int, at_ms: int) -> Outgoing:
    """Return other settings of some tenant: they move days, close hours and set deadlines."""
    spec = {
        "timezone": rng.choice(("Europe/Berlin", "America/New_York", "Asia/Tokyo")),
        "currency": rng.choice(("EUR", "USD")),
        "first_contact_within": rng.choice(("PT4H", "PT30M")),
        "hour_retention": rng.choice(("P1D", "P2D", "P35D")),
    }
    event = DefinitionApplied.model_validate({"kind": "settings", "id": "default", "spec": spec})
    return Outgoing(rng.choice(names), f"settings-{number}", SOURCE, at_ms, event)
