"""Events nobody can read, on purpose: to see dead letters work. Pure."""

from collections.abc import Callable
from random import Random

from infra.commands.publishing import Outbound

FUTURE = b"2999-01-01T00:00:00.000Z"


def _header(record: Outbound, name: str, value: bytes) -> Outbound:
    return record._replace(headers=[(n, value if n == name else v) for n, v in record.headers])


def _not_json(record: Outbound) -> Outbound:
    return record._replace(value=(record.value or b"")[: len(record.value or b"") // 2])


def _no_fields(record: Outbound) -> Outbound:
    return record._replace(value=b"{}")


def _unknown_type(record: Outbound) -> Outbound:
    return _header(record, "ce_type", b"crm.deal.daydreamed.v1")


def _bad_tenant(record: Outbound) -> Outbound:
    return _header(record, "ce_tenantid", b"No Such Tenant!")


def _future(record: Outbound) -> Outbound:
    return _header(record, "ce_time", FUTURE)


WAYS: tuple[Callable[[Outbound], Outbound], ...] = (
    _not_json,
    _no_fields,
    _unknown_type,
    _bad_tenant,
    _future,
)


def spoil(record: Outbound, rng: Random, share: float) -> Outbound:
    """Return the record, or with probability `share` something ingest must refuse.

    Args:
        record: A binary-mode CloudEvent.
        rng: Decides whether and how.
        share: 0…1.
    """
    if share <= 0 or rng.random() >= share:
        return record
    return rng.choice(WAYS)(record)
