"""A GTIN is kept in its shortest form: with and without leading zeros it is the same article, and has one SKU.

Revision: gtin_form, after supplier_terms_checked. The CHECK holds for what is written from now on; `gtin_form_checked` rewrites
what is stored and validates.
"""

from alembic import op

revision = "gtin_form"
down_revision = "supplier_terms_checked"
branch_labels = None
depends_on = None

FORM = "^((?!0{8})[0-9]{8}|(?!0000)[0-9]{12}|[1-9][0-9]{12,13})$"


def upgrade() -> None:
    op.execute("set local role bm_owner")
    op.execute("set local lock_timeout = '5s'")
    op.execute(f"alter table sku add constraint sku_gtin_form check (gtin ~ '{FORM}') not valid")
    op.execute("reset role")


def downgrade() -> None:
    raise NotImplementedError("schema changes go forward only: expand, backfill, switch, contract")
