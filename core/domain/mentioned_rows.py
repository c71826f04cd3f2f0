"""Which rows the audit trail and the auditor's alarms speak of by id, so that a person can be told numbers and codes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import takewhile
from typing import Any

Mention = tuple[str, int, int]
"""Kind, SKU id (0 where the kind is not counted per SKU, or the SKU is not said) and id."""

_OF_WORDS = {
    "order": ("order",),
    "purchase_order": ("purchaseOrder",),
    "shipment": ("shipment",),
    "goods_receipt": ("goodsReceipt",),
    "order_return": ("orderReturn",),
    "transfer": ("transfer",),
    "sku": ("sku", "location"),
    "stock": ("sku", "location"),
    "supplier": ("supplier",),
    "supplier_change": ("supplierChange",),
    "partner": ("partner",),
    "api_key": ("apiKey",),
    "carrier_event": ("carrierEvent",),
    "edi_outbound": ("outboundFile",),
    "edi_document": ("ediDocument",),
    "webhook": ("webhook",),
    "backorder": ("backorder",),
    "supply": ("supply",),
    "lot": ("sku",),
}
"""What the numbers behind a word of the trail are ids of."""
_PER_SKU = {"backorder", "supply"}
"""Words whose first number, of two, is the SKU's id."""
_OF_COLUMNS = {
    "sku_id": "sku",
    "kit_sku_id": "sku",
    "location_id": "location",
    "from_location_id": "location",
    "to_location_id": "location",
    "supply_location_id": "location",
    "order_id": "order",
    "order_line_id": "orderLine",
    "substituted_for_line_id": "orderLine",
    "backorder_id": "backorder",
    "supply_id": "supply",
    "lot_id": "lot",
    "transfer_id": "transfer",
    "shipment_id": "shipment",
    "goods_receipt_id": "goodsReceipt",
    "purchase_order_id": "purchaseOrder",
    "purchase_order_line_id": "purchaseOrderLine",
}
"""What the columns of an alarm's rows are ids of."""


def parts_of_object(text: str) -> Iterator[str | Mention]:
    """What `text` of the trail consists of (`stock:12:3`): words as they are, and rows."""
    tokens = text.split(":")
    while tokens:
        word = tokens.pop(0)
        yield word
        ids = [int(token) for token in takewhile(str.isdecimal, tokens)]
        kinds = _OF_WORDS.get(word, ())
        if word not in _PER_SKU:
            for kind, row_id in zip(kinds, ids, strict=False):
                yield kind, 0, row_id
                tokens.pop(0)
        elif len(ids) > 1:
            yield kinds[0], ids[0], ids[1]
            del tokens[:2]


def mentions_in(row: Mapping[str, Any]) -> dict[str, Mention]:
    """The rows that a row of an alarm names, by a word for the column: `order_line` for `order_line_id`."""
    sku_id = row.get("sku_id") or 0
    return {
        column.removesuffix("_id"): (kind, 0 if kind in ("sku", "location") else sku_id, row[column])
        for column, kind in _OF_COLUMNS.items()
        if isinstance(row.get(column), int)
    }
