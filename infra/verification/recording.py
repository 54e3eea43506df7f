"""The record of a reconciliation in `ops.verification.v1`."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from infra.commands.connect import RETRY_AFTER_S, TIMEOUT_S, metadata, producer
from schemas.codec import encode_verification
from schemas.errors import ConfigurationError, Unavailable
from schemas.topics import VERIFICATION
from schemas.verification import DIFFERENT, EQUAL, EVERYBODY, UNAVAILABLE, Verification

if TYPE_CHECKING:
    from infra.settings import Settings
    from infra.verification.findings import Result

MOST = 20
"""Findings written into the record; their number is of all."""


def now_ms() -> int:
    """Return the time, UTC ms."""
    return int(time.time() * 1000)


def of_result(tenant: str, result: Result, started_ms: int) -> Verification:
    """Return the record of a finished reconciliation."""
    findings = [json.dumps(each.as_json()) for each in result.findings[:MOST]]
    return Verification(
        scope=tenant or EVERYBODY,
        generation=result.generation,
        outcome=EQUAL if result.agree else DIFFERENT,
        started_ms=started_ms,
        ended_ms=now_ms(),
        cuts=[result.cuts[partition] for partition in sorted(result.cuts)],
        folded=result.folded,
        parts=result.parts,
        facts=result.rows,
        hash=result.hash(),
        differences=len(result.findings),
        findings=findings,
    )


def unavailable(tenant: str, generation: int, started_ms: int, problem: str) -> Verification:
    """Return the record of one that couldn't be made."""
    return Verification(
        scope=tenant or EVERYBODY,
        generation=generation,
        outcome=UNAVAILABLE,
        started_ms=started_ms,
        ended_ms=now_ms(),
        cuts=[],
        problem=problem,
    )


def publish(settings: Settings, record: Verification) -> None:
    """Append a record to the topic.

    Raises:
        ConfigurationError: there is no such topic.
        Unavailable: the broker didn't take it.
    """
    client = producer(settings)
    if VERIFICATION not in metadata(client, settings).topics:
        raise ConfigurationError(
            "topics", f"{VERIFICATION} is missing; run `daybook topics create`"
        )
    client.produce(VERIFICATION, encode_verification(record), record.scope.encode())
    if client.flush(TIMEOUT_S):
        raise Unavailable("Kafka", RETRY_AFTER_S, f"{VERIFICATION} took no record")
