-- sales_transaction_day_idx: figures are of whole days of the store's clock, and are grouped by them.
create index sales_transaction_day_idx on sales_transaction ((transaction_time::date))
