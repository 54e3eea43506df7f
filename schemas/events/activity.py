"""`crm.activity.*`: calls, meetings and visits of the web site."""

from typing import ClassVar, Literal

from schemas.events.event import PersonEvent, Utm
from schemas.events.fields import Identifier, Instant, Label, Natural, Text


class ActivityCallEnded(PersonEvent):
    """A call is over."""

    TYPE = "crm.activity.call_ended.v1"
    SUBJECT = (("contact", "contact_id"), ("activity", "call_id"))
    EXAMPLE: ClassVar = {
        "contact_id": "c-42",
        "call_id": "call-3",
        "agent_id": "a-7",
        "direction": "outbound",
        "duration_s": 260,
        "talk_s": 231,
        "disposition": "connected",
    }

    call_id: Identifier
    agent_id: Identifier | None = None
    direction: Literal["inbound", "outbound"] | None = None
    duration_s: Natural | None = None
    talk_s: Natural | None = None
    disposition: Label | None = None


class MeetingEvent(PersonEvent):
    """An event about one meeting."""

    SUBJECT = (("contact", "contact_id"), ("activity", "meeting_id"))

    meeting_id: Identifier
    agent_id: Identifier | None = None
    starts_at: Instant | None = None
    duration_s: Natural | None = None


class ActivityMeetingBooked(MeetingEvent):
    """A meeting was agreed on."""

    TYPE = "crm.activity.meeting_booked.v1"
    EXAMPLE: ClassVar = {
        "contact_id": "c-42",
        "meeting_id": "m-8",
        "agent_id": "a-7",
        "starts_at": "2026-03-05T10:00:00Z",
    }


class ActivityMeetingHeld(MeetingEvent):
    """A meeting took place."""

    TYPE = "crm.activity.meeting_held.v1"
    EXAMPLE: ClassVar = {
        "contact_id": "c-42",
        "meeting_id": "m-8",
        "agent_id": "a-7",
        "duration_s": 1800,
    }


class ActivityMeetingNoShow(MeetingEvent):
    """The contact didn't come to a meeting."""

    TYPE = "crm.activity.meeting_no_show.v1"
    EXAMPLE: ClassVar = {"contact_id": "c-42", "meeting_id": "m-8", "agent_id": "a-7"}


class ActivityPageViewed(PersonEvent):
    """A page of the web site was seen; of an unknown visitor each view is a subject of its own."""

    TYPE = "crm.activity.page_viewed.v1"
    SUBJECT = (("contact", "contact_id"),)
    EXAMPLE: ClassVar = {
        "contact_id": "c-42",
        "url": "https://example.com/pricing",
        "utm": {"source": "newsletter", "medium": "email"},
    }

    url: Text
    utm: Utm | None = None


class ActivityFormSubmitted(PersonEvent):
    """A form of the web site was sent."""

    TYPE = "crm.activity.form_submitted.v1"
    SUBJECT = (("contact", "contact_id"),)
    EXAMPLE: ClassVar = {"contact_id": "c-42", "form_id": "demo", "url": "https://example.com/demo"}

    form_id: Identifier
    url: Text | None = None
    utm: Utm | None = None
