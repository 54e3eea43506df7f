"""Messages, campaigns, and what visitors of the web site do."""

from infra.simulate.scene import Life, Person, Scene
from schemas.events import (
    ActivityFormSubmitted,
    ActivityPageViewed,
    CampaignFinished,
    CampaignPaused,
    CampaignSpendRecorded,
    CampaignStarted,
    CampaignTouched,
    ContactSubscriptionChanged,
    MessageBounced,
    MessageClicked,
    MessageComplained,
    MessageDelivered,
    MessageFailed,
    MessageOpened,
    MessageRendered,
    MessageReplied,
    MessageRequested,
    MessageSent,
    MessageSuppressed,
    MessageUnsubscribed,
    Utm,
)

PAGES = ("", "pricing", "features", "customers", "blog/why-logs", "contact")
PROVIDERS = {"email": "smtp", "sms": "sms-gateway", "whatsapp": "whatsapp-cloud"}


def message(scene: Scene) -> Life:
    """An outbound message: requested, rendered, sent, and whatever comes of it."""
    person = scene.known_person()
    channel = scene.rng.choice(("email", "email", "email", "sms", "whatsapp"))
    campaign = scene.rng.choice(scene.tenant.campaigns).id if channel == "email" else None
    about = {"contact_id": person.id, "message_id": scene.new_id("message"), "channel": channel}
    yield MessageRequested(
        **about,
        campaign_id=campaign,
        template_id=scene.rng.choice(("welcome", "offer", "reminder")),
        template_version=scene.rng.randint(1, 3),
        variant=scene.rng.choice(("a", "b")),
    )
    if scene.chance(0.03):
        yield MessageSuppressed(**about, reason="no_consent")
        return
    yield MessageRendered(**about)
    yield scene.wait(0.5)
    if scene.chance(0.02):
        yield MessageFailed(**about, reason="provider refused")
        return
    yield MessageSent(
        **about,
        campaign_id=campaign,
        provider=PROVIDERS[channel],
        provider_message_id=scene.new_id("provider"),
    )
    yield scene.wait(2)
    if scene.chance(0.05):
        hard = scene.chance(0.6)
        yield MessageBounced(
            **about,
            bounce_class="hard" if hard else "soft",
            reason="550 no such user" if hard else "452 mailbox full",
        )
        return
    yield MessageDelivered(**about)
    yield from _reaction(scene, person, about)


def _reaction(scene: Scene, person: Person, about: dict[str, str]) -> Life:
    if scene.chance(0.01):
        yield MessageComplained(**about)
        return
    if not scene.chance(0.45):
        return
    yield scene.wait(8)
    yield MessageOpened(**about, bot_suspected=scene.chance(0.1))
    if scene.chance(0.35):
        yield scene.wait(3)
        url = f"https://example.com/{scene.rng.choice(PAGES)}"
        yield MessageClicked(**about, url=url, bot_suspected=False)
    if scene.chance(0.05):
        yield MessageReplied(**about)
    if scene.chance(0.04):
        yield MessageUnsubscribed(**about, reason="one_click")
        yield ContactSubscriptionChanged(
            contact_id=person.id,
            category="marketing",
            channel=about["channel"],
            state="unsubscribed",
            method="one_click",
        )


def spend(scene: Scene) -> Life:
    """The cost of a day of one campaign so far."""
    campaign = scene.rng.choice(scene.tenant.campaigns)
    market = scene.tenant.market
    clicks = scene.rng.randint(5, 80)
    yield CampaignSpendRecorded(
        campaign_id=campaign.id,
        channel=campaign.channel,
        amount_minor=clicks * market.price * market.minor // 60,
        currency=market.currency,
        period_start=scene.today(),
        period_end=scene.today(),
        impressions=clicks * scene.rng.randint(20, 60),
        clicks=clicks,
    )


def pause(scene: Scene) -> Life:
    """A campaign pauses and goes on; now and then it is finished and started anew."""
    campaign = scene.rng.choice(scene.tenant.campaigns).id
    ending = CampaignFinished if scene.chance(0.5) else CampaignPaused
    yield ending(campaign_id=campaign)
    yield scene.wait(20)
    yield CampaignStarted(campaign_id=campaign)


def touch(scene: Scene) -> Life:
    """A campaign touches someone we know."""
    campaign = scene.rng.choice(scene.tenant.campaigns)
    yield CampaignTouched(
        contact_id=scene.known_person().id,
        campaign_id=campaign.id,
        channel=campaign.channel,
        medium=campaign.medium,
    )


def page_view(scene: Scene) -> Life:
    """Someone looks at a page."""
    yield ActivityPageViewed(
        contact_id=scene.known_person().id,
        url=f"https://example.com/{scene.rng.choice(PAGES)}",
        utm=Utm(source="newsletter", medium="email") if scene.chance(0.2) else None,
    )


def form(scene: Scene) -> Life:
    """Someone fills in a form."""
    yield ActivityFormSubmitted(
        contact_id=scene.known_person().id,
        form_id=scene.rng.choice(("demo", "contact", "download")),
        url="https://example.com/contact",
    )
