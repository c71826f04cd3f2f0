"""Which rows the audit trail and the auditor's alarms speak of by id, so that a person can be told numbers and codes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
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
_OF_FACTS = {
    "skuId": ("sku", "sku"),
    "substituteSkuId": ("sku", "substituteSku"),
    "locationId": ("location", "location"),
    "destination": ("location", "destinationCode"),
    "supplierId": ("supplier", "supplier"),
    "orderId": ("order", "order"),
    "orderLine": ("orderLine", "orderLineNumber"),
    "orderLines": ("orderLine", "orderLineNumbers"),
    "lineId": ("orderLine", "line"),
    "backorderId": ("backorder", "backorder"),
    "shipmentId": ("shipment", "shipment"),
    "transferId": ("transfer", "transfer"),
    "purchaseOrderId": ("purchaseOrder", "purchaseOrder"),
    "orders": ("purchaseOrder", "orderNumbers"),
    "supplierChangeId": ("supplierChange", "supplierChange"),
    "outboundId": ("outboundFile", "outbound"),
    "documentId": ("ediDocument", "document"),
    "webhookId": ("webhook", "webhook"),
}
"""What the facts of an entry of the trail are ids of, and the word under which their names are told."""
_COUNTED_PER_SKU = {"orderLine", "backorder"}


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


def sku_of_object(text: str) -> int:
    """The SKU that `text` of the trail speaks of; 0 where it speaks of none."""
    rows = [part for part in parts_of_object(text) if not isinstance(part, str)]
    return next((row_id if kind == "sku" else sku_id for kind, sku_id, row_id in rows if kind == "sku" or sku_id), 0)


def with_names(facts: Any, sku_id: int, name_of: Callable[[Mention], str | None]) -> Any:
    """Facts of an entry and, beside each id, what people call it: `outbound` beside `outboundId`.

    `sku_id` is that of the entry's object, for ids that are counted per SKU. What has no name stays as it is.
    """
    if isinstance(facts, list):
        return [with_names(one, sku_id, name_of) for one in facts]
    if not isinstance(facts, Mapping):
        return facts
    sku_id = next((row_id for key in ("substituteSkuId", "skuId") for row_id in _ids(facts.get(key))), sku_id)
    told = {key: with_names(value, sku_id, name_of) for key, value in facts.items()}
    for key, (kind, word) in _OF_FACTS.items():
        value = facts.get(key)
        names = [name_of((kind, sku_id if kind in _COUNTED_PER_SKU else 0, one)) for one in _ids(value)]
        if names and None not in names and word not in facts:  # what was sealed is shown as it is
            told[word] = names if isinstance(value, list) else names[0]
    return told


def _ids(value: Any) -> list[int]:
    """The ids that a fact is; none where it is something else."""
    ids = value if isinstance(value, list) else [value]
    return ids if all(type(one) is int for one in ids) else []
