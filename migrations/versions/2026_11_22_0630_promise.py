"""Reservations know since when their units are held; a promise may move because a release day has.

Revision: promise, after life. The column is nullable, so nothing is rewritten; the CHECK only gains a value.
"""

from alembic import op

revision = "promise"
down_revision = "life"
branch_labels = None
depends_on = None

REASONS = (
    "'PLACED', 'ALLOCATED', 'LINE_CHANGED', 'HOLD_RELEASED', 'SUPPLY_DATED', 'SUPPLY_ADVANCED', 'SUPPLY_DELAYED', "
    "'SUPPLY_LOST', 'SUPPLIER_BACKORDERED', 'STOCK_CORRECTED', 'REPROMISED', 'SUBSTITUTED', 'OPTION_CHOSEN', "
    "'REPRIORITISED', 'RELEASE_MOVED'"
)


def upgrade() -> None:
    op.execute("set local role bm_owner")
    op.execute("alter table reservation add column held_since timestamptz")
    op.execute("alter table promise drop constraint promise_cause_kind")
    op.execute(f"alter table promise add constraint promise_cause_kind check (cause_kind in ({REASONS})) not valid")
    op.execute("reset role")


def downgrade() -> None:
    raise NotImplementedError("schema changes go forward only: expand, backfill, switch, contract")
