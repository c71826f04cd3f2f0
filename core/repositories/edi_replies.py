"""What partners say of documents that we sent: which of ours they mean, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.errors import NotFound
from core.ports import Transaction

_COLUMNS = "id, kind, state, purchase_order_id, file_name"


async def sent_in_group(uow: Transaction, partner_id: int, kind: str, group_control: str) -> list[Any]:
    """Documents of ours of `kind` in the X12 group with this control number, locked."""
    return await uow.sql.fetch(
        f"""select {_COLUMNS} from edi_outbound where partner_id = $1 and kind = $2 and $3 <> ''
            and ltrim(group_control, '0') = ltrim($3, '0') order by id for no key update""",
        partner_id,
        kind,
        group_control,
    )


async def sent_in_interchange(
    uow: Transaction, partner_id: int, control: str, kinds: Sequence[str] | None = None
) -> list[Any]:
    """Documents of ours in the interchange with this control number, locked; only those of `kinds` when given."""
    return await uow.sql.fetch(
        f"""select {_COLUMNS} from edi_outbound where partner_id = $1 and $2 <> ''
            and ltrim(interchange_control, '0') = ltrim($2, '0') and ($3::text[] is null or kind = any($3))
        order by id for no key update""",
        partner_id,
        control,
        None if kinds is None else list(kinds),
    )


async def sent_about(uow: Transaction, partner_id: int, kinds: Sequence[str], number: str) -> list[Any]:
    """The newest document of `kinds` about the purchase order with this number, locked."""
    return await uow.sql.fetch(
        f"""select {", ".join("x." + c for c in _COLUMNS.split(", "))} from edi_outbound x
        join purchase_order o on o.id = x.purchase_order_id
        where x.partner_id = $1 and x.kind = any($2::text[]) and o.number = $3
        order by x.id desc limit 1 for no key update of x""",
        partner_id,
        list(kinds),
        number,
    )


async def change_with_number(uow: Transaction, partner_id: int, purchase_order_id: int, number: str) -> Any:
    """The order change of ours that carries this number; None where we sent no such change."""
    return await uow.sql.fetchrow(
        f"""select {_COLUMNS} from edi_outbound where partner_id = $1 and purchase_order_id = $2
            and reference = $3 and kind in ('860', 'ORDCHG') order by id desc limit 1 for no key update""",
        partner_id,
        purchase_order_id,
        number,
    )


async def newest_order(uow: Transaction, purchase_order_id: int) -> Any:
    """The order's document that we sent last; None where it went out by other means."""
    return await uow.sql.fetchrow(
        f"""select {_COLUMNS} from edi_outbound where purchase_order_id = $1 and kind in ('850', 'ORDERS')
        order by id desc limit 1""",
        purchase_order_id,
    )


async def outbound_by_name(uow: Transaction, file_name: str) -> int:
    """The id of the document that we sent under this name. Raises NotFound."""
    found = await uow.sql.fetchval("select id from edi_outbound where file_name = $1", file_name)
    if found is None:
        raise NotFound("document", file_name, path=("input", "fileName"))
    return found


async def settle(uow: Transaction, ids: Sequence[int], state: str, error: str | None = None) -> None:
    """Write what became of documents that we sent. One that was refused stays so: it is sent anew, never mended."""
    await uow.sql.execute(
        "update edi_outbound set state = $2, error = $3 where id = any($1::bigint[]) and state <> 'rejected'",
        list(ids),
        state,
        error,
    )
