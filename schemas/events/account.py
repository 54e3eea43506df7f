"""`crm.account.*`: companies."""

from typing import ClassVar

from schemas.events.event import Event
from schemas.events.fields import Country, Currency, Identifier, Label, Line, Money, Natural


class AccountCreated(Event):
    """A company became known."""

    TYPE = "crm.account.created.v1"
    SUBJECT = (("account", "account_id"),)
    EXAMPLE: ClassVar = {
        "account_id": "acme",
        "name": "Acme Corporation",
        "sector": "technology",
        "country": "US",
        "employees": 2822,
        "revenue_minor": 110004000000,
        "currency": "USD",
    }

    account_id: Identifier
    name: Line | None = None
    sector: Label | None = None
    country: Country | None = None
    employees: Natural | None = None
    revenue_minor: Money | None = None
    currency: Currency | None = None
    parent_account_id: Identifier | None = None


class AccountUpdated(AccountCreated):
    """Something about a company changed; carries the company as it is now."""

    TYPE = "crm.account.updated.v1"
    EXAMPLE: ClassVar = {
        "account_id": "acme",
        "name": "Acme Corporation",
        "parent_account_id": "bluth",
    }
