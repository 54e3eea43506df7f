"""`crm.contact.*`: people."""

from typing import ClassVar, Literal

from pydantic import Field

from schemas.events.event import Change, Event
from schemas.events.fields import Country, Identifier, Label, Language, Line, Phone, Text, Zone


class ContactEvent(Event):
    """An event about one person as such."""

    SUBJECT = (("contact", "contact_id"),)

    contact_id: Identifier


class ContactCreated(ContactEvent):
    """A person became known."""

    TYPE = "crm.contact.created.v1"
    EXAMPLE: ClassVar = {
        "contact_id": "c-42",
        "email": "ada@example.com",
        "phone_e164": "+4930123456",
        "first_name": "Ada",
        "last_name": "Byron",
        "company": "Analytical Engines",
        "country": "DE",
        "language": "de-DE",
        "timezone": "Europe/Berlin",
        "lifecycle_stage": "subscriber",
        "owner_id": "a-7",
    }

    email: Line | None = None
    phone_e164: Phone | None = None
    first_name: Line | None = None
    last_name: Line | None = None
    company: Line | None = None
    title: Line | None = None
    country: Country | None = None
    region: Label | None = None
    language: Language | None = None
    timezone: Zone | None = None
    lifecycle_stage: Label | None = None
    owner_id: Identifier | None = None
    changes: list[Change] = Field(default_factory=list, max_length=500)


class ContactUpdated(ContactCreated):
    """Something about a person changed; `changes` says what."""

    TYPE = "crm.contact.updated.v1"
    EXAMPLE: ClassVar = {
        "contact_id": "c-42",
        "lifecycle_stage": "customer",
        "changes": [{"field": "lifecycle_stage", "old": "subscriber", "new": "customer"}],
    }


class ContactMerged(ContactEvent):
    """Two records were one person: `contact_id` lives on as `into_contact_id`."""

    TYPE = "crm.contact.merged.v1"
    EXAMPLE: ClassVar = {"contact_id": "c-42", "into_contact_id": "c-17"}

    into_contact_id: Identifier


class ContactSubscriptionChanged(ContactEvent):
    """A person allowed or forbade messages; without category or channel: all of them."""

    TYPE = "crm.contact.subscription_changed.v1"
    EXAMPLE: ClassVar = {
        "contact_id": "c-42",
        "category": "marketing",
        "channel": "email",
        "state": "unsubscribed",
        "method": "one_click",
    }

    category: Label | None = None
    channel: Label | None = None
    state: Literal["subscribed", "unsubscribed"]
    method: Label | None = None


class ContactErased(ContactEvent):
    """A person's data is to become unreadable everywhere; aggregates stay."""

    TYPE = "crm.contact.erased.v1"
    EXAMPLE: ClassVar = {"contact_id": "c-42", "reason": "request of the person"}

    reason: Text | None = None
