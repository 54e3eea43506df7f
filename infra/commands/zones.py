"""In which time zone a tenant's days begin, as its settings in effect say."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from infra.commands.definition_log import current

if TYPE_CHECKING:
    from infra.settings import Settings

DEFAULT = "UTC"


def zone_of(settings: Settings, tenant: str) -> str:
    """Return the IANA zone of a tenant; UTC when it never set one."""
    found = current(settings).get((tenant, "settings", "default"))
    return str(json.loads(found.event.spec)["timezone"]) if found else DEFAULT
