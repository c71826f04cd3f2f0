"""The days of a replay: sets the clock, plays the partners, places the orders, and waits until the system is at rest."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
from redis.exceptions import RedisError

from core.database import Database
from core.domain.placing import LineRequest, OrderRequest, ShipTo
from core.errors import BackorderManagerError, IllegalTransition, QuantityExceeded
from core.ports import SimulationClock
from core.services.cancel_order import CancelOrder, cancel_order
from core.services.place_orders import place_orders
from core.services.return_goods import ReturnGoods, return_goods
from core.settings import Settings
from core.unit_of_work import EXPECTED, UnitOfWork, run_unit_of_work
from workers.commands.replaying.company import CHANNEL, country_code
from workers.commands.replaying.history import COLUMNS, Invoice, Reject, Row, Survey, read_history
from workers.commands.replaying.stream import stream_head
from workers.commands.replaying.supplier import PlayedSupplier
from workers.commands.replaying.together import together
from workers.commands.replaying.warehouse import PlayedWarehouse, next_day
from workers.schedule import tick

T = TypeVar("T")

BATCH_LINES = 1_200
BATCH_ORDERS = 64
REST_TIMEOUT = 180.0
"""Seconds without any progress of the waiting work after which the replay says that the system hangs."""
OUTAGE_TIMEOUT = 120.0
CLERKS = 6
FORESEEN = ("measure_dates", "forecast_demand")
"""Crons of the learning worker that a replay with foresight runs, on the last day of each of its weeks."""

OUTAGES = (
    *EXPECTED,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    OSError,
    TimeoutError,
)


class ReplayError(BackorderManagerError):
    """The replay cannot go on; the message says where it stands."""


@dataclass(slots=True)
class Progress:
    """What is kept in the database between runs, so that a replay goes on where it was."""

    day: date
    """The next day to play."""
    lines: int = 0
    seconds: float = 0.0
    """Spent by earlier runs of this replay."""
    peak_memory_mb: float = 0.0


@dataclass(slots=True)
class Replay:
    """One replay on one stack. `on_lines` is told how many rows of the file have been played."""

    database: Database
    settings: Settings
    path: Path
    survey: Survey
    seed: int
    data_dir: Path
    foresight: bool = False
    """The learning worker measures dates and forecasts demand once a week, and reorder points follow."""
    on_lines: Callable[[int, str], None] = lambda lines, day: None
    rejects: list[Reject] = field(default_factory=list)
    phases: dict[str, float] = field(default_factory=dict)
    """Wall seconds of this run by what was played."""
    progress: Progress = field(init=False)
    supplier: PlayedSupplier = field(init=False)
    warehouse: PlayedWarehouse = field(init=False)
    _clock: SimulationClock = field(default_factory=SimulationClock)
    _ticked: datetime | None = None
    _started: float = 0.0

    def __post_init__(self) -> None:
        self.supplier = PlayedSupplier(self.settings.edi_dir, self.data_dir / "supplier", self.seed)
        self.warehouse = PlayedWarehouse(self.run, self.supplier, self.seed)
        self.progress = Progress(self.survey.first_day)

    async def run(self, use_case: Callable[[UnitOfWork], Awaitable[T]]) -> T:
        """One use case; when the server goes away, wait for the supervisor and do it again (every step may repeat)."""
        return await self.patiently(lambda: run_unit_of_work(self.database, use_case, clock=self._clock))

    async def load_progress(self) -> None:
        async def work(uow: UnitOfWork) -> Any:
            return await uow.sql.fetchval("select value from policy where code = 'replay'")

        saved = await self.run(work)
        if saved:
            self.progress = Progress(
                date.fromisoformat(saved["day"]), saved["lines"], saved["seconds"], saved["peakMemoryMb"]
            )

    async def _save_progress(self, day: date, lines: int, peak_memory_mb: float) -> None:
        self.progress = Progress(day, lines, self.progress.seconds, max(peak_memory_mb, self.progress.peak_memory_mb))
        value = {
            "day": day.isoformat(),
            "lines": lines,
            "seconds": self.elapsed,
            "peakMemoryMb": self.progress.peak_memory_mb,
        }

        async def work(uow: UnitOfWork) -> None:
            await uow.sql.execute(
                """insert into policy (code, value) values ('replay', $1)
                on conflict (code) do update set value = excluded.value, updated_at = now()""",
                value,
            )

        await self.run(work)

    @property
    def elapsed(self) -> float:
        return self.progress.seconds + (time.monotonic() - self._started if self._started else 0.0)

    async def play(self, memory: Callable[[], float]) -> None:
        """All days from where the progress stands to the last one. `memory` gives the stack's peak in MB."""
        self._started = time.monotonic()
        lines = 0
        for day, invoices in self._days():
            count = sum(invoice.row_count for invoice in invoices)
            lines += count
            if day < self.progress.day:
                continue
            self.on_lines(lines - count, day.isoformat())
            await self._play_day(
                day, invoices, lambda done, base=lines - count, d=day: self.on_lines(base + done, d.isoformat())
            )
            await self._save_progress(next_day(day), lines, memory())
        await self._rest()
        await self._published()
        self.on_lines(lines, self.survey.last_day.isoformat())

    def _days(self) -> Iterator[tuple[date, list[Invoice]]]:
        """Every calendar day of the window with the invoices of that day."""
        day, waiting = self.survey.first_day, []
        for invoice in read_history(self.path):
            placed = max(invoice.placed_at.date(), day)
            if placed > self.survey.last_day or invoice.placed_at.date() < self.survey.first_day:
                continue
            while placed > day:
                yield day, waiting
                day, waiting = next_day(day), []
            waiting.append(invoice)
        while day <= self.survey.last_day:
            yield day, waiting
            day, waiting = next_day(day), []

    async def _play_day(self, day: date, invoices: list[Invoice], on_lines: Callable[[int], None]) -> None:
        await self._set_clock(datetime.combine(day, clock_time(5), UTC))
        with self._timed("suppliers"):
            self.supplier.read_orders(day)
            self.supplier.send_due(day)
        with self._timed("receipts, deliveries, counts"):
            await together(
                self.warehouse.take_in(day),
                self.warehouse.move_transfers(day),
                self.warehouse.deliver(day),
                self.warehouse.count(day),
            )
        await self._play_orders(invoices, on_lines)
        with self._timed("shipments, crons"):
            await together(self.warehouse.ship(day), self._tick(datetime.combine(day, clock_time(21), UTC)))
        with self._timed("rest"):
            await self._rest()

    async def _play_orders(self, invoices: list[Invoice], on_lines: Callable[[int], None]) -> None:
        """Orders in batches in the order of their times; what came back meanwhile is taken back behind each batch."""
        done, batch, size, returns = 0, [], 0, []
        for invoice in invoices:
            if invoice.is_return:
                returns.append(invoice)
                continue
            batch.append(invoice)
            size += len(invoice.rows)
            if size >= BATCH_LINES or len(batch) >= BATCH_ORDERS:
                done += await self._flush(batch) + await self._take_back(returns)
                batch, size, returns = [], 0, []
                on_lines(done)
        await self._flush(batch)
        await self._take_back(returns)

    @contextlib.contextmanager
    def _timed(self, phase: str) -> Iterator[None]:
        started = time.monotonic()
        try:
            yield
        finally:
            self.phases[phase] = self.phases.get(phase, 0.0) + time.monotonic() - started

    async def _set_clock(self, at: datetime) -> None:
        async def work(uow: UnitOfWork) -> None:
            await uow.sql.execute("update simulation_clock set simulated_at = greatest(simulated_at, $1)", at)

        await self.run(work)

    async def _tick(self, at: datetime) -> None:
        """Let the business crons of the time since the last tick happen."""
        await self._set_clock(at)
        since = self._ticked or at - timedelta(hours=24)
        learns = self.foresight and (at.date() - self.survey.first_day).days % 7 == 6
        await self.patiently(
            lambda: tick(self.database, self._clock, since, at, self.settings, FORESEEN if learns else ())
        )
        self._ticked = at

    async def patiently(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do work that may be repeated; when a server goes away or others are always faster, do it again."""
        deadline = time.monotonic() + OUTAGE_TIMEOUT
        while True:
            try:
                return await work()
            except OUTAGES as failure:
                if time.monotonic() > deadline:
                    raise ReplayError(
                        f"A server has been away or too busy for {OUTAGE_TIMEOUT:.0f} s: {failure}"
                    ) from failure
                await asyncio.sleep(0.25)

    async def _flush(self, invoices: list[Invoice]) -> int:
        """Place a batch of orders at the moment of its last one; what is there already is only repeated."""
        orders = [_order(invoice) for invoice in invoices if invoice.rows]
        if orders:
            with self._timed("orders"):
                await self._set_clock(invoices[-1].placed_at)
                results = await self.run(lambda uow: place_orders(uow, orders))
            refused = [(o, r) for o, r in zip(orders, results, strict=True) if r.outcome == "refused"]
            for order, result in refused:
                reason = "; ".join(error.message for error in result.errors)
                source = next(i for i in invoices if i.number == order.external_number)
                self.rejects += [Reject(row.number, reason, _raw(source, row)) for row in source.rows]
        return sum(invoice.row_count for invoice in invoices)

    async def _take_back_one(self, invoice: Invoice, row: Row) -> int:
        """Take back one row; when another clerk was faster with the same line, look again."""
        for _ in range(CLERKS * 2):
            with contextlib.suppress(IllegalTransition, QuantityExceeded):
                return await self.run(lambda uow: _take_back_row(uow, invoice, row))
        return await self.run(lambda uow: _take_back_row(uow, invoice, row))

    async def _take_back(self, invoices: list[Invoice]) -> int:
        """Cancel what has not left yet, take back what has, newest order first; what was never sold is rejected.

        A customer's returns come one after the other, those of several customers beside each other. Returns the rows.
        """
        if not invoices:
            return 0
        clerks = asyncio.Semaphore(CLERKS)

        async def take(invoice: Invoice, row: Row) -> None:
            async with clerks:
                left = await self._take_back_one(invoice, row)
            if left:
                reason = f"{left} of {row.quantity} units taken back were never sold to this customer"
                self.rejects.append(Reject(row.number, reason, _raw(invoice, row)))

        async def take_in_turn(theirs: list[Invoice]) -> None:
            for invoice in theirs:
                await together(*(take(invoice, row) for row in invoice.rows))

        customers: dict[str | None, list[Invoice]] = {}
        for invoice in invoices:
            customers.setdefault(invoice.customer, []).append(invoice)
        with self._timed("returns"):
            await self._set_clock(invoices[-1].placed_at)
            await together(*(take_in_turn(theirs) for theirs in customers.values()))
        return sum(invoice.row_count for invoice in invoices)

    async def _rest(self) -> None:
        """Wait until no fact, job or file is on its way. Raises ReplayError when nothing moves for a long time."""
        last, since = None, time.monotonic()
        pause = 0.01
        while True:
            state = await self.patiently(self._unrest)
            if not any(state[:3]):
                return
            if state != last:
                last, since = state, time.monotonic()
                pause = 0.01
            elif time.monotonic() - since > REST_TIMEOUT:
                raise ReplayError(
                    f"Nothing has moved for {REST_TIMEOUT:.0f} s: {state[0]} facts, {state[1]} jobs, {state[2]} files wait; "
                    f"see the logs in {self.data_dir / 'log'} and: python manage.py doctor --data {self.data_dir}"
                )
            await asyncio.sleep(pause)
            pause = min(0.1, pause * 1.5)

    async def _published(self) -> None:
        """Wait until the live stream has caught up with the relay's position."""
        deadline = time.monotonic() + REST_TIMEOUT
        while True:
            position = await self.patiently(lambda: self.database.system.fetchval("select position from relay"))
            with contextlib.suppress(RedisError, OSError):
                if await stream_head(self.settings) >= (position or 0):
                    return
            if time.monotonic() > deadline:
                raise ReplayError(f"The live stream has not reached position {position} for {REST_TIMEOUT:.0f} s.")
            await asyncio.sleep(0.1)

    async def _unrest(self) -> tuple[int, int, int, datetime | None]:
        """Facts, jobs and files on their way, and the last sign of life of a running job: a long one is no standstill."""
        row = await self.database.system.fetchrow(
            """select (select count(*) from outbox) as facts,
            (select count(*) from job_run where state in ('waiting', 'queued', 'running')) as jobs,
            (select max(heartbeat_at) from job_run where state = 'running') as beat"""
        )
        assert row is not None
        files = sum(
            1
            for path in self.settings.edi_dir.glob("*/in/*")
            if path.is_file() and not path.name.startswith(".") and path.suffix != ".tmp"
        )
        return row["facts"], row["jobs"], files, row["beat"]

    def write_rejects(self, path: Path) -> int:
        """All rejected rows as CSV with the reason, each once; returns how many."""
        rows = {reject.number: reject for reject in [*self.survey.rejects, *self._known_rejects(path), *self.rejects]}
        partial = path.with_suffix(".tmp")
        with partial.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(["Line", "Reason", *COLUMNS])
            for number in sorted(rows):
                reject = rows[number]
                writer.writerow([number, reject.reason, *(reject.row.get(name, "") for name in COLUMNS)])
        partial.replace(path)
        return len(rows)

    @staticmethod
    def _known_rejects(path: Path) -> Iterator[Reject]:
        if path.exists():
            with path.open(encoding="utf-8", newline="") as stream:
                for row in csv.DictReader(stream):
                    yield Reject(int(row["Line"]), row["Reason"], {name: row[name] for name in COLUMNS})


def _order(invoice: Invoice) -> OrderRequest:
    return OrderRequest(
        CHANNEL,
        [LineRequest(row.sku, row.quantity) for row in invoice.rows],
        ShipTo(country_code(invoice.country)),
        external_number=invoice.number,
        customer_code=invoice.customer,
        placed_at=invoice.placed_at,
    )


def _raw(invoice: Invoice, row: Row) -> dict[str, str]:
    return {
        "InvoiceNo": invoice.number,
        "StockCode": row.sku,
        "Description": row.description,
        "Quantity": str(-row.quantity if invoice.is_return else row.quantity),
        "InvoiceDate": invoice.placed_at.strftime("%Y-%m-%d %H:%M"),
        "UnitPrice": f"{row.price / 100:.2f}",
        "CustomerID": invoice.customer or "",
        "Country": invoice.country,
    }


async def _take_back_row(uow: UnitOfWork, invoice: Invoice, row: Row) -> int:
    """One row of a cancellation, once; returns the units for which no sale was found."""
    number = f"{invoice.number}-{row.number}"
    known = await uow.sql.fetchval(
        "select result from idempotency where operation = 'replayReturn' and key = $1", number
    )
    if known is not None:
        return known["left"]
    lines = await uow.sql.fetch(
        """select o.number, l.line_number, l.open + l.allocated + l.backordered as waiting, l.shipped
            - coalesce((select sum(r.quantity) from order_return r where r.order_line_id = l.id), 0) as returnable
        from sales_order o join customer c on c.id = o.customer_id join order_line l on l.order_id = o.id
        join sku k on k.id = l.sku_id
        where c.code = $1 and k.code = $2 and o.placed_at <= $3
        order by (l.ordered = $4) desc, o.placed_at desc, o.id desc, l.line_number limit 20""",
        invoice.customer,
        row.sku,
        invoice.placed_at,
        row.quantity,
    )
    left = row.quantity
    for found in lines:
        taken = min(left, found["waiting"])
        if taken > 0:
            await cancel_order(uow, CancelOrder(found["number"], found["line_number"], taken, "customer cancelled"))
            left -= taken
        back = min(left, int(found["returnable"]))
        if back > 0:
            await return_goods(
                uow,
                ReturnGoods(
                    found["number"],
                    found["line_number"],
                    back,
                    "MAIN",
                    return_number=f"{number}-{found['number']}-{found['line_number']}",
                ),
            )
            left -= back
        if not left:
            break
    await uow.sql.execute(
        """insert into idempotency (principal, operation, key, request_hash, result, created_at)
        values ('replay', 'replayReturn', $1, '', $2, $3)""",
        number,
        {"left": left},
        uow.now,
    )
    return left
