"""Tenants: settings take effect at the offset of their definition."""

import json

from schemas.definitions.applied import DefinitionApplied
from schemas.definitions.settings import Settings
from streams.domain.module import Module, on
from streams.domain.turn import Turn


def settings_applied(turn: Turn, definition: DefinitionApplied) -> None:
    """Replace the tenant's settings; what a definition leaves out gets its default again."""
    if definition.kind != "settings":
        return
    spec = Settings.model_validate(json.loads(definition.spec))
    row = turn.change_settings()
    row.timezone = spec.timezone
    row.currency = spec.currency
    within = spec.first_contact_within
    row.first_contact_within_ms = int(within.total_seconds() * 1000) if within else 0
    row.hour_retention_ms = int(spec.hour_retention.total_seconds() * 1000)


MODULE = Module("tenants", (on(DefinitionApplied, settings_applied),))
