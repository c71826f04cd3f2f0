"""Trading partners through the schema: guides put in force, alerts looked at, invoices, and a proposal tried before it is accepted."""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal

import pytest

from api.commands.access_matrix import type_matrix
from core.domain.access import Role
from core.domain.supplier_changes import ChangeSource
from core.edi.x12_writer import Envelope, write_interchange
from core.errors import ReadingEnded
from core.services import onboard_partner
from core.services.apply_acknowledgement import AcknowledgeLine
from core.services.ingest_edi_document import ingest_edi_file
from core.services.propose_supplier_change import ProposeSupplierChange, propose_supplier_change
from core.services.receive_edi_file import store_edi_file
from core.services.send_purchase_order import send_purchase_order
from core.unit_of_work import run_unit_of_work
from tests.graphql_api.schema_under_test import open_shop
from tests.unit.edi_messages import X12, x12_file

pytestmark = pytest.mark.anyio

PARTNERS = "{ tradingPartners { code supplier { code } samples guides { version state guide } } }"
ALERTS = "{ partnerAlerts(filter: { isOpen: true }, first: 5) { nodes { number kind message partner } } }"


async def test_a_planner_keeps_partners_and_tries_what_a_supplier_asks_for(database_url):
    async with open_shop(database_url) as shop:
        sql, planner, supplier = shop.database.system, shop.context(Role.PLANNER), await shop.supplier("BRIGHTWORKS")

        async def run(use_case):
            return await run_unit_of_work(shop.database, use_case, clock=shop.clock)

        wanted = {"supplier": "BRIGHTWORKS", "location": "DC-ICN", "lines": [{"sku": "KETTLE-17", "quantity": 10}]}
        made = await shop.change(planner, "purchaseOrderCreate", wanted, "purchaseOrder { number }")
        number = made["purchaseOrder"]["number"]
        po = await sql.fetchval("update purchase_order set status = 'APPROVED' where number = $1 returning id", number)
        await run(lambda uow: send_purchase_order(uow, po))
        row = await sql.fetchrow("select * from partner where code = 'brightworks'")
        ends = [row[x] for x in ("qualifier", "interchange_id", "our_qualifier", "our_interchange_id")]

        async def billed(control: int, mark: str) -> str:
            envelope = Envelope(*ends, "SUP", "US", control, control, 1, datetime(2026, 11, 20, 9, 0))
            rows = [
                ("BIG", date(2026, 11, 20), f"INV{control}", "", number),
                ("IT1", "1", 10, "EA", Decimal("14"), "", "BP", "KETTLE-17"),
                ("TDS", 14000),
            ]
            data = write_interchange("810", "IN", [rows], envelope).replace(b"*", mark.encode())
            raw_id = await run(lambda uow: store_edi_file(uow, "brightworks", "folder", f"f{control}", data))
            assert await ingest_edi_file(run, raw_id) == {"applied": 1}
            return data.decode()

        sample = await billed(1, "*")
        await billed(2, "|")
        (alert,) = (await shop.ask(planner, ALERTS))["partnerAlerts"]["nodes"]
        assert (alert["kind"], alert["partner"]) == ("ENVELOPE_CHANGED", "brightworks")
        cleared = await shop.change(planner, "partnerAlertClear", {"number": alert["number"]}, "alert { clearedBy }")
        assert cleared["alert"]["clearedBy"] is not None
        assert (await shop.ask(planner, ALERTS))["partnerAlerts"]["nodes"] == []
        query = f'{{ purchaseOrder(number: "{number}") {{ invoices {{ number total findings {{ kind }} lines {{ price }} }} }} }}'
        for caller in (planner, supplier):
            bills = (await shop.ask(caller, query))["purchaseOrder"]["invoices"]
            assert [bill["number"] for bill in bills] == ["INV1", "INV2"]
            assert bills[0]["findings"] == [{"kind": "NOT_SHIPPED"}]
        draft = {"partner": "brightworks", "guide": json.dumps({"price_tolerance_percent": 3})}
        draft["samples"] = [{"name": "810", "content": sample}]
        added = await shop.change(planner, "partnerGuideAdd", draft, "version")
        chosen = {"partner": "brightworks", "version": added["version"]}
        active = await shop.change(planner, "partnerGuideActivate", chosen, "version userErrors { code }")
        assert active == {"version": added["version"], "userErrors": []}
        (found,) = [p for p in (await shop.ask(planner, PARTNERS))["tradingPartners"] if p["code"] == "brightworks"]
        assert (found["samples"], [g["state"] for g in found["guides"]]) == (["810"], ["ACTIVE", "RETIRED"])
        broken = {"partner": "brightworks", "guide": '{"nonsense": 1}'}
        assert (await shop.change(planner, "partnerGuideAdd", broken, "version"))["version"] is None

        why = f'{{ purchaseOrder(number: "{number}") {{ cause {{ kind actor waiting reason saves {{ amountMinor }} }} }} }}'
        cause = (await shop.ask(planner, why))["purchaseOrder"]["cause"]
        assert (cause["kind"], cause["actor"]) == ("MANUAL", planner.principal.id)
        assert (cause["waiting"], cause["reason"], cause["saves"]) == (None, None, None)
        for caller, role in ((supplier, Role.SUPPLIER), (shop.context(Role.WAREHOUSE), Role.WAREHOUSE)):
            assert (await shop.ask(caller, why))["purchaseOrder"]["cause"] is None
            assert type_matrix()["PurchaseOrderCause"][role] == ""

        asked = ProposeSupplierChange(
            number, None, [AcknowledgeLine(1, [(10, date(2027, 3, 30))])], ChangeSource.PORTAL
        )
        await run(lambda uow: propose_supplier_change(uow, asked))
        nodes = (await shop.ask(planner, "{ supplierChanges(first: 1) { nodes { id state } } }"))["supplierChanges"][
            "nodes"
        ]
        want = "preview { outcome purchaseOrderLines { number before after } orderLines { number customer } }"
        tried = await shop.change(planner, "supplierChangePreview", {"id": nodes[0]["id"]}, want)
        (line,) = tried["preview"]["purchaseOrderLines"]
        assert [json.loads(line[x])["promised_date"] for x in ("before", "after")] == [None, "2027-03-30"]
        again = (await shop.ask(planner, "{ supplierChanges(first: 1) { nodes { state } } }"))["supplierChanges"][
            "nodes"
        ]
        assert again == [{"state": "PROPOSED"}], "nothing was done"


async def test_a_partner_is_entered_from_its_samples(database_url):
    want = "partner { code interchangeId samples supplier { code } } version undecided { setting } userErrors { code }"
    async with open_shop(database_url) as shop:
        planner = shop.context(Role.PLANNER)
        files = [{"name": kind, "content": x12_file(kind, X12[kind]).decode()} for kind in ("850", "855", "856")]
        entered = {"code": "newcomer", "supplier": "BRIGHTWORKS", "samples": files}
        made = await shop.change(planner, "partnerCreate", entered, want)
        assert made["partner"] == {
            "code": "newcomer",
            "interchangeId": "SUPPLIER",
            "samples": ["850", "855", "856"],
            "supplier": {"code": "BRIGHTWORKS"},
        }
        assert "deadlines" in [one["setting"] for one in made["undecided"]]
        chosen = {"partner": "newcomer", "version": made["version"]}
        active = await shop.change(planner, "partnerGuideActivate", chosen, "version userErrors { code }")
        assert active == {"version": 1, "userErrors": []}
        for wrong in ({"samples": [{"name": "a", "content": "no EDI"}]}, {"code": "other"}, {"code": "../etc"}):
            refused = await shop.change(planner, "partnerCreate", {**entered, **wrong}, want)
            assert (refused["partner"], len(refused["userErrors"])) == (None, 1), wrong


async def test_samples_are_learned_from_beside_the_process_and_before_a_transaction(database_url, monkeypatch):
    def learn(_files):
        raise ReadingEnded("too long")

    monkeypatch.setattr(onboard_partner.LEARNING, "learn", learn)
    async with open_shop(database_url) as shop:
        planner = shop.context(Role.PLANNER)
        monkeypatch.setattr(type(planner), "mutate", None)
        entered = {"code": "slow", "samples": [{"name": "a", "content": "ISA"}]}
        refused = await shop.change(planner, "partnerCreate", entered, "version")
        assert [error["path"] for error in refused["userErrors"]] == [["input", "samples"]]


async def test_an_entered_partner_gets_drafts_from_its_own_files_only_and_keeps_its_samples(database_url):
    async with open_shop(database_url) as shop:
        planner = shop.context(Role.PLANNER)
        file = x12_file("855", X12["855"]).decode()
        entered = {"code": "known", "supplier": "BRIGHTWORKS", "samples": [{"name": "a", "content": file}]}
        assert (await shop.change(planner, "partnerCreate", entered, "version"))["version"] == 1
        async with shop.database.system.acquire() as sql:
            await sql.execute("insert into supplier (code, name) values ('STRANGER', 'Stranger')")
            await sql.execute("update guide_sample set expected = '{}' where name = 'a'")
        stranger = [{"name": "b", "content": file.replace("SUPPLIER ", "STRANGER ")}]
        for wrong, why in (
            ({"samples": stranger}, "other addresses"),
            ({"supplier": "STRANGER"}, "another supplier"),
            ({"samples": [{"name": "a", "content": file + "\n"}]}, "another sample 'a'"),
        ):
            refused = await shop.change(planner, "partnerCreate", {**entered, **wrong}, "version")
            assert refused["version"] is None
            assert why in refused["userErrors"][0]["message"]
        again = await shop.change(planner, "partnerCreate", entered, "version")
        assert again == {"version": 2, "userErrors": []}
        async with shop.database.system.acquire() as sql:
            kept = await sql.fetch(
                "select name, expected from guide_sample s join partner p on p.id = s.partner_id where p.code = 'known'"
            )
        assert [tuple(row) for row in kept] == [("a", {})]
