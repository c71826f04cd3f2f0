"""`manage.py master check`: a sound company has no findings, and each planted fault is named in words."""

from __future__ import annotations

import json

import pytest

from core.queries.master_data import CHECKS, find_faults
from tests.world import World
from workers.commands import master

pytestmark = pytest.mark.anyio

FAULTS = """
insert into location (code, name, kind) values ('BARE', 'Bare', 'dc'), ('NOWHERE', 'Nowhere', 'destination'),
    ('DOOR', 'Door', 'supplier'), ('LOST', 'Lost', 'destination');
insert into delivery_zone (country, postal_prefix, location_id) select 'NO', '01', id from location where code = 'NOWHERE';
insert into channel (code, name, location_ids) select 'dead', 'Dead', array[id] from location where code = 'KR';
insert into channel (code, name, location_ids) select 'stuck', 'Stuck', array[id] from location where code = 'R';
insert into customer (code, tier) values ('ODD', 'PLATINUM'), ('TWIN', 'GOLD');
insert into customer_person (customer_id, email) select id, 'A@b.example' from customer where code = 'ODD';
insert into customer_person (customer_id, email) select id, 'a@b.example' from customer where code = 'TWIN';
insert into sku (code, name, currency, status) values ('OLD', '{}', 'KRW', 'DISCONTINUED'), ('LONE', '{}', 'KRW', 'ACTIVE');
insert into substitute (sku_id, substitute_sku_id) select s.id, o.id from sku s, sku o where s.code = 'S' and o.code = 'OLD';
update supplier set location_id = (select id from location where code = 'DOOR') where code = 'SUP';
update sku_gate set changed_by = pg_current_xact_id();
insert into protected_stock (sku_id, location_id, demand_class, from_date, quantity)
    select s.id, l.id, 'ghost', '2026-01-01', 1 from sku s, location l where s.code = 'S' and l.code = 'A';
"""
WANTED = {
    "location_without_calendar": ["BARE"],
    "location_without_lane": ["BARE"],
    "zone_without_way": ["NO 01"],
    "destination_without_zone": ["LOST"],
    "channel_without_location": ["dead"],
    "channel_without_way": ["stuck"],
    "class_without_channel": ["ghost"],
    "customer_of_unknown_grade": ["ODD"],
    "customers_of_one_address": ["ODD", "TWIN"],
    "sku_without_supplier": ["LONE"],
    "sku_with_dead_substitute": ["S"],
    "supplier_without_lane": ["SUP"],
}


async def test_each_fault_is_named_and_a_sound_company_has_none(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await find_faults(world.database.system) == []  # type: ignore[arg-type]
    async with world.database.system.acquire() as sql, sql.transaction():
        await sql.execute(FAULTS)
    found = await find_faults(world.database.system)  # type: ignore[arg-type]
    assert {finding.check: finding.objects for finding in found} == WANTED
    assert [finding.check for finding in found] == list(CHECKS)
    monkeypatch.setattr(master, "operator_settings", lambda data: None)
    monkeypatch.setattr(master, "run_on", lambda settings, look: found)
    for as_json in (False, True):
        with pytest.raises(master.typer.Exit) as ended:
            master.check(None, as_json)
        assert ended.value.exit_code == 1
    text, report = capsys.readouterr().out.split('{"ok"')
    assert "customer_of_unknown_grade: 1 customers have a tier that no rule knows" in text
    assert "  ODD, TWIN\n" in text
    assert json.loads('{"ok"' + report)["findings"][-1] == {
        "check": "supplier_without_lane",
        "meaning": CHECKS["supplier_without_lane"][0],
        "count": 1,
        "objects": ["SUP"],
    }
    monkeypatch.setattr(master, "run_on", lambda settings, look: [])
    master.check(None, False)
    assert capsys.readouterr().out == "Master data: everything fits together.\n"
