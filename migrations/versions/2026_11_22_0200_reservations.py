"""Reservations: more kinds, whose they are, which order used how much of them; seals that can name a row.

Revision: reservations, after items. The table is small (live holds and a few days of old ones), so its CHECKs are
replaced at once. `row_digests` of the seals is empty for seals made before; they are verified as they were.
"""

import sqlalchemy as sa
from alembic import op

revision = "reservations"
down_revision = "items"
branch_labels = None
depends_on = None

KINDS = "kind in ('cart', 'quote', 'preorder', 'internal', 'promotion')"


def upgrade() -> None:
    op.execute("set local role bm_owner")
    op.drop_constraint(op.f("reservation_kind"), "reservation", type_="check")
    op.execute("alter table reservation disable trigger guard_gate_update")
    op.execute("update reservation set kind = 'promotion' where kind = 'pool'")
    op.execute("alter table reservation enable trigger guard_gate_update")
    op.create_check_constraint(op.f("reservation_kind"), "reservation", KINDS)
    op.add_column("reservation", sa.Column("channel", sa.Text(), nullable=True))
    op.add_column("reservation", sa.Column("customer_id", sa.BigInteger(), nullable=True))
    op.add_column("reservation", sa.Column("order_id", sa.BigInteger(), nullable=True))
    op.add_column("reservation", sa.Column("used", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.create_check_constraint(op.f("reservation_used"), "reservation", "used >= 0")
    for seal in ("audit_seal", "promise_seal"):
        op.add_column(seal, sa.Column("row_digests", sa.LargeBinary(), nullable=True))
    op.add_column("ledger_alarm", sa.Column("count", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    op.add_column(
        "ledger_alarm",
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
    )
    # one open alarm per check from here on: of several the newest stays open
    op.execute(
        """update ledger_alarm a set cleared_at = now() where a.cleared_at is null and exists (
            select from ledger_alarm b where b.check_name = a.check_name and b.cleared_at is null and b.id > a.id)"""
    )
    op.drop_index("ledger_alarm_open", "ledger_alarm")
    op.create_index(
        "ledger_alarm_open", "ledger_alarm", ["check_name"], unique=True, postgresql_where="cleared_at is null"
    )
    op.execute("reset role")


def downgrade() -> None:
    raise NotImplementedError("schema changes go forward only: expand, backfill, switch, contract")
