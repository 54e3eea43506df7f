"""Who there is: tenants with their agents, products, campaigns and accounts, drawn from a seed."""

from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from infra.pipeline_import.mapping import slug


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FIRST_NAMES = _words(
    "Ada Alan Amara Anil Beatriz Chen Daria Elif Emil Fatima Grace Hana Ines Jamal Jonas Kofi Lena "
    "Linus Marta Mei Nadia Niels Olga Omar Priya Rosa Sami Sven Tomas Yuki Zoe"
)
LAST_NAMES = _words(
    "Abara Berg Castillo Dubois Eriksen Fischer Garcia Haddad Ito Jansen Kaya Larsen Mehta Moreau "
    "Nakamura Novak Okafor Petrov Quist Rossi Santos Schmidt Silva Tanaka Ueda Varga Weber Xu "
    "Yilmaz Zhang"
)
COMPANIES = _words(
    "Alder Basalt Cinder Dovetail Ember Fathom Granite Harbor Indigo Juniper Keystone Lumen "
    "Meridian Nimbus Orchard Pivot Quarry Ridge Summit Tundra"
)
SECTORS = ("software", "retail", "finance", "medical", "logistics")
SKILLS = ("enterprise", "onboarding", "billing", "technical")
TEAM_SIZE = 4


class Market(NamedTuple):
    """Where a tenant sells.

    Args:
        name: First part of the tenant's id.
        zone: IANA time zone: decides where its days begin.
        currency: ISO 4217.
        minor: Minor units in one unit of the currency.
        price: Price of the cheapest product, in units.
        country: ISO 3166-1 alpha-2.
        language: BCP 47.
        dial: Country code of its telephone numbers.
        regions: Its sales regions.
    """

    name: str
    zone: str
    currency: str
    minor: int
    price: int
    country: str
    language: str
    dial: str
    regions: tuple[str, ...]


MARKETS = (
    Market("nordlicht", "Europe/Berlin", "EUR", 100, 90, "DE", "de", "49", ("North", "South")),
    Market("prairie", "America/New_York", "USD", 100, 100, "US", "en", "1", ("East", "West")),
    Market("sakura", "Asia/Tokyo", "JPY", 1, 15_000, "JP", "ja", "81", ("Kanto", "Kansai")),
    Market("harbour", "Australia/Sydney", "AUD", 100, 140, "AU", "en", "61", ("Coast", "Inland")),
    Market("himal", "Asia/Kathmandu", "NPR", 100, 9_000, "NP", "ne", "977", ("Hills", "Terai")),
)


@dataclass(frozen=True, slots=True)
class Agent:
    """A person of the CRM."""

    id: str
    name: str
    team: str
    manager: str
    region: str


@dataclass(frozen=True, slots=True)
class Product:
    """Something sold; `price_minor` in the tenant's currency."""

    id: str
    name: str
    series: str
    price_minor: int


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign and the channel it runs in."""

    id: str
    name: str
    channel: str
    medium: str


@dataclass(frozen=True, slots=True)
class Tenant:
    """One customer of Daybook with everything its events refer to."""

    id: str
    market: Market
    agents: tuple[Agent, ...]
    products: tuple[Product, ...]
    campaigns: tuple[Campaign, ...]
    accounts: tuple[str, ...]


def cast(rng: Random, tenants: int, users: int) -> tuple[Tenant, ...]:
    """Return the tenants of a simulation.

    Args:
        rng: Source of every choice.
        tenants: How many; from the sixth on markets repeat with a number behind the name.
        users: Agents of each.
    """
    return tuple(_tenant(rng, index, users) for index in range(tenants))


def _tenant(rng: Random, index: int, users: int) -> Tenant:
    market = MARKETS[index % len(MARKETS)]
    round_ = index // len(MARKETS)
    return Tenant(
        id=market.name if not round_ else f"{market.name}-{round_ + 1}",
        market=market,
        agents=tuple(_agent(rng, market, number) for number in range(users)),
        products=_products(market),
        campaigns=(
            Campaign("cmp-search", "Brand search", "paid_search", "cpc"),
            Campaign("cmp-social", "Launch", "paid_social", "cpc"),
            Campaign("cmp-news", "Newsletter", "email", "email"),
            Campaign("cmp-fair", "Trade fair", "event", "offline"),
        ),
        accounts=tuple(f"{slug(name)}-{market.country.lower()}" for name in COMPANIES),
    )


def _agent(rng: Random, market: Market, number: int) -> Agent:
    team = number // TEAM_SIZE
    return Agent(
        id=f"agent-{number + 1}",
        name=f"{rng.choice(FIRST_NAMES)} {rng.choice(LAST_NAMES)}",
        team=f"team-{team + 1}",
        manager=f"agent-{team * TEAM_SIZE + 1}",
        region=market.regions[team % len(market.regions)],
    )


def _products(market: Market) -> tuple[Product, ...]:
    return tuple(
        Product(slug(name), name, series, market.price * market.minor * factor)
        for name, series, factor in (
            ("Desk Starter", "Desk", 1),
            ("Desk Team", "Desk", 6),
            ("Desk Enterprise", "Desk", 40),
            ("Voice Add-on", "Voice", 2),
        )
    )
