"""The settings of the simulated tenants: each in its own zone and currency."""

import uuid

from infra.commands.publishing import Outgoing
from infra.simulate.traffic import NAMESPACE, SOURCE, Plan, tenants
from schemas.definitions.applied import DefinitionApplied

FIRST_CONTACT_WITHIN = "PT30S"
"""Short enough that a simulated breach is seen within a minute."""


def definitions(plan: Plan) -> list[Outgoing]:
    """Return one definition `settings/default` per tenant."""
    found = []
    for tenant in tenants(plan):
        event = DefinitionApplied.model_validate(
            {
                "kind": "settings",
                "id": "default",
                "spec": {
                    "timezone": tenant.market.zone,
                    "currency": tenant.market.currency,
                    "first_contact_within": FIRST_CONTACT_WITHIN,
                },
            }
        )
        identity = str(uuid.uuid5(NAMESPACE, f"{plan.run}|{tenant.id}|settings"))
        found.append(Outgoing(tenant.id, identity, SOURCE, plan.start_ms, event))
    return found
