"""`crm.product.*`: what is sold."""

from typing import ClassVar

from schemas.events.event import Event
from schemas.events.fields import Currency, Identifier, Label, Line, Money


class ProductCreated(Event):
    """A product is offered. Reference data."""

    TYPE = "crm.product.created.v1"
    SUBJECT = (("product", "product_id"),)
    REFERENCE = True
    EXAMPLE: ClassVar = {
        "product_id": "gtx-basic",
        "name": "GTX Basic",
        "series": "GTX",
        "list_price_minor": 55000,
        "currency": "USD",
    }

    product_id: Identifier
    name: Line | None = None
    series: Label | None = None
    list_price_minor: Money | None = None
    currency: Currency | None = None


class ProductUpdated(ProductCreated):
    """Something about a product changed; carries the product as it is now."""

    TYPE = "crm.product.updated.v1"
    REFERENCE = True
    EXAMPLE: ClassVar = {"product_id": "gtx-basic", "name": "GTX Basic", "list_price_minor": 60000}
