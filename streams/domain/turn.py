"""What a domain module sees and says while one journal entry (or one timer) is folded."""

from schemas.codec import encode_effect, encode_fact, encode_notify, encode_publication
from schemas.derived import effect as derived
from schemas.derived.effect import Effect, Fact, Notify, Publication
from schemas.journal import Entry, journal_key
from schemas.state.rows import Agent, TenantSettings, Timer
from streams.domain.batch import Batch
from streams.domain.identity import effect_id
from streams.domain.metrics.record import observations
from streams.domain.state import hour_group
from streams.domain.table import AGENTS, SETTINGS, Row, Table

HOUR_MS = 3_600_000

CLOSE_HOUR = "close_hour"
"""Timer module that closes the hour buckets of one tenant."""

_NO_SETTINGS = TenantSettings()
_NO_AGENT = Agent()


class Turn:
    """One step of the fold.

    Attributes:
        tenant: Whose turn it is; every key a module uses is within this tenant.
        subject: Of the entry, or of the entry that set the timer.
        time_ms: Event time, UTC ms; for a timer when it was due.
        now_ms: Fold time, UTC ms; measures lateness, never decides a bucket.
        origin: `live`, `import` … of the entry; `live` for a timer.
        settings: Of the tenant, as they stand at this offset.
    """

    __slots__ = (
        "_batch", "_generation", "_index", "_offset", "_partition",
        "now_ms", "origin", "settings", "subject", "tenant", "time_ms",
    )  # fmt: skip

    def __init__(
        self, batch: Batch, entry: Entry, *, offset: int, partition: int, generation: int
    ) -> None:
        self._batch = batch
        self._offset = offset
        self._partition = partition
        self._generation = generation
        self._index = 0
        self.now_ms = batch.head.now_ms
        self._turn_to(entry.tenant, entry.subject, entry.time_ms, entry.origin)

    def _turn_to(self, tenant: str, subject: str, time_ms: int, origin: str) -> None:
        self.tenant = tenant
        self.subject = subject
        self.time_ms = time_ms
        self.origin = origin
        self.settings = self._batch.find(SETTINGS, tenant) or _NO_SETTINGS

    def fired(self, tenant: str, timer: Timer) -> None:
        """Turn to a timer that this tick fires."""
        self._turn_to(tenant, timer.subject, timer.due_ms, "live")

    # state

    def find(self, table: Table[Row], entity: str) -> Row | None:
        """Return a row of this tenant to read, or None."""
        return self._batch.find(table, f"{self.tenant}|{entity}")

    def row(self, table: Table[Row], entity: str) -> Row:
        """Return a row of this tenant to change, made when missing."""
        return self._batch.row(table, f"{self.tenant}|{entity}")

    def agent(self, agent_id: str) -> Agent:
        """Return reference data of an agent; empty fields for one we were never told of."""
        found = self.find(AGENTS, agent_id) if agent_id else None
        return found or _NO_AGENT

    def change_settings(self) -> TenantSettings:
        """Return the tenant's settings to change; what was changed is seen from here on."""
        row = self._batch.row(SETTINGS, self.tenant)
        self.settings = row
        return row

    def count(self, what: str) -> None:
        """Count something for telemetry, e.g. an anomaly that changes nothing."""
        self._batch.count(what)

    # timers

    def set_timer(self, module: str, entity: str, due_ms: int) -> None:
        """Wake `module` about `entity` on the first tick at or after `due_ms`; replaces."""
        self._batch.set_timer(f"{module}|{self.tenant}|{entity}", Timer(due_ms, self.subject))

    def cancel_timer(self, module: str, entity: str) -> None:
        """Cancel that wake-up, if it is set."""
        self._batch.cancel_timer(f"{module}|{self.tenant}|{entity}")

    # effects

    def fact(self, fact: Fact) -> None:
        """State something measured: it is published, and it changes the metrics."""
        settings, ended_ms = self.settings, fact.ended_ms
        late = ended_ms < settings.hours_closed_ms or (
            self.now_ms > 0 and self.now_ms - ended_ms > settings.hour_retention_ms
        )
        # `_replace` of the last two fields, at a third of the time: this runs for every fact.
        fact = tuple.__new__(Fact, (*fact[:-2], self.origin, late))
        self._emit(derived.FACT, fact.name, fact.ended_ms, encode_fact(fact))
        for observation in observations(self.tenant, fact, self.settings):
            fresh = self._batch.observe(observation, self._offset)
            if fresh and observation.hour_ms is not None:
                self._close_hour_later(observation.hour_ms)

    def notify(self, action: Notify) -> None:
        """Have people told something, once."""
        if action.to:
            self._emit(derived.ACTION, "notify", self.time_ms, encode_notify(action))

    def publish(self, name: str, publication: Publication) -> None:
        """Push something to browsers."""
        self._emit(derived.PUBLICATION, name, self.time_ms, encode_publication(publication))

    def close_hour(self, bucket_ms: int) -> None:
        """Forget the hour buckets of this tenant that start at `bucket_ms`, for good.

        A retention raised later must not open them again: they would count from zero.
        """
        self._batch.close_hour(self.tenant, bucket_ms)
        row = self.change_settings()
        row.hours_closed_ms = max(row.hours_closed_ms, bucket_ms + HOUR_MS)

    def _close_hour_later(self, bucket_ms: int) -> None:
        timer = f"{CLOSE_HOUR}|{hour_group(self.tenant, bucket_ms)}"
        if not self._batch.has_timer(timer):
            due_ms = bucket_ms + self.settings.hour_retention_ms + 2 * HOUR_MS
            self._batch.set_timer(timer, Timer(due_ms, ""))

    def _emit(self, kind: str, name: str, time_ms: int, data: bytes) -> None:
        head = self._batch.head
        value = encode_effect(
            tuple.__new__(
                Effect,
                (
                    kind,
                    name,
                    effect_id(self.tenant, self._partition, self._offset, self._index),
                    head.seq,
                    self._generation,
                    self.tenant,
                    self.subject,
                    time_ms,
                    self._offset,
                    self._index,
                    data,
                ),
            )
        )
        head.seq += 1
        self._index += 1
        self._batch.effects.append((journal_key(self.tenant, self.subject), kind, value))
