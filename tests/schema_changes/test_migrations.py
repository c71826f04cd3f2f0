"""The migrations give exactly the tables that the code declares, once and again."""

import re
from enum import StrEnum

import asyncpg
import pytest
import sqlalchemy as sa
from alembic import command
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from core.domain import edi_states, rebalancing, states, supplier_changes, supplier_states, webhook_states
from core.domain.access import Role
from core.domain.repromising.effects import Effect, Why
from core.tables import metadata
from migrations.upgrade import alembic_config, engine_url, upgrade

pytestmark = pytest.mark.anyio

ENUMS: dict[str, list[str]] = {
    f"{table}_{column}": [str(value) for value in values]
    for table, column, values in [
        ("sku", "status", states.SkuStatus),
        ("quota", "period", states.QuotaPeriod),
        ("location", "kind", states.LocationKind),
        ("stock_movement", "kind", states.MovementKind),
        ("lot", "state", states.LotState),
        ("serial_unit", "state", states.SerialState),
        ("serial_movement", "kind", states.SerialStep),
        ("supply", "kind", states.SupplyKind),
        ("supply", "date_basis", states.DateBasis),
        ("transfer", "state", states.TransferState),
        ("purchase_order", "status", states.PurchaseOrderStatus),
        ("sales_order", "status", states.OrderStatus),
        ("order_line", "status", states.OrderLineStatus),
        ("order_line", "ship_policy", states.ShipPolicy),
        ("order_hold", "reason", states.HoldReason),
        ("order_hold", "on_deadline", states.HoldDeadlineAction),
        ("peg", "kind", states.PegKind),
        ("promise", "cause_kind", states.PromiseReason),
        ("reservation", "state", states.ReservationState),
        ("reservation", "kind", states.ReservationKind),
        ("backorder", "state", states.BackorderState),
        ("backorder", "cause", states.BackorderCause),
        ("backorder_event", "from_state", states.BackorderState),
        ("backorder_event", "to_state", states.BackorderState),
        ("resolution_option", "kind", states.ResolutionKind),
        ("option_offer", "state", states.OptionOfferState),
        ("entitlement", "kind", states.EntitlementKind),
        ("repromising_run", "state", states.RepromisingRunState),
        ("simulation_run", "state", states.SimulationState),
        ("rebalancing_proposal", "state", rebalancing.RebalancingState),
        ("learning_model", "state", states.LearningModelState),
        ("risk_action", "kind", states.RiskActionKind),
        ("risk_action", "state", states.RiskActionState),
        ("input_fault", "reason", states.InputFaultReason),
        ("input_fault", "action", states.InputFaultAction),
        ("repromising_diff", "state", states.RepromisingDiffState),
        ("repromising_diff", "effect", Effect),
        ("repromising_diff", "reason", Why),
        ("shipment", "status", states.ShipmentStatus),
        ("notice", "state", states.NoticeState),
        ("job_run", "state", states.JobState),
        ("edi_document", "validation", edi_states.EdiValidation),
        ("edi_document", "delivery", edi_states.EdiDelivery),
        ("edi_document", "acknowledgement", edi_states.EdiAcknowledgement),
        ("edi_document", "quarantine_state", edi_states.QuarantineState),
        ("edi_outbound", "state", edi_states.EdiOutboundState),
        ("partner_guide", "state", edi_states.GuideState),
        ("supplier_change", "state", supplier_changes.ChangeState),
        ("supplier_change", "source", supplier_changes.ChangeSource),
        ("webhook", "state", webhook_states.WebhookState),
        ("webhook_delivery", "state", webhook_states.WebhookDeliveryState),
        ("ship_notice_pack", "kind", supplier_states.PackKind),
        ("supplier_request", "kind", supplier_states.RequestKind),
        ("supplier_request", "state", supplier_states.RequestState),
        ("partner_alert", "kind", edi_states.PartnerAlertKind),
        ("supplier_deadline", "kind", supplier_states.DeadlineKind),
        ("supplier_deadline", "state", supplier_states.DeadlineState),
        ("api_key", "role", [role for role in Role if role is not Role.SYSTEM]),
    ]
}


async def test_the_model_and_the_migrated_database_are_the_same(database_url: str) -> None:
    engine = create_async_engine(engine_url(database_url), poolclass=NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(lambda c: command.check(alembic_config(c)))
    await engine.dispose()


async def test_upgrading_twice_changes_nothing(empty_database_url: str) -> None:
    async def tables() -> list[tuple[str, int]]:
        connection = await asyncpg.connect(empty_database_url)
        rows = await connection.fetch(
            "select relname, oid::int from pg_class where relnamespace = 'public'::regnamespace order by oid"
        )
        head = await connection.fetchval("select version_num from alembic_version")
        await connection.close()
        return [*((row["relname"], row["oid"]) for row in rows), (head, 0)]

    await upgrade(empty_database_url)
    first = await tables()
    await upgrade(empty_database_url)
    assert await tables() == first


async def test_every_check_lists_the_values_of_its_enum(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    rows = await connection.fetch(
        """select conname, pg_get_constraintdef(oid) as rule from pg_constraint
        where contype = 'c' and connamespace = 'public'::regnamespace"""
    )
    await connection.close()
    single_column = re.compile(r"CHECK \(\((\w+) = ANY \(ARRAY\[(.*)\]\)\)\)")
    found = {
        row["conname"]: re.findall(r"'([^']*)'::text", match.group(2))
        for row in rows
        if (match := single_column.fullmatch(row["rule"]))
    }
    assert found == ENUMS


async def test_checks_of_the_database_are_those_of_the_model(database_url: str) -> None:
    # `alembic check` does not compare CHECK constraints
    connection = await asyncpg.connect(database_url)
    found = await connection.fetch(
        """select conname from pg_constraint where contype = 'c' and connamespace = 'public'::regnamespace"""
    )
    await connection.close()
    declared = {
        str(constraint.name)
        for table in metadata.tables.values()
        for constraint in table.constraints
        if isinstance(constraint, sa.CheckConstraint)
    }
    assert {row["conname"] for row in found} == declared


def test_state_enums_have_no_value_twice() -> None:
    enums = [e for e in vars(states).values() if isinstance(e, type) and issubclass(e, StrEnum) and e is not StrEnum]
    for enum in enums:
        assert len(enum.__members__) == len(set(enum)), enum


async def test_identities_draw_one_number_at_a_time(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    cached = await connection.fetch("select seqrelid::regclass::text from pg_sequence where seqcache <> 1")
    count = await connection.fetchval("select count(*) from pg_sequence")
    await connection.close()
    assert cached == []
    assert count > 40


async def test_sku_is_in_every_key_of_a_sku_table(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    rows = await connection.fetch(
        """select c.conrelid::regclass::text as child, c.conname from pg_constraint c
        where c.contype = 'f'
          and exists (select from pg_attribute a join pg_index i on i.indrelid = a.attrelid and i.indisprimary
            where a.attrelid = c.confrelid and a.attname = 'sku_id' and a.attnum = i.indkey[0]
            and array_length(i.indkey::int2[], 1) > 1)
          and not exists (select from unnest(c.conkey) k join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k
            where a.attname = 'sku_id')"""
    )
    await connection.close()
    assert rows == []
