"""Quotas of SKUs under their gates: what they allow, what has been used of them, and what a promise uses."""

from __future__ import annotations

from collections.abc import Iterable

import asyncpg

from core.domain.book import SkuBook
from core.domain.quotas import Asker, move_use
from core.domain.records import Line, Quota, QuotaUse
from core.ports import Transaction

USED = """select u.sku_id, u.quota_id, u.day, sum(greatest(0, least(u.quantity, l.ordered - l.cancelled - u.prior)))::int as units
    from (select x.*, sum(x.quantity) over (partition by x.sku_id, x.order_line_id, x.quota_id order by x.day, x.id)
        - x.quantity as prior from quota_use x where x.sku_id = any($1::bigint[])) u
    join order_line l on l.sku_id = u.sku_id and l.id = u.order_line_id group by 1, 2, 3"""
"""Units used per quota and day; of a line that was cancelled in part, the latest uses count no more."""


async def load_quotas(sql: asyncpg.Connection, books: dict[int, SkuBook]) -> None:
    """Fill the quotas of books of SKUs that have some; without any it costs nothing."""
    if not books:
        return
    rows = await sql.fetch(
        """select sku_id, id, channel, customer_id, tier, period, from_day, until_day, quantity from quota
        where sku_id = any($1::bigint[]) order by sku_id, id""",
        list(books),
    )
    for row in rows:
        values = dict(row)
        books[values.pop("sku_id")].quotas.append(Quota(**values))
    limited = [sku_id for sku_id, book in books.items() if book.quotas]
    if limited:
        for row in await sql.fetch(USED, limited):
            books[row["sku_id"]].quota_used[row["quota_id"], row["day"]] = row["units"]


async def load_shares(sql: asyncpg.Connection, books: Iterable[SkuBook]) -> None:
    """Fill what each line that was loaded has used of the quotas of its SKU, the earliest days first."""
    limited = {book.sku_id: book for book in books if book.quotas and book.lines}
    if not limited:
        return
    for row in await sql.fetch(
        """select u.sku_id, u.quota_id, u.line_id, u.day,
            sum(greatest(0, least(u.quantity, l.ordered - l.cancelled - u.prior)))::int as units
        from (select x.sku_id, x.quota_id, x.order_line_id as line_id, x.day, x.quantity,
                sum(x.quantity) over (partition by x.sku_id, x.order_line_id, x.quota_id order by x.day, x.id) - x.quantity
                    as prior
            from quota_use x join unnest($1::bigint[], $2::bigint[]) as w(sku_id, line_id)
                on w.sku_id = x.sku_id and w.line_id = x.order_line_id) u
        join order_line l on l.sku_id = u.sku_id and l.id = u.line_id group by 1, 2, 3, 4""",
        [book.sku_id for book in limited.values() for _ in book.lines],
        [line_id for book in limited.values() for line_id in book.lines],
    ):
        shares = limited[row["sku_id"]].quota_shares.setdefault((row["quota_id"], row["line_id"]), {})
        shares[row["day"]] = row["units"]


async def askers_of(uow: Transaction, order_ids: Iterable[int]) -> dict[int, Asker]:
    """Who asks, by order."""
    rows = await uow.sql.fetch(
        """select o.id, o.channel, o.customer_id, c.tier from sales_order o left join customer c on c.id = o.customer_id
        where o.id = any($1::bigint[])""",
        sorted(set(order_ids)),
    )
    return {r["id"]: Asker(r["channel"], r["customer_id"], r["tier"] or "STANDARD") for r in rows}


async def give_back_uses(uow: Transaction, books: dict[int, SkuBook], line_ids: Iterable[int]) -> None:
    """What these lines have used is free again: they are about to be promised anew."""
    limited, given_back = [sku_id for sku_id, book in books.items() if book.quotas], set(line_ids)
    if not limited:
        return
    for row in await uow.sql.fetch(
        """delete from quota_use where sku_id = any($1::bigint[]) and order_line_id = any($2::bigint[])
        returning sku_id, quota_id, day, quantity""",
        limited,
        sorted(given_back),
    ):
        used, key = books[row["sku_id"]].quota_used, (row["quota_id"], row["day"])
        used[key] = max(0, used.get(key, 0) - row["quantity"])
    for sku_id in limited:
        shares = books[sku_id].quota_shares
        for key in [key for key in shares if key[1] in given_back]:
            del shares[key]


async def give_back_latest(uow: Transaction, book: SkuBook, line: Line, kept: int) -> list[QuotaUse]:
    """What the line used beyond its first `kept` units is free again, the latest first; returns what `use_again` undoes."""
    freed: list[QuotaUse] = []
    if not book.quotas:
        return freed
    was = line.ordered - line.cancelled
    rows = await uow.sql.fetch(
        """delete from quota_use u using (select x.id, sum(x.quantity) over (partition by x.quota_id order by x.day, x.id)
            - x.quantity as prior from quota_use x where x.sku_id = $1 and x.order_line_id = $2) y
        where u.sku_id = $1 and u.id = y.id and y.prior + u.quantity > $3
        returning u.quota_id, u.day, u.quantity, y.prior::int as prior""",
        book.sku_id,
        line.id,
        kept,
    )
    for row in rows:
        counted = max(0, min(row["quantity"], was - row["prior"]))
        stays = max(0, min(counted, kept - row["prior"]))
        if stays:
            book.quota_uses.append(QuotaUse(row["quota_id"], line, row["day"], stays))
        if counted > stays:
            freed.append(QuotaUse(row["quota_id"], line, row["day"], counted - stays))
            book.quota_used[row["quota_id"], row["day"]] -= counted - stays
            if (shares := book.quota_shares.get((row["quota_id"], line.id or 0))) is not None:
                shares[row["day"]] = max(0, shares.get(row["day"], 0) - (counted - stays))
    return freed


def use_again(book: SkuBook, uses: Iterable[QuotaUse]) -> None:
    """Undo `give_back_latest`."""
    for use in uses:
        book.quota_uses.append(use)
        key = (use.quota_id, use.day)
        book.quota_used[key] = book.quota_used.get(key, 0) + use.quantity
        if (shares := book.quota_shares.get((use.quota_id, use.line.id or 0))) is not None:
            shares[use.day] = shares.get(use.day, 0) + use.quantity


async def write_quota_uses(uow: Transaction, books: Iterable[SkuBook]) -> None:
    """Keep what the lines of this transaction have used; call it when new lines have their ids.

    What a line has got earlier than the window it was promised for counts in the window in which it got it.
    """
    limited = [book for book in books if book.quotas]
    for book in limited:
        for line in book.lines.values():
            if line.is_changed:
                move_use(book, line, book.today[line.location_id] if line.location_id else min(book.today.values()))
        book.quota_uses[:] = [
            *(use for use in book.quota_uses if (use.quota_id, use.line.id) not in book.quota_rewrites),
            *(
                QuotaUse(quota_id, book.lines[line_id], day, units)
                for quota_id, line_id in sorted(book.quota_rewrites)
                for day, units in sorted(book.quota_shares.get((quota_id, line_id), {}).items())
                if units
            ),
        ]
    again = [(book.sku_id, *key) for book in limited for key in sorted(book.quota_rewrites)]
    if again:
        await uow.sql.execute(
            """delete from quota_use u using unnest($1::bigint[], $2::bigint[], $3::bigint[]) as x(sku_id, quota_id, line_id)
            where u.sku_id = x.sku_id and u.quota_id = x.quota_id and u.order_line_id = x.line_id""",
            *(list(column) for column in zip(*again, strict=True)),
        )
    rows = [(book.sku_id, use) for book in limited for use in book.quota_uses]
    if rows:
        await uow.sql.execute(
            """insert into quota_use (sku_id, quota_id, order_line_id, day, quantity, created_at)
            select u.sku_id, u.quota_id, u.line_id, u.day, u.quantity, $6
            from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::date[], $5::int[])
                as u(sku_id, quota_id, line_id, day, quantity)""",
            [sku_id for sku_id, _ in rows],
            [use.quota_id for _, use in rows],
            [use.line.id for _, use in rows],
            [use.day for _, use in rows],
            [use.quantity for _, use in rows],
            uow.now,
        )
    for book in limited:
        book.quota_uses.clear()
        book.quota_rewrites.clear()
