"""Lines ask for days of life themselves, promises move with lanes and calendars, kept curves know what expires.

Revision: promise_life, after settled. New columns are nullable, so nothing is rewritten; the CHECKs are validated by
`promise_life_checked`. A kept curve without what the new column says of a SKU that expires answers nothing.
"""

from alembic import op

revision = "promise_life"
down_revision = "settled"
branch_labels = None
depends_on = None

REASONS = (
    "'PLACED', 'ALLOCATED', 'LINE_CHANGED', 'HOLD_RELEASED', 'SUPPLY_DATED', 'SUPPLY_ADVANCED', 'SUPPLY_DELAYED', "
    "'SUPPLY_LOST', 'SUPPLIER_BACKORDERED', 'STOCK_CORRECTED', 'REPROMISED', 'SUBSTITUTED', 'OPTION_CHOSEN', "
    "'REPRIORITISED', 'RELEASE_MOVED', 'ROUTE_CHANGED'"
)


def upgrade() -> None:
    op.execute("set local role bm_owner")
    op.execute("set local lock_timeout = '5s'")
    op.execute("alter table order_line add column min_life_days integer")
    op.execute("alter table order_line add constraint order_line_min_life_days check (min_life_days >= 0) not valid")
    op.execute("alter table promise drop constraint promise_cause_kind")
    op.execute(f"alter table promise add constraint promise_cause_kind check (cause_kind in ({REASONS})) not valid")
    op.execute("alter table availability_curve add column expiring jsonb")
    op.execute("reset role")


def downgrade() -> None:
    raise NotImplementedError("schema changes go forward only: expand, backfill, switch, contract")
