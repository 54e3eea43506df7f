"""What there is before anything happens, and how it changes: agents, products, accounts."""

from infra.simulate.cast import COMPANIES, SECTORS, SKILLS, Agent, Product
from infra.simulate.scene import Life, Scene
from schemas.events import (
    AccountCreated,
    AccountUpdated,
    AgentCreated,
    AgentStatusChanged,
    AgentUpdated,
    CampaignCreated,
    CampaignStarted,
    ContactCreated,
    ContactErased,
    ContactMerged,
    ProductCreated,
    ProductUpdated,
)


def opening(scene: Scene) -> Life:
    """All reference data of a tenant, before its first lead."""
    for agent in scene.tenant.agents:
        yield AgentCreated(**_agent(scene, agent))
    for product in scene.tenant.products:
        yield ProductCreated(**_product(scene, product))
    for campaign in scene.tenant.campaigns:
        yield CampaignCreated(campaign_id=campaign.id, name=campaign.name, channel=campaign.channel)
        yield CampaignStarted(campaign_id=campaign.id)
    for account, name in zip(scene.tenant.accounts, COMPANIES, strict=True):
        yield AccountCreated(**_account(scene, account, name))
    for agent in scene.tenant.agents:
        yield AgentStatusChanged(agent_id=agent.id, status="online")


def presence(scene: Scene) -> Life:
    """An agent is busy or away for a while."""
    agent = scene.agent().id
    away = scene.chance(0.5)
    yield AgentStatusChanged(
        agent_id=agent, status="away" if away else "busy", reason="break" if away else "on a call"
    )
    yield scene.wait(10)
    if scene.chance(0.1):
        yield AgentStatusChanged(agent_id=agent, status="offline", reason="end of shift")
        yield scene.wait(20)
    yield AgentStatusChanged(agent_id=agent, status="online")


def transfer(scene: Scene) -> Life:
    """An agent's record is written anew, with another skill perhaps."""
    yield AgentUpdated(**_agent(scene, scene.agent()))


def catalogue_edit(scene: Scene) -> Life:
    """A product's record is written anew."""
    yield ProductUpdated(**_product(scene, scene.rng.choice(scene.tenant.products)))


def company_news(scene: Scene) -> Life:
    """An account's record is written anew."""
    number = scene.rng.randrange(len(COMPANIES))
    yield AccountUpdated(**_account(scene, scene.tenant.accounts[number], COMPANIES[number]))


def merge(scene: Scene) -> Life:
    """A second record of a known person is found and merged into the first."""
    twin, person = scene.new_id("contact"), scene.known_person()
    yield ContactCreated(contact_id=twin, first_name=person.first, last_name=person.last)
    yield scene.wait(5)
    yield ContactMerged(contact_id=twin, into_contact_id=person.id)


def erasure(scene: Scene) -> Life:
    """A person who came once asks to be forgotten."""
    contact = scene.new_id("contact")
    yield ContactCreated(contact_id=contact, lifecycle_stage="visitor")
    yield scene.wait(10)
    yield ContactErased(contact_id=contact, reason="request of the person")


def _agent(scene: Scene, agent: Agent) -> dict[str, object]:
    return {
        "agent_id": agent.id,
        "name": agent.name,
        "team_id": agent.team,
        "manager_id": agent.manager,
        "region": agent.region,
        "skills": [scene.rng.choice(SKILLS)],
        "languages": sorted({"en", scene.tenant.market.language}),
        "territories": [scene.tenant.market.country],
        "capacity": 20,
        "timezone": scene.tenant.market.zone,
        "working_hours": "Mo-Fr 09:00-17:30",
    }


def _product(scene: Scene, product: Product) -> dict[str, object]:
    return {
        "product_id": product.id,
        "name": product.name,
        "series": product.series,
        "list_price_minor": product.price_minor,
        "currency": scene.tenant.market.currency,
    }


def _account(scene: Scene, account: str, name: str) -> dict[str, object]:
    market = scene.tenant.market
    return {
        "account_id": account,
        "name": name,
        "sector": scene.rng.choice(SECTORS),
        "country": market.country,
        "employees": scene.rng.randint(5, 5000),
        "revenue_minor": scene.rng.randint(10**3, 10**6) * market.price * market.minor,
        "currency": market.currency,
    }
