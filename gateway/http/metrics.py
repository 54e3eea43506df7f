"""`GET /metrics` and `GET /metrics/{name}`: the catalogue, and series with their comparison."""

from datetime import UTC, datetime
from enum import StrEnum
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from pydantic import AwareDatetime, BaseModel, Field

from gateway.http.access import READ_METRICS, allowed, ports_of
from gateway.http.ports import CatalogueMetric, Figure, Ports, Series
from gateway.http.problems import ProblemError, documented
from gateway.protocol.permissions import Claims

router = APIRouter(tags=["metrics"])

MAX_POINTS = 10_000
LAST_MS = 2**32 * 1000
"""ClickHouse's DateTime ends in 2106."""

_MARCH = ["2026-03-01T00:00:00+01:00"]


class Grain(StrEnum):
    """Size of the buckets."""

    HOUR = "hour"
    DAY = "day"
    ALL = "all"


class MetricInfo(BaseModel):
    """One metric of the catalogue."""

    name: str = Field(examples=["won_amount"])
    unit: str = Field(description="count, minor (minor units of currency), seconds or ratio.")
    grains: list[str] = Field(examples=[["hour", "day", "all"]])
    dimensions: list[str] = Field(description="What `by` takes.", examples=[["agent", "team"]])
    description: str


class Catalogue(BaseModel):
    """All metrics there are."""

    metrics: list[MetricInfo]


class Point(BaseModel):
    """One bucket of one member."""

    bucket: datetime | None = Field(description="Start, UTC; null with grain `all`.")
    member: str = Field(description="Which agent, team …; empty for the total.")
    count: int = Field(description="Observations.")
    value: float = Field(description="The figure a person expects, in `unit`.")


class Period(BaseModel):
    """A period and its points, by time and member."""

    start: datetime | None = Field(description="Buckets from here on; null: from the first one.")
    end: datetime | None = Field(description="Buckets before this; null: to the last one.")
    points: list[Point]


class Answer(BaseModel):
    """A metric's series."""

    metric: str
    unit: str
    grain: Grain
    by: str = Field(description="Dimension; empty for the total.")
    series: Period
    previous: Period | None = Field(description="With `compare=previous`, else null.")


@router.get("/metrics", responses=documented(401, 403))
async def catalogue(
    _: Annotated[Claims, Depends(allowed(READ_METRICS))],
    ports: Annotated[Ports, Depends(ports_of)],
) -> Catalogue:
    """List the metrics: unit, grains, dimensions, meaning."""
    return Catalogue(
        metrics=[
            MetricInfo(
                name=each.name,
                unit=each.unit,
                grains=list(each.grains),
                dimensions=list(each.dimensions),
                description=each.description,
            )
            for each in ports.metrics
        ]
    )


@router.get("/metrics/{name}", responses=documented(401, 403, 404, 422, 503))
async def metric(  # noqa: PLR0913 - one argument per parameter
    name: Annotated[str, Path(max_length=64, examples=["won_amount"])],
    caller: Annotated[Claims, Depends(allowed(READ_METRICS))],
    ports: Annotated[Ports, Depends(ports_of)],
    *,
    grain: Annotated[Grain, Query(description="Size of the buckets.")] = Grain.ALL,
    by: Annotated[str, Query(max_length=64, description="Break down by this dimension.")] = "",
    start: Annotated[
        AwareDatetime | None,
        Query(alias="from", description="First bucket: RFC 3339 with an offset.", examples=_MARCH),
    ] = None,
    end: Annotated[
        AwareDatetime | None,
        Query(alias="to", description="First bucket left out: likewise.", examples=_MARCH),
    ] = None,
    compare: Annotated[
        str, Query(pattern="^(previous)?$", description="`previous`: the period before, too.")
    ] = "",
) -> Answer:
    """Return a metric's buckets that start in [from, to), from ClickHouse.

    Days begin in the tenant's time zone. The previous period is as long, and ends at `from`.
    """
    found = next((each for each in ports.metrics if each.name == name), None)
    if found is None:
        raise ProblemError(HTTPStatus.NOT_FOUND, "unknown_metric", "see `GET /metrics`")
    first, last = _ms(start, 0), _ms(end, LAST_MS)
    _check(found, grain, by, first, last)
    if compare and (start is None or end is None or grain is Grain.ALL):
        raise _invalid("compare", "needs `from`, `to` and buckets of an hour or a day")
    asked = Series(caller.tenant, name, str(grain), by, first, last)
    series = Period(start=start, end=end, points=await _points(ports, asked))
    previous = None
    if compare:
        before = asked._replace(start_ms=max(0, 2 * first - last), end_ms=first)
        previous = Period(
            start=_time(before.start_ms),
            end=_time(before.end_ms),
            points=await _points(ports, before),
        )
    return Answer(
        metric=name, unit=found.unit, grain=grain, by=by, series=series, previous=previous
    )


def _check(found: CatalogueMetric, grain: Grain, by: str, first: int, last: int) -> None:
    if by and by not in found.dimensions:
        raise _invalid("by", f"is none of: {', '.join(found.dimensions) or '(none)'}")
    if grain not in found.grains:
        raise _invalid("grain", f"is none of: {', '.join(found.grains)}")
    if not 0 <= first < last <= LAST_MS:
        raise _invalid("from", "should be before `to`, and both between 1970 and 2106")


async def _points(ports: Ports, asked: Series) -> list[Point]:
    if asked.grain == Grain.ALL:  # its one bucket starts at 0
        asked = asked._replace(start_ms=0, end_ms=1)
    figures = await ports.reports.figures(asked, limit=MAX_POINTS + 1)
    if len(figures) > MAX_POINTS:
        raise _invalid("from", f"more than {MAX_POINTS} points: ask for a shorter period")
    return [_point(each, asked.grain) for each in figures]


def _point(figure: Figure, grain: str) -> Point:
    bucket = None if grain == Grain.ALL else _time(figure.bucket_ms)
    return Point(bucket=bucket, member=figure.member, count=figure.observations, value=figure.value)


def _ms(moment: datetime | None, otherwise: int) -> int:
    return otherwise if moment is None else int(moment.timestamp() * 1000)


def _time(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


def _invalid(parameter: str, detail: str) -> ProblemError:
    return ProblemError(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "invalid_request",
        "the request has invalid parts",
        members={"errors": [{"path": f"query.{parameter}", "detail": detail}]},
    )
