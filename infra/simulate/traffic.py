"""The traffic of a simulation: many lives, one event per slot of time. Pure.

The rate is exact: slot `n` is at `start + n / rate`, and one event happens in each. What happens is
the next event of a life that is due; else a new life begins, up to as many as the rate can carry;
else someone looks at a page, the bulk of every CRM's traffic.
"""

import heapq
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import accumulate
from random import Random

from infra.commands.publishing import Outgoing
from infra.simulate import marketing, office, sales, service
from infra.simulate.cast import Tenant, cast
from infra.simulate.scene import Life, Scene
from schemas.events import (
    ActivityCallEnded,
    ActivityPageViewed,
    CampaignSpendRecorded,
    Event,
    LeadCreated,
)

SOURCE = "daybook/simulate"
NAMESPACE = uuid.UUID("0a9d0f0e-5a86-5d1c-8f5e-5b4f0c6d2e11")
EVENTS_PER_LIFE = 6
"""New lives begin at this fraction of the rate; measured mean is below it, page views fill up."""

LIVES: tuple[tuple[int, Callable[[Scene], Life]], ...] = (
    (30, sales.lead),
    (30, marketing.message),
    (18, service.task),
    (14, service.conversation),
    (10, service.call),
    (6, service.meeting),
    (10, marketing.touch),
    (5, marketing.spend),
    (4, marketing.form),
    (4, office.presence),
    (2, marketing.pause),
    (1, office.transfer),
    (1, office.catalogue_edit),
    (1, office.company_news),
    (1, office.merge),
    (1, office.erasure),
)
"""(weight, life)."""

_WEIGHTS = list(accumulate(weight for weight, _ in LIVES))

LATE = (LeadCreated, ActivityCallEnded, ActivityPageViewed, CampaignSpendRecorded)
"""What may arrive late: entered by hand afterwards, or kept by a device without a network."""
LATE_SHARE = 0.02
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
DUPLICATE_SHARE = 0.004


@dataclass(frozen=True, slots=True)
class Plan:
    """What to simulate.

    Args:
        seed: The same seed and start give the same events.
        start_ms: Time of the first event, UTC ms.
        rate: Events per second over all tenants.
        tenants: How many.
        users: Agents of each tenant.
    """

    seed: int
    start_ms: int
    rate: float = 50.0
    tenants: int = 3
    users: int = 12

    @property
    def run(self) -> str:
        """Part of every id, so that two runs never speak of the same lead."""
        return uuid.uuid5(NAMESPACE, f"{self.seed}|{self.start_ms}").hex[:8]


@dataclass(frozen=True, slots=True)
class Due:
    """One event of the traffic.

    Args:
        at_ms: When to publish it, UTC ms; ascending.
        outgoing: The event; its own time is earlier when it is late.
    """

    at_ms: int
    outgoing: Outgoing


@dataclass(slots=True)
class _Stage:
    """The lives under way, ordered by when they go on."""

    rng: Random
    scenes: list[Scene]
    started: int = 0
    _queue: list[tuple[int, int, Scene, Iterator[int | Event | Outgoing]]] = field(
        default_factory=list
    )
    _turn: int = 0

    def enter(self, scene: Scene, life: Iterator[int | Event | Outgoing], at_ms: int) -> None:
        self._turn += 1  # orders what is due at the same time; lives themselves don't compare
        heapq.heappush(self._queue, (at_ms, self._turn, scene, life))

    def next(self, now_ms: int) -> tuple[Scene, Event | Outgoing] | None:
        """Return what happens now, or None when nothing is due."""
        while self._queue and self._queue[0][0] <= now_ms:
            due_ms, _, scene, life = heapq.heappop(self._queue)
            scene.now_ms = now_ms
            step = next(life, None)
            if isinstance(step, int):
                self.enter(scene, life, due_ms + step)
            elif step is not None:
                self.enter(scene, life, now_ms)
                return scene, step
        return None

    def begin(self, now_ms: int) -> None:
        """Let a new life begin in some tenant."""
        _, life = self.rng.choices(LIVES, cum_weights=_WEIGHTS)[0]
        scene = self.rng.choice(self.scenes)
        self.started += 1
        self.enter(scene, life(scene), now_ms)

    def fill(self, now_ms: int) -> None:
        """Let someone look at a page."""
        scene = self.rng.choice(self.scenes)
        self.enter(scene, marketing.page_view(scene), now_ms)


def tenants(plan: Plan) -> tuple[Tenant, ...]:
    """Return the tenants of a plan, for their settings."""
    return cast(Random(plan.seed), plan.tenants, plan.users)  # noqa: S311 - dice, not secrets


def reference(plan: Plan) -> list[Outgoing]:
    """Return agents, products, campaigns and accounts of all tenants, to be published first."""
    rng = Random(f"{plan.seed}|reference")  # noqa: S311 - dice, not secrets
    events = []
    for tenant in tenants(plan):
        scene = Scene(tenant, rng, plan.run, plan.start_ms)
        for number, event in enumerate(office.opening(scene)):
            if isinstance(event, Event):
                events.append(_outgoing(plan, scene, event, f"opening|{number}"))
    return events


def traffic(plan: Plan) -> Iterator[Due]:
    """Yield events without end, in the order of their slots.

    Args:
        plan: What to simulate; needs `reference(plan)` published before.
    """
    rng = Random(f"{plan.seed}|traffic")  # noqa: S311 - dice, not secrets
    stage = _Stage(rng, [Scene(t, rng, plan.run) for t in tenants(plan)])
    slot = 0
    while True:
        now_ms = plan.start_ms + int(slot * 1000 / plan.rate)
        happening = stage.next(now_ms)
        if happening is None:
            if stage.started * EVENTS_PER_LIFE <= slot:
                stage.begin(now_ms)
            else:
                stage.fill(now_ms)
            continue
        scene, step = happening
        outgoing = (
            step
            if isinstance(step, Outgoing)
            else _timed(scene, _outgoing(plan, scene, step, str(slot)))
        )
        if isinstance(step, Event) and rng.random() < DUPLICATE_SHARE:
            stage.enter(scene, iter((outgoing,)), now_ms + scene.wait(3))
        yield Due(now_ms, outgoing)
        slot += 1


def _outgoing(plan: Plan, scene: Scene, event: Event, place: str) -> Outgoing:
    identity = str(uuid.uuid5(NAMESPACE, f"{plan.run}|{scene.tenant.id}|{place}"))
    return Outgoing(scene.tenant.id, identity, SOURCE, scene.now_ms, event)


def _timed(scene: Scene, outgoing: Outgoing) -> Outgoing:
    """Return the event, made late when the dice say so: by minutes, hours, or beyond a month."""
    if not isinstance(outgoing.event, LATE) or scene.rng.random() >= LATE_SHARE:
        return outgoing
    days = scene.rng.choice((0, 0, 1, 7, 45))
    late_ms = days * DAY_MS + int(scene.rng.expovariate(1 / HOUR_MS))
    return replace(outgoing, time_ms=outgoing.time_ms - late_ms)
