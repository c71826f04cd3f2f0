"""Kits: exploded into component lines, taken under all gates, kept together until they leave or are cancelled."""

from __future__ import annotations

import pytest

from core.domain.placing import LineRequest
from core.domain.states import ShipPolicy
from core.repositories.gates import take_gates
from core.unit_of_work import UnitOfWork
from tests.world import World

pytestmark = pytest.mark.anyio


async def make_kit(world: World, code: str = "K", **parts: int) -> None:
    """A kit SKU of `parts` (component code = units per kit)."""
    await world.database.system.execute(
        "insert into sku (code, name, currency) values ($1, jsonb_build_object('en', $1::text), 'KRW')", code
    )
    kit_id = await world.sku(code)
    ids = {part: await world.sku(part) for part in parts}

    async def write(uow: UnitOfWork) -> None:
        await take_gates(uow, [kit_id, *ids.values()])
        await uow.sql.execute(
            """insert into kit_component (kit_sku_id, component_sku_id, quantity)
            select $1, u.id, u.units from unnest($2::bigint[], $3::int[]) as u(id, units)""",
            kit_id,
            list(ids.values()),
            list(parts.values()),
        )

    await world.do(write)


async def test_a_kit_line_becomes_lines_of_its_components(world: World) -> None:
    await make_kit(world, S=2, S2=1)
    await world.stock(10, "S")
    await world.stock(3, "S2")
    await world.stock(5, "S3")
    placed = await world.place(world.order(("S3", 1), ("K", 3)))
    assert placed[0].outcome == "placed"
    lines = await world.rows(
        """select l.line_number, k.code, l.ordered, l.allocated, kit.code as kit, l.kit_line_number, l.kit_quantity,
            l.kit_ships_together
        from order_line l join sku k on k.id = l.sku_id left join sku kit on kit.id = l.kit_sku_id order by 1"""
    )
    assert [tuple(line.values()) for line in lines] == [
        (1, "S3", 1, 1, None, None, None, True),
        (2, "S", 6, 6, "K", 2, 2, True),
        (3, "S2", 3, 3, "K", 2, 1, True),
    ]


async def test_a_kit_whose_component_runs_short_opens_the_backorder_on_the_component(world: World) -> None:
    await make_kit(world, S=2, S2=1)
    await world.stock(10, "S")
    await world.stock(3, "S2")
    placed = await world.place(world.order(("K", 5)))
    short = await world.rows("select k.code, b.quantity from backorder b join sku k on k.id = b.sku_id")
    assert [tuple(row.values()) for row in short] == [("S2", 2)]
    assert [sku_id for sku_id, _ in placed[0].backorder_ids] == [await world.sku("S2")]


async def test_a_kit_may_not_cancel_its_rest_part_by_part(world: World) -> None:
    await make_kit(world, S=2, S2=1)
    line = LineRequest("K", 1, ship_policy=ShipPolicy.PARTIAL_CANCEL_REST)
    placed = await world.place(world.order(line))
    assert placed[0].outcome == "refused"
    assert placed[0].errors[0].path == ("input", "lines", "0", "shipPolicy")
    assert "whole kits" in str(placed[0].errors[0])


async def test_the_same_kit_again_is_a_likely_double(world: World) -> None:
    await make_kit(world, S=2, S2=1)
    await world.place(world.order(("K", 1)))
    again = await world.place(world.order(("K", 1)))
    assert (await world.rows("select reason from order_hold"))[0]["reason"] == "DUPLICATE"
    assert again[0].outcome == "placed"


async def test_a_kit_is_no_component_of_a_kit(world: World) -> None:
    await make_kit(world, S=2, S2=1)
    with pytest.raises(Exception, match="a kit cannot be a component of a kit"):
        await make_kit(world, "K2", K=1)


async def test_a_kit_changes_only_under_the_gates_of_kit_and_component(world: World) -> None:
    await make_kit(world, S=2, S2=1)
    kit_id = await world.sku("K")

    async def half(uow: UnitOfWork) -> None:
        await take_gates(uow, [kit_id])
        await uow.sql.execute("update kit_component set quantity = 3 where kit_sku_id = $1", kit_id)

    with pytest.raises(Exception, match="without the gate of SKU"):
        await world.do(half)
