"""What a life acts in: its tenant, the time, the dice, and who is known so far."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import TypeAlias

from infra.simulate.cast import COMPANIES, FIRST_NAMES, LAST_NAMES, Agent, Tenant
from schemas.events import Event

Life: TypeAlias = Iterator[int | Event]
"""What happens to one lead, task, message …: an `Event` happens now, an int is a wait in ms."""

KNOWN_CONTACTS = 500
SECOND_MS = 1000
PACE = 0.4
"""A life takes this part of the time its author had in mind: a sale is seen within a minute."""


@dataclass(frozen=True, slots=True)
class Person:
    """A contact."""

    id: str
    first: str
    last: str
    company: str
    owner: Agent


@dataclass(slots=True)
class Scene:
    """One tenant's stage.

    Args:
        tenant: Whose.
        rng: Source of every choice.
        run: Distinguishes the ids of one run from those of others.
        now_ms: Event time of what happens now, UTC ms; the scheduler moves it.
        contacts: The latest people, whom messages and conversations concern.
    """

    tenant: Tenant
    rng: Random
    run: str
    now_ms: int = 0
    contacts: deque[Person] = field(default_factory=lambda: deque(maxlen=KNOWN_CONTACTS))
    _made: int = 0

    def new_id(self, kind: str) -> str:
        """Return an id no other entity of this tenant has: `lead-<run>-7`."""
        self._made += 1
        return f"{kind}-{self.run}-{self._made}"

    def chance(self, probability: float) -> bool:
        """Return True with the given probability."""
        return self.rng.random() < probability

    def wait(self, mean_s: float) -> int:
        """Return a wait in ms, exponentially distributed, at most five times the mean."""
        drawn = min(self.rng.expovariate(1.0), 5.0) * mean_s * PACE
        return int(max(0.2, drawn) * SECOND_MS)

    def agent(self) -> Agent:
        """Return some agent."""
        return self.rng.choice(self.tenant.agents)

    def in_s(self, seconds: float) -> datetime:
        """Return the time so many seconds from now, aware UTC, whole ms."""
        return datetime.fromtimestamp(self.now_ms / 1000, UTC).replace(
            microsecond=self.now_ms % 1000 * 1000
        ) + timedelta(seconds=round(seconds))

    def today(self, plus_days: int = 0) -> date:
        """Return today's date (UTC) or one relative to it."""
        return (self.in_s(0) + timedelta(days=plus_days)).date()

    def new_person(self) -> Person:
        """Return a person nobody knew."""
        person = Person(
            id=self.new_id("contact"),
            first=self.rng.choice(FIRST_NAMES),
            last=self.rng.choice(LAST_NAMES),
            company=self.rng.choice(COMPANIES),
            owner=self.agent(),
        )
        self.contacts.append(person)
        return person

    def known_person(self) -> Person:
        """Return someone already known; a new person when nobody is."""
        return self.rng.choice(self.contacts) if self.contacts else self.new_person()
