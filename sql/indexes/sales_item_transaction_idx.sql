-- sales_item_transaction_idx: the lines of one sale, also for totals and the foreign key.
create index sales_item_transaction_idx on sales_item (transaction_id)
