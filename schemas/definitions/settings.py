"""Definition kind `settings`: how a tenant counts time and money."""

from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from schemas.zones import is_known


def _known_zone(name: str) -> str:
    if not is_known(name):
        problem = f"unknown time zone {name!r}; use an IANA name such as Europe/Berlin"
        raise ValueError(problem)
    return name


class Settings(BaseModel):
    """Settings of one tenant; takes effect at one offset of each journal partition.

    Args:
        timezone: IANA zone; decides where a day begins.
        currency: ISO 4217; totals add up amounts of this currency only, others are shown apart
            in dimension `currency`.
        first_contact_within: A live lead without contact for longer breaches its SLA
            (ISO 8601 duration such as `PT4H`); absent: no SLA.
        hour_retention: Hour buckets of events older than this at fold time are closed: they
            count by day and all-time only.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    timezone: Annotated[str, AfterValidator(_known_zone)] = "UTC"
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "USD"
    first_contact_within: Annotated[timedelta, Field(gt=timedelta(0))] | None = None
    hour_retention: Annotated[timedelta, Field(ge=timedelta(days=1), le=timedelta(days=400))] = (
        timedelta(days=35)
    )


KINDS: dict[str, type[BaseModel]] = {"settings": Settings}
"""Kind → model of its `spec`. Later kinds (workflow, template, funnel …) are added here."""
