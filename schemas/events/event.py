"""What every event of the catalogue is."""

from collections.abc import Mapping
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from schemas.events.fields import AnyText, Identifier, Label, Unknown


class Part(BaseModel):
    """A record inside an event. Unknown fields are kept, like an event's."""

    model_config = ConfigDict(
        frozen=True,
        extra="allow",
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
    )

    __pydantic_extra__: dict[str, Unknown]


class Event(Part):
    """An event's data. Who, where and when is the envelope's (`schemas.cloudevents.Received`).

    Fields a class does not name are kept in `model_extra` and travel along. A field left out and
    a field that is `null` mean the same.

    Attributes:
        TYPE: CloudEvents `type`; its major version is part of it.
        SUBJECT: (prefix, field) pairs; the first field that is present decides the subject.
        REFERENCE: True when other subjects' entries are judged by it, so that every journal
            partition needs a copy.
        EXAMPLE: One event as JSON-ready data.
    """

    TYPE: ClassVar[str]
    SUBJECT: ClassVar[tuple[tuple[str, str], ...]]
    REFERENCE: ClassVar[bool] = False
    EXAMPLE: ClassVar[Mapping[str, object]]

    def derived_subject(self) -> str | None:
        """Return `prefix/id`, the unit of ordering; None when no field names one."""
        for prefix, field in self.SUBJECT:
            value = getattr(self, field)
            if value is not None:
                return f"{prefix}/{value}"
        return None

    def wire_data(self) -> dict[str, object]:
        """Return JSON-ready data under the names of the catalogue, without defaults."""
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True)


class PersonEvent(Event):
    """An event that may concern a person; then it is ordered with all else about that person."""

    contact_id: Identifier | None = None


class Utm(Part):
    """Where a visit came from, as the address said."""

    source: Label | None = None
    medium: Label | None = None
    campaign: Label | None = None
    term: Label | None = None
    content: Label | None = None


class Change(Part):
    """One field that changed, with its values as text."""

    field: Label
    old: AnyText | None = None
    new: AnyText | None = None
