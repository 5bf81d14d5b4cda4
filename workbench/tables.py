"""The tables of sales, as far as dynamic queries filter and sort by them; sql/schema makes the tables themselves."""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData()
sales_transaction = sa.Table(
    "sales_transaction",
    metadata,
    sa.Column("transaction_id", sa.BigInteger, primary_key=True),
    sa.Column("transaction_time", sa.DateTime),
    sa.Column("store_id", sa.Integer),
    sa.Column("cashier_id", sa.Integer),
    sa.Column("payment_method", sa.String(50)),
    sa.Column("customer_id", sa.Integer),
    sa.Column("total_discount", sa.Numeric(12, 2)),
    sa.Column("total_amount", sa.Numeric(12, 2)),
    sa.Column("version", sa.Integer),
)
sales_item = sa.Table(
    "sales_item",
    metadata,
    sa.Column("item_id", sa.BigInteger, primary_key=True),
    sa.Column("transaction_id", sa.ForeignKey("sales_transaction.transaction_id")),
    sa.Column("product_code", sa.String(50)),
    sa.Column("product_name", sa.String(255)),
)
