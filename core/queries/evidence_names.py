"""Numbers and codes of the rows that evidence, the audit trail and alarms name by id."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

_NAMES = {
    "location": "select x.id, x.code as name from location x join wanted u on u.kind = 'location' and u.id = x.id",
    "sku": "select x.id, x.code as name from sku x join wanted u on u.kind = 'sku' and u.id = x.id",
    "supplier": "select x.id, x.code as name from supplier x join wanted u on u.kind = 'supplier' and u.id = x.id",
    "partner": "select x.id, x.code as name from partner x join wanted u on u.kind = 'partner' and u.id = x.id",
    "apiKey": """select x.id, concat_ws(' ', nullif(x.name, ''), '(' || x.prefix || ')') as name
        from api_key x join wanted u on u.kind = 'apiKey' and u.id = x.id""",
    "webhook": "select x.id, x.url as name from webhook x join wanted u on u.kind = 'webhook' and u.id = x.id",
    "order": "select x.id, x.number as name from sales_order x join wanted u on u.kind = 'order' and u.id = x.id",
    "purchaseOrder": """select x.id, x.number as name from purchase_order x
        join wanted u on u.kind = 'purchaseOrder' and u.id = x.id""",
    "supplierChange": """select x.id, 'of ' || o.number as name from supplier_change x
        join wanted u on u.kind = 'supplierChange' and u.id = x.id join purchase_order o on o.id = x.purchase_order_id""",
    "shipment": "select x.id, x.number as name from shipment x join wanted u on u.kind = 'shipment' and u.id = x.id",
    "goodsReceipt": """select x.id, x.number as name from goods_receipt x
        join wanted u on u.kind = 'goodsReceipt' and u.id = x.id""",
    "orderReturn": """select x.id, x.number as name from order_return x
        join wanted u on u.kind = 'orderReturn' and u.id = x.id""",
    "outboundFile": """select x.id, x.file_name as name from edi_outbound x
        join wanted u on u.kind = 'outboundFile' and u.id = x.id""",
    "ediDocument": """select x.id, concat_ws(' ', x.kind, nullif(x.business_key, '')) as name from edi_document x
        join wanted u on u.kind = 'ediDocument' and u.id = x.id""",
    "lot": """select x.id, x.code as name from wanted u join lot x on x.sku_id = u.sku_id and x.id = u.id
        where u.kind = 'lot'""",
    "transfer": """select x.id, concat_ws(' ', x.quantity, k.code, f.code, '>', t.code) as name
        from wanted u join transfer x on x.id = u.id and x.sku_id = coalesce(nullif(u.sku_id, 0), x.sku_id)
        join sku k on k.id = x.sku_id join location f on f.id = x.from_location_id
        join location t on t.id = x.to_location_id where u.kind = 'transfer'""",
    "backorder": """select x.id, o.number || '/' || l.line_number as name from wanted u
        join backorder x on x.sku_id = u.sku_id and x.id = u.id
        join order_line l on l.sku_id = x.sku_id and l.id = x.order_line_id join sales_order o on o.id = l.order_id
        where u.kind = 'backorder'""",
    "orderLine": """select x.id, o.number || '/' || x.line_number as name from wanted u
        join order_line x on x.sku_id = u.sku_id and x.id = u.id join sales_order o on o.id = x.order_id
        where u.kind = 'orderLine'""",
    "purchaseOrderLine": """select x.id, o.number || '/' || x.line_number as name from wanted u
        join purchase_order_line x on x.sku_id = u.sku_id and x.id = u.id join purchase_order o on o.id = x.purchase_order_id
        where u.kind = 'purchaseOrderLine'""",
    "supply": """select x.id, concat_ws(' ', coalesce(o.number || '/' || p.line_number, f.code || ' > ' || t.code, x.kind),
            'due ' || x.usable_date) as name
        from wanted u join supply x on x.sku_id = u.sku_id and x.id = u.id
        left join purchase_order_line p on p.sku_id = x.sku_id and p.id = x.purchase_order_line_id
        left join purchase_order o on o.id = p.purchase_order_id
        left join transfer m on m.sku_id = x.sku_id and m.id = x.transfer_id
        left join location f on f.id = m.from_location_id left join location t on t.id = m.to_location_id
        where u.kind = 'supply'""",
    "stockMovement": """select x.id, concat_ws(' ', x.kind, coalesce(nullif(x.on_hand_delta, 0), x.unsellable_delta), 'at', l.code,
            to_char(x.occurred_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), 'by ' || x.actor) as name
        from wanted u join stock_movement x on x.sku_id = u.sku_id and x.id = u.id join location l on l.id = x.location_id
        where u.kind = 'stockMovement'""",
    "shipNotice": """select x.id, x.number as name from ship_notice x join wanted u on u.kind = 'shipNotice' and u.id = x.id""",
    "carrierEvent": """select x.id, concat_ws(' ', x.carrier, x.tracking_number, x.status_code) as name
        from carrier_event x join wanted u on u.kind = 'carrierEvent' and u.id = x.id""",
}


async def names_of_rows(sql: asyncpg.Connection, keys: Sequence[tuple[str, int, int]]) -> list[asyncpg.Record]:
    """Rows of (kind, sku_id, id, name) for (kind, SKU id, id); those that are gone are left out. For staff."""
    kinds = sorted({kind for kind, _, _ in keys} & _NAMES.keys())
    if not kinds:
        return []
    found = " union all ".join(f"select '{kind}' as kind, x.id, x.name from ({_NAMES[kind]}) x" for kind in kinds)
    return await sql.fetch(
        f"""with wanted as (select * from unnest($1::text[], $2::bigint[], $3::bigint[]) as u(kind, sku_id, id))
        select w.kind, w.sku_id, w.id, f.name from wanted w join ({found}) f on f.kind = w.kind and f.id = w.id""",
        [kind for kind, _, _ in keys],
        [sku_id for _, sku_id, _ in keys],
        [row_id for _, _, row_id in keys],
    )
