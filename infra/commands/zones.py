"""In which time zone a tenant's days begin, as its settings in effect say."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from infra.commands.definition_log import current

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.commands.definition_files import Definition
    from infra.settings import Settings

DEFAULT = "UTC"


def zone_of(settings: Settings, tenant: str) -> str:
    """Return the IANA zone of a tenant; UTC when it never set one."""
    return zones(current(settings)).get(tenant, DEFAULT)


def zones(definitions: Mapping[tuple[str, str, str], Definition]) -> dict[str, str]:
    """Return tenant → zone of those that set one.

    Args:
        definitions: (tenant, kind, id) → the version in effect.
    """
    return {
        tenant: str(json.loads(found.event.spec)["timezone"])
        for (tenant, kind, name), found in definitions.items()
        if (kind, name) == ("settings", "default")
    }
