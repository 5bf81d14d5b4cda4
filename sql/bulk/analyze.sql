-- analyze: what the planner knows about the tables, which a load has changed. No rows.
analyze sales_transaction, sales_item
