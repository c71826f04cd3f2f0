"""Stored GTINs take their shortest form, and the CHECK is validated.

Revision: gtin_form_checked, after gtin_form. Where two SKUs had one GTIN in two forms the older one keeps it: by which of them a
partner's line was told was chance. Zeros alone are no GTIN.
"""

from alembic import op

revision = "gtin_form_checked"
down_revision = "gtin_form"
branch_labels = None
depends_on = None

BARE = "ltrim(gtin, '0')"
SHORTEST = f"lpad({BARE}, case when length({BARE}) <= 8 then 8 else greatest(length({BARE}), 12) end, '0')"


def upgrade() -> None:
    op.execute("set local role bm_owner")
    op.execute(
        f"""update sku k set gtin = null, updated_at = now() where gtin is not null and ({BARE} = '' or exists (
            select from sku x where x.gtin is not null and ltrim(x.gtin, '0') = ltrim(k.gtin, '0') and x.id < k.id))"""
    )
    op.execute(f"update sku set gtin = {SHORTEST}, updated_at = now() where gtin <> {SHORTEST}")
    op.execute("alter table sku validate constraint sku_gtin_form")
    op.execute("reset role")


def downgrade() -> None:
    raise NotImplementedError("schema changes go forward only: expand, backfill, switch, contract")
