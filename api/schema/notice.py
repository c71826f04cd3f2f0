"""What customers were or will be told."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry import Info, field

from api.schema import enums
from api.schema.node import Node, build, register

if TYPE_CHECKING:
    from api.schema.backorder import Backorder
    from api.schema.order import Order


@register
@strawberry.type(description="A message to a customer.")
class Notice(Node):
    """One notice."""

    key: strawberry.Private[int]
    order_id: strawberry.Private[int | None] = None
    sku_id: strawberry.Private[int | None] = None
    backorder_id: strawberry.Private[int | None] = None
    template: str = field(description="Which text it was written from.")
    language: str = field(description="Language it is written in.")
    subject: str = field(description="Subject; empty until it is written.")
    text: str = field(description="Text; empty until it is written.")
    state: enums.NoticeState = field(description="Was the customer told.")
    created_at: datetime = field(description="When it was caused.")
    sent_at: datetime | None = field(description="When it was sent.", default=None)
    read_at: datetime | None = field(description="When it was read.", default=None)

    @field(description="The order it is about.")
    async def order(self, info: Info) -> Annotated[Order, strawberry.lazy("api.schema.order")] | None:
        if self.order_id is None:
            return None
        return build("Order", await info.context.loaders.order_by_id.load(self.order_id))

    @field(description="The backorder it is about.")
    async def backorder(self, info: Info) -> Annotated[Backorder, strawberry.lazy("api.schema.backorder")] | None:
        if self.backorder_id is None or self.sku_id is None:
            return None
        loader = info.context.loaders.backorder_by_key
        return build("Backorder", await loader.load((self.sku_id, self.backorder_id)))


@strawberry.input(description="Which notices.")
class NoticeFilter:
    """All given conditions must hold."""

    state: list[enums.NoticeState] | None = field(default=None, description="One of these states.")
    template: str | None = field(default=None, description="Written from this text.")
    language: str | None = field(default=None, description="In this language.")
    order_number: str | None = field(default=None, description="About the order with this number.")
