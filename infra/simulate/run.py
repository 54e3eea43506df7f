"""Publishing a simulation at its pace: open loop, so a slow broker doesn't slow the traffic."""

from __future__ import annotations

import time
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from infra.simulate.settings import definitions
from infra.simulate.spoiling import spoil
from infra.simulate.traffic import reference, traffic

if TYPE_CHECKING:
    from collections.abc import Callable

    from infra.commands.publishing import Publisher
    from infra.simulate.traffic import Plan

BEHIND_S = 1.0


@dataclass(frozen=True, slots=True)
class Published:
    """What a run published.

    Args:
        reference: Settings and reference data, before the traffic.
        traffic: Events at their pace.
        behind_s: How late the last one was published, s; grows when the machine can't keep up.
    """

    reference: int
    traffic: int
    behind_s: float


def opening(plan: Plan, publisher: Publisher) -> int:
    """Publish the tenants' settings and reference data; return how many records."""
    events = [*definitions(plan), *reference(plan)]
    for outgoing in events:
        publisher.put(outgoing.record())
    publisher.flush()
    return len(events)


def run(
    plan: Plan,
    publisher: Publisher,
    *,
    for_s: float | None,
    bad_share: float = 0.0,
    stopped: Callable[[], bool] = lambda: False,
    report: Callable[[int, float], None] = lambda _count, _behind: None,
) -> Published:
    """Publish settings, reference data, then traffic until time is over or `stopped`.

    Args:
        plan: What to simulate; its start is about now.
        publisher: Where to.
        for_s: How long, s; None: until `stopped`.
        bad_share: Share of events that are made unreadable, 0…1.
        stopped: Asked before each event.
        report: Called about every second with (events so far, seconds behind).
    """
    before = opening(plan, publisher)
    dice = Random(f"{plan.seed}|bad")  # noqa: S311 - dice, not secrets
    began, count, behind, reported = time.monotonic(), 0, 0.0, 0.0
    for due in traffic(plan):
        due_s = (due.at_ms - plan.start_ms) / 1000
        if (for_s is not None and due_s >= for_s) or stopped():
            break
        now_s = time.monotonic() - began
        while now_s < due_s and not stopped():
            publisher.producer.poll(min(due_s - now_s, 0.2))
            now_s = time.monotonic() - began
        behind = max(0.0, now_s - due_s)
        publisher.put(spoil(due.outgoing.record(), dice, bad_share))
        count += 1
        if now_s - reported >= BEHIND_S:
            reported = now_s
            report(count, behind)
    publisher.flush()
    return Published(before, count, behind)
