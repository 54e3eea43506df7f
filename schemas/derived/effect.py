"""`derived.effect.v1`: what the fold concluded, dense per partition and generation."""

from typing import NamedTuple

FACT, ACTION, PUBLICATION, RUN = "fact", "action", "publication", "run"


class Effect(NamedTuple):
    """Envelope of every effect (Avro single-object; Kafka key `tenant|subject`, header `kind`).

    Args:
        kind: `fact`, `action`, `publication` or `run`.
        name: `deal_won`, `notify`, …
        id: uuid5 of (tenant, journal partition, journal offset, index): the same at every replay.
        seq: Dense number of the effect in its partition and generation, from 0: a reader proves it
            missed nothing.
        generation: Of the fold that wrote it.
        tenant: Tenant id.
        subject: Of the entry or timer that caused it.
        time_ms: Event time of what it reports, UTC ms (a timer's: when it was due).
        cause_offset: Offset of the journal entry that caused it.
        index: Position among the effects of that entry.
        data: `Fact`, `Notify` or `Publication`, single-object encoded.
    """

    kind: str
    name: str
    id: str
    seq: int
    generation: int
    tenant: str
    subject: str
    time_ms: int
    cause_offset: int
    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody calls
    data: bytes


class Fact(NamedTuple):
    """Something measured. One shape for all facts, so one table and one place for dimensions.

    Args:
        name: `deal_won`, `deal_stage`, `first_response`, …
        entity: Id of the deal, lead, task … it is about.
        started_ms: Start of what was measured; 0 when it has no duration.
        ended_ms: Event time of the fact itself, UTC ms.
        duration_ms: `ended_ms - started_ms` when both exist, else 0; never negative.
        amount_minor: Money, in minor units of `currency`; 0 when none.
        currency: ISO 4217 or empty.
        value: +1 or -1 for gauges (open deals); 1 otherwise.
        stage: Deal or lead stage.
        outcome: `won`, `lost`, `completed`, … or empty.
        agent: Owner's id or empty.
        team: Owner's team or empty.
        region: Owner's region or empty.
        product: Product id or empty; of several, the first.
        campaign: Campaign id or empty.
        lead_source: Or empty.
        channel: Or empty.
        origin: As the entry's.
        late: True when the event was older than the hour retention at fold time.
    """

    name: str
    entity: str
    started_ms: int = 0
    ended_ms: int = 0
    duration_ms: int = 0
    amount_minor: int = 0
    currency: str = ""
    value: int = 1
    stage: str = ""
    outcome: str = ""
    agent: str = ""
    team: str = ""
    region: str = ""
    product: str = ""
    campaign: str = ""
    lead_source: str = ""
    channel: str = ""
    origin: str = "live"
    late: bool = False


class Notify(NamedTuple):
    """Action `notify`: tell people of the CRM something, once.

    Args:
        to: Agent ids, without repeats, most concerned first.
        title: One line.
        body: Plain text.
        about: Subject it concerns (`contact/42`).
        reason: Stable code, e.g. `lead_sla_breached`.
    """

    to: list[str]
    title: str
    body: str
    about: str
    reason: str


class Publication(NamedTuple):
    """For browsers: JSON to push to one channel.

    Args:
        channel: `tasks:#<agent>`, `notifications:#<agent>` …
        json: The publication's data as JSON text.
    """

    channel: str
    json: str
