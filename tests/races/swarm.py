"""Hammer a whole running system through its API, kill what can be killed, and recount every unit afterwards.

`python tests/races/swarm.py --seconds 30 --seed 7`: starts a system of its own in a temporary folder (private
PostgreSQL and Valkey, several API processes, relay, workers), lets actors of all roles work on few SKUs, kills
processes and ends database sessions, asks for unknown outcomes again under the same key, then lets everything come to
rest and judges. Exit code 1 when anything differs. The same seed draws the same deeds, not the same interleaving.
"""

from __future__ import annotations

import asyncio
import json
import random
import shutil
import sys
import tempfile
import time
from argparse import ArgumentParser, Namespace
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
COLUMNS = ("SKUs", "seconds", "SIGKILLs, backends ended", "orders, lines, holds, units received", "unknown outcomes asked again",
           "events watched, cuts", "differences", "deadlocks")  # fmt: skip


async def run(given: Namespace) -> dict[str, Any]:
    """One swarm; what was done, what was found and whether it is sound."""
    import asyncpg
    import httpx2

    from core.domain.access import Role
    from tests.races.swarm_caller import Caller
    from tests.races.swarm_goods import BOX, GOODS, KIT, PAN, SAW, TEA, stock_goods
    from tests.races.swarm_judge import judge
    from tests.races.swarm_killer import Watcher, back_again, kill
    from tests.races.swarm_life import LIFE, short_lives
    from tests.races.swarm_scene import Scene
    from tests.races.swarm_verbs import act
    from workers.commands.connection import stored_secrets
    from workers.commands.stack import Stack

    folder = Path(tempfile.mkdtemp(prefix="bm-swarm-"))
    say = (lambda line: print(line, file=sys.stderr, flush=True)) if given.verbose else (lambda line: None)
    stack = Stack(folder / "data", 0, api_processes=given.apis, worker_classes=("fast", "bulk"), say=say)
    done: Counter[str] = Counter()
    wrong: list[str] = []
    report: dict[str, Any] = {"seed": given.seed}
    try:
        async with stack:
            connection = await asyncpg.connect(stack.dsn)
            skus = await _stock(connection, given.skus)
            mutations = set(await _mutations(stack))
            dice = random.Random(given.seed)
            limits = httpx2.Limits(max_connections=given.actors * 2 + 4)
            async with httpx2.AsyncClient(timeout=15, limits=limits) as http:
                callers = {
                    role: Caller(http, stack.url, stack.token(role), dice, done, given.twice)
                    for role in (Role.STOREFRONT, Role.PLANNER, Role.WAREHOUSE)
                }
                scene = Scene(
                    given.seed, dice, skus, [TEA, SAW, KIT, BOX, PAN], mutations, callers[Role.STOREFRONT], callers[Role.PLANNER],
                    callers[Role.WAREHOUSE], done, stack.edi_dir,
                )  # fmt: skip
                await short_lives(scene)
                await stock_goods(scene)
                watcher = Watcher(stack.url, stack.token(Role.PLANNER))
                end = time.monotonic() + given.seconds
                over = asyncio.Event()
                watching = asyncio.create_task(watcher.watch(over.is_set))
                began = time.monotonic()
                actors = [
                    act(scene, lambda: time.monotonic() >= end, wrong, (*LIFE, *GOODS)) for _ in range(given.actors)
                ]
                if not given.no_kills:
                    actors.append(
                        kill(
                            stack,
                            stack.dsn,
                            dice,
                            lambda: time.monotonic() >= end,
                            done,
                            servers=given.servers,
                            every=given.every,
                        )
                    )
                await asyncio.gather(*actors)
                seconds = time.monotonic() - began
                await connection.close()
                connection = await back_again(stack.dsn)
                rest = await _rest(connection, given.patience)
                await _caught_up(connection, watcher, 20)
                over.set()
                watching.cancel()
                await asyncio.gather(watching, return_exceptions=True)
            facts = await connection.fetchrow(
                """select (select count(*) from sales_order where external_number like 'swarm-%') as orders,
                (select count(*) from order_line) as lines, (select count(distinct group_id) from reservation) as holds,
                (select count(*) from event) as events,
                (select count(*) from option_offer where state = 'EXPIRED') as expired,
                (select count(*) from backorder where closed_at is not null) as ended"""
            )
            key = stored_secrets(stack.data_dir / "secrets.json").get("SEAL_KEY", "").encode()
            found = await judge(stack.dsn, stack.data_dir, key, scene.numbers, watcher.positions)
            await connection.close()
    finally:
        if given.keep:
            print(f"The data folder stays: {folder}", file=sys.stderr)
        else:
            from core.embedded import discard_private_data

            discard_private_data(folder / "data")
            shutil.rmtree(folder, ignore_errors=True)
    found["came to rest"] = rest
    found["watcher"] = watcher.wrong
    found["wrong"] = wrong[:20]
    deadlocks = found.pop("deadlocks")
    stories = found.pop("stories")
    differences = {name: rows for name, rows in found.items() if rows}
    if differences and stories:
        report["stories"] = stories
    done |= {"options expired": facts["expired"], "backorders ended": facts["ended"]}
    report |= {"done": dict(sorted(done.items())), "differences": differences, "deadlocks": deadlocks}
    report["row"] = dict(zip(COLUMNS, (
        len(skus), round(seconds), f"{done['SIGKILLs']}, {done['backends ended']}",
        f"{facts['orders']:,}, {facts['lines']:,}, {facts['holds']:,}, {done['units received']:,}",
        done["unknown outcomes"], f"{len(watcher.positions):,}, {watcher.cuts}",
        sum(len(rows) for rows in differences.values()), deadlocks,
    ), strict=True))  # fmt: skip
    report["sound"] = not differences
    return report


async def _stock(connection: Any, wanted: int) -> list[str]:
    """The active SKUs of the demo company, and as many more as were asked for, supplied and stocked alike."""
    await connection.execute(
        """insert into sku (code, name, unit_cost, unit_price, currency)
        select 'SWARM-' || n, jsonb_build_object('en', 'Swarm ' || n), 1000, 2000, 'USD' from generate_series(1, $1::int) n""",
        max(0, wanted - 10),
    )
    await connection.execute(
        """insert into supplier_sku (supplier_id, sku_id, vendor_code, price, currency, lead_time_days, lead_time_p80,
            moq, order_multiple, is_preferred)
        select s.id, k.id, k.code, 700, 'USD', 14, 18, 1, 1, true from supplier s, sku k
        where s.code = 'BRIGHTWORKS' and k.code like 'SWARM-%'"""
    )
    rows = await connection.fetch(
        "select id, code from sku where status = 'ACTIVE' order by code like 'SWARM-%' desc, id limit $1", wanted
    )
    async with connection.transaction():
        await connection.execute("set local role bm_system")
        await connection.execute(
            """update sku_gate set version = version + 1, changed_by = pg_current_xact_id() where sku_id = any($1::bigint[])""",
            [row["id"] for row in rows],
        )
        await connection.execute(
            """with m as (insert into stock_movement (sku_id, location_id, kind, on_hand_delta, cause_kind, actor,
                occurred_at, gate_version)
            select k, l.id, 'adjusted', 25, 'opening', 'swarm', now(), 0 from unnest($1::bigint[]) k, location l
            where l.code in ('DC-ICN', 'DC-LTN', 'RES-BUSAN', 'STORE-SEOUL') returning sku_id, location_id)
            insert into stock_level (sku_id, location_id, on_hand) select sku_id, location_id, 25 from m
            on conflict (sku_id, location_id) do update set on_hand = stock_level.on_hand + 25""",
            [row["id"] for row in rows],
        )
    return [row["code"] for row in rows]


async def _mutations(stack: Any) -> list[str]:
    from api.commands.schema import SDL_FILE

    text = SDL_FILE.read_text(encoding="utf-8").partition("\ntype Mutation {")[2].partition("\n}")[0]
    return [
        line.strip().partition("(")[0] for line in text.splitlines() if line.startswith("  ") and line[2:3].isalpha()
    ]


async def _rest(connection: Any, patience: float) -> list[str]:
    """Wait until no job and no outbox row is left; what is left when patience ends."""
    left: list[str] = []
    end = time.monotonic() + patience
    while time.monotonic() < end:
        left = [
            f"{row['what']} {row['n']}"
            for row in await connection.fetch(
                """select 'outbox' as what, count(*) as n from outbox having count(*) > 0
                union all select function || ' ' || state, count(*) from job_run
                where state in ('waiting', 'queued', 'running') and queue <> 'learning'
                    and (run_after is null or run_after < now() + interval '30 seconds') group by 1
                union all select 'overdue holds', count(*) from reservation where state = 'held' and expires_at <= now()
                having count(*) > 0
                union all select 'order holds past their end', count(*) from order_hold where released_at is null
                    and release_deadline < now() and on_deadline <> 'ESCALATE' having count(*) > 0
                union all select 'options past their deadline', count(*) from option_offer o
                    join backorder b on b.sku_id = o.sku_id and b.id = o.backorder_id
                    where o.state = 'OPEN' and o.deadline < now() and b.state <> 'ON_HOLD' having count(*) > 0
                union all select 'unsealed', count(*) from audit_entry where seal_number is null having count(*) > 0"""
            )
        ]
        if not left:
            return []
        await asyncio.sleep(0.5)
    return left


async def _caught_up(connection: Any, watcher: Any, patience: float) -> None:
    newest = await connection.fetchval("select max(position) from event where topic = 'order'")
    end = time.monotonic() + patience
    while time.monotonic() < end and newest is not None and (not watcher.positions or watcher.positions[-1] < newest):
        await asyncio.sleep(0.2)


def arguments(argv: list[str] | None = None) -> Namespace:
    parser = ArgumentParser(description=__doc__, prog="python tests/races/swarm.py")
    parser.add_argument("--seconds", type=float, default=30, help="how long the actors work (default 30)")
    parser.add_argument("--seed", type=int, default=1, help="of the dice (default 1)")
    parser.add_argument("--skus", type=int, default=10, help="how many SKUs they fight over (default 10)")
    parser.add_argument("--actors", type=int, default=16, help="how many act at once (default 16)")
    parser.add_argument("--apis", type=int, default=2, help="API processes on the one port (default 2)")
    parser.add_argument("--twice", type=float, default=0.1, help="share of requests sent twice at once (default 0.1)")
    parser.add_argument("--patience", type=float, default=240, help="seconds to come to rest in (default 240)")
    parser.add_argument("--every", type=float, default=2, help="seconds within which something dies (default 2)")
    parser.add_argument("--servers", action="store_true", help="kill PostgreSQL and Valkey as well")
    parser.add_argument("--no-kills", action="store_true", help="let everybody live")
    parser.add_argument("--keep", action="store_true", help="leave the data folder for a look")
    parser.add_argument("--verbose", action="store_true", help="say who dies and comes back")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser.parse_args(argv)


def main() -> None:
    sys.path[:0] = [str(ROOT)]
    given = arguments()
    report = asyncio.run(run(given))
    if given.json:
        print(json.dumps(report, default=str))
    else:
        print("| " + " | ".join(COLUMNS) + " |")
        print("|" + "---|" * len(COLUMNS))
        print("| " + " | ".join(str(report["row"][name]) for name in COLUMNS) + " |")
        print("done:", ", ".join(f"{name} {n:,}" for name, n in report["done"].items()))
        for name, rows in report["differences"].items():
            print(f"{name}:")
            for row in rows:
                print(f"  {row}")
        for line in report.get("stories", ()):
            print(line)
    sys.exit(0 if report["sound"] else 1)


if __name__ == "__main__":
    main()
