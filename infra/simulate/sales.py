"""Leads and deals: from the first form to won or lost."""

from itertools import pairwise

from infra.simulate.scene import Life, Person, Scene
from schemas.events import (
    Change,
    ContactCreated,
    ContactSubscriptionChanged,
    ContactUpdated,
    DealAmountChanged,
    DealCreated,
    DealLost,
    DealReopened,
    DealStageChanged,
    DealWon,
    LeadAssigned,
    LeadContacted,
    LeadConverted,
    LeadCreated,
    LeadDisqualified,
    LeadQualified,
    LeadReopened,
    LeadScoreChanged,
    LeadStatusChanged,
    Utm,
)

LEAD_SOURCES = ("web", "referral", "event", "cold_call", "partner")
CHANNELS = ("phone", "email", "chat")
PIPELINE_ID = "sales"
STAGES = (("prospecting", 0.1), ("engaging", 0.3), ("proposal", 0.5), ("negotiation", 0.8))
LOST_REASONS = ("price", "timing", "competitor", "no decision")


def lead(scene: Scene) -> Life:
    """A new person becomes a lead, is worked on, and converts, is disqualified or goes quiet."""
    person = scene.new_person()
    yield from _introduce(scene, person)
    lead_id = scene.new_id("lead")
    campaign = scene.rng.choice(scene.tenant.campaigns) if scene.chance(0.6) else None
    score = scene.rng.randint(5, 40)
    yield LeadCreated(
        contact_id=person.id,
        lead_id=lead_id,
        lead_source=scene.rng.choice(LEAD_SOURCES),
        utm=Utm(source=campaign.channel, medium=campaign.medium) if campaign else None,
        campaign_id=campaign.id if campaign else None,
        score=score,
        country=scene.tenant.market.country,
        language=scene.tenant.market.language,
        product_interest=scene.rng.choice(scene.tenant.products).id,
    )
    yield scene.wait(1)
    yield LeadAssigned(
        contact_id=person.id, lead_id=lead_id, owner_id=person.owner.id, method="round_robin"
    )
    if scene.chance(0.1):
        return  # nobody gets in touch: its SLA will be breached
    yield scene.wait(5)
    yield from _work(scene, person, lead_id, score)


def _introduce(scene: Scene, person: Person) -> Life:
    market = scene.tenant.market
    yield ContactCreated(
        contact_id=person.id,
        email=f"{person.first}.{person.last}.{person.id}@example.com".lower(),
        phone_e164=f"+{market.dial}{scene.rng.randint(10**7, 10**8 - 1)}",
        first_name=person.first,
        last_name=person.last,
        company=person.company,
        country=market.country,
        language=market.language,
        timezone=market.zone,
        lifecycle_stage="lead",
        owner_id=person.owner.id,
    )
    if scene.chance(0.5):
        yield ContactSubscriptionChanged(
            contact_id=person.id,
            category="marketing",
            channel="email",
            state="subscribed",
            method="form",
        )


def _work(scene: Scene, person: Person, lead_id: str, score: int) -> Life:
    about = {"contact_id": person.id, "lead_id": lead_id}
    yield LeadContacted(
        contact_id=person.id,
        lead_id=lead_id,
        agent_id=person.owner.id,
        channel=scene.rng.choice(CHANNELS),
        direction="outbound",
    )
    yield LeadStatusChanged(**about, from_="new", to="working")
    yield scene.wait(8)
    better = score + scene.rng.randint(5, 50)
    yield LeadScoreChanged(**about, from_=score, to=better, reasons=["visited pricing"])
    if scene.chance(0.35):
        yield from _disqualify(scene, about)
        return
    yield LeadQualified(**about, level="mql", score=better)
    yield scene.wait(6)
    yield LeadQualified(**about, level="sql", score=better)
    yield LeadStatusChanged(**about, from_="working", to="qualified")
    yield scene.wait(6)
    if scene.chance(0.8):
        yield from _deal(scene, person, lead_id)


def _disqualify(scene: Scene, about: dict[str, str]) -> Life:
    yield LeadDisqualified(**about, reason=scene.rng.choice(("no budget", "no need", "student")))
    yield LeadStatusChanged(**about, from_="working", to="disqualified")
    if scene.chance(0.15):
        yield scene.wait(20)
        yield LeadReopened(**about)


def _deal(scene: Scene, person: Person, lead_id: str) -> Life:
    product = scene.rng.choice(scene.tenant.products)
    currency = scene.tenant.market.currency
    amount = product.price_minor * scene.rng.randint(1, 9)
    deal_id, account = scene.new_id("deal"), scene.rng.choice(scene.tenant.accounts)
    about = {"contact_id": person.id, "deal_id": deal_id}
    yield LeadConverted(contact_id=person.id, lead_id=lead_id, deal_id=deal_id, account_id=account)
    yield DealCreated(
        **about,
        account_id=account,
        lead_id=lead_id,
        name=f"{person.company}: {product.name}",
        pipeline_id=PIPELINE_ID,
        stage=STAGES[0][0],
        amount_minor=amount,
        currency=currency,
        owner_id=person.owner.id,
        product_ids=[product.id],
        expected_close=scene.today(scene.rng.randint(7, 90)),
    )
    for (before, _), (stage, probability) in pairwise(STAGES):
        yield scene.wait(8)
        if scene.chance(0.15):
            yield from _close(scene, person, about, amount, won=False)
            return
        yield DealStageChanged(**about, from_=before, to=stage, probability=probability)
        if scene.chance(0.3):
            new = max(amount // 2, amount + product.price_minor * scene.rng.randint(-2, 3))
            yield DealAmountChanged(**about, from_minor=amount, to_minor=new, currency=currency)
            amount = new
    yield scene.wait(10)
    yield from _close(scene, person, about, amount, won=scene.chance(0.65))


def _close(scene: Scene, person: Person, about: dict[str, str], amount: int, *, won: bool) -> Life:
    money = {"amount_minor": amount, "currency": scene.tenant.market.currency}
    owner, today = person.owner.id, scene.today()
    if not won:
        reason = scene.rng.choice(LOST_REASONS)
        yield DealLost(**about, **money, owner_id=owner, reason=reason, closed_on=today)
        if scene.chance(0.1):
            yield scene.wait(15)
            yield DealReopened(**about, owner_id=owner, reason="asked again")
            yield scene.wait(10)
            yield DealWon(**about, **money, owner_id=owner, closed_on=scene.today())
        return
    yield DealWon(**about, **money, owner_id=owner, closed_on=today)
    yield ContactUpdated(
        contact_id=person.id,
        lifecycle_stage="customer",
        changes=[Change(field="lifecycle_stage", old="lead", new="customer")],
    )
