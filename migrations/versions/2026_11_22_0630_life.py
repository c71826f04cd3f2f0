"""What is sent for a return, and no backorder that rests in CANCEL_PENDING.

Revision: life, after edi. New columns are nullable, so nothing is rewritten; the CHECK is validated by `settled`, without
a lock that stops writers. A backorder that rests in CANCEL_PENDING stops the upgrade: no former program left one, and its
units, pegs and promise are not to be guessed at here.
"""

import sqlalchemy as sa
from alembic import op

revision = "life"
down_revision = "edi"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local role bm_owner")
    op.add_column("order_return", sa.Column("replacement_sku_id", sa.BigInteger(), nullable=True))
    op.add_column("order_return", sa.Column("replacement_line_id", sa.BigInteger(), nullable=True))
    # a step on the way to CANCELLED: whoever takes it takes the next one in the same transaction
    op.execute("alter table backorder no force row level security")  # else the owner sees no row of it
    op.execute(
        """do $$ declare resting bigint; ids text; begin
            select count(*), string_agg(id::text, ', ') filter (where place <= 10) into resting, ids
            from (select id, row_number() over (order by id) as place from backorder
                where state = 'CANCEL_PENDING' and closed_at is null) b;
            if resting > 0 then
                raise exception '% backorders rest in CANCEL_PENDING (ids %)', resting, ids
                using hint = 'With the former program, cancel what waits of their order lines (backorderCancel); then upgrade.';
            end if;
        end $$"""
    )
    op.execute("alter table backorder force row level security")
    op.execute("alter table backorder add constraint backorder_not_pending check (state <> 'CANCEL_PENDING') not valid")
    op.execute("reset role")


def downgrade() -> None:
    raise NotImplementedError("schema changes go forward only: expand, backfill, switch, contract")
