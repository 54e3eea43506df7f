"""`crm.definition.applied.v1`: a tenant decided something; journalled like an event."""

from typing import Annotated, ClassVar

from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError, from_json, to_json

from schemas.definitions.settings import KINDS
from schemas.events.event import Event
from schemas.events.fields import Identifier

Spec = Annotated[str, Field(max_length=200_000)]
"""JSON text. The bound leaves room for the copies a definition makes in the fold's changelog."""


def canonical_spec(kind: str, spec: object) -> str:
    """Check a definition's spec and write it the one way.

    Defaults are written out, so that a later change of a default can't change a past decision.

    Args:
        kind: One of `KINDS`.
        spec: JSON-ready data, or its JSON text.

    Returns:
        Compact JSON with sorted keys.

    Raises:
        PydanticCustomError: The spec is wrong; `context["where"]` is the dotted path inside it.
        KeyError: The kind is unknown.
    """
    model = KINDS[kind]
    try:
        data = from_json(spec, allow_inf_nan=False) if isinstance(spec, str) else spec
        checked = model.model_validate_json(to_json(data))
    except ValidationError as problem:
        first = problem.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise PydanticCustomError(
            "spec", "{what}", {"where": where, "what": first["msg"]}
        ) from problem
    except (ValueError, OverflowError) as problem:
        raise PydanticCustomError("spec", "is no JSON object", {"where": ""}) from problem
    return to_json(_sorted(from_json(checked.model_dump_json()))).decode()


def _sorted(data: object) -> object:
    if isinstance(data, dict):
        return {key: _sorted(data[key]) for key in sorted(data)}
    if isinstance(data, list):
        return [_sorted(item) for item in data]
    return data


class DefinitionApplied(Event):
    """One version of one definition takes effect at the offset it is journalled at.

    On the wire `spec` is a JSON object; here it is canonical JSON text, already checked against
    the model of its kind.

    Args:
        kind: One of `schemas.definitions.settings.KINDS`.
        id: Name of the definition within kind and tenant, e.g. `default`.
        spec: Canonical JSON text.
    """

    TYPE = "crm.definition.applied.v1"
    SUBJECT = ()
    REFERENCE = True
    EXAMPLE: ClassVar = {
        "kind": "settings",
        "id": "default",
        "spec": {"timezone": "Europe/Berlin", "currency": "EUR", "first_contact_within": "PT4H"},
    }

    kind: Identifier
    id: Identifier
    spec: Spec

    @field_validator("kind", mode="after")
    @classmethod
    def _check_kind(cls, kind: str) -> str:
        if kind not in KINDS:
            raise ValueError("is no kind of definition")
        return kind

    @field_validator("spec", mode="before")
    @classmethod
    def _check_spec(cls, spec: object, info: ValidationInfo) -> object:
        """Replace the spec by its canonical text; an odd one is left to the field's own type."""
        if "kind" not in info.data or not isinstance(spec, dict | str):
            return spec
        return canonical_spec(info.data["kind"], spec)

    def derived_subject(self) -> str:
        """Return `definition/<kind>/<id>`."""
        return f"definition/{self.kind}/{self.id}"

    def wire_data(self) -> dict[str, object]:
        """Return the JSON-ready data with `spec` as an object again."""
        return {**super().wire_data(), "spec": from_json(self.spec)}
